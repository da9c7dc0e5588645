//! Where second factors are kept: the trait that every backend implements.

use std::time::Duration;

use async_trait::async_trait;
use dango_core::Timestamp;

use super::record::TotpRecord;
use super::recovery::RecoverySetRecord;
use super::totp::TotpStep;
use super::{FactorKind, FactorSummary};
use crate::id::{FactorId, UserId};
use crate::store::StoreError;
use crate::token::{TokenDigest, kind};

/// How many tries there may be in any span of a length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptLimit {
    /// How many.
    pub attempts: u32,
    /// The length.
    pub window: Duration,
}

/// Whether a try was charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum FactorCharge {
    /// It was, and may be made.
    Charged,
    /// It was not, and may not be made.
    Refused {
        /// When the oldest of those that count no longer does.
        retry_at: Timestamp,
    },
}

/// Second factors. Every method is one whole intent, and happens wholly or not at all, whatever else happens at once.
#[async_trait]
pub trait FactorStore: Send {
    /// Puts a pending enrolment in the place of the user's earlier pending one, unless the user has an active one.
    async fn put_pending_totp(&mut self, record: &TotpRecord) -> Result<bool, StoreError>;

    /// Puts an active enrolment and a set of recovery codes that another program made, unless the user has an active one.
    async fn put_active_totp(&mut self, record: &TotpRecord, recovery: &RecoverySetRecord) -> Result<bool, StoreError>;

    /// The user's pending enrolment, expired or not.
    async fn pending_totp(&mut self, user: UserId) -> Result<Option<TotpRecord>, StoreError>;

    /// The user's active enrolment.
    async fn active_totp(&mut self, user: UserId) -> Result<Option<TotpRecord>, StoreError>;

    /// Makes a pending enrolment that has not expired active, with this as its newest step, and puts a set of recovery codes in
    /// the place of any other of the user's.
    async fn confirm_totp(
        &mut self,
        id: FactorId,
        step: TotpStep,
        recovery: &RecoverySetRecord,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Sets the newest step of an active enrolment where the stored one is smaller.
    async fn advance_totp_step(&mut self, id: FactorId, step: TotpStep) -> Result<bool, StoreError>;

    /// Takes one code out of the user's set, and answers how many are left; nothing where it is not in it.
    async fn consume_recovery_code(&mut self, user: UserId, digest: &TokenDigest<kind::RecoveryCode>) -> Result<Option<u32>, StoreError>;

    /// Puts a set of recovery codes in the place of the user's other one, if the user has an active enrolment.
    async fn replace_recovery_codes(&mut self, set: &RecoverySetRecord) -> Result<bool, StoreError>;

    /// How many recovery codes the user has left.
    async fn count_recovery_codes(&mut self, user: UserId) -> Result<u32, StoreError>;

    /// Removes all of the user's factors and codes, pending ones too; answers whether any was active.
    async fn remove_factors(&mut self, user: UserId) -> Result<bool, StoreError>;

    /// The user's active factors, oldest first.
    async fn factors_of(&mut self, user: UserId) -> Result<Vec<FactorSummary>, StoreError>;

    /// Counts a try at `now`, if fewer than the limit were counted in the window that ends then. Times that lie ahead, after the
    /// clock was set back, count too.
    async fn charge_factor_attempt(&mut self, user: UserId, limit: AttemptLimit, now: Timestamp) -> Result<FactorCharge, StoreError>;

    /// Takes back one try that was counted at this time: it succeeded.
    async fn refund_factor_attempt(&mut self, user: UserId, charged_at: Timestamp) -> Result<(), StoreError>;
}

impl FactorSummary {
    /// The summary of an active factor.
    pub const fn new(id: FactorId, kind: FactorKind, created_at: Timestamp) -> Self {
        Self { id, kind, created_at }
    }
}
