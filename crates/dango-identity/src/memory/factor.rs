//! Second factors in memory.

use std::collections::HashMap;

use async_trait::async_trait;
use dango_core::Timestamp;

use super::MemoryStore;
use crate::factor::{
    AttemptLimit, FactorCharge, FactorKind, FactorStore, FactorSummary, RecoverySetRecord, TotpRecord, TotpState, TotpStep,
};
use crate::id::{FactorId, UserId};
use crate::instant::after;
use crate::store::StoreError;
use crate::token::{TokenDigest, kind};

/// The factors of one user.
#[derive(Clone, Default)]
pub(super) struct UserFactors {
    pending: Option<TotpRecord>,
    active: Option<TotpRecord>,
    recovery: Option<RecoverySetRecord>,
    attempts: Vec<Timestamp>,
}

/// The factors of every user.
pub(super) type FactorRows = HashMap<UserId, UserFactors>;

impl UserFactors {
    fn left(&self) -> u32 {
        let left = self.recovery.as_ref().map_or(0, |set| set.digests.len());
        u32::try_from(left).unwrap_or(u32::MAX)
    }
}

impl MemoryStore {
    /// Changes the row of a user's active app as somebody with the database in hand could; answers whether there is such a row.
    ///
    /// It is for tests that show that such a row counts for nothing.
    pub fn tamper_totp(&self, user: UserId, change: impl FnOnce(&mut TotpRecord)) -> bool {
        let mut tables = self.tables();
        let active = tables.factors.get_mut(&user).and_then(|factors| factors.active.as_mut());
        active.map(change).is_some()
    }
}

#[async_trait]
impl FactorStore for MemoryStore {
    async fn put_pending_totp(&mut self, record: &TotpRecord) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let factors = tables.factors.entry(record.user).or_default();
        if factors.active.is_some() {
            return Ok(false);
        }
        factors.pending = Some(record.clone());
        Ok(true)
    }

    async fn put_active_totp(&mut self, record: &TotpRecord, recovery: &RecoverySetRecord) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let factors = tables.factors.entry(record.user).or_default();
        if factors.active.is_some() {
            return Ok(false);
        }
        factors.pending = None;
        factors.active = Some(record.clone());
        factors.recovery = Some(recovery.clone());
        Ok(true)
    }

    async fn pending_totp(&mut self, user: UserId) -> Result<Option<TotpRecord>, StoreError> {
        Ok(self.tables().factors.get(&user).and_then(|factors| factors.pending.clone()))
    }

    async fn active_totp(&mut self, user: UserId) -> Result<Option<TotpRecord>, StoreError> {
        Ok(self.tables().factors.get(&user).and_then(|factors| factors.active.clone()))
    }

    async fn confirm_totp(
        &mut self,
        id: FactorId,
        step: TotpStep,
        recovery: &RecoverySetRecord,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let factors = tables.factors.entry(recovery.user).or_default();
        let waits = |record: &TotpRecord| record.id == id && matches!(record.state, TotpState::Pending { expires_at } if now < expires_at);
        let Some(mut record) = factors.pending.take_if(|record| waits(record)) else {
            return Ok(false);
        };
        record.state = TotpState::Active {
            confirmed_at: now,
            last_step: step,
        };
        factors.active = Some(record);
        factors.recovery = Some(recovery.clone());
        Ok(true)
    }

    async fn advance_totp_step(&mut self, id: FactorId, step: TotpStep) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let mut active = tables.factors.values_mut().filter_map(|factors| factors.active.as_mut());
        let Some(record) = active.find(|record| record.id == id) else {
            return Ok(false);
        };
        match &mut record.state {
            TotpState::Active { last_step, .. } if *last_step < step => {
                *last_step = step;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn consume_recovery_code(&mut self, user: UserId, digest: &TokenDigest<kind::RecoveryCode>) -> Result<Option<u32>, StoreError> {
        let mut tables = self.tables();
        let Some(factors) = tables.factors.get_mut(&user) else {
            return Ok(None);
        };
        let found = factors.recovery.as_mut().and_then(|set| {
            let at = set.digests.iter().position(|stored| stored == digest)?;
            Some(set.digests.swap_remove(at))
        });
        Ok(found.map(|_| factors.left()))
    }

    async fn replace_recovery_codes(&mut self, set: &RecoverySetRecord) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let factors = tables.factors.get_mut(&set.user).filter(|factors| factors.active.is_some());
        Ok(factors.map(|factors| factors.recovery = Some(set.clone())).is_some())
    }

    async fn count_recovery_codes(&mut self, user: UserId) -> Result<u32, StoreError> {
        Ok(self.tables().factors.get(&user).map_or(0, UserFactors::left))
    }

    async fn remove_factors(&mut self, user: UserId) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let Some(factors) = tables.factors.get_mut(&user) else {
            return Ok(false);
        };
        factors.pending = None;
        factors.recovery = None;
        Ok(factors.active.take().is_some())
    }

    async fn factors_of(&mut self, user: UserId) -> Result<Vec<FactorSummary>, StoreError> {
        let tables = self.tables();
        let Some(factors) = tables.factors.get(&user) else {
            return Ok(Vec::new());
        };
        let app = factors.active.as_ref();
        let codes = factors.recovery.as_ref().filter(|set| !set.digests.is_empty());
        let app = app.map(|record| FactorSummary::new(record.id, FactorKind::Totp, record.created_at));
        let codes = codes.map(|set| FactorSummary::new(set.id, FactorKind::Recovery, set.created_at));
        Ok(app.into_iter().chain(codes).collect())
    }

    async fn charge_factor_attempt(&mut self, user: UserId, limit: AttemptLimit, now: Timestamp) -> Result<FactorCharge, StoreError> {
        let mut tables = self.tables();
        let attempts = &mut tables.factors.entry(user).or_default().attempts;
        attempts.retain(|at| now < after(*at, limit.window));
        attempts.sort_unstable();
        let allowed = usize::try_from(limit.attempts).unwrap_or(usize::MAX);
        if attempts.len() < allowed {
            attempts.push(now);
            return Ok(FactorCharge::Charged);
        }
        let freed = attempts.get(attempts.len() - allowed).copied().unwrap_or(now);
        Ok(FactorCharge::Refused {
            retry_at: after(freed, limit.window),
        })
    }

    async fn refund_factor_attempt(&mut self, user: UserId, charged_at: Timestamp) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let attempts = &mut tables.factors.entry(user).or_default().attempts;
        if let Some(at) = attempts.iter().position(|at| *at == charged_at) {
            attempts.swap_remove(at);
        }
        Ok(())
    }
}
