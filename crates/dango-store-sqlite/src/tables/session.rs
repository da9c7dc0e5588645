//! Sessions.

use async_trait::async_trait;
use dango_core::Timestamp;
use dango_identity::{
    AuthContext, Client, DeviceId, FactorSet, SecurityEpoch, SessionId, SessionRecord, SessionStore, SessionTouch, SessionWrite, Stage,
    StoreError, StoredSession, TokenDigest, UserAgent, UserId, kind,
};
use dango_store::StoreFailure;

use crate::column::{Columns, signed};
use crate::connection::{Row, Statement, query};
use crate::transaction::SqliteTransaction;

/// The columns that [`stored`] reads.
macro_rules! session_columns {
    () => {
        "sessions.id, digest, user_id, sessions.created_at, users.epoch, stage, factors, authenticated_at, stepped_up_at, second_factor_at, \
         sessions.epoch, expires_at, last_active_at, address, user_agent, device_id, mac"
    };
}

/// Finds the session with the digest `?1`.
pub(crate) const FIND_SESSION: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions LEFT JOIN users ON users.id = user_id WHERE digest = ?1"
);

/// Reads [`session_columns`].
///
/// A row that nobody here can have written is still a row: it comes back as one whose code cannot be right, so that who reads
/// it refuses it and says so, as with every other forgery.
pub(crate) fn stored(row: &Row<'_>) -> Result<StoredSession, StoreFailure> {
    let columns = &mut Columns::of(row);
    let (id, digest, user) = (columns.bytes()?, TokenDigest::from_bytes(columns.bytes()?), columns.bytes()?);
    let created_at = columns.time()?;
    let epoch = columns.optional_integer()?.and_then(|epoch| u64::try_from(epoch).ok());
    let epoch = epoch.map(SecurityEpoch::from_number);
    if let (Ok(id), Ok(user), Some(epoch)) = (SessionId::from_bytes(id), UserId::from_bytes(user), epoch)
        && let Ok(record) = record(columns, (id, digest, user), created_at)
    {
        return Ok(StoredSession { record, epoch });
    }
    let epoch = epoch.unwrap_or_default();
    let record = SessionRecord {
        id: named_after(id, SessionId::from_bytes)?,
        digest,
        user: named_after(user, UserId::from_bytes)?,
        stage: Stage::SecondFactorPending,
        auth: AuthContext {
            factors: FactorSet::default(),
            authenticated_at: created_at,
            stepped_up_at: created_at,
            second_factor_at: None,
        },
        epoch,
        created_at,
        expires_at: created_at,
        last_active: created_at,
        client: Client::default(),
        device: None,
        mac: [0; 32],
    };
    Ok(StoredSession { record, epoch })
}

/// The id of a forged row: its own, or the one that differs least from bytes that are none, so that the row can be found by it.
fn named_after<T, E>(mut bytes: [u8; 16], parse: impl Fn([u8; 16]) -> Result<T, E>) -> Result<T, StoreFailure>
where
    E: std::error::Error + Send + Sync + 'static,
{
    // Version and variant of RFC 9562, section 5.7.
    bytes[6] = 0x70 | bytes[6] & 0x0f;
    bytes[8] = 0x80 | bytes[8] & 0x3f;
    parse(bytes).map_err(StoreFailure::damaged)
}

fn record(
    columns: &mut Columns<'_>,
    (id, digest, user): (SessionId, TokenDigest<kind::Session>, UserId),
    created_at: Timestamp,
) -> Result<SessionRecord, StoreFailure> {
    Ok(SessionRecord {
        id,
        digest,
        user,
        stage: columns.parsed()?,
        auth: AuthContext {
            factors: FactorSet::from_bits(columns.number()?).ok_or_else(|| columns.bad())?,
            authenticated_at: columns.time()?,
            stepped_up_at: columns.time()?,
            second_factor_at: columns.optional_time()?,
        },
        epoch: SecurityEpoch::from_number(columns.number()?),
        created_at,
        expires_at: columns.time()?,
        last_active: columns.time()?,
        client: client(columns)?,
        device: columns.optional_id(DeviceId::from_bytes)?,
        mac: columns.bytes()?,
    })
}

