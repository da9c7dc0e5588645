//! Budgets of tries. Nobody else writes while a transaction does, so a row may be read, judged and written.

use async_trait::async_trait;
use dango_core::Timestamp;
use dango_identity::{
    AccountKey, AttemptKey, AttemptState, AttemptStore, Charge, ChargedAttempt, ClientClass, DeviceId, Lock, LockView, LockoutPolicy,
    StoreError,
};
use dango_store::StoreFailure;

use crate::column::{Columns, signed};
use crate::connection::{Row, query};
use crate::transaction::SqliteTransaction;

/// Finds the budget of the account `?1` and the browser `?2`.
pub(crate) const FIND_BUDGET: &str = "SELECT account, device_id, failures, total, level, \"window\", locked_until, last_at FROM attempts \
                                      WHERE account = ?1 AND device_id = ?2";

/// Whether nothing matters in a budget any more: it is not stopped, and since its last try and the end of its lock as much time has passed as
/// one without failures is kept for, or one with some.
macro_rules! is_spent {
    ($stop:literal, $quiet:literal, $memory:literal) => {
        concat!(
            "total < ",
            $stop,
            " AND max(coalesce(last_at, locked_until), coalesce(locked_until, last_at)) <= CASE WHEN total = 0 THEN ",
            $quiet,
            " ELSE ",
            $memory,
            " END"
        )
    };
}

/// Reads `account, device_id, failures, total, level, "window", locked_until, last_at`.
pub(crate) fn budget(row: &Row<'_>) -> Result<Budget, StoreFailure> {
    let columns = &mut Columns::of(row);
    let account = columns.bytes()?;
    // Whose browser it is was asked for.
    columns.blob()?;
    Ok(Budget {
        account,
        state: AttemptState {
            failures: columns.number()?,
            total: columns.number()?,
            level: columns.number()?,
            window: columns.number()?,
            locked_until: columns.optional_time()?,
            last: columns.optional_time()?,
        },
    })
}

pub(crate) struct Budget {
    account: [u8; 32],
    pub(crate) state: AttemptState,
}

pub(crate) fn device(client: &ClientClass) -> Vec<u8> {
    match client {
        ClientClass::Trusted(device) => device.as_bytes().to_vec(),
        ClientClass::Untrusted => Vec::new(),
    }
}

/// The key of a row; none where a device is called what none is called by.
fn key(account: [u8; 32], device: &[u8]) -> Option<AttemptKey> {
    let client = match device {
        [] => ClientClass::Untrusted,
        device => ClientClass::Trusted(DeviceId::from_bytes(device.try_into().ok()?).ok()?),
    };
    Some(AttemptKey {
        account: AccountKey::from_bytes(account),
        client,
    })
}

impl SqliteTransaction<'_> {
    fn attempt_state(&mut self, key: &AttemptKey) -> Result<Option<AttemptState>, StoreFailure> {
        let find = query(FIND_BUDGET).bind(key.account.as_bytes().to_vec()).bind(device(&key.client));
        Ok(self.one(find, budget)?.map(|budget| budget.state))
    }

    fn put_attempt_state(&mut self, key: &AttemptKey, state: &AttemptState) -> Result<(), StoreFailure> {
        let sql = "INSERT INTO attempts (account, device_id, failures, total, level, \"window\", locked_until, last_at) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (account, device_id) DO UPDATE SET failures = excluded.failures, \
                   total = excluded.total, level = excluded.level, \"window\" = excluded.\"window\", \
                   locked_until = excluded.locked_until, last_at = excluded.last_at";
        let put = query(sql)
            .bind(key.account.as_bytes().to_vec())
            .bind(device(&key.client))
            .bind(state.failures)
            .bind(state.total)
            .bind(state.level)
            .bind(signed(state.window))
            .bind(state.locked_until.map(Timestamp::unix_micros))
            .bind(state.last.map(Timestamp::unix_micros));
        self.change(put)?;
        Ok(())
    }
}

