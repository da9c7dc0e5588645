//! SHA-256 and HMAC-SHA-256 with the keys of one audit chain; what is hashed is decided elsewhere.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// The length of every digest here, in bytes.
pub const DIGEST_LENGTH: usize = 32;

/// 32 bytes of SHA-256 or HMAC-SHA-256. It is public: it stands in the record, the head, the checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; DIGEST_LENGTH]);

impl Digest {
    /// 32 zero bytes: what the first record of a chain has as its previous hash.
    pub const ZERO: Self = Self([0; DIGEST_LENGTH]);

    /// Takes a digest from its bytes.
    pub const fn from_bytes(bytes: [u8; DIGEST_LENGTH]) -> Self {
        Self(bytes)
    }

    /// Takes a digest from a column; nothing if it has another length.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; DIGEST_LENGTH] {
        &self.0
    }
}

/// Writes 64 lower-case hexadecimal digits.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a digest: 64 lower-case hexadecimal digits")]
pub struct ParseDigestError;

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; DIGEST_LENGTH];
        if text.len() != 2 * DIGEST_LENGTH {
            return Err(ParseDigestError);
        }
        let written = HEXLOWER.decode_mut(text.as_bytes(), &mut bytes).map_err(|_| ParseDigestError)?;
        if written == DIGEST_LENGTH {
            Ok(Self(bytes))
        } else {
            Err(ParseDigestError)
        }
    }
}

/// The SHA-256 (FIPS 180-4) of the parts, one behind the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    Digest(hash.finalize().into())
}

/// The key of one audit chain. Whoever has it can write records that verify; everybody else is found out.
///
/// It holds prepared HMAC states, so hashing a record does not prepare the key again. They are erased when dropped.
///
/// # Security
///
/// Heads and segments are authenticated with keys of their own, made from this one, so no record can stand in for them.
#[derive(Clone)]
pub struct ChainKey {
    record: Hmac<Sha256>,
    head: Hmac<Sha256>,
    segment: Hmac<Sha256>,
}

impl ChainKey {
    /// Makes the chain's key from 32 bytes that were derived for this use alone.
    pub fn from_derived(bytes: &[u8; 32]) -> Self {
        let record = prepared(bytes);
        let role = |name: &[u8]| {
            let mut key = zeroize::Zeroizing::new([0; DIGEST_LENGTH]);
            key.copy_from_slice(&authenticate(&record, &[name]).0);
            prepared(&key)
        };
        let (head, segment) = (role(b"dango:audit:v1:head"), role(b"dango:audit:v1:segment"));
        Self { record, head, segment }
    }

    /// The hash of a record: over the hash of the one before and its own canonical bytes.
    pub(crate) fn record_hash(&self, prev: &[u8; DIGEST_LENGTH], leaf: &[u8]) -> Digest {
        authenticate(&self.record, &[prev, leaf])
    }

    /// Whether that is the hash of the record, in constant time.
    pub(crate) fn is_record_hash(&self, prev: &[u8; DIGEST_LENGTH], leaf: &[u8], hash: &[u8]) -> bool {
        self.record_hash(prev, leaf).0.ct_eq(hash).into()
    }

    /// The tag of a head.
    pub(crate) fn head_tag(&self, encoded: &[u8]) -> Digest {
        authenticate(&self.head, &[encoded])
    }

    /// Whether that is the tag of the head, in constant time.
    pub(crate) fn is_head_tag(&self, encoded: &[u8], tag: &Digest) -> bool {
        self.head_tag(encoded).0.ct_eq(&tag.0).into()
    }

    /// The tag of a segment.
    pub(crate) fn segment_tag(&self, encoded: &[u8]) -> Digest {
        authenticate(&self.segment, &[encoded])
    }

    /// Whether that is the tag of the segment, in constant time.
    pub(crate) fn is_segment_tag(&self, encoded: &[u8], tag: &Digest) -> bool {
        self.segment_tag(encoded).0.ct_eq(&tag.0).into()
    }
}

fn prepared(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

fn authenticate(prepared: &Hmac<Sha256>, parts: &[&[u8]]) -> Digest {
    let mut mac = prepared.clone();
    for part in parts {
        mac.update(part);
    }
    Digest(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_has_one_text() {
        let text = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let digest: Digest = text.parse().expect("64 digits");
        assert_eq!((digest, digest.to_string().as_str()), (sha256(&[]), text));
        assert!(text.to_uppercase().parse::<Digest>().is_err());
        assert!(text[2..].parse::<Digest>().is_err());
        assert!(format!("{text}00").parse::<Digest>().is_err());
        assert!("é".repeat(32).parse::<Digest>().is_err());
    }

    /// RFC 4231 §4.2, test case 1 with the key extended by zeros to 32 bytes, which HMAC does by itself.
    #[test]
    fn a_record_is_hashed_with_hmac_sha_256() {
        let mut bytes = [0; 32];
        bytes[..20].fill(0x0b);
        let key = ChainKey::from_derived(&bytes);
        assert_eq!(
            authenticate(&key.record, &[b"Hi ", b"There"]).to_string(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn heads_segments_and_records_have_keys_of_their_own() {
        let key = ChainKey::from_derived(&[7; 32]);
        let tags = [key.head_tag(&[0; 32]), key.segment_tag(&[0; 32]), key.record_hash(&[0; 32], &[])];
        assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2]);
    }
}
