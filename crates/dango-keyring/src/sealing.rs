//! Sealing a value into an envelope and opening it again. The cipher, the text form and the keys are elsewhere.

use std::fmt;
use std::str::FromStr;

use dango_core::{Entropy, EntropyError, InvalidSecret, SecretValue};

use crate::binding::{Binding, Purpose};
use crate::cipher::{Cipher, EncryptError};
use crate::derivation::{DerivedKey, Role};
use crate::encoding::parse_number;
use crate::envelope::{Envelope, MalformedEnvelope};
use crate::key::{KeyId, MasterKey};
use crate::key_set::KeySet;

impl KeySet {
    /// Seals a value with the active key; it opens only for the same purpose and binding.
    ///
    /// The plain text is one text; which one depends on the purpose, see `docs/formats/envelope.md`. For `.dlt/secrets.toml` it is the
    /// TOML value as it stands in the file (`"sk_live"`, `5432`, `true`, `2026-11-21`), so that its type comes back with it, for `.env`
    /// what stands behind `=`, quotes included, each with the comment behind it where that is hidden, too; for `totp` the value itself.
    /// Nothing of it is checked here.
    ///
    /// # Errors
    ///
    /// [`SealError`]: the key has sealed enough, the count is another key's, or there is no randomness. Nothing is sealed then, and
    /// only a seal that was made is counted.
    ///
    /// # Security
    ///
    /// The length of the value shows in the length of the envelope.
    pub fn seal(
        &self,
        purpose: Purpose,
        binding: &Binding,
        plain: &SecretValue,
        count: &mut SealCount,
        entropy: &dyn Entropy,
    ) -> Result<Envelope, SealError> {
        let master = self.active();
        let after = count.after_one_more(master.id())?;
        let aad = binding.associated_data(purpose);
        let sealed = cipher(master, purpose).encrypt(&aad, plain.expose().as_bytes(), entropy)?;
        *count = after;
        Ok(Envelope::new(master.id(), sealed))
    }

    /// Opens an envelope that was sealed for this purpose and binding, with an active or a retired key.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; nothing of the plain text comes with it.
    ///
    /// # Security
    ///
    /// One error stands for everything that somebody may have done to the envelope: nothing tells what was right about a wrong one.
    pub fn open(&self, purpose: Purpose, binding: &Binding, envelope: &Envelope) -> Result<SecretValue, OpenError> {
        let id = envelope.key_id();
        let master = self.find(id).ok_or(OpenError::UnknownKey { id })?;
        open(&cipher(master, purpose), purpose, binding, envelope)
    }

    /// What opens many envelopes of one purpose; the keys are derived for all of them at once.
    pub fn opener(&self, purpose: Purpose) -> Opener {
        let ciphers = self.keys().map(|master| (master.id(), cipher(master, purpose)));
        Opener {
            purpose,
            ciphers: ciphers.collect(),
        }
    }
}

/// Opens envelopes of one purpose, each as [`KeySet::open`] does.
///
/// Its keys are erased when it is dropped; drop it once everything is open. It has no `Debug`, `Display` or `Serialize`:
///
/// ```compile_fail,E0277
/// let keys = dango_keyring::KeySet::new(dango_keyring::MasterKey::make(&dango_core::OsEntropy).unwrap(), None);
/// println!("{:?}", keys.opener(dango_keyring::Purpose::DotEnv));
/// ```
pub struct Opener {
    purpose: Purpose,
    ciphers: Vec<(KeyId, Cipher)>,
}

impl Opener {
    /// Opens an envelope that was sealed for this binding.
    ///
    /// # Errors
    ///
    /// As [`KeySet::open`].
    pub fn open(&self, binding: &Binding, envelope: &Envelope) -> Result<SecretValue, OpenError> {
        let id = envelope.key_id();
        let found = self.ciphers.iter().find(|(key_id, _)| *key_id == id);
        let (_, cipher) = found.ok_or(OpenError::UnknownKey { id })?;
        open(cipher, self.purpose, binding, envelope)
    }
}

fn cipher(master: &MasterKey, purpose: Purpose) -> Cipher {
    Cipher::new(DerivedKey::derive(master, Role::Envelope, purpose.as_str()).bytes())
}

