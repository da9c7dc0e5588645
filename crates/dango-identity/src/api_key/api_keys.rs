//! The rules of API keys: making, rotating and ending them. How a key's row is checked is in `check`.

use std::time::Duration;

use dango_core::{Entropy, EntropyError, Timestamp};

use super::allow_list::AllowList;
use super::error::{ImportApiKeyError, MakeApiKeyError};
use super::policy::{ApiKeyPolicy, ExpiryRule};
use super::record::{ApiKeyName, ApiKeyRecord, ApiKeyState, ApiKeyUse, KeyScopes};
use super::store::{ApiKeyStore, ApiKeyWrite, Retirement};
use super::text::{ApiKeyPrefix, PlainApiKey, imported_digest};
use crate::client::Client;
use crate::id::{ApiKeyId, UserId};
use crate::instant::after;
use crate::key::{ApiKeyMacKey, IdentityKey, TokenKey};
use crate::permission::PermissionSet;
use crate::session::{Full, Session};
use crate::store::StoreError;

/// The rules of API keys under one identity key and one policy.
pub struct ApiKeys {
    pub(super) tokens: TokenKey,
    pub(super) mac: ApiKeyMacKey,
    pub(super) policy: ApiKeyPolicy,
}

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// What its owner calls it.
    pub name: ApiKeyName,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// What it may do.
    pub scopes: KeyScopes,
    /// From where.
    pub allow_list: AllowList,
}

/// A key that an earlier Dango made.
#[derive(Clone, Debug)]
pub struct ImportedApiKey {
    /// Whose it is.
    pub owner: UserId,
    /// What its owner calls it.
    pub name: ApiKeyName,
    /// The first characters of the key.
    pub prefix: ApiKeyPrefix,
    /// SHA-256 of the key.
    pub sha256: [u8; 32],
    /// What it may do from here on.
    pub scopes: KeyScopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// A key that was just made.
pub struct IssuedApiKey {
    /// The key, for its holder alone.
    pub key: PlainApiKey,
    /// The row.
    pub record: ApiKeyRecord,
}

/// The keys of an owner.
#[derive(Clone, Debug)]
pub struct ApiKeyList {
    /// Those that are not revoked, newest first, expired ones too.
    pub keys: Vec<ApiKeyRecord>,
    /// Rows that this program did not write: somebody should be told.
    pub invalid: Vec<ApiKeyId>,
}

impl ApiKeys {
    /// How often a key is made anew because another of the owner's begins alike: one in 15 million does.
    const PREFIX_TRIES: u32 = 8;

    /// The rules under a key.
    pub fn new(key: &IdentityKey, policy: ApiKeyPolicy) -> Self {
        Self {
            tokens: TokenKey::derive(key),
            mac: ApiKeyMacKey::derive(key),
            policy,
        }
    }

    /// The policy.
    pub const fn policy(&self) -> &ApiKeyPolicy {
        &self.policy
    }

