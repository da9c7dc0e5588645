//! A set of keys under a passphrase: Argon2id (RFC 9106) makes the key that encrypts it. The text is a backup, or what the passphrase holder keeps.

mod cost;

use std::fmt;
use std::str::FromStr;

use dango_core::{Entropy, EntropyError, SecretValue};
use zeroize::Zeroizing;

use crate::cipher::{Cipher, EncryptError, OVERHEAD};
use crate::encoding::{base64url, parse_base64url, parse_base64url_array};
use crate::key::KeyId;
use crate::key_set::{KeySet, ParseKeysError};
use cost::Cost;

const VERSION: &str = "dango:wrapped-keys:v1";

/// The length of the salt, in bytes: what RFC 9106 §3.1 recommends.
const SALT_LENGTH: usize = 16;

/// The longest text that is read; a full set of keys takes a tenth of it.
const LONGEST_TEXT: usize = 16 * 1024;

/// A set of keys that only a passphrase opens.
///
/// [`fmt::Display`] writes the text for a file, [`FromStr`] reads it, with any line ends. Neither asks for the passphrase.
#[derive(Clone)]
pub struct WrappedKeys {
    cost: Cost,
    salt: [u8; SALT_LENGTH],
    /// The active key first; never empty.
    ids: Vec<KeyId>,
    data: Vec<u8>,
}

impl WrappedKeys {
    /// Wraps keys. Takes 64 MiB and some tenths of a second, on purpose.
    ///
    /// The passphrase is taken as the bytes that it is: no white space is trimmed, no Unicode form changed.
    ///
    /// # Errors
    ///
    /// [`WrapError`]: an empty passphrase, no randomness, or no memory.
    pub fn wrap(keys: &KeySet, passphrase: &SecretValue, entropy: &dyn Entropy) -> Result<Self, WrapError> {
        if passphrase.expose().is_empty() {
            return Err(WrapError::EmptyPassphrase);
        }
        let mut salt = [0; SALT_LENGTH];
        entropy.fill(&mut salt).map_err(WrapError::Entropy)?;
        let mut wrapped = Self {
            cost: Cost::DEFAULT,
            salt,
            ids: keys.ids().collect(),
            data: Vec::new(),
        };
        let key = wrapped.cost.derive_key(passphrase, &salt).ok_or(WrapError::Memory)?;
        wrapped.data = Cipher::new(&key).encrypt(wrapped.header().as_bytes(), keys.to_text().expose().as_bytes(), entropy)?;
        Ok(wrapped)
    }

    /// Opens them.
    ///
    /// # Errors
    ///
    /// [`UnwrapError`]; a wrong passphrase and a changed text are one error, because nothing can tell them apart.
    pub fn unwrap(&self, passphrase: &SecretValue) -> Result<KeySet, UnwrapError> {
        let key = self.cost.derive_key(passphrase, &self.salt).ok_or(UnwrapError::Memory)?;
        let plain = Cipher::new(&key).decrypt(self.header().as_bytes(), &self.data);
        let mut plain: Zeroizing<Vec<u8>> = plain.ok_or(UnwrapError::NotOpened)?;
        let text = SecretValue::from_utf8(std::mem::take(&mut *plain)).map_err(|_| ParseKeysError::Form)?;
        Ok(KeySet::parse(&text)?)
    }

    /// The id of the active key, known without the passphrase, and to be trusted only once it has opened.
    pub fn active_id(&self) -> Option<KeyId> {
        self.ids.first().copied()
    }

    /// The ids of the keys that an unfinished rotation has retired; known like [`WrappedKeys::active_id`].
    pub fn retired_ids(&self) -> impl Iterator<Item = KeyId> {
        self.ids.iter().skip(1).copied()
    }

    /// Everything but the encrypted keys; authenticated with them, so that neither cost nor ids can be changed.
    fn header(&self) -> String {
        let ids: String = self.ids.iter().map(|id| format!(" {id}")).collect();
        format!("{VERSION}\nkdf {}\nsalt {}\nkeys{ids}\n", self.cost, base64url(&self.salt))
    }
}