fn open(cipher: &Cipher, purpose: Purpose, binding: &Binding, envelope: &Envelope) -> Result<SecretValue, OpenError> {
    let aad = binding.associated_data(purpose);
    let mut plain = cipher.decrypt(&aad, envelope.sealed()).ok_or(OpenError::NotAuthentic)?;
    Ok(SecretValue::from_utf8(std::mem::take(&mut *plain))?)
}

/// How often a key has sealed, to be kept by the caller: at most 2³² times (SP 800-38D §8.3, for random nonces).
///
/// The text form is `<key id>:<count>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealCount {
    key_id: KeyId,
    seals: u64,
}

impl SealCount {
    /// The most seals of one key.
    pub const MOST: u64 = 1 << 32;

    /// The count of a key that has sealed nothing.
    pub const fn start(key_id: KeyId) -> Self {
        Self { key_id, seals: 0 }
    }

    /// The key that is counted.
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// How often it has sealed.
    pub const fn seals(&self) -> u64 {
        self.seals
    }

    fn after_one_more(self, key_id: KeyId) -> Result<Self, SealError> {
        if self.key_id != key_id {
            return Err(SealError::CountOfAnotherKey {
                counted: self.key_id,
                active: key_id,
            });
        }
        if self.seals >= Self::MOST {
            return Err(SealError::Exhausted { id: key_id });
        }
        Ok(Self {
            seals: self.seals + 1,
            ..self
        })
    }
}

impl fmt::Display for SealCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.key_id, self.seals)
    }
}

impl FromStr for SealCount {
    type Err = ParseCountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key_id, seals) = text.trim().split_once(':').ok_or(ParseCountError)?;
        Ok(Self {
            key_id: key_id.parse().map_err(|_| ParseCountError)?,
            seals: parse_number(seals).ok_or(ParseCountError)?,
        })
    }
}

/// A text that is no count of seals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a count of seals: a key id, a colon and a number")]
pub struct ParseCountError;

/// Why a value was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The key has sealed 2³² values.
    #[error("the key {id} has sealed {} values, which is the most for one key", SealCount::MOST)]
    Exhausted {
        /// The key.
        id: KeyId,
    },
    /// The count that was given belongs to another key than the one that seals.
    #[error("the count of seals is that of the key {counted}, not of {active}")]
    CountOfAnotherKey {
        /// The key that was counted.
        counted: KeyId,
        /// The key that seals.
        active: KeyId,
    },
    /// The value is longer than the cipher takes (64 GiB).
    #[error("the value is too long to be encrypted")]
    TooLong,
    /// There is no randomness for the nonce.
    #[error("a value cannot be encrypted without randomness")]
    Entropy(#[source] EntropyError),
}

impl SealError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Exhausted { .. } => "key-exhausted",
            Self::CountOfAnotherKey { .. } => "seal-count-of-another-key",
            Self::TooLong => "value-too-long",
            Self::Entropy(_) => "no-randomness",
        }
    }
}

impl From<EncryptError> for SealError {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::Entropy(error) => Self::Entropy(error),
            EncryptError::TooLong => Self::TooLong,
        }
    }
}

/// Why an encrypted value did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It was sealed with a key that is not at hand.
    #[error("it was encrypted with the key {id}, which is not at hand")]
    UnknownKey {
        /// The key that would open it.
        id: KeyId,
    },
    /// It was moved, swapped, cut, changed, or is for another purpose.
    #[error("it does not open: it was changed, or belongs to another place")]
    NotAuthentic,
    /// It is an envelope but for some damage.
    #[error(transparent)]
    Malformed(#[from] MalformedEnvelope),
    /// It opened and is no text; some other program sealed it.
    #[error("what was encrypted is no text")]
    NotText(#[from] InvalidSecret),
}

impl OpenError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownKey { .. } => "unknown-key",
            Self::NotAuthentic => "not-authentic",
            Self::Malformed(_) => "malformed-envelope",
            Self::NotText(_) => "not-text",
        }
    }
}

#[cfg(test)]
mod tests;
