//! One key per use: HKDF-SHA-256 (RFC 5869) from the master key, and HMAC-SHA-256 (RFC 2104) with what comes out.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::key::MasterKey;
use crate::memory::KEY_LENGTH;

/// What a derived key is for; each has its own word in the derivation, so none can stand in for another.
#[derive(Clone, Copy)]
pub(crate) enum Role {
    /// Encrypts values.
    Envelope,
    /// Authenticates the list of a file's encrypted values.
    FileSeal,
    /// Names one encrypted value in the last seen state.
    SealedFingerprint,
    /// Authenticates the last seen state.
    Seen,
    /// Compares plain values without showing them.
    ValueFingerprint,
    /// Encrypts whole files that are kept as rows.
    Row,
}

impl Role {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Envelope => "envelope",
            Self::FileSeal => "file-seal",
            Self::SealedFingerprint => "sealed-fingerprint",
            Self::Seen => "seen",
            Self::ValueFingerprint => "value-fingerprint",
            Self::Row => "row",
        }
    }
}

/// A key for one role and one purpose, erased when dropped.
pub(crate) struct DerivedKey(Zeroizing<[u8; KEY_LENGTH]>);

impl DerivedKey {
    /// Derives the key of a role for a purpose: no salt, info `dango:v1:<role>:<purpose>`.
    pub(crate) fn derive(master: &MasterKey, role: Role, purpose: &str) -> Self {
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        let info: [&[u8]; 4] = [b"dango:v1:", role.as_str().as_bytes(), b":", purpose.as_bytes()];
        Hkdf::<Sha256>::new(None, master.bytes())
            .expand_multi_info(&info, key.as_mut_slice())
            .expect("32 bytes are fewer than the 8160 that HKDF-SHA-256 gives");
        Self(key)
    }

    /// The key itself.
    pub(crate) fn bytes(&self) -> &[u8; KEY_LENGTH] {
        &self.0
    }

    /// The code that authenticates a message.
    pub(crate) fn authenticate(&self, message: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("HMAC takes a key of any length");
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    /// Whether a code is the one for this message, in constant time.
    pub(crate) fn verify(&self, message: &[u8], code: &[u8; 32]) -> bool {
        self.authenticate(message).ct_eq(code).into()
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        HEXLOWER.decode(text.as_bytes()).expect("hex")
    }

    /// RFC 5869, appendix A, test cases 1, 2 and 3.
    #[test]
    fn hkdf_gives_the_published_vectors() {
        let range = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
        let cases = [
            (
                vec![0x0b; 22],
                range(0x00, 0x0c),
                range(0xf0, 0xf9),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            ),
            (
                range(0x00, 0x4f),
                range(0x60, 0xaf),
                range(0xb0, 0xff),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09\
                 da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
            ),
            (
                vec![0x0b; 22],
                vec![],
                vec![],
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            ),
        ];
        for (ikm, salt, info, okm) in cases {
            let expected = hex(okm);
            let mut made = vec![0; expected.len()];
            Hkdf::<Sha256>::new(Some(&salt), &ikm).expand(&info, &mut made).expect("short");
            assert_eq!(made, expected);
        }
    }

    /// RFC 4231, test cases 1 and 6.
    #[test]
    fn hmac_gives_the_published_vectors() {
        let mac = |key: &[u8], message: &[u8]| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
            mac.update(message);
            HEXLOWER.encode(&mac.finalize().into_bytes())
        };
        assert_eq!(
            mac(&[0x0b; 20], b"Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            mac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn every_role_and_purpose_has_a_key_of_its_own() {
        let master = MasterKey::from_bytes(&[9; KEY_LENGTH]);
        let roles = [
            Role::Envelope,
            Role::FileSeal,
            Role::SealedFingerprint,
            Role::Seen,
            Role::ValueFingerprint,
            Role::Row,
        ];
        let mut keys: Vec<[u8; KEY_LENGTH]> = Vec::new();
        for role in roles {
            for purpose in ["secrets.toml", ".env"] {
                keys.push(*DerivedKey::derive(&master, role, purpose).bytes());
            }
        }
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 12);
    }

    #[test]
    fn a_code_is_for_one_message_only() {
        let key = DerivedKey::derive(&MasterKey::from_bytes(&[9; KEY_LENGTH]), Role::Seen, ".env");
        let mut code = key.authenticate(b"message");
        assert!(key.verify(b"message", &code));
        assert!(!key.verify(b"messagf", &code));
        code[31] ^= 1;
        assert!(!key.verify(b"message", &code));
    }
}
