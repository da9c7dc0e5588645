//! Keyed fingerprints: two values are equal exactly if their fingerprints are, and neither is shown. Without the key they say nothing.

use std::fmt;

use dango_core::SecretValue;
use data_encoding::HEXLOWER;
use subtle::ConstantTimeEq;

use crate::derivation::{DerivedKey, Role};
use crate::encoding::{Fields, parse_base64url_array};
use crate::key::MasterKey;

const LENGTH: usize = 16;

/// The first 16 bytes of HMAC-SHA-256 under a derived key, written as hex digits.
///
/// Fingerprints made with different keys or of different kinds never compare equal but by a chance of 2⁻¹²⁸.
#[derive(Clone, Copy)]
pub struct Fingerprint([u8; LENGTH]);

impl MasterKey {
    /// The fingerprint of a plain value: equal for equal values, whatever place they have.
    ///
    /// To compare the values of two projects, make a [`MasterKey`] for that alone and fingerprint both with it.
    ///
    /// # Security
    ///
    /// Whoever has the key can test guesses, so a fingerprint of a weak value under a key that is kept is worth protecting.
    pub fn fingerprint(&self, value: &SecretValue) -> Fingerprint {
        let key = DerivedKey::derive(self, Role::ValueFingerprint, "");
        Fingerprint::make(&key, value.expose().as_bytes())
    }
}

impl Fingerprint {
    /// The fingerprint of one encrypted value at its place.
    pub(crate) fn of_sealed(key: &DerivedKey, name: &str, envelope: &str) -> Self {
        Self::make(key, Fields::default().with(name).with(envelope).as_bytes())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn parse_base64url(text: &str) -> Option<Self> {
        parse_base64url_array(text).map(Self)
    }

    fn make(key: &DerivedKey, message: &[u8]) -> Self {
        let code = key.authenticate(message);
        let mut short = [0; LENGTH];
        short.copy_from_slice(&code[..LENGTH]);
        Self(short)
    }
}

impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Fingerprint {}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;

    use super::*;

    #[test]
    fn equal_values_and_only_they_have_equal_fingerprints_under_one_key() {
        let value = |text: &str| SecretValue::new(text.to_owned()).expect("no NUL");
        let key = MasterKey::make(&OsEntropy).expect("random");
        assert_eq!(key.fingerprint(&value("a")), key.fingerprint(&value("a")));
        assert_ne!(key.fingerprint(&value("a")), key.fingerprint(&value("b")));
        let other = MasterKey::make(&OsEntropy).expect("random");
        assert_ne!(key.fingerprint(&value("a")), other.fingerprint(&value("a")));
        assert_eq!(key.fingerprint(&value("")).to_string().len(), 32);
    }
}
