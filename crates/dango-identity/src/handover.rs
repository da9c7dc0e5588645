//! A secret that one program leaves for others which have the same identity key: the password of the database to which everything was
//! moved. It lies in the database that was left, sealed.

use dango_core::{Entropy, EntropyError, SecretValue};

use crate::key::{ColumnKey, IdentityKey};
use crate::seal::{Cell, OpenColumnError, SealedColumn};

/// Seals the password for a database at an address.
///
/// # Errors
///
/// [`EntropyError`] where there is no randomness.
pub fn seal_handover(
    key: &IdentityKey,
    address: &str,
    password: &SecretValue,
    entropy: &dyn Entropy,
) -> Result<SealedColumn, EntropyError> {
    SealedColumn::seal(
        &ColumnKey::derive(key),
        &cell(&[address.as_bytes()]),
        password.expose().as_bytes(),
        entropy,
    )
}

/// Opens what [`seal_handover`] has sealed for the same address.
///
/// # Errors
///
/// [`OpenColumnError`]: it was sealed under another key, for another address, or was changed.
pub fn open_handover(key: &IdentityKey, address: &str, sealed: &SealedColumn) -> Result<SecretValue, OpenColumnError> {
    let opened = sealed.open(&ColumnKey::derive(key), &cell(&[address.as_bytes()]))?;
    SecretValue::from_utf8(opened.to_vec()).map_err(|_| OpenColumnError::Damaged)
}

fn cell<'a>(row: &'a [&'a [u8]]) -> Cell<'a> {
    Cell {
        table: "moved",
        column: "password",
        row,
    }
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;

    use super::*;

    #[test]
    fn it_opens_with_the_same_key_for_the_same_address_alone() {
        let key = || IdentityKey::make(&OsEntropy).expect("random");
        let (ours, other) = (key(), key());
        let password = SecretValue::new("canary".to_owned()).expect("no NUL");
        let sealed = seal_handover(&ours, "postgres://d@h/d", &password, &OsEntropy).expect("random");
        let opened = open_handover(&ours, "postgres://d@h/d", &sealed).expect("opened");
        assert_eq!(opened.expose(), "canary");
        assert!(open_handover(&ours, "postgres://d@evil/d", &sealed).is_err());
        assert!(open_handover(&other, "postgres://d@h/d", &sealed).is_err());
        assert!(!sealed.as_bytes().windows(6).any(|window| window == b"canary"));
    }
}