#[async_trait]
impl AttemptStore for SqliteTransaction<'_> {
    async fn charge_attempt(&mut self, key: &AttemptKey, policy: &LockoutPolicy, now: Timestamp) -> Result<Charge, StoreError> {
        let mut state = self.attempt_state(key)?.unwrap_or_default();
        let charge = state.charge(policy, now);
        self.put_attempt_state(key, &state)?;
        Ok(charge)
    }

    async fn refund_attempt(&mut self, attempt: &ChargedAttempt, policy: &LockoutPolicy) -> Result<(), StoreError> {
        if let Some(mut state) = self.attempt_state(&attempt.key)? {
            state.refund(policy, attempt.window);
            self.put_attempt_state(&attempt.key, &state)?;
        }
        Ok(())
    }

    async fn clear_attempts(&mut self, key: &AttemptKey) -> Result<(), StoreError> {
        let sql = "DELETE FROM attempts WHERE account = ?1 AND device_id = ?2";
        self.change(query(sql).bind(key.account.as_bytes().to_vec()).bind(device(&key.client)))?;
        Ok(())
    }

    async fn unlock_account(&mut self, account: &AccountKey, policy: &LockoutPolicy, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "DELETE FROM attempts WHERE account = ?1 RETURNING account, device_id, failures, total, level, \"window\", locked_until, last_at";
        let gone = self.all(query(sql).bind(account.as_bytes().to_vec()), budget)?;
        Ok(gone.iter().any(|budget| budget.state.lock(policy, now).is_some()))
    }

    async fn find_lock(&mut self, key: &AttemptKey, policy: &LockoutPolicy, now: Timestamp) -> Result<Option<Lock>, StoreError> {
        Ok(self.attempt_state(key)?.and_then(|state| state.lock(policy, now)))
    }

    async fn locks(&mut self, policy: &LockoutPolicy, now: Timestamp) -> Result<Vec<LockView>, StoreError> {
        let sql = "SELECT account, device_id, failures, total, level, \"window\", locked_until, last_at FROM attempts \
                   WHERE device_id = x'' AND (total >= ?1 OR locked_until > ?2)";
        let budgets = self.all(query(sql).bind(policy.stop()).bind(now.unix_micros()), budget)?;
        let locked = budgets.iter().filter_map(|budget| {
            let account = AccountKey::from_bytes(budget.account);
            let lock = budget.state.lock(policy, now)?;
            Some(LockView { account, lock })
        });
        Ok(locked.collect())
    }

    async fn spent_attempts(&mut self, policy: &LockoutPolicy, now: Timestamp, most: u32) -> Result<Vec<AttemptKey>, StoreError> {
        let sql = concat!(
            "SELECT account, device_id FROM attempts WHERE ",
            is_spent!("?1", "?2", "?3"),
            " LIMIT ?4"
        );
        let (quiet, memory) = policy.forgotten_since(now);
        let find = query(sql)
            .bind(policy.stop())
            .bind(quiet.unix_micros())
            .bind(memory.unix_micros())
            .bind(most);
        let found = self.all(find, |row| {
            let columns = &mut Columns::of(row);
            Ok((columns.bytes()?, columns.blob()?.to_vec()))
        })?;
        Ok(found.into_iter().filter_map(|(account, device)| key(account, &device)).collect())
    }

    async fn purge_attempts(&mut self, keys: &[AttemptKey], policy: &LockoutPolicy, now: Timestamp) -> Result<u64, StoreError> {
        let sql = concat!(
            "DELETE FROM attempts WHERE account = ?4 AND device_id = ?5 AND ",
            is_spent!("?1", "?2", "?3")
        );
        let (quiet, memory) = policy.forgotten_since(now);
        let mut dropped = 0;
        for key in keys {
            let drop = query(sql)
                .bind(policy.stop())
                .bind(quiet.unix_micros())
                .bind(memory.unix_micros())
                .bind(key.account.as_bytes().to_vec())
                .bind(device(&key.client));
            dropped += self.change(drop)?;
        }
        Ok(dropped)
    }
}
