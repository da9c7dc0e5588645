//! Sealing a whole file into a row of a database and opening it again; where rows are and what they mean is elsewhere.

use dango_core::Entropy;
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use crate::cipher::Cipher;
use crate::derivation::{DerivedKey, Role};
use crate::encoding::Fields;
use crate::key::{KeyId, MasterKey};
use crate::key_set::KeySet;
use crate::sealing::{OpenError, SealError};

/// The one row in which a sealed file opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowPlace<'a> {
    /// The project's id.
    pub project: &'a str,
    /// The name of the file.
    pub name: &'a str,
    /// The revision of the row, which a row has once.
    pub revision: u64,
}

impl RowPlace<'_> {
    /// What is authenticated beside the text.
    fn associated_data(&self) -> Vec<u8> {
        let fields = Fields::default().with("dango:row:v1").with(self.project).with(self.name);
        fields.with(self.revision.to_be_bytes()).into_bytes()
    }
}

/// Seals files with the active key of a set and opens those of all its keys.
///
/// It holds keys that were derived for this alone, erased when it is dropped, and no master key. It has no `Debug`, `Display` or `Serialize`:
///
/// ```compile_fail,E0277
/// let keys = dango_keyring::KeySet::new(dango_keyring::MasterKey::make(&dango_core::OsEntropy).unwrap(), None);
/// println!("{:?}", keys.row_sealer());
/// ```
pub struct RowSealer {
    active: (KeyId, Cipher),
    retired: Vec<(KeyId, Cipher)>,
    leases: DerivedKey,
}

impl KeySet {
    /// What seals and opens the rows of files.
    pub fn row_sealer(&self) -> RowSealer {
        let active = self.active_id();
        let retired = self.keys().filter(|key| key.id() != active);
        RowSealer {
            active: made_ready(self.active()),
            retired: retired.map(made_ready).collect(),
            leases: DerivedKey::derive(self.active(), Role::Row, "lease"),
        }
    }
}

impl RowSealer {
    /// The most revisions of one row: with seven rows of a project, far from the 2³² seals of one key.
    pub const MOST_REVISIONS: u64 = 1 << 28;

    /// The id of the key that seals.
    pub const fn active_id(&self) -> KeyId {
        self.active.0
    }

    /// Seals a file for a row: nonce, ciphertext and tag. It opens in no other.
    ///
    /// # Errors
    ///
    /// [`SealError::Exhausted`] beyond [`RowSealer::MOST_REVISIONS`], [`SealError::TooLong`], [`SealError::Entropy`].
    ///
    /// # Security
    ///
    /// The length of the file shows in the length of what comes out.
    pub fn seal(&self, place: &RowPlace<'_>, plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        if place.revision > Self::MOST_REVISIONS {
            return Err(SealError::Exhausted { id: self.active.0 });
        }
        Ok(self.active.1.encrypt(&place.associated_data(), plain, entropy)?)
    }

    /// What a lease is called where the rows are: the same for all who have the active key, and nothing to anybody else.
    pub fn lease_name(&self, project: &str, name: &str) -> String {
        let fields = Fields::default().with("dango:lease:v1").with(project).with(name);
        let code = self.leases.authenticate(fields.as_bytes());
        format!("lease-{}", HEXLOWER.encode(&code[..16]))
    }

    /// Opens what was sealed for this row under a key of the set.
    ///
    /// # Errors
    ///
    /// [`OpenError::UnknownKey`] and [`OpenError::NotAuthentic`]; nothing of the text comes with it.
    pub fn open(&self, place: &RowPlace<'_>, key: KeyId, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let mut ciphers = std::iter::once(&self.active).chain(&self.retired);
        let (_, cipher) = ciphers.find(|(id, _)| *id == key).ok_or(OpenError::UnknownKey { id: key })?;
        cipher.decrypt(&place.associated_data(), sealed).ok_or(OpenError::NotAuthentic)
    }
}

