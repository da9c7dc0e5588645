//! Second factors: enrolled apps, recovery codes, and the tries at both.

use async_trait::async_trait;
use dango_core::Timestamp;
use dango_identity::{
    AttemptLimit, FactorCharge, FactorId, FactorKind, FactorStore, FactorSummary, RecoverySetRecord, SealedColumn, StoreError, TokenDigest,
    TotpParameters, TotpRecord, TotpState, TotpStep, UserId, kind,
};
use dango_store::StoreFailure;

use crate::column::{Columns, signed};
use crate::connection::{Row, query};
use crate::transaction::PostgresTransaction;

/// That a user has no active app.
macro_rules! no_active_totp {
    ($user:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM totp AS active WHERE active.user_id = ",
            $user,
            " AND active.confirmed_at IS NOT NULL)"
        )
    };
}

/// Reads `id, user_id, algorithm, digits, period_seconds, secret, created_at, expires_at, confirmed_at, last_step`.
fn totp(row: &Row<'_>) -> Result<TotpRecord, StoreFailure> {
    let columns = &mut Columns::of(row);
    Ok(TotpRecord {
        id: columns.id(FactorId::from_bytes)?,
        user: columns.id(UserId::from_bytes)?,
        parameters: TotpParameters::new(columns.parsed()?, columns.number()?, columns.number()?).map_err(StoreFailure::damaged)?,
        secret: SealedColumn::from_bytes(columns.blob()?.to_vec()),
        created_at: columns.time()?,
        state: match (columns.optional_time()?, columns.optional_time()?, columns.optional_integer()?) {
            (Some(expires_at), None, None) => TotpState::Pending { expires_at },
            (None, Some(confirmed_at), Some(last_step)) => TotpState::Active {
                confirmed_at,
                last_step: TotpStep::from_number(u64::try_from(last_step).map_err(|_| columns.bad())?),
            },
            _ => return Err(columns.bad()),
        },
    })
}

impl PostgresTransaction<'_> {
    /// Puts an enrolment in the place of a pending one, unless the user has an active one or there is no such user.
    async fn put_totp(&mut self, record: &TotpRecord) -> Result<bool, StoreFailure> {
        let (expires_at, confirmed_at, last_step) = match record.state {
            TotpState::Pending { expires_at } => (Some(expires_at), None, None),
            TotpState::Active { confirmed_at, last_step } => (None, Some(confirmed_at), Some(signed(last_step.number()))),
        };
        let sql = concat!("DELETE FROM totp WHERE user_id = $1 AND ", no_active_totp!("$1"));
        self.change(query(sql).bind(record.user.as_bytes().to_vec())).await?;
        let sql = concat!(
            "INSERT INTO totp (id, user_id, algorithm, digits, period_seconds, secret, created_at, expires_at, confirmed_at, last_step) ",
            "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 WHERE EXISTS (SELECT 1 FROM users WHERE users.id = $2) AND ",
            no_active_totp!("$2")
        );
        let insert = query(sql)
            .bind(record.id.as_bytes().to_vec())
            .bind(record.user.as_bytes().to_vec())
            .bind(record.parameters.algorithm().as_str())
            .bind(record.parameters.digits())
            .bind(record.parameters.period_seconds())
            .bind(record.secret.as_bytes().to_vec())
            .bind(record.created_at.unix_micros())
            .bind(expires_at.map(Timestamp::unix_micros))
            .bind(confirmed_at.map(Timestamp::unix_micros))
            .bind(last_step);
        self.changed(insert).await
    }

    /// Puts a set of recovery codes in the place of another, if the user has an active app.
    async fn put_recovery(&mut self, set: &RecoverySetRecord) -> Result<bool, StoreFailure> {
        let sql = "INSERT INTO recovery_sets (user_id, id, created_at) SELECT $1, $2, $3 \
                   WHERE EXISTS (SELECT 1 FROM totp WHERE user_id = $1 AND confirmed_at IS NOT NULL) \
                   ON CONFLICT (user_id) DO UPDATE SET id = excluded.id, created_at = excluded.created_at";
        let put = query(sql)
            .bind(set.user.as_bytes().to_vec())
            .bind(set.id.as_bytes().to_vec())
            .bind(set.created_at.unix_micros());
        if !self.changed(put).await? {
            return Ok(false);
        }
        self.change(query("DELETE FROM recovery_codes WHERE user_id = $1").bind(set.user.as_bytes().to_vec()))
            .await?;
        for digest in &set.digests {
            let sql = "INSERT INTO recovery_codes (user_id, digest) VALUES ($1, $2)";
            self.change(query(sql).bind(set.user.as_bytes().to_vec()).bind(digest.as_bytes().to_vec()))
                .await?;
        }
        Ok(true)
    }

    async fn recovery_codes_left(&mut self, user: UserId) -> Result<u32, StoreFailure> {
        let sql = "SELECT count(*) FROM recovery_codes WHERE user_id = $1";
        let count = self
            .one(query(sql).bind(user.as_bytes().to_vec()), |row| Columns::of(row).number())
            .await?;
        Ok(count.unwrap_or(0))
    }
}

