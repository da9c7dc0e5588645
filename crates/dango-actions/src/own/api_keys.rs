//! One's own API keys. A key makes no keys: all of this needs a session, but that a key can end itself.

use std::sync::Arc;
use std::time::Duration;

use dango_audit::{Detail, Event, Label, Target, TargetKind, Word};
use dango_core::Timestamp;
use dango_identity::{
    Administration, ApiKeyId, ApiKeyList, ApiKeyName, ApiKeyRecord, Full, IssuedApiKey, MakeApiKeyError, NewApiKey, PermissionSet, UserId,
};

use crate::actions::Actions;
use crate::caller::audit_id;
use crate::fault::{Fault, own_refusals};
use crate::holder::Holder;
use crate::own::KeyHolder;
use crate::unit::{Answer, Record, Unit};

own_refusals! {
    /// No key was made.
    ApiKeyError {
        /// The holder has to prove again who they are.
        ReauthenticationRequired = "reauthentication_required", "this needs a login that is at most minutes old";
        /// The end is past or too far away, or the overlap is too long.
        InvalidExpiry = "invalid_expiry", "a key ends in the future, and within a year";
        /// The end is missing.
        ExpiryRequired = "invalid_expiry", "a key that may read stored values has to end, within a year";
        /// The key would be allowed more than its owner.
        ScopeExceedsOwner = "scope_exceeds_owner", "the key would be allowed more than its owner";
        /// The owner has no such key that could be replaced.
        NotFound = "not_found", "there is no such API key";
        /// The session has ended meanwhile.
        SessionEnded = "session_expired", "the session has ended";
    }

    /// The key is as it was.
    RevokeApiKeyError {
        /// The user has no such key; another user's looks the same.
        NotFound = "not_found", "there is no such API key";
        /// The session has ended meanwhile.
        SessionEnded = "session_expired", "the session has ended";
    }
}

impl Actions {
    /// Makes an API key for the holder. It is shown once.
    ///
    /// Permission: the session, proven within the step-up window. Audit: `api_key_created`.
    ///
    /// # Errors
    ///
    /// [`ApiKeyError`].
    pub async fn make_api_key(&self, holder: Holder<Full>, new: NewApiKey) -> Result<IssuedApiKey, ApiKeyError> {
        let caller = holder.caller.clone();
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let (inner, now) = (Arc::clone(&unit.inner), unit.now);
                let record = Record::of(Event::ApiKeyCreated).on(Target::of(TargetKind::ApiKey));
                let Some(permissions) = unit.permissions_of(&holder).await? else {
                    return unit.refuse(record, ApiKeyError::SessionEnded).await;
                };
                let owner = (&holder.session, permissions);
                let made = inner.api_keys.make(unit.tx, owner, new, now, &*inner.entropy).await;
                unit.issued(made, record).await
            })
        })
        .await
    }

    /// Makes a key in the place of another, which goes on working for a while.
    ///
    /// Permission: the session, proven within the step-up window. Audit: `api_key_rotated` with `old_key_id`.
    ///
    /// # Errors
    ///
    /// [`ApiKeyError`].
    pub async fn rotate_api_key(
        &self,
        holder: Holder<Full>,
        id: ApiKeyId,
        overlap: Duration,
        expires_at: Option<Timestamp>,
    ) -> Result<IssuedApiKey, ApiKeyError> {
        let caller = holder.caller.clone();
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let (inner, now) = (Arc::clone(&unit.inner), unit.now);
                let record = Record::of(Event::ApiKeyRotated)
                    .on(Target::of(TargetKind::ApiKey))
                    .with(Detail::OldKeyId, &audit_id(id));
                let Some(permissions) = unit.permissions_of(&holder).await? else {
                    return unit.refuse(record, ApiKeyError::SessionEnded).await;
                };
                let owner = (&holder.session, permissions);
                let end = (overlap, expires_at);
                let made = inner.api_keys.rotate(unit.tx, owner, id, end, now, &*inner.entropy).await;
                unit.issued(made, record).await
            })
        })
        .await
    }

    /// Lists the holder's keys that are not revoked.
    ///
    /// Permission: the session. Audit: none.
    ///
    /// # Errors
    ///
    /// [`Fault`] if the database cannot be read.
    pub async fn list_api_keys(&self, holder: &Holder<Full>) -> Result<ApiKeyList, Fault> {
        let owner = holder.user.id;
        self.read(&holder.caller, move |unit| {
            Box::pin(async move { Ok(unit.inner.api_keys.list(unit.tx, owner).await?) })
        })
        .await
    }

    /// Ends one of the holder's keys.
    ///
    /// Permission: the session. Audit: `api_key_revoked`.
    ///
    /// # Errors
    ///
    /// [`RevokeApiKeyError`].
    pub async fn revoke_api_key(&self, holder: Holder<Full>, id: ApiKeyId) -> Result<(), RevokeApiKeyError> {
        let caller = holder.caller.clone();
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let (inner, now) = (Arc::clone(&unit.inner), unit.now);
                let record = Record::of(Event::ApiKeyRevoked).on(Target::new(TargetKind::ApiKey, &audit_id(id)));
                if !unit.is_live(holder.session.record()).await? {
                    return unit.refuse(record, RevokeApiKeyError::SessionEnded).await;
                }
                if !inner.api_keys.revoke(unit.tx, &holder.session, id, now).await? {
                    return unit.refuse(record, RevokeApiKeyError::NotFound).await;
                }
                unit.succeed(record).await?;
                Ok(Ok(()))
            })
        })
        .await
    }
}

