//! OAuth flows that wait for their answer. Nobody else writes while a transaction that writes is open, so rows may be counted and then written.

use async_trait::async_trait;
use dango_core::Timestamp;
use dango_identity::{
    InsertOauthFlow, OauthFlowRecord, OauthFlowRoom, OauthFlowStore, OauthStarter, SealedColumn, SessionId, StoreError, TokenDigest,
    UserId, kind,
};
use dango_store::StoreFailure;

use crate::column::{Columns, signed};
use crate::connection::{Row, query};
use crate::transaction::PostgresTransaction;

/// Reads `state, user_id, session_id, browser, sealed, expires_at`.
fn flow(row: &Row<'_>) -> Result<OauthFlowRecord, StoreFailure> {
    let columns = &mut Columns::of(row);
    let state = TokenDigest::from_bytes(columns.bytes()?);
    let (user, session) = (
        columns.optional_id(UserId::from_bytes)?,
        columns.optional_id(SessionId::from_bytes)?,
    );
    let browser = columns.optional_bytes()?.map(TokenDigest::from_bytes);
    let starter = match (user, session, browser) {
        (Some(user), Some(session), None) => OauthStarter::Session { user, session },
        (None, None, Some(browser)) => OauthStarter::Browser(browser),
        _ => return Err(columns.bad()),
    };
    Ok(OauthFlowRecord {
        state,
        starter,
        sealed: SealedColumn::from_bytes(columns.blob()?.to_vec()),
        expires_at: columns.time()?,
    })
}

/// The three columns that say who began a flow.
fn starter(starter: &OauthStarter) -> [Option<Vec<u8>>; 3] {
    match starter {
        OauthStarter::Session { user, session } => [Some(user.as_bytes().to_vec()), Some(session.as_bytes().to_vec()), None],
        OauthStarter::Browser(token) => [None, None, Some(token.as_bytes().to_vec())],
    }
}

impl PostgresTransaction<'_> {
    /// Counts the rows that a statement with three bound columns of a starter counts.
    async fn count_oauth_flows(&mut self, sql: &'static str, columns: &[Option<Vec<u8>>]) -> Result<u64, StoreFailure> {
        let count = columns.iter().fold(query(sql), |count, column| count.bind(column.clone()));
        Ok(self.one(count, |row| Columns::of(row).number()).await?.unwrap_or(0))
    }
}

#[async_trait]
impl OauthFlowStore for PostgresTransaction<'_> {
    async fn insert_oauth_flow(
        &mut self,
        flow: &OauthFlowRecord,
        room: OauthFlowRoom,
        now: Timestamp,
    ) -> Result<InsertOauthFlow, StoreError> {
        self.change(query("DELETE FROM oauth_flows WHERE expires_at <= $1").bind(now.unix_micros()))
            .await?;
        let state = flow.state.as_bytes().to_vec();
        let is_there = query("SELECT 1 FROM oauth_flows WHERE state = $1").bind(state.clone());
        if self.one(is_there, |_| Ok(())).await?.is_some() {
            return Ok(InsertOauthFlow::Crowded);
        }
        let who = starter(&flow.starter);
        let sql = "SELECT count(*) FROM oauth_flows WHERE (user_id = $1 AND session_id = $2 OR browser = $3)";
        let mine = self.count_oauth_flows(sql, &who).await?;
        let surplus = (mine + 1).saturating_sub(u64::from(room.per_starter)).min(mine);
        if matches!(flow.starter, OauthStarter::Browser(_)) {
            let all = self
                .count_oauth_flows("SELECT count(*) FROM oauth_flows WHERE browser IS NOT NULL", &[])
                .await?;
            if all.saturating_sub(surplus) >= u64::from(room.browsers) {
                return Ok(InsertOauthFlow::Crowded);
            }
        }
        let [user, session, browser] = who;
        let sql = "DELETE FROM oauth_flows WHERE number IN (SELECT number FROM oauth_flows \
                   WHERE (user_id = $1 AND session_id = $2 OR browser = $3) ORDER BY number LIMIT $4)";
        let oldest = query(sql).bind(user.clone()).bind(session.clone()).bind(browser.clone());
        self.change(oldest.bind(signed(surplus))).await?;
        let sql = "INSERT INTO oauth_flows (state, user_id, session_id, browser, sealed, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
        let insert = query(sql)
            .bind(state)
            .bind(user)
            .bind(session)
            .bind(browser)
            .bind(flow.sealed.as_bytes().to_vec())
            .bind(flow.expires_at.unix_micros());
        self.change(insert).await?;
        Ok(InsertOauthFlow::Inserted)
    }

    async fn take_oauth_flow(&mut self, state: &TokenDigest<kind::OauthState>) -> Result<Option<OauthFlowRecord>, StoreError> {
        let sql = "DELETE FROM oauth_flows WHERE state = $1 RETURNING state, user_id, session_id, browser, sealed, expires_at";
        Ok(self.one(query(sql).bind(state.as_bytes().to_vec()), flow).await?)
    }
}
