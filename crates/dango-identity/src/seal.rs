//! Columns encrypted with XAES-256-GCM (c2sp.org/XAES-256-GCM), each bound to its table, column and row. What they hold is elsewhere.

use dango_core::{Entropy, EntropyError};
use xaes_256_gcm::aead::{AeadInOut, KeyInit};
use xaes_256_gcm::{Nonce, Tag, Xaes256Gcm};
use zeroize::{Zeroize, Zeroizing};

use crate::encoding::Fields;
use crate::key::{ColumnKey, IdentityKeyId};

/// 192 bits: random ones do not collide however many values are sealed.
const NONCE_LENGTH: usize = 24;
const TAG_LENGTH: usize = 16;

/// The one place where a sealed column opens.
pub(crate) struct Cell<'a> {
    /// The table's name.
    pub(crate) table: &'static str,
    /// The column's name.
    pub(crate) column: &'static str,
    /// What names the row: its keys, in a fixed order.
    pub(crate) row: &'a [&'a [u8]],
}

impl Cell<'_> {
    fn associated_data(&self, key: IdentityKeyId) -> Vec<u8> {
        let fields = Fields::of("dango:identity:v1:column")
            .with(self.table)
            .with(self.column)
            .with(key.as_bytes());
        self.row.iter().fold(fields, |fields, part| fields.with(part)).into_bytes()
    }
}

/// A column's value as the database holds it: key id (8 bytes) ‖ nonce (24) ‖ ciphertext ‖ tag (16).
///
/// It opens only at the place it was sealed for, so two rows that are swapped open neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedColumn(Vec<u8>);

impl SealedColumn {
    /// The bytes, as a database stores them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Takes the bytes back; whether they open is found out later.
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The identity key it was sealed under, where it is long enough to name one.
    pub fn key_id(&self) -> Option<IdentityKeyId> {
        self.0.first_chunk().copied().map(IdentityKeyId::from_bytes)
    }

    pub(crate) fn seal(key: &ColumnKey, cell: &Cell<'_>, plain: &[u8], entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut nonce = [0; NONCE_LENGTH];
        entropy.fill(&mut nonce)?;
        let mut sealed = Vec::with_capacity(IdentityKeyId::LENGTH + NONCE_LENGTH + plain.len() + TAG_LENGTH);
        sealed.extend_from_slice(key.id().as_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let text = &mut sealed[IdentityKeyId::LENGTH + NONCE_LENGTH..];
        let tag = Xaes256Gcm::new(key.bytes().into())
            .encrypt_inout_detached(<&Nonce>::from(&nonce), &cell.associated_data(key.id()), text.into())
            .expect("a column is shorter than the 64 GiB that GCM takes");
        sealed.extend_from_slice(&tag);
        Ok(Self(sealed))
    }

    pub(crate) fn open(&self, key: &ColumnKey, cell: &Cell<'_>) -> Result<Zeroizing<Vec<u8>>, OpenColumnError> {
        let (id, rest) = self.0.split_first_chunk().ok_or(OpenColumnError::Damaged)?;
        let id = IdentityKeyId::from_bytes(*id);
        if id != key.id() {
            return Err(OpenColumnError::OtherKey { id });
        }
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LENGTH>().ok_or(OpenColumnError::Damaged)?;
        let (text, tag) = rest.split_last_chunk::<TAG_LENGTH>().ok_or(OpenColumnError::Damaged)?;
        let mut plain = Zeroizing::new(text.to_vec());
        let opened = Xaes256Gcm::new(key.bytes().into()).decrypt_inout_detached(
            <&Nonce>::from(nonce),
            &cell.associated_data(id),
            plain.as_mut_slice().into(),
            <&Tag>::from(tag),
        );
        if opened.is_err() {
            plain.zeroize();
            return Err(OpenColumnError::Damaged);
        }
        Ok(plain)
    }
}

/// A sealed column that does not open. Nothing is used of it, and somebody should be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenColumnError {
    /// It was sealed under an identity key that is not this one.
    #[error("the value is sealed under the identity key {id}, which is not the one in use")]
    OtherKey {
        /// That key.
        id: IdentityKeyId,
    },
    /// It was changed, cut short or moved here from another row.
    #[error("the sealed value was changed or belongs to another row")]
    Damaged,
}

