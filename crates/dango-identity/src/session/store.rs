//! Where session rows are kept: the trait that every backend implements.

use async_trait::async_trait;
use dango_core::Timestamp;

use super::{SessionRecord, SessionTouch};
use crate::epoch::SecurityEpoch;
use crate::id::{SessionId, UserId};
use crate::store::StoreError;
use crate::token::{TokenDigest, kind};

/// A session row together with the user's present epoch, read at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// The row, as it is stored.
    pub record: SessionRecord,
    /// The epoch that the user is in now.
    pub epoch: SecurityEpoch,
}

/// What became of a session that was to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum SessionWrite {
    /// It is stored.
    Written {
        /// The sessions that ended to make room, oldest first.
        evicted: Vec<SessionId>,
    },
    /// Nothing was stored: the user's epoch is no longer the record's, or the row to be replaced is gone.
    Stale,
}

/// Session rows. Every method is one whole intent, and happens wholly or not at all, whatever else happens at once.
#[async_trait]
pub trait SessionStore: Send {
    /// Inserts a session if the user's epoch is the record's, then ends that user's oldest sessions (by
    /// [`SessionRecord::created_at`], then id) beyond `parallel`. Partial ones count among partial ones only.
    async fn insert_session(&mut self, record: &SessionRecord, parallel: u32) -> Result<SessionWrite, StoreError>;

    /// Finds the session of a token, and the epoch that its user is in.
    async fn find_session(&mut self, digest: &TokenDigest<kind::Session>) -> Result<Option<StoredSession>, StoreError>;

    /// Replaces every field of the row that has the record's id and the old digest, if there is one and the user's epoch is
    /// the record's; the count of attempts goes back to 0. Then ends sessions as [`SessionStore::insert_session`] does,
    /// never the one just written.
    async fn rotate_session(
        &mut self,
        old: &TokenDigest<kind::Session>,
        record: &SessionRecord,
        parallel: u32,
    ) -> Result<SessionWrite, StoreError>;

    /// Writes a touch where the row still has this digest and its time is earlier.
    async fn touch_session(&mut self, digest: &TokenDigest<kind::Session>, touch: &SessionTouch) -> Result<bool, StoreError>;

    /// Adds one to the row's attempts if there are fewer than `limit`, and answers how many there are now.
    async fn charge_session_attempt(&mut self, digest: &TokenDigest<kind::Session>, limit: u32) -> Result<Option<u32>, StoreError>;

    /// Ends the session of a token.
    async fn end_session(&mut self, digest: &TokenDigest<kind::Session>) -> Result<bool, StoreError>;

    /// Ends one session if it is this user's.
    async fn end_session_of(&mut self, user: UserId, id: SessionId) -> Result<bool, StoreError>;

    /// Ends all sessions of a user but one, partial ones too; answers how many.
    async fn end_sessions_except(&mut self, user: UserId, kept: SessionId) -> Result<u64, StoreError>;

    /// Raises the user's epoch and ends all sessions of the user, partial ones too; answers how many.
    async fn end_sessions_of(&mut self, user: UserId) -> Result<u64, StoreError>;

    /// Raises every user's epoch and ends every session; answers how many.
    async fn end_all_sessions(&mut self) -> Result<u64, StoreError>;

    /// All sessions of a user, newest first.
    async fn sessions_of(&mut self, user: UserId) -> Result<Vec<StoredSession>, StoreError>;

    /// Finds sessions that ended before a moment or were last used before another, so many at most, in no order.
    async fn ended_sessions(
        &mut self,
        expired_before: Timestamp,
        idle_since: Timestamp,
        most: u32,
    ) -> Result<Vec<TokenDigest<kind::Session>>, StoreError>;

    /// Removes those of these sessions that ended before a moment or were last used before another; answers how many.
    async fn purge_sessions(
        &mut self,
        sessions: &[TokenDigest<kind::Session>],
        expired_before: Timestamp,
        idle_since: Timestamp,
    ) -> Result<u64, StoreError>;
}
