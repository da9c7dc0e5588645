//! Whether the row of a key is a key that works: what the row alone decides, apart from what time and address decide.

use dango_core::Timestamp;

use super::api_keys::ApiKeys;
use super::error::CheckApiKeyError;
use super::record::{ApiKeyRecord, ApiKeyState, ApiKeyUse};
use super::store::ApiKeyStore;
use super::text::PlainApiKey;
use crate::client::Client;
use crate::id::{ApiKeyId, UserId};
use crate::permission::PermissionSet;
use crate::store::StoreError;
use crate::token::{TokenDigest, kind};

/// A key that was found, is what was issued, and works. It comes from [`ApiKeys::check`] and [`ApiKeys::admit`] alone; it is no
/// session, and makes no keys.
#[derive(Debug)]
pub struct AuthenticatedKey(ApiKeyRecord);

impl AuthenticatedKey {
    /// The key's id.
    pub const fn id(&self) -> ApiKeyId {
        self.0.id
    }

    /// Whose key it is. Whether that user may act at all is not known here.
    pub const fn owner(&self) -> UserId {
        self.0.owner
    }

    /// What the key may do while its owner has these permissions.
    pub fn permissions(&self, owner: PermissionSet) -> PermissionSet {
        self.0.scopes.effective(owner)
    }

    /// The row.
    pub const fn record(&self) -> &ApiKeyRecord {
        &self.0
    }
}

/// The row of a key, written under this identity key. Whether the key still works, [`ApiKeys::admit`] decides each time.
///
/// It comes from [`ApiKeys::verify`] alone and may be kept for as long as the row is the same.
#[derive(Clone, Debug)]
pub struct VerifiedApiKey(ApiKeyRecord);

/// What is to be written down of a use of a key.
#[derive(Clone, Debug)]
pub struct ApiKeyTouch {
    /// The use.
    pub last_used: ApiKeyUse,
    /// It is written where the use before it was no later than this.
    pub not_after: Timestamp,
}

impl ApiKeys {
    /// The digest under which a key is found.
    pub fn digest(&self, key: &PlainApiKey) -> TokenDigest<kind::ApiKey> {
        key.digest(&self.tokens)
    }

    /// Checks that a row belongs to a key and was written under this identity key. The answer depends on nothing but the row.
    ///
    /// # Errors
    ///
    /// [`CheckApiKeyError::RowInvalid`].
    pub fn verify(&self, record: ApiKeyRecord, digest: &TokenDigest<kind::ApiKey>) -> Result<VerifiedApiKey, CheckApiKeyError> {
        if record.digest == *digest && record.is_authentic(&self.mac) {
            Ok(VerifiedApiKey(record))
        } else {
            Err(CheckApiKeyError::RowInvalid { id: record.id })
        }
    }

    /// Decides whether a key works now, and from here. Its owner, who may be locked or inactive, is not looked at.
    ///
    /// # Errors
    ///
    /// [`CheckApiKeyError`]. At [`CheckApiKeyError::Retired`] nothing is revoked yet: that is due, and [`ApiKeys::check`] does it.
    pub fn admit(&self, key: &VerifiedApiKey, client: &Client, now: Timestamp) -> Result<AuthenticatedKey, CheckApiKeyError> {
        let record = &key.0;
        let (id, owner) = (record.id, record.owner);
        match record.state(now) {
            ApiKeyState::Active | ApiKeyState::Retiring { .. } => {}
            ApiKeyState::Revoked => return Err(CheckApiKeyError::Revoked { id, owner }),
            ApiKeyState::Expired => return Err(CheckApiKeyError::Expired { id, owner }),
            ApiKeyState::Retired => return Err(CheckApiKeyError::Retired { id, owner, revoked: 0 }),
        }
        if !record.allow_list.allows(client.address) {
            return Err(CheckApiKeyError::AddressRefused { id, owner });
        }
        Ok(AuthenticatedKey(record.clone()))
    }

    /// Finds the row of a key and checks all of it but its owner, who may be locked or inactive. A key that is used after it was retired has
    /// two holders: its whole family is revoked.
    ///
    /// # Errors
    ///
    /// [`CheckApiKeyError`]; the client is told the same for all variants but the last two.
    pub async fn check(
        &self,
        store: &mut dyn ApiKeyStore,
        key: &PlainApiKey,
        client: &Client,
        now: Timestamp,
    ) -> Result<AuthenticatedKey, CheckApiKeyError> {
        let digest = self.digest(key);
        let record = store.find_api_key(&digest).await?.ok_or(CheckApiKeyError::Unknown)?;
        let verified = self.verify(record, &digest)?;
        match self.admit(&verified, client, now) {
            Err(CheckApiKeyError::Retired { id, owner, .. }) => {
                let revoked = store.revoke_api_key_family(verified.0.family, now).await?;
                Err(CheckApiKeyError::Retired { id, owner, revoked })
            }
            decided => decided,
        }
    }

    /// What is to be written down of a use of a key, if [`ApiKeyPolicy::touch_every`](super::ApiKeyPolicy::touch_every) has passed
    /// since the last one that was.
    pub fn due_touch(&self, key: &AuthenticatedKey, client: &Client, now: Timestamp) -> Option<ApiKeyTouch> {
        let every = self.policy.touch_every;
        if !key.0.is_touch_due(every, now) {
            return None;
        }
        let span = i64::try_from(every.as_micros()).unwrap_or(i64::MAX);
        Some(ApiKeyTouch {
            last_used: ApiKeyUse {
                at: now,
                client: client.clone(),
            },
            not_after: Timestamp::from_unix_micros(now.unix_micros().saturating_sub(span)),
        })
    }

    /// Writes down that a key was used, where that is due; answers whether it wrote.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn touch(
        &self,
        store: &mut dyn ApiKeyStore,
        key: &AuthenticatedKey,
        client: &Client,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        match self.due_touch(key, client, now) {
            Some(ApiKeyTouch { last_used, not_after }) => store.touch_api_key(key.id(), &last_used, not_after).await,
            None => Ok(false),
        }
    }
}
