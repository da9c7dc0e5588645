//! The master key and the id that names it without giving it away. Where keys are kept is elsewhere.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use dango_core::{Entropy, EntropyError, SecretValue};
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::memory::{KEY_LENGTH, KeyMemory};

/// The key from which every other is derived: 32 random bytes, locked in memory where the system allows and erased when dropped.
///
/// It has no `Debug`, `Display`, `Serialize`, `Clone` or `PartialEq`, so it reaches no log by accident:
///
/// ```compile_fail,E0277
/// let key = dango_keyring::MasterKey::make(&dango_core::OsEntropy).unwrap();
/// println!("{key:?}");
/// ```
///
/// ```compile_fail,E0277
/// let key = dango_keyring::MasterKey::make(&dango_core::OsEntropy).unwrap();
/// println!("{key}");
/// ```
///
/// ```compile_fail,E0599
/// let key = dango_keyring::MasterKey::make(&dango_core::OsEntropy).unwrap();
/// let copy: dango_keyring::MasterKey = key.clone();
/// ```
///
/// ```compile_fail,E0369
/// let key = dango_keyring::MasterKey::make(&dango_core::OsEntropy).unwrap();
/// assert!(key == key);
/// ```
///
/// ```compile_fail,E0277
/// let key = dango_keyring::MasterKey::make(&dango_core::OsEntropy).unwrap();
/// serde_json::to_string(&key).unwrap();
/// ```
pub struct MasterKey {
    memory: KeyMemory,
    id: KeyId,
}

impl MasterKey {
    /// Makes a new key.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness.
    pub fn make(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        KeyMemory::try_fill(|bytes| entropy.fill(bytes)).map(Self::from_memory)
    }

    /// Reads a key as `DANGO_KEY` has it: 64 hex digits, or base64 of 32 bytes in either alphabet, padded or not.
    ///
    /// # Errors
    ///
    /// [`ParseKeyError`], which does not repeat the text.
    pub fn parse(text: &SecretValue) -> Result<Self, ParseKeyError> {
        parse_text(text.expose())
    }

    /// As [`MasterKey::parse`], with white space around the key ignored, as a file has it.
    ///
    /// # Errors
    ///
    /// As [`MasterKey::parse`].
    pub fn parse_file(text: &SecretValue) -> Result<Self, ParseKeyError> {
        parse_text(text.expose().trim())
    }

    /// The id that stands in every envelope sealed with this key.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Whether two keys are the same, in constant time.
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.bytes().ct_eq(other.bytes()).into()
    }

    /// Whether the system keeps this key out of swap; where its limit is used up, it does not.
    pub fn is_locked_in_memory(&self) -> bool {
        self.memory.is_locked()
    }

    /// Copies a key into memory of its own.
    pub(crate) fn from_bytes(bytes: &[u8; KEY_LENGTH]) -> Self {
        let copied: Result<KeyMemory, Infallible> = KeyMemory::try_fill(|page| {
            page.copy_from_slice(bytes);
            Ok(())
        });
        match copied {
            Ok(memory) => Self::from_memory(memory),
            Err(never) => match never {},
        }
    }

    /// The key itself, for derivation and for the holders' text.
    pub(crate) fn bytes(&self) -> &[u8; KEY_LENGTH] {
        self.memory.bytes()
    }

    fn from_memory(memory: KeyMemory) -> Self {
        let id = KeyId::of(memory.bytes());
        Self { memory, id }
    }
}

fn parse_text(text: &str) -> Result<MasterKey, ParseKeyError> {
    if text.is_empty() {
        return Err(ParseKeyError::Empty);
    }
    let encodings: &[&Encoding] = match text.len() {
        64 => &[&HEXLOWER_PERMISSIVE],
        43 => &[&BASE64_NOPAD, &BASE64URL_NOPAD],
        44 if text.ends_with('=') => &[&BASE64_NOPAD, &BASE64URL_NOPAD],
        _ => &[],
    };
    let unpadded = text.strip_suffix('=').unwrap_or(text);
    let digits = if text.len() == 64 { text } else { unpadded };
    for encoding in encodings {
        let mut bytes = [0; KEY_LENGTH];
        // Every text of these lengths decodes to 32 bytes or not at all.
        let fits = encoding.decode_len(digits.len()) == Ok(KEY_LENGTH);
        let decoded = fits && encoding.decode_mut(digits.as_bytes(), &mut bytes).is_ok();
        let key = decoded.then(|| MasterKey::from_bytes(&bytes));
        bytes.zeroize();
        if let Some(key) = key {
            return Ok(key);
        }
    }
    Err(ParseKeyError::Form)
}

/// A text that is not a master key.
///
/// # Security
///
/// The text itself is not kept: it may be a key with one character too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseKeyError {
    /// Nothing at all.
    #[error("the key is empty")]
    Empty,
    /// Neither form.
    #[error("the key is not 32 bytes written as 64 hex digits or as base64")]
    Form,
}

