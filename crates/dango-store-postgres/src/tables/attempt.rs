//! Budgets of tries. Nobody else writes while a transaction that writes is open, so a row may be read, judged and written.

use async_trait::async_trait;
use dango_core::Timestamp;
use dango_identity::{
    AccountKey, AttemptKey, AttemptState, AttemptStore, Charge, ChargedAttempt, ClientClass, DeviceId, Lock, LockView, LockoutPolicy,
    StoreError,
};
use dango_store::StoreFailure;

use crate::column::{Columns, signed};
use crate::connection::{Row, query};
use crate::transaction::PostgresTransaction;

/// Finds the budget of the account `$1` and the browser `$2`.
const FIND_BUDGET: &str = "SELECT account, device_id, failures, total, level, \"window\", locked_until, last_at FROM attempts \
                                      WHERE account = $1 AND device_id = $2";

/// Whether nothing matters in a budget any more: it is not stopped, and since its last try and the end of its lock as much time has passed as
/// one without failures is kept for, or one with some.
macro_rules! is_spent {
    ($stop:literal, $quiet:literal, $memory:literal) => {
        concat!(
            "total < ",
            $stop,
            " AND greatest(last_at, locked_until) <= CASE WHEN total = 0 THEN ",
            $quiet,
            " ELSE ",
            $memory,
            " END"
        )
    };
}

/// Reads `account, device_id, failures, total, level, "window", locked_until, last_at`.
fn budget(row: &Row<'_>) -> Result<Budget, StoreFailure> {
    budget_behind(row, 0)
}

/// The same behind so many other columns.
pub(crate) fn budget_behind(row: &Row<'_>, others: usize) -> Result<Budget, StoreFailure> {
    let columns = &mut Columns::behind(row, others);
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

fn device(client: &ClientClass) -> Vec<u8> {
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

impl PostgresTransaction<'_> {
    async fn attempt_state(&mut self, key: &AttemptKey) -> Result<Option<AttemptState>, StoreFailure> {
        let find = query(FIND_BUDGET).bind(key.account.as_bytes().to_vec()).bind(device(&key.client));
        Ok(self.one(find, budget).await?.map(|budget| budget.state))
    }

    async fn put_attempt_state(&mut self, key: &AttemptKey, state: &AttemptState) -> Result<(), StoreFailure> {
        let sql = "INSERT INTO attempts (account, device_id, failures, total, level, \"window\", locked_until, last_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (account, device_id) DO UPDATE SET failures = excluded.failures, \
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
        self.change(put).await?;
        Ok(())
    }
}

#[async_trait]
impl AttemptStore for PostgresTransaction<'_> {
    async fn charge_attempt(&mut self, key: &AttemptKey, policy: &LockoutPolicy, now: Timestamp) -> Result<Charge, StoreError> {
        let mut state = self.attempt_state(key).await?.unwrap_or_default();
        let charge = state.charge(policy, now);
        self.put_attempt_state(key, &state).await?;
        Ok(charge)
    }

    async fn refund_attempt(&mut self, attempt: &ChargedAttempt, policy: &LockoutPolicy) -> Result<(), StoreError> {
        if let Some(mut state) = self.attempt_state(&attempt.key).await? {
            state.refund(policy, attempt.window);
            self.put_attempt_state(&attempt.key, &state).await?;
        }
        Ok(())
    }

    async fn clear_attempts(&mut self, key: &AttemptKey) -> Result<(), StoreError> {
        let sql = "DELETE FROM attempts WHERE account = $1 AND device_id = $2";
        self.change(query(sql).bind(key.account.as_bytes().to_vec()).bind(device(&key.client)))
            .await?;
        Ok(())
    }

    async fn unlock_account(&mut self, account: &AccountKey, policy: &LockoutPolicy, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "DELETE FROM attempts WHERE account = $1 RETURNING account, device_id, failures, total, level, \"window\", locked_until, last_at";
        let gone = self.all(query(sql).bind(account.as_bytes().to_vec()), budget).await?;
        Ok(gone.iter().any(|budget| budget.state.lock(policy, now).is_some()))
    }

    async fn find_lock(&mut self, key: &AttemptKey, policy: &LockoutPolicy, now: Timestamp) -> Result<Option<Lock>, StoreError> {
        Ok(self.attempt_state(key).await?.and_then(|state| state.lock(policy, now)))
    }

    async fn locks(&mut self, policy: &LockoutPolicy, now: Timestamp) -> Result<Vec<LockView>, StoreError> {
        let sql = "SELECT account, device_id, failures, total, level, \"window\", locked_until, last_at FROM attempts \
                   WHERE device_id = ''::bytea AND (total >= $1 OR locked_until > $2)";
        let find = query(sql).bind(policy.stop()).bind(now.unix_micros());
        let budgets = self.all(find, budget).await?;
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
            is_spent!("$1", "$2", "$3"),
            " LIMIT $4"
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
        });
        let found = found.await?;
        Ok(found.into_iter().filter_map(|(account, device)| key(account, &device)).collect())
    }

    async fn purge_attempts(&mut self, keys: &[AttemptKey], policy: &LockoutPolicy, now: Timestamp) -> Result<u64, StoreError> {
        let of = |key: &AttemptKey| (key.account.as_bytes().to_vec(), device(&key.client));
        let (accounts, devices): (Vec<Vec<u8>>, Vec<Vec<u8>>) = keys.iter().map(of).unzip();
        // All at once: others wait for their turn meanwhile.
        let sql = concat!(
            "DELETE FROM attempts USING unnest($4, $5) AS asked (account, device_id) \
             WHERE attempts.account = asked.account AND attempts.device_id = asked.device_id AND ",
            is_spent!("$1", "$2", "$3")
        );
        let (quiet, memory) = policy.forgotten_since(now);
        let drop = query(sql)
            .bind(policy.stop())
            .bind(quiet.unix_micros())
            .bind(memory.unix_micros())
            .bind(accounts)
            .bind(devices);
        Ok(self.change(drop).await?)
    }
}
