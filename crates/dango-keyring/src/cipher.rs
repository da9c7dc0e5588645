//! AES-256-GCM (NIST SP 800-38D) with a random nonce in front and the tag behind. Keys, formats and meanings are elsewhere.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit, Tag};
use dango_core::{Entropy, EntropyError};
use zeroize::{Zeroize, Zeroizing};

use crate::memory::KEY_LENGTH;

/// 96 bits, the length for which GCM is defined without hashing (SP 800-38D §8.2.2).
const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;

/// What encryption adds to a plain text, in bytes.
pub(crate) const OVERHEAD: usize = NONCE_LENGTH + TAG_LENGTH;

/// A key made ready once for any number of texts; what was made of it is erased when dropped.
pub(crate) struct Cipher(Aes256Gcm);

impl Cipher {
    /// Makes a key ready.
    pub(crate) fn new(key: &[u8; KEY_LENGTH]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    /// Encrypts into nonce ‖ ciphertext ‖ tag.
    pub(crate) fn encrypt(&self, aad: &[u8], plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, EncryptError> {
        let mut sealed = Vec::with_capacity(plain.len() + OVERHEAD);
        let mut nonce = [0; NONCE_LENGTH];
        entropy.fill(&mut nonce)?;
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let text = &mut sealed[NONCE_LENGTH..];
        match self.0.encrypt_inout_detached((&nonce).into(), aad, text.into()) {
            Ok(tag) => {
                sealed.extend_from_slice(&tag);
                Ok(sealed)
            }
            Err(_) => {
                sealed.zeroize();
                Err(EncryptError::TooLong)
            }
        }
    }

    /// Decrypts what [`Cipher::encrypt`] made; `None` for anything else, without saying what is wrong with it.
    pub(crate) fn decrypt(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LENGTH>()?;
        let (text, tag) = rest.split_last_chunk::<TAG_LENGTH>()?;
        let mut plain = Zeroizing::new(text.to_vec());
        self.0
            .decrypt_inout_detached(nonce.into(), aad, plain.as_mut_slice().into(), <&Tag>::from(tag))
            .ok()?;
        Some(plain)
    }
}

/// Why nothing was encrypted.
pub(crate) enum EncryptError {
    /// No randomness for the nonce.
    Entropy(EntropyError),
    /// More than the 64 GiB that GCM takes.
    TooLong,
}

impl From<EntropyError> for EncryptError {
    fn from(error: EntropyError) -> Self {
        Self::Entropy(error)
    }
}

#[cfg(test)]
mod nist_vectors;

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::nist_vectors::NIST_VECTORS;
    use super::*;

    /// Gives out the bytes that a vector prescribes.
    struct Prescribed(Vec<u8>);

    impl Entropy for Prescribed {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
            buffer.copy_from_slice(&self.0);
            Ok(())
        }
    }

    struct NoEntropy;

    impl Entropy for NoEntropy {
        fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
            Err(EntropyError)
        }
    }

    fn hex(text: &str) -> Vec<u8> {
        HEXLOWER.decode(text.as_bytes()).expect("hex")
    }

    #[test]
    fn the_published_vectors_come_out_and_open() {
        for (key, iv, plain, aad, text, tag) in NIST_VECTORS {
            let key: [u8; KEY_LENGTH] = hex(key).try_into().expect("32 bytes");
            let cipher = Cipher::new(&key);
            let sealed = cipher.encrypt(&hex(aad), &hex(plain), &Prescribed(hex(iv))).ok().expect("encrypts");
            assert_eq!(HEXLOWER.encode(&sealed), format!("{iv}{text}{tag}"));
            assert_eq!(cipher.decrypt(&hex(aad), &sealed).as_deref(), Some(&hex(plain)));
        }
    }

    #[test]
    fn without_randomness_nothing_is_encrypted() {
        assert!(matches!(
            Cipher::new(&[1; KEY_LENGTH]).encrypt(b"", b"plain", &NoEntropy),
            Err(EncryptError::Entropy(_))
        ));
    }

    #[test]
    fn what_is_too_short_does_not_open() {
        for length in 0..OVERHEAD {
            assert!(Cipher::new(&[1; KEY_LENGTH]).decrypt(b"", &vec![0; length]).is_none());
        }
    }
}