impl ParseKeyError {
    /// A stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "key-empty",
            Self::Form => "key-malformed",
        }
    }
}

/// The name of a key: the first 8 bytes of SHA-256 over the key, written as 16 lower-case hex digits.
///
/// It identifies the key and says nothing about it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// The length of the text form, in characters.
    pub(crate) const TEXT_LENGTH: usize = 16;

    fn of(key: &[u8; KEY_LENGTH]) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"dango:v1:key-id\0");
        hash.update(key);
        let mut id = [0; 8];
        id.copy_from_slice(&hash.finalize()[..8]);
        Self(id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

impl FromStr for KeyId {
    type Err = ParseKeyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != Self::TEXT_LENGTH {
            return Err(ParseKeyIdError);
        }
        let mut id = [0; 8];
        HEXLOWER.decode_mut(text.as_bytes(), &mut id).map_err(|_| ParseKeyIdError)?;
        Ok(Self(id))
    }
}

/// A text that is not a key id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a key id: 16 lower-case hex digits")]
pub struct ParseKeyIdError;

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;
    use proptest::prelude::*;

    use super::*;

    fn secret(text: &str) -> SecretValue {
        SecretValue::new(text.to_owned()).expect("no NUL")
    }

    fn parses(text: &str) -> Option<[u8; KEY_LENGTH]> {
        MasterKey::parse(&secret(text)).ok().map(|key| *key.bytes())
    }

    #[test]
    fn every_written_form_of_a_key_is_the_same_key() {
        let bytes: [u8; KEY_LENGTH] = std::array::from_fn(|i| (i as u8).wrapping_mul(37) | 0xc3);
        let hex = HEXLOWER.encode(&bytes);
        let (standard, url) = (BASE64_NOPAD.encode(&bytes), BASE64URL_NOPAD.encode(&bytes));
        assert_ne!(standard, url);
        for text in [
            hex.clone(),
            hex.to_uppercase(),
            format!("{standard}="),
            format!("{url}="),
            standard,
            url,
        ] {
            assert_eq!(parses(&text), Some(bytes));
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let hex = "0f".repeat(32);
        let base64 = BASE64_NOPAD.encode(&[7; KEY_LENGTH]);
        for bad in [
            format!("{hex}0"),
            hex[1..].to_owned(),
            format!(" {hex}"),
            format!("{hex}\n"),
            hex.replacen('0', "g", 1),
            format!("{base64}=="),
            format!("{base64}A"),
            format!("{base64}\n"),
            base64[1..].to_owned(),
            // Both alphabets at once.
            format!("+_{}", &base64[2..]),
            // The last character carries bits that no byte has.
            format!("{}B", &base64[..42]),
            "é".repeat(32),
            "=".repeat(64),
            "=".repeat(44),
            "=".repeat(43),
        ] {
            assert_eq!(MasterKey::parse(&secret(&bad)).err(), Some(ParseKeyError::Form), "{}", bad.len());
        }
        assert_eq!(MasterKey::parse(&secret("")).err(), Some(ParseKeyError::Empty));
        assert_eq!(MasterKey::parse_file(&secret(" \r\n\t")).err(), Some(ParseKeyError::Empty));
    }

    #[test]
    fn a_file_may_have_white_space_around_the_key() {
        let hex = "0f".repeat(32);
        let key = MasterKey::parse_file(&secret(&format!("\n  {hex}\r\n"))).expect("a key");
        assert!(key.ct_eq(&MasterKey::from_bytes(&[0x0f; KEY_LENGTH])));
        assert!(MasterKey::parse_file(&secret(&format!("{} {}", &hex[..32], &hex[32..]))).is_err());
    }

    #[test]
    fn new_keys_differ_and_so_do_their_ids() {
        let (one, other) = (MasterKey::make(&OsEntropy).ok(), MasterKey::make(&OsEntropy).ok());
        let (one, other) = (one.expect("random"), other.expect("random"));
        assert!(!one.ct_eq(&other));
        assert_ne!(one.id(), other.id());
        assert!(one.ct_eq(&MasterKey::from_bytes(one.bytes())));
    }

    #[test]
    fn a_key_id_has_one_text_form() {
        let id = MasterKey::from_bytes(&[0; KEY_LENGTH]).id();
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in [
            "",
            "0123456789abcde",
            "0123456789abcdef0",
            "0123456789ABCDEF",
            "0123456789abcdeg",
            "éééééééé",
        ] {
            assert_eq!(bad.parse::<KeyId>(), Err(ParseKeyIdError), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic_and_what_it_reads_is_32_bytes(text in "[0-9a-zA-Z+/_=-]{0,70}") {
            if let Some(bytes) = parses(&text) {
                let forms = [HEXLOWER.encode(&bytes), BASE64_NOPAD.encode(&bytes), BASE64URL_NOPAD.encode(&bytes)];
                let same = text.trim_end_matches('=');
                prop_assert!(forms.iter().any(|form| form == same || *form == text.to_lowercase()));
            }
        }
    }
}
