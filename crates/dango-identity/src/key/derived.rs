//! One key per purpose: HKDF-SHA-256 (RFC 5869) from the identity key. Each has a type of its own, so none can do another's work.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{IdentityKey, IdentityKeyId, KEY_LENGTH};

/// What a derived key is for.
///
/// The names enter the derivation and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// Digests of tokens, recovery codes and API keys.
    TokenDigest,
    /// The code that makes a row a session.
    SessionMac,
    /// The code that makes a row an API key.
    ApiKeyMac,
    /// The secret input of every password hash.
    PasswordPepper,
    /// Encrypts columns, such as the secret of a second factor.
    Column,
    /// Authenticates device cookies.
    DeviceMac,
    /// Hides names of accounts that do not exist, where their failures are counted.
    AccountName,
    /// Links audit records to a chain.
    AuditChain,
    /// The Ed25519 seed (RFC 8032 §5.1.5) that signs checkpoints of the audit log.
    AuditCheckpoint,
}

impl Purpose {
    /// Every purpose, for the inventory of keys.
    pub const ALL: [Self; 9] = [
        Self::TokenDigest,
        Self::SessionMac,
        Self::ApiKeyMac,
        Self::PasswordPepper,
        Self::Column,
        Self::DeviceMac,
        Self::AccountName,
        Self::AuditChain,
        Self::AuditCheckpoint,
    ];

    /// The word that enters the derivation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TokenDigest => "token-digest",
            Self::SessionMac => "session-mac",
            Self::ApiKeyMac => "api-key-mac",
            Self::PasswordPepper => "password-pepper",
            Self::Column => "column",
            Self::DeviceMac => "device-mac",
            Self::AccountName => "account-name",
            Self::AuditChain => "audit-chain",
            Self::AuditCheckpoint => "audit-checkpoint",
        }
    }
}

/// Derives the key of a purpose: no salt, info `dango:identity:v1:<purpose>`.
fn derive(key: &IdentityKey, purpose: Purpose) -> Zeroizing<[u8; KEY_LENGTH]> {
    let mut derived = Zeroizing::new([0; KEY_LENGTH]);
    let info: [&[u8]; 2] = [b"dango:identity:v1:", purpose.as_str().as_bytes()];
    Hkdf::<Sha256>::new(None, key.bytes.as_slice())
        .expand_multi_info(&info, derived.as_mut_slice())
        .expect("32 bytes are fewer than the 8160 that HKDF-SHA-256 gives");
    derived
}

macro_rules! derived_keys {
    ($($(#[$doc:meta])* $name:ident => $purpose:ident;)+) => {$(
        $(#[$doc])*
        ///
        /// Erased from memory when dropped; without `Debug`, `Display`, `Serialize`, `Clone` or `PartialEq`.
        pub struct $name(Zeroizing<[u8; KEY_LENGTH]>);

        impl $name {
            /// Derives this key.
            pub fn derive(key: &IdentityKey) -> Self {
                Self(derive(key, Purpose::$purpose))
            }
        }
    )+};
}

derived_keys! {
    /// Makes digests of tokens, recovery codes and API keys ([`PlainToken::digest`](crate::PlainToken::digest)).
    TokenKey => TokenDigest;
    /// Makes the code that a session row carries.
    SessionMacKey => SessionMac;
    /// Makes the code that the row of an API key carries.
    ApiKeyMacKey => ApiKeyMac;
    /// The secret input of password hashes (Argon2's secret, RFC 9106 §3.1).
    PasswordPepper => PasswordPepper;
    /// Makes the code in device cookies.
    DeviceKey => DeviceMac;
    /// Hides names of accounts that do not exist.
    AccountNameKey => AccountName;
    /// Links audit records to a chain.
    AuditChainKey => AuditChain;
    /// The seed of the key that signs checkpoints of the audit log.
    AuditCheckpointSeed => AuditCheckpoint;
}

macro_rules! exposed {
    ($($name:ident)+) => {$(
        impl $name {
            /// Looks inside, for the one library that works with it.
            pub fn expose(&self) -> &[u8; KEY_LENGTH] {
                &self.0
            }
        }
    )+};
}

exposed! { PasswordPepper AuditChainKey AuditCheckpointSeed }

macro_rules! authenticating {
    ($($name:ident)+) => {$(
        impl $name {
            /// The code of a message: HMAC-SHA-256 (RFC 2104).
            pub(crate) fn authenticate(&self, message: &[u8]) -> [u8; 32] {
                authenticate(&self.0, message)
            }
        }
    )+};
}

authenticating! { TokenKey SessionMacKey ApiKeyMacKey DeviceKey AccountNameKey }

fn authenticate(key: &[u8; KEY_LENGTH], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// SHA-256 without any key: what this program never stores of a token, and others may.
pub(crate) fn plain_hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Whether two codes are the same, in constant time.
pub(crate) fn same_code(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.ct_eq(other).into()
}

/// Encrypts columns, and says which identity key it comes from.
///
/// Erased from memory when dropped; without `Debug`, `Display`, `Serialize`, `Clone` or `PartialEq`.
pub struct ColumnKey {
    bytes: Zeroizing<[u8; KEY_LENGTH]>,
    id: IdentityKeyId,
}

impl ColumnKey {
    /// Derives this key.
    pub fn derive(key: &IdentityKey) -> Self {
        Self {
            bytes: derive(key, Purpose::Column),
            id: key.id(),
        }
    }

    /// The id of the identity key it comes from.
    pub(crate) const fn id(&self) -> IdentityKeyId {
        self.id
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_LENGTH] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn identity(byte: u8) -> IdentityKey {
        IdentityKey::from_bytes(Zeroizing::new([byte; KEY_LENGTH]))
    }

    #[test]
    fn every_purpose_and_every_identity_key_has_keys_of_its_own() {
        let mut keys: Vec<[u8; KEY_LENGTH]> = [identity(1), identity(2)]
            .iter()
            .flat_map(|key| Purpose::ALL.map(|purpose| *derive(key, purpose)))
            .collect();
        keys.push([1; KEY_LENGTH]);
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 2 * Purpose::ALL.len() + 1);
    }

    /// Computed with Python's `hmac` after RFC 5869 from 32 bytes of 0x09; a change would make every stored digest void.
    #[test]
    fn the_derivation_stays_what_it_is() {
        let derived = |purpose| HEXLOWER.encode(derive(&identity(9), purpose).as_slice());
        assert_eq!(
            derived(Purpose::TokenDigest),
            "a7937aab94047d70f91002b0871c08174faa7ac6060a11c1e8b5fd9b2b1ad24b"
        );
        assert_eq!(
            derived(Purpose::SessionMac),
            "9709b2645c0d79d43a934c661845b8242837f576d37c698133845c2b163f91bc"
        );
    }

    /// RFC 4231, test case 2, with the key filled to 32 bytes as HMAC does itself (RFC 2104 §2).
    #[test]
    fn codes_are_hmac_sha_256() {
        let mut key = [0; KEY_LENGTH];
        key[..4].copy_from_slice(b"Jefe");
        assert_eq!(
            HEXLOWER.encode(&authenticate(&key, b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
