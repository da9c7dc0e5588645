//! Where budgets are kept: the trait that every backend implements.

use async_trait::async_trait;
use dango_core::Timestamp;

use super::{AccountKey, AttemptKey, Charge, Lock, LockoutPolicy};
use crate::store::StoreError;

/// A try that was paid for: what it takes to give the charge back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChargedAttempt {
    /// The budget.
    pub key: AttemptKey,
    /// The window that was charged ([`AttemptState::window`](super::AttemptState::window)).
    pub window: u64,
}

/// What the lists show of an account's budgets: that of strangers, since it is theirs that a person who calls for help has met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockView {
    /// The account.
    pub account: AccountKey,
    /// What locks it.
    pub lock: Lock,
}

/// Budgets of tries. Every method is one whole intent, and happens wholly or not at all, whatever else happens at once.
///
/// A backend reads the row and locks it, applies [`AttemptState`](super::AttemptState) and writes it, in one
/// transaction that nothing can come between; or does the same in one statement.
#[async_trait]
pub trait AttemptStore: Send {
    /// Charges a try before it is made ([`AttemptState::charge`](super::AttemptState::charge)).
    async fn charge_attempt(&mut self, key: &AttemptKey, policy: &LockoutPolicy, now: Timestamp) -> Result<Charge, StoreError>;

    /// Gives one charge back ([`AttemptState::refund`](super::AttemptState::refund)).
    async fn refund_attempt(&mut self, attempt: &ChargedAttempt, policy: &LockoutPolicy) -> Result<(), StoreError>;

    /// Forgets the budget: somebody has logged in with the last factor.
    async fn clear_attempts(&mut self, key: &AttemptKey) -> Result<(), StoreError>;

    /// Forgets every budget of an account; answers whether one of them was locked.
    async fn unlock_account(&mut self, account: &AccountKey, policy: &LockoutPolicy, now: Timestamp) -> Result<bool, StoreError>;

    /// What locks a budget.
    async fn find_lock(&mut self, key: &AttemptKey, policy: &LockoutPolicy, now: Timestamp) -> Result<Option<Lock>, StoreError>;

    /// Every account that is locked for clients that it does not know, those that do not exist among them.
    async fn locks(&mut self, policy: &LockoutPolicy, now: Timestamp) -> Result<Vec<LockView>, StoreError>;

    /// Finds budgets in which nothing matters any more ([`AttemptState::is_spent`](super::AttemptState::is_spent)), so many at most, in no
    /// order.
    async fn spent_attempts(&mut self, policy: &LockoutPolicy, now: Timestamp, most: u32) -> Result<Vec<AttemptKey>, StoreError>;

    /// Drops those of these budgets in which nothing matters any more; answers how many.
    async fn purge_attempts(&mut self, keys: &[AttemptKey], policy: &LockoutPolicy, now: Timestamp) -> Result<u64, StoreError>;
}
