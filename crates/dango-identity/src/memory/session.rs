//! Session rows in memory.

use std::cmp::Reverse;
use std::collections::HashMap;

use async_trait::async_trait;
use dango_core::Timestamp;

use super::{MemoryStore, Tables};
use crate::epoch::SecurityEpoch;
use crate::id::{SessionId, UserId};
use crate::session::{SessionRecord, SessionStore, SessionTouch, SessionWrite, StoredSession};
use crate::store::StoreError;
use crate::token::{TokenDigest, kind};

/// A row and its count of attempts.
#[derive(Clone)]
pub(super) struct Row {
    record: SessionRecord,
    attempts: u32,
}

/// Session rows by digest.
pub(super) type SessionRows = HashMap<[u8; 32], Row>;

impl Tables {
    /// The user's epoch; 0 for one whom nobody raised.
    pub(super) fn epoch(&self, user: UserId) -> SecurityEpoch {
        self.epochs.get(&user).copied().unwrap_or(self.epoch_floor)
    }

    /// Raises the user's epoch: whatever was issued under an earlier one counts for nothing.
    pub(super) fn raise_epoch(&mut self, user: UserId) {
        let next = self.epoch(user).next();
        self.epochs.insert(user, next);
    }

    /// Ends the oldest sessions of the written one's class beyond the limit, never the written one.
    fn evict(&mut self, written: &SessionRecord, parallel: u32) -> Vec<SessionId> {
        let mut others: Vec<(Timestamp, SessionId, [u8; 32])> = self
            .sessions
            .values()
            .map(|row| &row.record)
            .filter(|record| record.user == written.user && record.id != written.id)
            .filter(|record| record.stage.is_partial() == written.stage.is_partial())
            .map(|record| (record.created_at, record.id, *record.digest.as_bytes()))
            .collect();
        others.sort_unstable();
        let allowed = usize::try_from(parallel.saturating_sub(1)).unwrap_or(usize::MAX);
        others.truncate(others.len().saturating_sub(allowed));
        for (_, _, digest) in &others {
            self.sessions.remove(digest);
        }
        others.into_iter().map(|(_, id, _)| id).collect()
    }

    /// Ends the sessions that meet a condition; answers how many.
    pub(super) fn end_where(&mut self, ends: impl Fn(&SessionRecord) -> bool) -> u64 {
        let before = self.sessions.len();
        self.sessions.retain(|_, row| !ends(&row.record));
        (before - self.sessions.len()) as u64
    }
}

impl MemoryStore {
    /// Changes a session row as somebody with the database in hand could; answers whether there is such a row.
    ///
    /// It is for tests that show that such a row counts for nothing.
    pub fn tamper_session(&self, id: SessionId, change: impl FnOnce(&mut SessionRecord)) -> bool {
        let mut tables = self.tables();
        let digest = tables
            .sessions
            .iter()
            .find(|(_, row)| row.record.id == id)
            .map(|(digest, _)| *digest);
        let Some(mut row) = digest.and_then(|digest| tables.sessions.remove(&digest)) else {
            return false;
        };
        change(&mut row.record);
        tables.sessions.insert(*row.record.digest.as_bytes(), row);
        true
    }
}

#[async_trait]
impl SessionStore for MemoryStore {
    async fn insert_session(&mut self, record: &SessionRecord, parallel: u32) -> Result<SessionWrite, StoreError> {
        let mut tables = self.tables();
        if tables.epoch(record.user) != record.epoch {
            return Ok(SessionWrite::Stale);
        }
        let row = Row {
            record: record.clone(),
            attempts: 0,
        };
        tables.sessions.insert(*record.digest.as_bytes(), row);
        let evicted = tables.evict(record, parallel);
        Ok(SessionWrite::Written { evicted })
    }

    async fn find_session(&mut self, digest: &TokenDigest<kind::Session>) -> Result<Option<StoredSession>, StoreError> {
        let tables = self.tables();
        Ok(tables.sessions.get(digest.as_bytes()).map(|row| StoredSession {
            record: row.record.clone(),
            epoch: tables.epoch(row.record.user),
        }))
    }

