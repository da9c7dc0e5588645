//! What an API key looks like: how one is made, recognised and shortened for lists. Rows are in `record`.

use std::fmt;

use dango_core::{Entropy, EntropyError};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::key::TokenKey;
use crate::token::{TokenDigest, kind};

const PREFIX: &str = "dak_";
const RANDOM_CHARS: usize = 40;
const CHECKSUM_CHARS: usize = 6;
const TEXT_LENGTH: usize = PREFIX.len() + RANDOM_CHARS + CHECKSUM_CHARS;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Keys of earlier Dango versions: this, and 32 bytes in base64url.
const IMPORTED_PREFIX: &str = "dango_ak_";
const IMPORTED_LENGTH: usize = IMPORTED_PREFIX.len() + 43;

/// An API key as its holder has it: `dak_`, 40 random base62 characters (238 bits), and 6 of checksum; erased from memory
/// when dropped.
///
/// The checksum is CRC-32 (ISO-HDLC, the one of zip and PNG) over the 40, in base62, filled up with zeros: a mistyped key is
/// recognised without a database, and a search for leaked keys finds few other things.
///
/// It has no `Debug`, `Display`, `Serialize`, `Clone` or `PartialEq`:
///
/// ```compile_fail,E0277
/// let key = dango_identity::PlainApiKey::make(&dango_core::OsEntropy).unwrap();
/// println!("{key:?}");
/// ```
///
/// ```compile_fail,E0277
/// let key = dango_identity::PlainApiKey::make(&dango_core::OsEntropy).unwrap();
/// println!("{key}");
/// ```
///
/// ```compile_fail,E0277
/// let key = dango_identity::PlainApiKey::make(&dango_core::OsEntropy).unwrap();
/// serde_json::to_string(&key).unwrap();
/// ```
pub struct PlainApiKey {
    text: Zeroizing<String>,
}

impl PlainApiKey {
    /// Makes a new key.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness.
    pub fn make(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut text = Zeroizing::new(String::with_capacity(TEXT_LENGTH));
        text.push_str(PREFIX);
        let mut random = Zeroizing::new([0; 64]);
        while text.len() < PREFIX.len() + RANDOM_CHARS {
            entropy.fill(random.as_mut_slice())?;
            // 248 is the largest multiple of 62 in a byte: what lies above would favour the first characters.
            let fair = random.iter().filter(|byte| **byte < 248);
            for byte in fair.take(PREFIX.len() + RANDOM_CHARS - text.len()) {
                text.push(char::from(BASE62[usize::from(byte % 62)]));
            }
        }
        let checksum = checksum(&text[PREFIX.len()..]);
        text.push_str(&checksum);
        Ok(Self { text })
    }

    /// Reads a key as its holder sends it. A mistyped one is refused without a look into any store; keys of earlier
    /// versions (`dango_ak_…`) have no checksum.
    ///
    /// # Errors
    ///
    /// [`ParseApiKeyError`], which does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, ParseApiKeyError> {
        if is_own(text) || is_imported(text) {
            let text = Zeroizing::new(text.to_owned());
            Ok(Self { text })
        } else {
            Err(ParseApiKeyError)
        }
    }

    /// Looks inside, to hand the key to its holder once.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The first 8 characters, for lists.
    pub fn prefix(&self) -> ApiKeyPrefix {
        ApiKeyPrefix(self.text.chars().take(ApiKeyPrefix::MADE_LENGTH).collect())
    }

    /// The digest under which the key is stored. For a key of an earlier version it goes over what that stored.
    pub(super) fn digest(&self, key: &TokenKey) -> TokenDigest<kind::ApiKey> {
        if is_imported(&self.text) {
            let hash: [u8; 32] = Sha256::digest(self.text.as_bytes()).into();
            return imported_digest(key, &hash);
        }
        TokenDigest::of(key, self.text.as_bytes())
    }
}

/// The digest for a key of which only an unkeyed SHA-256 is left. Keys have 50 bytes and hashes 32.
pub(super) fn imported_digest(key: &TokenKey, hash: &[u8; 32]) -> TokenDigest<kind::ApiKey> {
    TokenDigest::of(key, hash)
}

fn is_own(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(PREFIX) else {
        return false;
    };
    if text.len() != TEXT_LENGTH || !rest.bytes().all(|byte| BASE62.contains(&byte)) {
        return false;
    }
    let (random, given) = rest.split_at(RANDOM_CHARS);
    // The checksum is no secret: it can be computed from the rest.
    let mut expected = checksum(random);
    let same = expected == given;
    expected.zeroize();
    same
}