impl OpenColumnError {
    /// A stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OtherKey { .. } => "column-other-key",
            Self::Damaged => "column-damaged",
        }
    }
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;
    use data_encoding::HEXLOWER;

    use super::*;
    use crate::key::IdentityKey;

    fn column_key() -> ColumnKey {
        ColumnKey::derive(&IdentityKey::make(&OsEntropy).expect("random"))
    }

    fn cell<'a>(row: &'a [&'a [u8]]) -> Cell<'a> {
        Cell {
            table: "factors",
            column: "secret",
            row,
        }
    }

    /// c2sp.org/XAES-256-GCM, "Test vectors": the second sets the most significant bit of L, the first does not.
    #[test]
    fn the_published_vectors_come_out() {
        for (key, aad, expected) in [
            (0x01, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
            (
                0x03,
                "c2sp.org/XAES-256-GCM",
                "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d",
            ),
        ] {
            let mut text = *b"XAES-256-GCM";
            let tag = Xaes256Gcm::new(&[key; 32].into())
                .encrypt_inout_detached(
                    <&Nonce>::from(b"ABCDEFGHIJKLMNOPQRSTUVWX"),
                    aad.as_bytes(),
                    text.as_mut_slice().into(),
                )
                .expect("short");
            assert_eq!(HEXLOWER.encode(&text) + &HEXLOWER.encode(&tag), expected);
        }
    }

    #[test]
    fn a_value_opens_at_its_place_and_nowhere_else() {
        let key = column_key();
        let sealed = SealedColumn::seal(&key, &cell(&[b"ada", b"1"]), b"secret", &OsEntropy).expect("random");
        assert_eq!(sealed.open(&key, &cell(&[b"ada", b"1"])).as_deref(), Ok(&b"secret".to_vec()));
        for row in [&[b"eve".as_slice(), b"1"] as &[&[u8]], &[b"ada", b"2"], &[b"ada1", b""], &[b"ada"]] {
            assert_eq!(sealed.open(&key, &cell(row)).err(), Some(OpenColumnError::Damaged));
        }
        let other_column = Cell {
            column: "name",
            ..cell(&[b"ada", b"1"])
        };
        assert_eq!(sealed.open(&key, &other_column).err(), Some(OpenColumnError::Damaged));
    }

    #[test]
    fn one_flipped_bit_anywhere_keeps_it_shut() {
        let key = column_key();
        let sealed = SealedColumn::seal(&key, &cell(&[b"ada"]), b"secret", &OsEntropy).expect("random");
        for byte in 0..sealed.0.len() {
            let mut changed = sealed.clone();
            changed.0[byte] ^= 1;
            assert!(changed.open(&key, &cell(&[b"ada"])).is_err(), "byte {byte}");
        }
        for length in 0..sealed.0.len() {
            let cut = SealedColumn::from_bytes(sealed.0[..length].to_vec());
            assert!(cut.open(&key, &cell(&[b"ada"])).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn another_identity_key_is_named() {
        let (one, other) = (column_key(), column_key());
        let sealed = SealedColumn::seal(&one, &cell(&[b"ada"]), b"secret", &OsEntropy).expect("random");
        assert_eq!(sealed.key_id(), Some(one.id()));
        assert_eq!(
            sealed.open(&other, &cell(&[b"ada"])).err(),
            Some(OpenColumnError::OtherKey { id: one.id() })
        );
    }

    #[test]
    fn two_seals_of_one_value_differ() {
        let key = column_key();
        let seal = || SealedColumn::seal(&key, &cell(&[b"ada"]), b"secret", &OsEntropy).expect("random");
        assert_ne!(seal(), seal());
    }
}