    async fn rotate_session(
        &mut self,
        old: &TokenDigest<kind::Session>,
        record: &SessionRecord,
        parallel: u32,
    ) -> Result<SessionWrite, StoreError> {
        let mut tables = self.tables();
        let same_row = tables.sessions.get(old.as_bytes()).is_some_and(|row| row.record.id == record.id);
        if !same_row || tables.epoch(record.user) != record.epoch {
            return Ok(SessionWrite::Stale);
        }
        tables.sessions.remove(old.as_bytes());
        let row = Row {
            record: record.clone(),
            attempts: 0,
        };
        tables.sessions.insert(*record.digest.as_bytes(), row);
        let evicted = tables.evict(record, parallel);
        Ok(SessionWrite::Written { evicted })
    }

    async fn touch_session(&mut self, digest: &TokenDigest<kind::Session>, touch: &SessionTouch) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let row = tables.sessions.get_mut(digest.as_bytes());
        let Some(row) = row.filter(|row| row.record.last_active < touch.last_active) else {
            return Ok(false);
        };
        row.record.last_active = touch.last_active;
        row.record.mac = touch.mac;
        Ok(true)
    }

    async fn charge_session_attempt(&mut self, digest: &TokenDigest<kind::Session>, limit: u32) -> Result<Option<u32>, StoreError> {
        let mut tables = self.tables();
        let row = tables.sessions.get_mut(digest.as_bytes());
        Ok(row.filter(|row| row.attempts < limit).map(|row| {
            row.attempts += 1;
            row.attempts
        }))
    }

    async fn end_session(&mut self, digest: &TokenDigest<kind::Session>) -> Result<bool, StoreError> {
        Ok(self.tables().sessions.remove(digest.as_bytes()).is_some())
    }

    async fn end_session_of(&mut self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        Ok(self.tables().end_where(|record| record.user == user && record.id == id) > 0)
    }

    async fn end_sessions_except(&mut self, user: UserId, kept: SessionId) -> Result<u64, StoreError> {
        Ok(self.tables().end_where(|record| record.user == user && record.id != kept))
    }

    async fn end_sessions_of(&mut self, user: UserId) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        tables.raise_epoch(user);
        Ok(tables.end_where(|record| record.user == user))
    }

    async fn end_all_sessions(&mut self) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        tables.epoch_floor = tables.epoch_floor.next();
        for epoch in tables.epochs.values_mut() {
            *epoch = epoch.next();
        }
        Ok(tables.end_where(|_| true))
    }

    async fn sessions_of(&mut self, user: UserId) -> Result<Vec<StoredSession>, StoreError> {
        let tables = self.tables();
        let epoch = tables.epoch(user);
        let rows = tables.sessions.values().map(|row| &row.record).filter(|record| record.user == user);
        let mut found: Vec<StoredSession> = rows
            .map(|record| StoredSession {
                record: record.clone(),
                epoch,
            })
            .collect();
        found.sort_unstable_by_key(|stored| Reverse((stored.record.created_at, stored.record.id)));
        Ok(found)
    }

    async fn ended_sessions(
        &mut self,
        expired_before: Timestamp,
        idle_since: Timestamp,
        most: u32,
    ) -> Result<Vec<TokenDigest<kind::Session>>, StoreError> {
        let tables = self.tables();
        let records = tables.sessions.values().map(|row| &row.record);
        let ended = records.filter(|record| has_ended(record, expired_before, idle_since));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Ok(ended.map(|record| record.digest).take(most).collect())
    }

    async fn purge_sessions(
        &mut self,
        sessions: &[TokenDigest<kind::Session>],
        expired_before: Timestamp,
        idle_since: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        Ok(tables.end_where(|record| sessions.contains(&record.digest) && has_ended(record, expired_before, idle_since)))
    }
}

fn has_ended(record: &SessionRecord, expired_before: Timestamp, idle_since: Timestamp) -> bool {
    record.expires_at < expired_before || record.last_active < idle_since
}