fn is_imported(text: &str) -> bool {
    let rest = text.strip_prefix(IMPORTED_PREFIX);
    let in_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() == IMPORTED_LENGTH && rest.is_some_and(|rest| rest.bytes().all(in_alphabet))
}

fn checksum(random: &str) -> String {
    let mut rest = crc32fast::hash(random.as_bytes());
    let mut digits = [b'0'; CHECKSUM_CHARS];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

/// A text that is no API key; it is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an API key")]
pub struct ParseApiKeyError;

/// What a list shows of a key: its first characters. They tell the keys of one owner apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApiKeyPrefix(String);

impl ApiKeyPrefix {
    const MADE_LENGTH: usize = 8;
    /// Earlier versions kept 12 characters.
    const MAX_LENGTH: usize = 12;

    /// Takes a prefix back from a database; none where it has characters that no key has, or too many.
    pub fn parse(text: &str) -> Option<Self> {
        let in_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let fits = text.len() <= Self::MAX_LENGTH && text.bytes().all(in_alphabet);
        fits.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApiKeyPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;
    use proptest::prelude::*;

    use super::*;

    /// Computed with Python's `zlib.crc32`; the first is that CRC's check value, CBF43926.
    #[test]
    fn the_checksum_is_crc_32_in_base62() {
        assert_eq!(checksum("123456789"), "3jZRME");
        assert_eq!(checksum(&"0".repeat(40)), "2kaqcA");
        assert!(PlainApiKey::parse(&format!("dak_{}2kaqcA", "0".repeat(40))).is_ok());
    }

    #[test]
    fn a_key_has_its_form_and_no_two_are_alike() {
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..1000 {
            let key = PlainApiKey::make(&OsEntropy).expect("random");
            let text = key.expose();
            assert_eq!(text.len(), 50);
            assert!(
                text.starts_with("dak_") && text[4..].bytes().all(|byte| byte.is_ascii_alphanumeric()),
                "{text}"
            );
            assert_eq!(key.prefix().as_str(), &text[..8]);
            assert!(seen.insert(text.to_owned()));
        }
    }

    #[test]
    fn every_character_is_as_likely_as_any_other() {
        let mut counts = [0u32; 62];
        for _ in 0..2000 {
            let key = PlainApiKey::make(&OsEntropy).expect("random");
            for byte in key.expose()[4..44].bytes() {
                counts[BASE62.iter().position(|one| *one == byte).expect("base62")] += 1;
            }
        }
        let expected = 2000.0 * 40.0 / 62.0;
        let chi_squared: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
        // 61 degrees of freedom: beyond 130 lies less than one run in a million.
        assert!(chi_squared < 130.0, "{chi_squared}");
    }

    #[test]
    fn one_wrong_character_anywhere_is_noticed() {
        let key = PlainApiKey::make(&OsEntropy).expect("random");
        for at in 0..50 {
            for replacement in [b'0', b'a', b'Z', b'_', b' '] {
                let mut typo = key.expose().as_bytes().to_vec();
                if typo[at] != replacement {
                    typo[at] = replacement;
                    assert!(PlainApiKey::parse(std::str::from_utf8(&typo).expect("ASCII")).is_err(), "{at}");
                }
            }
        }
        let swapped = format!("{}{}", &key.expose()[..49], "é");
        for bad in [
            "",
            "dak_",
            &key.expose()[..49],
            &format!("{}0", key.expose()),
            &key.expose().to_uppercase(),
            &swapped,
        ] {
            assert!(PlainApiKey::parse(bad).is_err());
        }
    }

    #[test]
    fn keys_of_earlier_versions_are_recognised() {
        let old = format!("dango_ak_{}", "a-_0".repeat(11).split_at(43).0);
        assert!(PlainApiKey::parse(&old).is_ok());
        assert!(PlainApiKey::parse(&old[..51]).is_err());
        assert!(PlainApiKey::parse(&old.replace('-', "+")).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_kept(text in "dak_[0-9A-Za-z]{46}|dango_ak_[A-Za-z0-9_-]{43}|\\PC{0,60}") {
            if let Ok(key) = PlainApiKey::parse(&text) {
                prop_assert_eq!(key.expose(), text.as_str());
                prop_assert!(ApiKeyPrefix::parse(key.prefix().as_str()).is_some());
            }
        }
    }
}
