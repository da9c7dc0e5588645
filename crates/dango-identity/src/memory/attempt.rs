//! Budgets of tries in memory.

use std::collections::HashMap;

use async_trait::async_trait;
use dango_core::Timestamp;

use super::MemoryStore;
use crate::lockout::{
    AccountKey, AttemptKey, AttemptState, AttemptStore, Charge, ChargedAttempt, ClientClass, Lock, LockView, LockoutPolicy,
};
use crate::store::StoreError;

/// Budgets by account and client.
pub(super) type AttemptRows = HashMap<AttemptKey, AttemptState>;

#[async_trait]
impl AttemptStore for MemoryStore {
    async fn charge_attempt(&mut self, key: &AttemptKey, policy: &LockoutPolicy, now: Timestamp) -> Result<Charge, StoreError> {
        Ok(self.tables().attempts.entry(*key).or_default().charge(policy, now))
    }

    async fn refund_attempt(&mut self, attempt: &ChargedAttempt, policy: &LockoutPolicy) -> Result<(), StoreError> {
        if let Some(state) = self.tables().attempts.get_mut(&attempt.key) {
            state.refund(policy, attempt.window);
        }
        Ok(())
    }

    async fn clear_attempts(&mut self, key: &AttemptKey) -> Result<(), StoreError> {
        self.tables().attempts.remove(key);
        Ok(())
    }

    async fn unlock_account(&mut self, account: &AccountKey, policy: &LockoutPolicy, now: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let of_account = |key: &AttemptKey| key.account == *account;
        let locked = tables
            .attempts
            .iter()
            .any(|(key, state)| of_account(key) && state.lock(policy, now).is_some());
        tables.attempts.retain(|key, _| !of_account(key));
        Ok(locked)
    }

    async fn find_lock(&mut self, key: &AttemptKey, policy: &LockoutPolicy, now: Timestamp) -> Result<Option<Lock>, StoreError> {
        Ok(self.tables().attempts.get(key).and_then(|state| state.lock(policy, now)))
    }

    async fn locks(&mut self, policy: &LockoutPolicy, now: Timestamp) -> Result<Vec<LockView>, StoreError> {
        let tables = self.tables();
        let strangers = tables.attempts.iter().filter(|(key, _)| key.client == ClientClass::Untrusted);
        let locked = strangers.filter_map(|(key, state)| {
            let lock = state.lock(policy, now)?;
            Some(LockView {
                account: key.account,
                lock,
            })
        });
        Ok(locked.collect())
    }

    async fn spent_attempts(&mut self, policy: &LockoutPolicy, now: Timestamp, most: u32) -> Result<Vec<AttemptKey>, StoreError> {
        let tables = self.tables();
        let spent = tables.attempts.iter().filter(|(_, state)| state.is_spent(policy, now));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Ok(spent.map(|(key, _)| *key).take(most).collect())
    }

    async fn purge_attempts(&mut self, keys: &[AttemptKey], policy: &LockoutPolicy, now: Timestamp) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        let before = tables.attempts.len();
        tables
            .attempts
            .retain(|key, state| !(keys.contains(key) && state.is_spent(policy, now)));
        Ok((before - tables.attempts.len()) as u64)
    }
}
