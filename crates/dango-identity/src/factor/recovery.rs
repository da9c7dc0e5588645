//! Recovery codes: how they are made, typed and stored. When one counts is in `second_factors`.

use dango_core::{Entropy, EntropyError, SecretValue, Timestamp};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::id::{FactorId, UserId};
use crate::key::TokenKey;
use crate::token::{TokenDigest, kind};

/// How many codes a set has.
pub const RECOVERY_CODES: usize = 10;

/// Crockford's base32: no I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHARS: usize = 16;
/// The alphabet of earlier Dango versions, whose codes had 8 characters: no I, O, 0 and 1.
const IMPORTED_ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const IMPORTED_CHARS: usize = 8;

/// A recovery code: 80 random bits as `XXXX-XXXX-XXXX-XXXX`, erased from memory when dropped.
///
/// It has no `Debug`, `Display`, `Serialize`, `Clone` or `PartialEq`:
///
/// ```compile_fail,E0277
/// let code = dango_identity::RecoveryCode::parse("0123-4567-89AB-CDEF").unwrap();
/// println!("{code:?}");
/// ```
///
/// ```compile_fail,E0277
/// let code = dango_identity::RecoveryCode::parse("0123-4567-89AB-CDEF").unwrap();
/// serde_json::to_string(&code).unwrap();
/// ```
pub struct RecoveryCode {
    /// Canonical: upper case, no dashes.
    text: Zeroizing<String>,
}

impl RecoveryCode {
    /// Reads a code as somebody typed it. Case, dashes and white space do not matter; I and L are read as 1, and O as 0.
    ///
    /// Codes of earlier Dango versions (`XXXX-XXXX`) are read, too; they count where they were imported.
    ///
    /// # Errors
    ///
    /// [`ParseRecoveryCodeError`], which does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, ParseRecoveryCodeError> {
        if text.len() > 128 {
            return Err(ParseRecoveryCodeError);
        }
        let mut typed = Zeroizing::new(String::with_capacity(text.len()));
        let kept = text.chars().filter(|character| *character != '-' && !character.is_whitespace());
        typed.extend(kept.map(|character| character.to_ascii_uppercase()));
        let alphabet = match typed.len() {
            CHARS => ALPHABET,
            IMPORTED_CHARS => IMPORTED_ALPHABET,
            _ => return Err(ParseRecoveryCodeError),
        };
        if typed.len() == CHARS {
            let read = Zeroizing::new(typed.replace(['I', 'L'], "1").replace('O', "0"));
            typed = read;
        }
        if typed.bytes().all(|byte| alphabet.contains(&byte)) {
            Ok(Self { text: typed })
        } else {
            Err(ParseRecoveryCodeError)
        }
    }

    /// The code as its owner keeps it, in groups of four.
    pub fn expose_text(&self) -> SecretValue {
        let mut grouped = String::with_capacity(self.text.len() + self.text.len() / 4);
        for (at, character) in self.text.chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                grouped.push('-');
            }
            grouped.push(character);
        }
        SecretValue::new(grouped).expect("the alphabet has no NUL")
    }

    fn make(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut random = Zeroizing::new([0; CHARS * 5 / 8]);
        entropy.fill(random.as_mut_slice())?;
        let mut bits = random.iter().fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
        let mut text = Zeroizing::new(String::with_capacity(CHARS));
        for _ in 0..CHARS {
            text.push(char::from(ALPHABET[(bits & 31) as usize]));
            bits >>= 5;
        }
        Ok(Self { text })
    }

    /// The digest under which the code is stored for a user. For a code of an earlier version it goes over what that stored.
    pub(super) fn digest(&self, key: &TokenKey, user: UserId) -> TokenDigest<kind::RecoveryCode> {
        if self.text.len() == IMPORTED_CHARS {
            let hash: [u8; 32] = Sha256::digest(self.text.as_bytes()).into();
            return imported_digest(key, user, &hash);
        }
        digest(key, user, self.text.as_bytes())
    }
}

/// The digest for a code of which only an unkeyed SHA-256 is left.
pub(super) fn imported_digest(key: &TokenKey, user: UserId, hash: &[u8; 32]) -> TokenDigest<kind::RecoveryCode> {
    digest(key, user, hash)
}

/// The user is part of it, so a row that is moved to another user opens nothing. Codes have 16 bytes and hashes 32.
fn digest(key: &TokenKey, user: UserId, code: &[u8]) -> TokenDigest<kind::RecoveryCode> {
    let mut message = [user.as_bytes(), code].concat();
    let digest = TokenDigest::of(key, &message);
    message.zeroize();
    digest
}

/// A text that is no recovery code; it is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a recovery code such as XXXX-XXXX-XXXX-XXXX")]
pub struct ParseRecoveryCodeError;

/// A new set of recovery codes, to be shown to its owner once.
pub struct RecoveryCodes(Vec<RecoveryCode>);

impl RecoveryCodes {
    pub(super) fn make(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let codes: Result<Vec<_>, _> = (0..RECOVERY_CODES).map(|_| RecoveryCode::make(entropy)).collect();
        codes.map(Self)
    }

    /// The codes.
    pub fn codes(&self) -> &[RecoveryCode] {
        &self.0
    }

    pub(super) fn record(
        &self,
        key: &TokenKey,
        user: UserId,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<RecoverySetRecord, EntropyError> {
        Ok(RecoverySetRecord {
            id: FactorId::make(now, entropy)?,
            user,
            created_at: now,
            digests: self.0.iter().map(|code| code.digest(key, user)).collect(),
        })
    }
}

/// A set of recovery codes as rows: one per digest that is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoverySetRecord {
    /// The set's id.
    pub id: FactorId,
    /// Whose it is.
    pub user: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// The digests of its codes.
    pub digests: Vec<TokenDigest<kind::RecoveryCode>>,
}
