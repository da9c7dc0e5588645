//! What was taken over from elsewhere and is not taken again: the trait of its rows. What is taken, and from where, is not known here.

use std::collections::HashSet;
use std::fmt;

use async_trait::async_trait;
use dango_core::Timestamp;
use dango_identity::StoreError;

/// What says that one thing was taken over: a hash of what names it where it came from.
///
/// It outlives what was taken over, so that a user who was removed does not come back with the next import.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImportMark([u8; 32]);

impl ImportMark {
    /// Takes a hash as a mark.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, as a database stores them.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ImportMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ImportMark(…)")
    }
}

/// The marks of what was taken over. They are only added.
#[async_trait]
pub trait ImportStore: Send {
    /// Every mark.
    async fn import_marks(&mut self) -> Result<HashSet<ImportMark>, StoreError>;

    /// Adds a mark; answers whether it was not there.
    async fn mark_imported(&mut self, mark: ImportMark, now: Timestamp) -> Result<bool, StoreError>;
}
