//! The identity key, from which every other key of this crate is derived. Where it is kept is the caller's business.

mod derived;

use std::fmt;
use std::str::FromStr;

use dango_core::{Entropy, EntropyError, SecretValue};
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub use derived::{
    AccountNameKey, ApiKeyMacKey, AuditChainKey, AuditCheckpointSeed, ColumnKey, DeviceKey, PasswordPepper, Purpose, SessionMacKey,
    TokenKey,
};
pub(crate) use derived::{plain_hash, same_code};

/// The length of every key, in bytes.
const KEY_LENGTH: usize = 32;

/// The key outside the database: 32 random bytes, erased from memory when dropped.
///
/// Without it a copy of the database gives nobody a login, a session, a usable token or a second factor. It encrypts
/// none of the user's credentials.
///
/// It has no `Debug`, `Display`, `Serialize`, `Clone` or `PartialEq`:
///
/// ```compile_fail,E0277
/// let key = dango_identity::IdentityKey::make(&dango_core::OsEntropy).unwrap();
/// println!("{key:?}");
/// ```
///
/// ```compile_fail,E0277
/// let key = dango_identity::IdentityKey::make(&dango_core::OsEntropy).unwrap();
/// println!("{key}");
/// ```
///
/// ```compile_fail,E0599
/// let key = dango_identity::IdentityKey::make(&dango_core::OsEntropy).unwrap();
/// let copy: dango_identity::IdentityKey = key.clone();
/// ```
///
/// ```compile_fail,E0369
/// let key = dango_identity::IdentityKey::make(&dango_core::OsEntropy).unwrap();
/// assert!(key == key);
/// ```
///
/// ```compile_fail,E0277
/// let key = dango_identity::IdentityKey::make(&dango_core::OsEntropy).unwrap();
/// serde_json::to_string(&key).unwrap();
/// ```
pub struct IdentityKey {
    bytes: Zeroizing<[u8; KEY_LENGTH]>,
    id: IdentityKeyId,
}

impl IdentityKey {
    /// Makes a new key.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness.
    pub fn make(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        entropy.fill(bytes.as_mut_slice())?;
        Ok(Self::from_bytes(bytes))
    }

    /// Reads a key as `DANGO_IDENTITY_KEY` has it: 64 hex digits, or base64 of 32 bytes in either alphabet, padded or not.
    ///
    /// # Errors
    ///
    /// [`ParseIdentityKeyError`], which does not repeat the text.
    pub fn parse(text: &SecretValue) -> Result<Self, ParseIdentityKeyError> {
        parse_text(text.expose())
    }

    /// As [`IdentityKey::parse`], with white space around the key ignored, as a file has it.
    ///
    /// # Errors
    ///
    /// As [`IdentityKey::parse`].
    pub fn parse_file(text: &SecretValue) -> Result<Self, ParseIdentityKeyError> {
        parse_text(text.expose().trim())
    }

    /// Writes the key as its file holds it: 64 lower-case hex digits, without a line end.
    pub fn expose_text(&self) -> SecretValue {
        SecretValue::new(HEXLOWER.encode(self.bytes.as_slice())).expect("hex digits are no NUL")
    }

    /// The id that stands beside whatever was sealed with this key.
    pub const fn id(&self) -> IdentityKeyId {
        self.id
    }

    /// Whether two keys are the same, in constant time.
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.bytes.ct_eq(other.bytes.as_slice()).into()
    }

    fn from_bytes(bytes: Zeroizing<[u8; KEY_LENGTH]>) -> Self {
        let id = IdentityKeyId::of(&bytes);
        Self { bytes, id }
    }
}

fn parse_text(text: &str) -> Result<IdentityKey, ParseIdentityKeyError> {
    if text.is_empty() {
        return Err(ParseIdentityKeyError::Empty);
    }
    let encodings: &[&Encoding] = match text.len() {
        64 => &[&HEXLOWER_PERMISSIVE],
        43 => &[&BASE64_NOPAD, &BASE64URL_NOPAD],
        44 if text.ends_with('=') => &[&BASE64_NOPAD, &BASE64URL_NOPAD],
        _ => &[],
    };
    let digits = if text.len() == 44 {
        text.strip_suffix('=').unwrap_or(text)
    } else {
        text
    };
    for encoding in encodings {
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        let fits = encoding.decode_len(digits.len()) == Ok(KEY_LENGTH);
        if fits && encoding.decode_mut(digits.as_bytes(), bytes.as_mut_slice()).is_ok() {
            return Ok(IdentityKey::from_bytes(bytes));
        }
    }
    Err(ParseIdentityKeyError::Form)
}

/// A text that is not an identity key.
///
/// # Security
///
/// The text itself is not kept: it may be a key with one character too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdentityKeyError {
    /// Nothing at all.
    #[error("the identity key is empty")]
    Empty,
    /// Neither form.
    #[error("the identity key is not 32 bytes written as 64 hex digits or as base64")]
    Form,
}

impl ParseIdentityKeyError {
    /// A stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "identity-key-empty",
            Self::Form => "identity-key-malformed",
        }
    }
}

/// The name of an identity key: the first 8 bytes of a SHA-256 over it, written as 16 lower-case hex digits.
///
/// It identifies the key and says nothing about it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdentityKeyId([u8; 8]);

impl IdentityKeyId {
    /// The length in bytes.
    pub(crate) const LENGTH: usize = 8;

    /// The bytes, as they stand in front of what was sealed.
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// Takes the bytes back.
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    fn of(key: &[u8; KEY_LENGTH]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"dango:identity:v1:key-id\0");
        hash.update(key);
        let mut id = [0; Self::LENGTH];
        id.copy_from_slice(&hash.finalize()[..Self::LENGTH]);
        Self(id)
    }
}

impl fmt::Display for IdentityKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for IdentityKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityKeyId({self})")
    }
}

impl FromStr for IdentityKeyId {
    type Err = ParseIdentityKeyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut id = [0; Self::LENGTH];
        if text.len() != 2 * Self::LENGTH {
            return Err(ParseIdentityKeyIdError);
        }
        HEXLOWER.decode_mut(text.as_bytes(), &mut id).map_err(|_| ParseIdentityKeyIdError)?;
        Ok(Self(id))
    }
}

/// A text that is not the id of an identity key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key id: 16 lower-case hex digits")]
pub struct ParseIdentityKeyIdError;

#[cfg(test)]
mod tests;
