//! The stored form of a password: a PHC string of Argon2id, or the bcrypt string of an earlier Dango version.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Params, Version};

/// What a stored hash may ask for. The parameters come from the database, and a changed row must not be able to take
/// the machine's memory or a core for minutes.
const MAX_MEMORY_KIB: u32 = 1 << 18;
const MAX_PASSES: u32 = 32;
const MAX_LANES: u32 = 16;
const MAX_BCRYPT_COST: u32 = 14;

/// A stored password, well formed and affordable to verify.
///
/// It shows nothing of itself but its kind: a hash is what an attacker guesses against.
#[derive(Clone)]
pub struct PasswordRecord {
    text: String,
    pub(super) kind: Kind,
}

#[derive(Clone)]
pub(super) enum Kind {
    Argon2id(Box<Argon2id>),
    Bcrypt,
}

#[derive(Clone)]
pub(super) struct Argon2id {
    pub(super) params: Params,
    pub(super) salt: Vec<u8>,
    pub(super) output: Vec<u8>,
}

impl PasswordRecord {
    /// Reads a stored password.
    ///
    /// # Errors
    ///
    /// [`ParseRecordError`] where it is neither `$argon2id$v=19$…` nor `$2a$`/`$2b$`/`$2y$…`, is damaged, or would cost
    /// too much to verify.
    pub fn parse(text: &str) -> Result<Self, ParseRecordError> {
        let kind = if text.starts_with("$argon2id$") {
            parse_argon2id(text).map(|hash| Kind::Argon2id(Box::new(hash)))
        } else {
            parse_bcrypt(text).map(|()| Kind::Bcrypt)
        };
        Ok(Self {
            text: text.to_owned(),
            kind: kind.ok_or(ParseRecordError)?,
        })
    }

    /// The text to store.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for PasswordRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            Kind::Argon2id(_) => "PasswordRecord(argon2id)",
            Kind::Bcrypt => "PasswordRecord(bcrypt)",
        })
    }
}

/// A text that is no stored password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a stored password: neither an affordable Argon2id PHC string nor a bcrypt string")]
pub struct ParseRecordError;

fn parse_argon2id(text: &str) -> Option<Argon2id> {
    let hash = PasswordHash::new(text).ok()?;
    let known = hash.algorithm.as_str() == Algorithm::Argon2id.as_str() && hash.version == Some(Version::V0x13.into());
    let params = Params::try_from(&hash).ok()?;
    let affordable = params.m_cost() <= MAX_MEMORY_KIB && params.t_cost() <= MAX_PASSES && params.p_cost() <= MAX_LANES;
    let output = hash.hash?;
    (known && affordable && output.len() >= 16).then_some(Argon2id {
        params,
        salt: hash.salt?.to_vec(),
        output: output.as_bytes().to_vec(),
    })
}

/// `$2b$12$` and 53 characters (22 of salt, 31 of hash).
fn parse_bcrypt(text: &str) -> Option<()> {
    let parts: bcrypt::HashParts = text.parse().ok()?;
    let known = ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| text.starts_with(prefix));
    (known && text.len() == 60 && (4..=MAX_BCRYPT_COST).contains(&parts.get_cost())).then_some(())
}
