//! Random tokens and the digests that they are stored as. What they are for is not known here.

use dango_core::{Entropy, EntropyError, SecretValue};
use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Makes a token of 256 random bits, as 43 characters of base64url (RFC 4648 §5): a `state`, a nonce, or a PKCE
/// verifier (RFC 7636 §4.1 recommends exactly this).
pub(crate) fn make_token(entropy: &dyn Entropy) -> Result<SecretValue, EntropyError> {
    let mut bytes = Zeroizing::new([0u8; 32]);
    entropy.fill(bytes.as_mut_slice())?;
    SecretValue::new(BASE64URL_NOPAD.encode(bytes.as_slice())).map_err(|_| EntropyError)
}

/// A SHA-256 digest that stands for a value. The values have 256 random bits, so it needs no key to keep them.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Takes over a digest that was stored.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for storing and looking up.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Digests one text.
    pub fn derive_from(text: &str) -> Self {
        Self::derive_from_parts(&[text])
    }

    /// Digests several texts, each with its length in front, so that no two lists are alike.
    pub(crate) fn derive_from_parts(parts: &[&str]) -> Self {
        let mut bytes = Zeroizing::new(Vec::new());
        for part in parts {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        let mut out = [0; 32];
        out.copy_from_slice(digest(&SHA256, &bytes).as_ref());
        Self(out)
    }

    /// Compares without telling by the time where two digests differ.
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_look_alike_have_different_digests() {
        let one = Digest::derive_from_parts(&["ab", "c"]);
        assert!(!one.ct_eq(&Digest::derive_from_parts(&["a", "bc"])));
        assert!(!one.ct_eq(&Digest::derive_from_parts(&["ab", "c", ""])));
        assert!(one.ct_eq(&Digest::derive_from_parts(&["ab", "c"])));
    }

    #[test]
    fn no_randomness_is_no_token() {
        struct None;
        impl Entropy for None {
            fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
                Err(EntropyError)
            }
        }
        assert!(make_token(&None).is_err());
    }
}