/// Reads an address and a user agent.
pub(super) fn client(columns: &mut Columns<'_>) -> Result<Client, StoreFailure> {
    Ok(Client {
        address: columns.optional_parsed()?,
        user_agent: columns.optional_text()?.map(UserAgent::new),
    })
}

/// A statement that writes `?1` to `?16` of a session.
fn write(sql: &'static str, record: &SessionRecord) -> Statement {
    query(sql)
        .bind(record.digest.as_bytes().to_vec())
        .bind(record.id.as_bytes().to_vec())
        .bind(record.user.as_bytes().to_vec())
        .bind(record.stage.as_str())
        .bind(record.auth.factors.bits())
        .bind(record.auth.authenticated_at.unix_micros())
        .bind(record.auth.stepped_up_at.unix_micros())
        .bind(record.auth.second_factor_at.map(Timestamp::unix_micros))
        .bind(signed(record.epoch.number()))
        .bind(record.created_at.unix_micros())
        .bind(record.expires_at.unix_micros())
        .bind(record.last_active.unix_micros())
        .bind(record.client.address.map(|address| address.to_string()))
        .bind(record.client.user_agent.as_ref().map(|agent| agent.as_str().to_owned()))
        .bind(record.device.map(|device| device.as_bytes().to_vec()))
        .bind(record.mac.to_vec())
}

impl SqliteTransaction<'_> {
    /// Ends the oldest sessions of the written one's class beyond the limit, never the written one.
    fn evict(&mut self, written: &SessionRecord, parallel: u32) -> Result<SessionWrite, StoreFailure> {
        let sql = "DELETE FROM sessions WHERE user_id = ?1 AND id <> ?2 AND (stage = 'second-factor-pending') = ?3 AND id NOT IN ( \
                   SELECT id FROM sessions WHERE user_id = ?1 AND id <> ?2 AND (stage = 'second-factor-pending') = ?3 \
                   ORDER BY created_at DESC, id DESC LIMIT ?4) RETURNING created_at, id";
        let evict = query(sql)
            .bind(written.user.as_bytes().to_vec())
            .bind(written.id.as_bytes().to_vec())
            .bind(written.stage.is_partial())
            .bind(parallel.saturating_sub(1));
        let read = |row: &Row<'_>| {
            let columns = &mut Columns::of(row);
            Ok((columns.time()?, columns.id(SessionId::from_bytes)?))
        };
        let mut evicted = self.all(evict, read)?;
        evicted.sort_unstable();
        Ok(SessionWrite::Written {
            evicted: evicted.into_iter().map(|(_, id)| id).collect(),
        })
    }
}

