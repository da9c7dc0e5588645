//! The settings of the project, and facts about all users at once.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use dango_core::Timestamp;
use dango_identity::{StoreError, UserId};
use dango_store::{Admission, DirectoryStore, SettingsStore, StoreFailure};

use crate::column::Columns;
use crate::connection::{Row, query};
use crate::transaction::PostgresTransaction;

/// Finds whether anybody is let in; without a row it is the default.
const FIND_ADMISSION: &str = "SELECT admission FROM settings WHERE one = 1";

/// Reads what [`FIND_ADMISSION`] finds.
fn admission(row: &Row<'_>) -> Result<Admission, StoreFailure> {
    let columns = &mut Columns::of(row);
    let word = columns.text()?;
    Admission::from_word(word).ok_or_else(|| columns.bad())
}

#[async_trait]
impl SettingsStore for PostgresTransaction<'_> {
    async fn admission(&mut self) -> Result<Admission, StoreError> {
        Ok(self.one(query(FIND_ADMISSION), admission).await?.unwrap_or_default())
    }

    async fn set_admission(&mut self, admission: Admission, now: Timestamp) -> Result<bool, StoreError> {
        // Without a row it is the default, so writing that changes nothing.
        let sql = "INSERT INTO settings (one, admission, updated_at) SELECT 1, $1, $2 \
                   WHERE $1 <> $3 OR EXISTS (SELECT 1 FROM settings) \
                   ON CONFLICT (one) DO UPDATE SET admission = excluded.admission, updated_at = excluded.updated_at \
                   WHERE settings.admission <> excluded.admission";
        let write = query(sql)
            .bind(admission.as_str())
            .bind(now.unix_micros())
            .bind(Admission::default().as_str());
        Ok(self.changed(write).await?)
    }
}

#[async_trait]
impl DirectoryStore for PostgresTransaction<'_> {
    async fn enrolled_users(&mut self) -> Result<HashSet<UserId>, StoreError> {
        let sql = "SELECT user_id FROM totp WHERE confirmed_at IS NOT NULL";
        let ids = self.all(query(sql), |row| Columns::of(row).id(UserId::from_bytes)).await?;
        Ok(ids.into_iter().collect())
    }

    async fn first_issuers(&mut self) -> Result<HashMap<UserId, String>, StoreError> {
        let sql = "SELECT user_id, issuer FROM links ORDER BY user_id, linked_at, issuer";
        let links = self
            .all(query(sql), |row| {
                let columns = &mut Columns::of(row);
                Ok((columns.id(UserId::from_bytes)?, columns.text()?.to_owned()))
            })
            .await?;
        let mut first = HashMap::new();
        for (user, issuer) in links {
            first.entry(user).or_insert(issuer);
        }
        Ok(first)
    }
}
