//! What is worth telling a person and stops nothing.

use std::path::PathBuf;

use dango_vault::{SealWarning, VaultError};

/// Something that was noticed while connections were read. Whoever asked says each of them in words, so a new one is everybody's matter.
#[derive(Debug)]
pub enum Notice {
    /// A file begins with a byte order mark, with which dlt cannot read it.
    ByteOrderMark(PathBuf),
    /// The seal over a file's encrypted values is not intact.
    Seal {
        /// The file, in a word: `secrets` or `env`.
        group: &'static str,
        /// What is wrong.
        warning: SealWarning,
    },
    /// The seal over a file's encrypted values was not checked.
    SealUnchecked {
        /// The file, in a word: `secrets` or `env`.
        group: &'static str,
        /// Why.
        error: VaultError,
    },
    /// A provider is not asked at its own addresses.
    Replaced {
        /// The provider, as people know it.
        title: String,
        /// The variables of the environment that say so.
        variables: Vec<String>,
    },
}

impl Notice {
    /// Whether it says the same as another, so that nobody has to be told twice.
    pub fn repeats(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::ByteOrderMark(one), Self::ByteOrderMark(other)) => one == other,
            (Self::Seal { warning: one, .. }, Self::Seal { warning: other, .. }) => one == other,
            (Self::SealUnchecked { group: one, .. }, Self::SealUnchecked { group: other, .. }) => one == other,
            (Self::Replaced { variables: one, .. }, Self::Replaced { variables: other, .. }) => one == other,
            _ => false,
        }
    }
}