#[async_trait]
impl SessionStore for SqliteTransaction<'_> {
    async fn insert_session(&mut self, record: &SessionRecord, parallel: u32) -> Result<SessionWrite, StoreError> {
        let sql = "INSERT INTO sessions (digest, id, user_id, stage, factors, authenticated_at, stepped_up_at, second_factor_at, epoch, \
                   created_at, expires_at, last_active_at, address, user_agent, device_id, mac, attempts) \
                   SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, 0 \
                   WHERE EXISTS (SELECT 1 FROM users WHERE id = ?3 AND epoch = ?9)";
        if !self.changed(write(sql, record))? {
            return Ok(SessionWrite::Stale);
        }
        Ok(self.evict(record, parallel)?)
    }

    async fn find_session(&mut self, digest: &TokenDigest<kind::Session>) -> Result<Option<StoredSession>, StoreError> {
        Ok(self.one(query(FIND_SESSION).bind(digest.as_bytes().to_vec()), stored)?)
    }

    async fn rotate_session(
        &mut self,
        old: &TokenDigest<kind::Session>,
        record: &SessionRecord,
        parallel: u32,
    ) -> Result<SessionWrite, StoreError> {
        let sql = "UPDATE sessions SET digest = ?1, user_id = ?3, stage = ?4, factors = ?5, authenticated_at = ?6, stepped_up_at = ?7, \
                   second_factor_at = ?8, epoch = ?9, created_at = ?10, expires_at = ?11, last_active_at = ?12, address = ?13, \
                   user_agent = ?14, device_id = ?15, mac = ?16, attempts = 0 \
                   WHERE digest = ?17 AND id = ?2 AND EXISTS (SELECT 1 FROM users WHERE users.id = ?3 AND users.epoch = ?9)";
        if !self.changed(write(sql, record).bind(old.as_bytes().to_vec()))? {
            return Ok(SessionWrite::Stale);
        }
        Ok(self.evict(record, parallel)?)
    }

    async fn touch_session(&mut self, digest: &TokenDigest<kind::Session>, touch: &SessionTouch) -> Result<bool, StoreError> {
        let sql = "UPDATE sessions SET last_active_at = ?2, mac = ?3 WHERE digest = ?1 AND last_active_at < ?2";
        let update = query(sql)
            .bind(digest.as_bytes().to_vec())
            .bind(touch.last_active.unix_micros())
            .bind(touch.mac.to_vec());
        Ok(self.changed(update)?)
    }

    async fn charge_session_attempt(&mut self, digest: &TokenDigest<kind::Session>, limit: u32) -> Result<Option<u32>, StoreError> {
        let sql = "UPDATE sessions SET attempts = attempts + 1 WHERE digest = ?1 AND attempts < ?2 RETURNING attempts";
        let charge = query(sql).bind(digest.as_bytes().to_vec()).bind(limit);
        Ok(self.one(charge, |row| Columns::of(row).number())?)
    }

    async fn end_session(&mut self, digest: &TokenDigest<kind::Session>) -> Result<bool, StoreError> {
        let sql = "DELETE FROM sessions WHERE digest = ?1";
        Ok(self.changed(query(sql).bind(digest.as_bytes().to_vec()))?)
    }

    async fn end_session_of(&mut self, user: UserId, id: SessionId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM sessions WHERE user_id = ?1 AND id = ?2";
        Ok(self.changed(query(sql).bind(user.as_bytes().to_vec()).bind(id.as_bytes().to_vec()))?)
    }

    async fn end_sessions_except(&mut self, user: UserId, kept: SessionId) -> Result<u64, StoreError> {
        let sql = "DELETE FROM sessions WHERE user_id = ?1 AND id <> ?2";
        Ok(self.change(query(sql).bind(user.as_bytes().to_vec()).bind(kept.as_bytes().to_vec()))?)
    }

    async fn end_sessions_of(&mut self, user: UserId) -> Result<u64, StoreError> {
        self.change(query("UPDATE users SET epoch = epoch + 1 WHERE id = ?1").bind(user.as_bytes().to_vec()))?;
        let sql = "DELETE FROM sessions WHERE user_id = ?1";
        Ok(self.change(query(sql).bind(user.as_bytes().to_vec()))?)
    }

    async fn end_all_sessions(&mut self) -> Result<u64, StoreError> {
        self.change(query("UPDATE users SET epoch = epoch + 1"))?;
        Ok(self.change(query("DELETE FROM sessions"))?)
    }

    async fn sessions_of(&mut self, user: UserId) -> Result<Vec<StoredSession>, StoreError> {
        let sql = concat!(
            "SELECT ",
            session_columns!(),
            " FROM sessions LEFT JOIN users ON users.id = user_id WHERE user_id = ?1 ORDER BY sessions.created_at DESC, sessions.id DESC"
        );
        Ok(self.all(query(sql).bind(user.as_bytes().to_vec()), stored)?)
    }

    async fn ended_sessions(
        &mut self,
        expired_before: Timestamp,
        idle_since: Timestamp,
        most: u32,
    ) -> Result<Vec<TokenDigest<kind::Session>>, StoreError> {
        let sql = "SELECT digest FROM sessions WHERE expires_at < ?1 OR last_active_at < ?2 LIMIT ?3";
        let find = query(sql)
            .bind(expired_before.unix_micros())
            .bind(idle_since.unix_micros())
            .bind(most);
        Ok(self.all(find, |row| Ok(TokenDigest::from_bytes(Columns::of(row).bytes()?)))?)
    }

    async fn purge_sessions(
        &mut self,
        sessions: &[TokenDigest<kind::Session>],
        expired_before: Timestamp,
        idle_since: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut purged = 0;
        for digest in sessions {
            let sql = "DELETE FROM sessions WHERE digest = ?1 AND (expires_at < ?2 OR last_active_at < ?3)";
            let purge = query(sql).bind(digest.as_bytes().to_vec());
            purged += self.change(purge.bind(expired_before.unix_micros()).bind(idle_since.unix_micros()))?;
        }
        Ok(purged)
    }
}