#[async_trait]
impl FactorStore for PostgresTransaction<'_> {
    async fn put_pending_totp(&mut self, record: &TotpRecord) -> Result<bool, StoreError> {
        Ok(self.put_totp(record).await?)
    }

    async fn put_active_totp(&mut self, record: &TotpRecord, recovery: &RecoverySetRecord) -> Result<bool, StoreError> {
        Ok(self.put_totp(record).await? && self.put_recovery(recovery).await?)
    }

    async fn pending_totp(&mut self, user: UserId) -> Result<Option<TotpRecord>, StoreError> {
        let sql = "SELECT id, user_id, algorithm, digits, period_seconds, secret, created_at, expires_at, confirmed_at, last_step \
                   FROM totp WHERE user_id = $1 AND confirmed_at IS NULL";
        Ok(self.one(query(sql).bind(user.as_bytes().to_vec()), totp).await?)
    }

    async fn active_totp(&mut self, user: UserId) -> Result<Option<TotpRecord>, StoreError> {
        let sql = "SELECT id, user_id, algorithm, digits, period_seconds, secret, created_at, expires_at, confirmed_at, last_step \
                   FROM totp WHERE user_id = $1 AND confirmed_at IS NOT NULL";
        Ok(self.one(query(sql).bind(user.as_bytes().to_vec()), totp).await?)
    }

    async fn confirm_totp(
        &mut self,
        id: FactorId,
        step: TotpStep,
        recovery: &RecoverySetRecord,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE totp SET expires_at = NULL, confirmed_at = $3, last_step = $4 \
                   WHERE id = $1 AND user_id = $2 AND confirmed_at IS NULL AND $3 < expires_at";
        let confirm = query(sql)
            .bind(id.as_bytes().to_vec())
            .bind(recovery.user.as_bytes().to_vec())
            .bind(now.unix_micros())
            .bind(signed(step.number()));
        Ok(self.changed(confirm).await? && self.put_recovery(recovery).await?)
    }

    async fn advance_totp_step(&mut self, id: FactorId, step: TotpStep) -> Result<bool, StoreError> {
        let sql = "UPDATE totp SET last_step = $2 WHERE id = $1 AND confirmed_at IS NOT NULL AND last_step < $2";
        let advance = query(sql).bind(id.as_bytes().to_vec()).bind(signed(step.number()));
        Ok(self.changed(advance).await?)
    }

    async fn consume_recovery_code(&mut self, user: UserId, digest: &TokenDigest<kind::RecoveryCode>) -> Result<Option<u32>, StoreError> {
        let sql = "DELETE FROM recovery_codes WHERE user_id = $1 AND digest = $2";
        let consume = query(sql).bind(user.as_bytes().to_vec()).bind(digest.as_bytes().to_vec());
        if !self.changed(consume).await? {
            return Ok(None);
        }
        Ok(Some(self.recovery_codes_left(user).await?))
    }

    async fn replace_recovery_codes(&mut self, set: &RecoverySetRecord) -> Result<bool, StoreError> {
        Ok(self.put_recovery(set).await?)
    }

    async fn count_recovery_codes(&mut self, user: UserId) -> Result<u32, StoreError> {
        Ok(self.recovery_codes_left(user).await?)
    }

    async fn remove_factors(&mut self, user: UserId) -> Result<bool, StoreError> {
        let sql = "DELETE FROM totp WHERE user_id = $1 RETURNING confirmed_at";
        let removed = self
            .all(query(sql).bind(user.as_bytes().to_vec()), |row| Columns::of(row).optional_time())
            .await?;
        self.change(query("DELETE FROM recovery_sets WHERE user_id = $1").bind(user.as_bytes().to_vec()))
            .await?;
        Ok(removed.iter().any(Option::is_some))
    }

    async fn factors_of(&mut self, user: UserId) -> Result<Vec<FactorSummary>, StoreError> {
        let sql = "SELECT id, false, created_at FROM totp WHERE user_id = $1 AND confirmed_at IS NOT NULL UNION ALL \
                   SELECT id, true, created_at FROM recovery_sets AS held WHERE user_id = $1 \
                   AND EXISTS (SELECT 1 FROM recovery_codes AS left_over WHERE left_over.user_id = held.user_id) ORDER BY 2";
        let read = |row: &Row<'_>| {
            let columns = &mut Columns::of(row);
            let id = columns.id(FactorId::from_bytes)?;
            let kind = if columns.flag()? { FactorKind::Recovery } else { FactorKind::Totp };
            Ok(FactorSummary::new(id, kind, columns.time()?))
        };
        Ok(self.all(query(sql).bind(user.as_bytes().to_vec()), read).await?)
    }

    async fn charge_factor_attempt(&mut self, user: UserId, limit: AttemptLimit, now: Timestamp) -> Result<FactorCharge, StoreError> {
        let window = i64::try_from(limit.window.as_micros()).unwrap_or(i64::MAX);
        let sql = "DELETE FROM factor_attempts WHERE user_id = $1 AND at <= $2";
        let forget = query(sql)
            .bind(user.as_bytes().to_vec())
            .bind(now.unix_micros().saturating_sub(window));
        self.change(forget).await?;
        let sql = "INSERT INTO factor_attempts (user_id, at) SELECT $1, $2 WHERE EXISTS (SELECT 1 FROM users WHERE id = $1) \
                   AND (SELECT count(*) FROM factor_attempts WHERE user_id = $1) < $3";
        let charge = query(sql)
            .bind(user.as_bytes().to_vec())
            .bind(now.unix_micros())
            .bind(limit.attempts);
        if self.changed(charge).await? {
            return Ok(FactorCharge::Charged);
        }
        // The one that has to be forgotten before there is room for another.
        let sql = "SELECT at FROM factor_attempts WHERE user_id = $1 AND $2 > 0 ORDER BY at DESC LIMIT 1 OFFSET greatest($2 - 1, 0)";
        let oldest = query(sql).bind(user.as_bytes().to_vec()).bind(limit.attempts);
        let oldest = self.one(oldest, |row| Columns::of(row).time()).await?.unwrap_or(now);
        Ok(FactorCharge::Refused {
            retry_at: Timestamp::from_unix_micros(oldest.unix_micros().saturating_add(window)),
        })
    }

    async fn refund_factor_attempt(&mut self, user: UserId, charged_at: Timestamp) -> Result<(), StoreError> {
        let sql = "DELETE FROM factor_attempts WHERE ctid = (SELECT ctid FROM factor_attempts WHERE user_id = $1 AND at = $2 LIMIT 1)";
        let refund = query(sql).bind(user.as_bytes().to_vec()).bind(charged_at.unix_micros());
        self.change(refund).await?;
        Ok(())
    }
}