impl Actions {
    /// Ends the key that the request was sent with; whoever holds it may always do that.
    ///
    /// Permission: the key. Audit: `api_key_revoked`.
    ///
    /// # Errors
    ///
    /// [`RevokeApiKeyError`]; [`RevokeApiKeyError::NotFound`] where somebody else has ended it meanwhile.
    pub async fn end_own_key(&self, holder: KeyHolder) -> Result<(), RevokeApiKeyError> {
        let KeyHolder { caller, key, .. } = holder;
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let record = Record::of(Event::ApiKeyRevoked).on(key_target(key.id(), key.owner(), &key.record().name));
                if !unit.tx.revoke_api_key(key.owner(), key.id(), unit.now).await? {
                    return unit.refuse(record, RevokeApiKeyError::NotFound).await;
                }
                unit.succeed(record).await?;
                Ok(Ok(()))
            })
        })
        .await
    }
}

impl Unit<'_> {
    /// What the holder may do at this moment; nothing if the session has ended.
    async fn permissions_of(&mut self, holder: &Holder<Full>) -> Result<Option<dango_identity::PermissionSet>, Fault> {
        if !self.is_live(holder.session.record()).await? {
            return Ok(None);
        }
        let user = self.tx.find_user(holder.user.id).await?;
        Ok(user.map(|user| user.role.permissions()))
    }

    async fn issued(&mut self, made: Result<IssuedApiKey, MakeApiKeyError>, record: Record) -> Answer<IssuedApiKey, ApiKeyError> {
        let refusal = match made {
            Ok(issued) => {
                let target = key_target(issued.record.id, issued.record.owner, &issued.record.name);
                let record = match issued.record.expires_at {
                    Some(end) => record.with(Detail::ExpiresAt, end),
                    None => record,
                };
                let record = record.with(Detail::Scopes, scopes_of(&issued.record).as_slice());
                self.succeed(record.on(target)).await?;
                return Ok(Ok(issued));
            }
            Err(MakeApiKeyError::Store(error)) => return Err(error.into()),
            Err(MakeApiKeyError::Entropy(error)) => return Err(error.into()),
            Err(MakeApiKeyError::ProofTooOld) => ApiKeyError::ReauthenticationRequired,
            Err(MakeApiKeyError::ScopeExceedsOwner) => ApiKeyError::ScopeExceedsOwner,
            Err(MakeApiKeyError::NotFound | MakeApiKeyError::PrefixesTaken) => ApiKeyError::NotFound,
            Err(MakeApiKeyError::ExpiryRequired) => ApiKeyError::ExpiryRequired,
            Err(_) => ApiKeyError::InvalidExpiry,
        };
        self.refuse(record, refusal).await
    }
}

/// What a key may do, as the log says it: the permissions that it names, and whether it administers people.
fn scopes_of(record: &ApiKeyRecord) -> Vec<Word> {
    let named = record.scopes.permissions.unwrap_or(PermissionSet::EMPTY);
    let administers = record.scopes.administration == Administration::Granted;
    let named = named.iter().map(|permission| Word::new(permission.name()));
    named.chain(administers.then_some(Word::new("admin"))).collect()
}

fn key_target(id: ApiKeyId, owner: UserId, name: &ApiKeyName) -> Target {
    Target::new(TargetKind::ApiKey, &audit_id(id)).named_by(&audit_id(owner), Label::new(name.as_str()))
}
