//! Where API keys are kept: the trait that every backend implements.

use async_trait::async_trait;
use dango_core::Timestamp;

use super::record::{ApiKeyRecord, ApiKeyUse};
use crate::id::{ApiKeyId, UserId};
use crate::store::StoreError;
use crate::token::{TokenDigest, kind};

/// What became of a key that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum ApiKeyWrite {
    /// It is stored.
    Written,
    /// The owner has a key that begins alike, or the digest is there already. Nothing was stored.
    Taken,
    /// The key to be replaced is not one that can be. Nothing was stored.
    Stale,
}

/// When a key that is being replaced ends, with the code that its row then has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retirement {
    /// The key.
    pub id: ApiKeyId,
    /// Its new [`ApiKeyRecord::retiring_until`].
    pub until: Timestamp,
    /// Its new [`ApiKeyRecord::mac`].
    pub mac: [u8; 32],
}

/// API keys. Every method is one whole intent, and happens wholly or not at all, whatever else happens at once.
#[async_trait]
pub trait ApiKeyStore: Send {
    /// Inserts a key, unless its digest is there already or a key of the same owner that is not revoked has its prefix.
    /// An imported key may share its prefix.
    async fn insert_api_key(&mut self, record: &ApiKeyRecord) -> Result<ApiKeyWrite, StoreError>;

    /// Inserts a key as [`ApiKeyStore::insert_api_key`] does and retires the one it replaces, if that is neither revoked nor
    /// retiring; both or neither.
    async fn rotate_api_key(&mut self, old: &Retirement, record: &ApiKeyRecord) -> Result<ApiKeyWrite, StoreError>;

    /// Finds a key by its digest, revoked ones too.
    async fn find_api_key(&mut self, digest: &TokenDigest<kind::ApiKey>) -> Result<Option<ApiKeyRecord>, StoreError>;

    /// Finds a key of an owner by its id, revoked ones too.
    async fn api_key_of(&mut self, owner: UserId, id: ApiKeyId) -> Result<Option<ApiKeyRecord>, StoreError>;

    /// All keys of an owner, revoked ones too, newest first.
    async fn api_keys_of(&mut self, owner: UserId) -> Result<Vec<ApiKeyRecord>, StoreError>;

    /// Writes down a use, where the last one was at `not_after` or before, or never.
    async fn touch_api_key(&mut self, id: ApiKeyId, last_used: &ApiKeyUse, not_after: Timestamp) -> Result<bool, StoreError>;

    /// Revokes a key of an owner that is not revoked.
    async fn revoke_api_key(&mut self, owner: UserId, id: ApiKeyId, now: Timestamp) -> Result<bool, StoreError>;

    /// Revokes all keys of a family that are not revoked; answers how many.
    async fn revoke_api_key_family(&mut self, family: ApiKeyId, now: Timestamp) -> Result<u64, StoreError>;

    /// Revokes all keys of an owner that are not revoked; answers how many.
    async fn revoke_api_keys_of(&mut self, owner: UserId, now: Timestamp) -> Result<u64, StoreError>;
}
