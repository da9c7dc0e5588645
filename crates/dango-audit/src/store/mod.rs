//! What the log needs of a database: small steps inside the caller's transaction. What they are put together to is in `log`.

mod memory;

use std::ops::ControlFlow;

use async_trait::async_trait;

pub use memory::MemoryStore;

use crate::chain::{SealedHead, StoredRecord};
use crate::digest::Digest;
use crate::encoding::Row;
use crate::personal::{Erasure, Personal, PersonalFacts, PersonalRow};
use crate::query::Filter;
use crate::retention::SealedSegment;
use crate::words::Seq;

/// A step on the log could not be done. The caller's transaction must not commit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditStoreError {
    /// The database does not answer, is full, or refuses.
    #[error("the audit log cannot be reached or written")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What the database holds is not what was put in.
    #[error("the audit log is damaged")]
    Damaged(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl AuditStoreError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "audit_unavailable",
            Self::Damaged(_) => "audit_damaged",
        }
    }
}

/// Takes a row; breaks off where it has seen enough.
pub type VisitRow<'v> = &'v mut (dyn FnMut(&Row<'_>) -> ControlFlow<()> + Send);

/// Takes an entry of personal data.
pub type VisitPersonal<'v> = &'v mut (dyn FnMut(PersonalRow<'_>) + Send);

/// The tables of the log, seen from inside one transaction.
///
/// Rows are lent, not given, so that a verification allocates nothing for them. An implementation refuses to change a
/// record, and to delete one, by the database's own means (a trigger, a role), but for [`AuditStore::prune`].
#[async_trait]
pub trait AuditStore: Send {
    /// The head; nothing in a new database. The row is locked until the transaction ends, so two appends never see the same.
    async fn head(&mut self) -> Result<Option<SealedHead>, AuditStoreError>;

    /// Adds a record and replaces the head, both or neither.
    async fn insert(&mut self, record: &StoredRecord, head: &SealedHead) -> Result<(), AuditStoreError>;

    /// The id of the entry that says exactly this, found by [`PersonalFacts::lookup_key`].
    async fn find_personal(&mut self, facts: &PersonalFacts) -> Result<Option<Digest>, AuditStoreError>;

    /// Adds an entry of personal data.
    async fn insert_personal(&mut self, personal: &Personal) -> Result<(), AuditStoreError>;

    /// The records that a filter takes, in its order, at most so many ([`Filter::takes`] is the model).
    async fn page(&mut self, filter: &Filter, limit: u32, visit: VisitRow<'_>) -> Result<(), AuditStoreError>;

    /// All records behind a place in order of their places; without one all there are, those in places that no chain has included.
    ///
    /// A column that cannot be read is given empty: the record is then not what was written, and a verification says so.
    async fn scan(&mut self, after: Option<Seq>, visit: VisitRow<'_>) -> Result<(), AuditStoreError>;

    /// The entries with these ids that there are, in any order.
    async fn personal(&mut self, ids: &[Digest], visit: VisitPersonal<'_>) -> Result<(), AuditStoreError>;

    /// Every entry, in any order.
    async fn all_personal(&mut self, visit: VisitPersonal<'_>) -> Result<(), AuditStoreError>;

    /// Deletes the entries of a person and says how many there were.
    async fn erase(&mut self, erasure: &Erasure) -> Result<u64, AuditStoreError>;

    /// Deletes the entries with these ids.
    async fn delete_personal(&mut self, ids: &[Digest]) -> Result<(), AuditStoreError>;

    /// The last segment that was pruned.
    async fn segment(&mut self) -> Result<Option<SealedSegment>, AuditStoreError>;

    /// Adds the segment, deletes the records up to its end, and replaces the head, all or nothing.
    async fn prune(&mut self, segment: &SealedSegment, head: &SealedHead) -> Result<(), AuditStoreError>;

    /// Puts records, head and segments away under another name, so that a new chain begins, and says how many records these were.
    ///
    /// They stay where a person can read them. It is for a key that was lost: nobody can verify them any more.
    async fn retire(&mut self) -> Result<u64, AuditStoreError>;
}