impl fmt::Display for WrappedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}data {}", self.header(), base64url(&self.data))
    }
}

impl fmt::Debug for WrappedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKeys({:?}, {})", self.ids, self.cost)
    }
}

impl FromStr for WrappedKeys {
    type Err = ParseWrappedError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > LONGEST_TEXT {
            return Err(ParseWrappedError::TooLong);
        }
        // A file that came through a mail or another system may have other line ends, or blank lines around.
        let mut lines = text.trim().lines().enumerate();
        let mut member = |word: &str| {
            let (index, line) = lines.next().unwrap_or((0, ""));
            let malformed = ParseWrappedError::Malformed { line: index + 1 };
            let value = line.trim_end().strip_prefix(word);
            value.map(|value| (value, malformed)).ok_or(malformed)
        };
        let (rest, malformed) = member(VERSION)?;
        if !rest.is_empty() {
            return Err(malformed);
        }
        let (cost, malformed) = member("kdf ")?;
        let cost = Cost::parse(cost, malformed)?;
        let (salt, malformed) = member("salt ")?;
        let salt = parse_base64url_array(salt).ok_or(malformed)?;
        let (ids, malformed) = member("keys ")?;
        let ids: Result<Vec<KeyId>, _> = ids.split(' ').map(|id| id.parse().map_err(|_| malformed)).collect();
        let (data, malformed) = member("data ")?;
        let data = parse_base64url(data).ok().filter(|data| data.len() >= OVERHEAD).ok_or(malformed)?;
        match lines.next() {
            Some((index, _)) => Err(ParseWrappedError::Malformed { line: index + 1 }),
            None => Ok(Self {
                cost,
                salt,
                ids: ids?,
                data,
            }),
        }
    }
}

/// Why keys were not wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WrapError {
    /// An empty passphrase protects nothing.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// There is no randomness.
    #[error("keys cannot be encrypted without randomness")]
    Entropy(#[source] EntropyError),
    /// The 64 MiB that the passphrase's key takes are not to be had.
    #[error("there is not enough memory to derive a key from the passphrase")]
    Memory,
}

impl WrapError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EmptyPassphrase => "passphrase-empty",
            Self::Entropy(_) => "no-randomness",
            Self::Memory => "no-memory",
        }
    }
}

impl From<EncryptError> for WrapError {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::Entropy(error) => Self::Entropy(error),
            // A set of keys is some hundred bytes; the cipher takes 64 GiB.
            EncryptError::TooLong => Self::Memory,
        }
    }
}

/// A text that is no wrapped set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseWrappedError {
    /// Longer than any set of keys.
    #[error("the text is too long for a set of keys")]
    TooLong,
    /// Not of the form.
    #[error("line {line} is not what a set of keys under a passphrase has there")]
    Malformed {
        /// The line, from 1.
        line: usize,
    },
    /// The passphrase would be too cheap to guess.
    #[error("the cost of the passphrase is below what is accepted: {floor}")]
    TooCheap {
        /// The least that is accepted.
        floor: &'static str,
    },
    /// Trying the passphrase would take too much time or memory.
    #[error("the cost of the passphrase is above what is accepted: {ceiling}")]
    TooDear {
        /// The most that is accepted.
        ceiling: &'static str,
    },
}

impl ParseWrappedError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong | Self::Malformed { .. } => "wrapped-keys-malformed",
            Self::TooCheap { .. } => "passphrase-cost-too-low",
            Self::TooDear { .. } => "passphrase-cost-too-high",
        }
    }
}

/// Why wrapped keys did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnwrapError {
    /// A wrong passphrase, or a text that was changed.
    #[error("the passphrase is wrong, or the text was changed")]
    NotOpened,
    /// The memory that the passphrase's key takes is not to be had.
    #[error("there is not enough memory to derive a key from the passphrase")]
    Memory,
    /// It opened and holds no keys.
    #[error("what was encrypted is no set of keys")]
    Keys(#[from] ParseKeysError),
}

impl UnwrapError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotOpened => "passphrase-wrong",
            Self::Memory => "no-memory",
            Self::Keys(error) => error.code(),
        }
    }
}

#[cfg(test)]
mod tests;