    /// Makes a key for the owner of a session that was proven recently. A key makes no keys: it is no session.
    ///
    /// # Errors
    ///
    /// [`MakeApiKeyError`].
    pub async fn make(
        &self,
        store: &mut dyn ApiKeyStore,
        (session, permissions): (&Session<Full>, PermissionSet),
        new: NewApiKey,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<IssuedApiKey, MakeApiKeyError> {
        self.check_fresh(session, now)?;
        self.check_expiry(new.expires_at, new.scopes, now)?;
        if !new.scopes.are_within(permissions) {
            return Err(MakeApiKeyError::ScopeExceedsOwner);
        }
        for _ in 0..Self::PREFIX_TRIES {
            let id = ApiKeyId::make(now, entropy)?;
            let issued = self.issue((id, id, session.user()), new.clone(), now, entropy)?;
            match store.insert_api_key(&issued.record).await? {
                ApiKeyWrite::Written => return Ok(issued),
                ApiKeyWrite::Taken => {}
                ApiKeyWrite::Stale => return Err(MakeApiKeyError::NotFound),
            }
        }
        Err(MakeApiKeyError::PrefixesTaken)
    }

    /// Makes a key in the place of another of the same owner, with the same name, scopes and networks. The old one goes on working for
    /// `overlap`; whoever uses it after that ends the whole family.
    ///
    /// # Errors
    ///
    /// [`MakeApiKeyError`]; [`MakeApiKeyError::NotFound`] where the owner has no such key that works and is not being replaced.
    pub async fn rotate(
        &self,
        store: &mut dyn ApiKeyStore,
        (session, permissions): (&Session<Full>, PermissionSet),
        id: ApiKeyId,
        (overlap, expires_at): (Duration, Option<Timestamp>),
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<IssuedApiKey, MakeApiKeyError> {
        self.check_fresh(session, now)?;
        if overlap > self.policy.longest_overlap {
            return Err(MakeApiKeyError::OverlapTooLong);
        }
        let old = store.api_key_of(session.user(), id).await?;
        let works = |old: &ApiKeyRecord| old.is_authentic(&self.mac) && old.state(now) == ApiKeyState::Active;
        let old = old.filter(works).ok_or(MakeApiKeyError::NotFound)?;
        self.check_expiry(expires_at, old.scopes, now)?;
        if !old.scopes.are_within(permissions) {
            return Err(MakeApiKeyError::ScopeExceedsOwner);
        }
        let until = after(now, overlap);
        let retired = ApiKeyRecord {
            retiring_until: Some(until),
            ..old.clone()
        }
        .authenticated(&self.mac);
        let retirement = Retirement {
            id,
            until,
            mac: retired.mac,
        };
        let new = NewApiKey {
            name: old.name,
            expires_at,
            scopes: old.scopes,
            allow_list: old.allow_list,
        };
        for _ in 0..Self::PREFIX_TRIES {
            let ids = (ApiKeyId::make(now, entropy)?, old.family, old.owner);
            let issued = self.issue(ids, new.clone(), now, entropy)?;
            match store.rotate_api_key(&retirement, &issued.record).await? {
                ApiKeyWrite::Written => return Ok(issued),
                ApiKeyWrite::Taken => {}
                ApiKeyWrite::Stale => return Err(MakeApiKeyError::NotFound),
            }
        }
        Err(MakeApiKeyError::PrefixesTaken)
    }

    /// Revokes a key of the session's user; answers false for another's as for none.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn revoke(
        &self,
        store: &mut dyn ApiKeyStore,
        session: &Session<Full>,
        id: ApiKeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        store.revoke_api_key(session.user(), id, now).await
    }

    /// The keys of an owner.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn list(&self, store: &mut dyn ApiKeyStore, owner: UserId) -> Result<ApiKeyList, StoreError> {
        let (mut keys, mut invalid) = (Vec::new(), Vec::new());
        for record in store.api_keys_of(owner).await? {
            if !record.is_authentic(&self.mac) {
                invalid.push(record.id);
            } else if record.revoked_at.is_none() {
                keys.push(record);
            }
        }
        Ok(ApiKeyList { keys, invalid })
    }

    /// Takes over a key that an earlier Dango made; it goes on working, and is stored keyed from here on. Answers false where
    /// it was taken over already.
    ///
    /// # Errors
    ///
    /// [`ImportApiKeyError`].
    pub async fn import(
        &self,
        store: &mut dyn ApiKeyStore,
        imported: ImportedApiKey,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<bool, ImportApiKeyError> {
        let id = ApiKeyId::make(now, entropy)?;
        let record = ApiKeyRecord {
            id,
            family: id,
            owner: imported.owner,
            name: imported.name,
            prefix: imported.prefix,
            digest: imported_digest(&self.tokens, &imported.sha256),
            scopes: imported.scopes,
            allow_list: AllowList::default(),
            created_at: imported.created_at,
            expires_at: imported.expires_at,
            retiring_until: None,
            revoked_at: None,
            last_used: imported.last_used_at.map(|at| ApiKeyUse {
                at,
                client: Client::default(),
            }),
            mac: [0; 32],
        }
        .authenticated(&self.mac);
        Ok(store.insert_api_key(&record).await? == ApiKeyWrite::Written)
    }

    fn check_fresh(&self, session: &Session<Full>, now: Timestamp) -> Result<(), MakeApiKeyError> {
        if session.is_fresh(self.policy.step_up, now) {
            Ok(())
        } else {
            Err(MakeApiKeyError::ProofTooOld)
        }
    }

    /// A key that reads stored values ends, whatever the policy says.
    fn check_expiry(&self, expires_at: Option<Timestamp>, scopes: KeyScopes, now: Timestamp) -> Result<(), MakeApiKeyError> {
        match (expires_at, self.policy.expiry) {
            (None, _) if scopes.names(PermissionSet::OF_KEYS_ALONE) => Err(MakeApiKeyError::ExpiryRequired),
            (None, ExpiryRule::Required) => Err(MakeApiKeyError::ExpiryRequired),
            (Some(at), _) if at <= now => Err(MakeApiKeyError::ExpiryPast),
            (Some(at), _) if at > after(now, self.policy.longest) => Err(MakeApiKeyError::ExpiryTooFar),
            _ => Ok(()),
        }
    }

    fn issue(
        &self,
        (id, family, owner): (ApiKeyId, ApiKeyId, UserId),
        new: NewApiKey,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<IssuedApiKey, EntropyError> {
        let key = PlainApiKey::make(entropy)?;
        let record = ApiKeyRecord {
            id,
            family,
            owner,
            name: new.name,
            prefix: key.prefix(),
            digest: key.digest(&self.tokens),
            scopes: new.scopes,
            allow_list: new.allow_list,
            created_at: now,
            expires_at: new.expires_at,
            retiring_until: None,
            revoked_at: None,
            last_used: None,
            mac: [0; 32],
        }
        .authenticated(&self.mac);
        Ok(IssuedApiKey { key, record })
    }
}