fn made_ready(master: &MasterKey) -> (KeyId, Cipher) {
    // Rows have one purpose, which is theirs alone.
    (master.id(), Cipher::new(DerivedKey::derive(master, Role::Row, "file").bytes()))
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;

    use super::*;

    const PLACE: RowPlace<'static> = RowPlace {
        project: "0123",
        name: ".env",
        revision: 7,
    };

    fn keys() -> KeySet {
        KeySet::new(MasterKey::make(&OsEntropy).expect("random"), None)
    }

    #[test]
    fn a_row_opens_in_its_own_place_and_in_no_other() {
        let sealer = keys().row_sealer();
        let sealed = sealer.seal(&PLACE, b"A=1\n", &OsEntropy).expect("sealed");
        let open = |place: &RowPlace<'_>, sealed: &[u8]| sealer.open(place, sealer.active_id(), sealed).map(|plain| plain.to_vec());
        assert_eq!(open(&PLACE, &sealed), Ok(b"A=1\n".to_vec()));
        for other in [
            RowPlace { project: "012", ..PLACE },
            RowPlace {
                name: "3.env",
                project: "012",
                ..PLACE
            },
            RowPlace {
                name: "secrets.toml",
                ..PLACE
            },
            RowPlace { revision: 6, ..PLACE },
            RowPlace { revision: 8, ..PLACE },
        ] {
            assert_eq!(open(&other, &sealed), Err(OpenError::NotAuthentic), "{other:?}");
        }
        for cut in 0..sealed.len() {
            assert_eq!(open(&PLACE, &sealed[..cut]), Err(OpenError::NotAuthentic));
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&PLACE, &changed), Err(OpenError::NotAuthentic));
        }
    }

    #[test]
    fn what_a_retired_key_sealed_opens_and_what_a_stranger_sealed_does_not() {
        let (first, stranger) = (keys(), keys());
        let old = first.row_sealer();
        let sealed = old.seal(&PLACE, b"x", &OsEntropy).expect("sealed");
        let rotated = first.rotate(MasterKey::make(&OsEntropy).expect("random"), None);
        let new = rotated.map_err(|(error, _)| error).expect("rotated").row_sealer();
        assert_ne!(new.active_id(), old.active_id());
        assert_eq!(
            new.open(&PLACE, old.active_id(), &sealed).map(|plain| plain.to_vec()),
            Ok(b"x".to_vec())
        );
        assert_eq!(new.open(&PLACE, new.active_id(), &sealed).err(), Some(OpenError::NotAuthentic));
        let id = old.active_id();
        assert_eq!(
            stranger.row_sealer().open(&PLACE, id, &sealed).err(),
            Some(OpenError::UnknownKey { id })
        );
    }

    #[test]
    fn a_lease_is_called_alike_by_whoever_has_the_key_and_its_name_is_not_in_it() {
        let keys = keys();
        let name = |keys: &KeySet, project: &str, name: &str| keys.row_sealer().lease_name(project, name);
        let of_shop = name(&keys, "p", "oauth-shop");
        assert_eq!(of_shop, name(&keys, "p", "oauth-shop"));
        assert!(!of_shop.contains("shop"));
        assert_ne!(of_shop, name(&keys, "p", "oauth-shoq"));
        assert_ne!(of_shop, name(&keys, "q", "oauth-shop"));
        assert_ne!(of_shop, name(&self::keys(), "p", "oauth-shop"));
    }

    #[test]
    fn a_row_has_an_end() {
        let sealer = keys().row_sealer();
        let last = RowPlace {
            revision: RowSealer::MOST_REVISIONS,
            ..PLACE
        };
        assert!(sealer.seal(&last, b"", &OsEntropy).is_ok());
        let beyond = RowPlace {
            revision: RowSealer::MOST_REVISIONS + 1,
            ..PLACE
        };
        assert_eq!(
            sealer.seal(&beyond, b"", &OsEntropy).err().map(|error| error.code()),
            Some("key-exhausted")
        );
    }
}
