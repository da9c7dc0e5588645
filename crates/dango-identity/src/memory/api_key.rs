//! API keys in memory.

use std::cmp::Reverse;
use std::collections::HashMap;

use async_trait::async_trait;
use dango_core::Timestamp;

use super::{MemoryStore, Tables};
use crate::api_key::{ApiKeyRecord, ApiKeyStore, ApiKeyUse, ApiKeyWrite, Retirement};
use crate::id::{ApiKeyId, UserId};
use crate::store::StoreError;
use crate::token::{TokenDigest, kind};

/// API keys by id.
pub(super) type ApiKeyRows = HashMap<ApiKeyId, ApiKeyRecord>;

impl Tables {
    fn can_insert(&self, new: &ApiKeyRecord) -> bool {
        let made_here = new.prefix.as_str().starts_with("dak_");
        !self.api_keys.values().any(|row| {
            let begins_alike = row.owner == new.owner && row.revoked_at.is_none() && row.prefix == new.prefix;
            row.id == new.id || row.digest == new.digest || (made_here && begins_alike)
        })
    }

    pub(super) fn revoke_where(&mut self, now: Timestamp, ends: impl Fn(&ApiKeyRecord) -> bool) -> u64 {
        let live = self.api_keys.values_mut().filter(|row| row.revoked_at.is_none() && ends(row));
        let mut revoked = 0;
        for row in live {
            row.revoked_at = Some(now);
            revoked += 1;
        }
        revoked
    }
}

impl MemoryStore {
    /// Changes the row of an API key as somebody with the database in hand could; answers whether there is such a row.
    ///
    /// It is for tests that show that such a row counts for nothing.
    pub fn tamper_api_key(&self, id: ApiKeyId, change: impl FnOnce(&mut ApiKeyRecord)) -> bool {
        self.tables().api_keys.get_mut(&id).map(change).is_some()
    }
}

#[async_trait]
impl ApiKeyStore for MemoryStore {
    async fn insert_api_key(&mut self, record: &ApiKeyRecord) -> Result<ApiKeyWrite, StoreError> {
        let mut tables = self.tables();
        if !tables.can_insert(record) {
            return Ok(ApiKeyWrite::Taken);
        }
        tables.api_keys.insert(record.id, record.clone());
        Ok(ApiKeyWrite::Written)
    }

    async fn rotate_api_key(&mut self, old: &Retirement, record: &ApiKeyRecord) -> Result<ApiKeyWrite, StoreError> {
        let mut tables = self.tables();
        let replaceable = |row: &ApiKeyRecord| row.revoked_at.is_none() && row.retiring_until.is_none();
        if !tables.api_keys.get(&old.id).is_some_and(replaceable) {
            return Ok(ApiKeyWrite::Stale);
        }
        if !tables.can_insert(record) {
            return Ok(ApiKeyWrite::Taken);
        }
        if let Some(row) = tables.api_keys.get_mut(&old.id) {
            row.retiring_until = Some(old.until);
            row.mac = old.mac;
        }
        tables.api_keys.insert(record.id, record.clone());
        Ok(ApiKeyWrite::Written)
    }

    async fn find_api_key(&mut self, digest: &TokenDigest<kind::ApiKey>) -> Result<Option<ApiKeyRecord>, StoreError> {
        Ok(self.tables().api_keys.values().find(|row| row.digest == *digest).cloned())
    }

    async fn api_key_of(&mut self, owner: UserId, id: ApiKeyId) -> Result<Option<ApiKeyRecord>, StoreError> {
        Ok(self.tables().api_keys.get(&id).filter(|row| row.owner == owner).cloned())
    }

    async fn api_keys_of(&mut self, owner: UserId) -> Result<Vec<ApiKeyRecord>, StoreError> {
        let tables = self.tables();
        let mut keys: Vec<ApiKeyRecord> = tables.api_keys.values().filter(|row| row.owner == owner).cloned().collect();
        keys.sort_unstable_by_key(|row| Reverse((row.created_at, row.id)));
        Ok(keys)
    }

    async fn touch_api_key(&mut self, id: ApiKeyId, last_used: &ApiKeyUse, not_after: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let due = |row: &ApiKeyRecord| row.last_used.as_ref().is_none_or(|last| last.at <= not_after);
        let Some(row) = tables.api_keys.get_mut(&id).filter(|row| due(row)) else {
            return Ok(false);
        };
        row.last_used = Some(last_used.clone());
        Ok(true)
    }

    async fn revoke_api_key(&mut self, owner: UserId, id: ApiKeyId, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.tables().revoke_where(now, |row| row.owner == owner && row.id == id) > 0)
    }

    async fn revoke_api_key_family(&mut self, family: ApiKeyId, now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.tables().revoke_where(now, |row| row.family == family))
    }

    async fn revoke_api_keys_of(&mut self, owner: UserId, now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.tables().revoke_where(now, |row| row.owner == owner))
    }
}
