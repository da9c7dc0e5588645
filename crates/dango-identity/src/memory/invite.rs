//! Invitations and the first administrator's claim in memory.

use std::collections::HashMap;

use async_trait::async_trait;
use dango_core::Timestamp;

use super::{MemoryStore, Tables};
use crate::account::{Activity, InsertUser, NewUser, StoredPassword, User};
use crate::bootstrap::{BootstrapClaim, BootstrapStore, UseClaim};
use crate::id::UserId;
use crate::invite::{Invite, InviteStore, ReplaceInvite};
use crate::store::StoreError;
use crate::token::{TokenDigest, kind};

/// Invitations by digest.
pub(super) type InviteRows = HashMap<[u8; 32], (UserId, Invite)>;

impl Tables {
    fn invited(&self, digest: &TokenDigest<kind::Invite>, now: Timestamp) -> Option<User> {
        let (user, invite) = self.invites.get(digest.as_bytes())?;
        let user = self.user(*user)?;
        (now < invite.expires_at && user.activity == Activity::Active).then_some(user)
    }

    fn is_claim_open(&self, digest: &TokenDigest<kind::BootstrapClaim>, now: Timestamp) -> bool {
        let open = self
            .claim
            .as_ref()
            .is_some_and(|claim| claim.digest == *digest && now < claim.expires_at);
        open && !self.has_working_admin()
    }
}

#[async_trait]
impl InviteStore for MemoryStore {
    async fn replace_invite(&mut self, user: UserId, invite: &Invite, now: Timestamp) -> Result<ReplaceInvite, StoreError> {
        let mut tables = self.tables();
        let Some(invited) = tables.user(user) else {
            return Ok(ReplaceInvite::NotFound);
        };
        if invited.activity == Activity::Inactive {
            return Ok(ReplaceInvite::Inactive);
        }
        if invited.invite_expires_at.is_none() {
            return Ok(ReplaceInvite::AlreadyAccepted);
        }
        tables.drop_invites(user);
        tables.invites.insert(*invite.digest.as_bytes(), (user, invite.clone()));
        let replaced = tables.update(user, now, |user, _| user.invite_expires_at = Some(invite.expires_at));
        Ok(replaced.map_or(ReplaceInvite::NotFound, ReplaceInvite::Replaced))
    }

    async fn find_invited(&mut self, digest: &TokenDigest<kind::Invite>, now: Timestamp) -> Result<Option<User>, StoreError> {
        Ok(self.tables().invited(digest, now))
    }

    async fn accept_invite(
        &mut self,
        digest: &TokenDigest<kind::Invite>,
        password: &StoredPassword,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let mut tables = self.tables();
        let Some(user) = tables.invited(digest, now) else { return Ok(None) };
        tables.end_everything_issued(user.id);
        Ok(tables.update(user.id, now, |user, stored| {
            user.invite_expires_at = None;
            user.must_change_password = false;
            *stored = Some(password.clone());
        }))
    }
}

#[async_trait]
impl BootstrapStore for MemoryStore {
    async fn offer_claim(&mut self, claim: &BootstrapClaim) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        if tables.has_working_admin() {
            return Ok(false);
        }
        tables.claim = Some(claim.clone());
        Ok(true)
    }

    async fn is_claim_open(&mut self, digest: &TokenDigest<kind::BootstrapClaim>, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.tables().is_claim_open(digest, now))
    }

    async fn use_claim(
        &mut self,
        digest: &TokenDigest<kind::BootstrapClaim>,
        admin: &NewUser,
        now: Timestamp,
    ) -> Result<UseClaim, StoreError> {
        let mut tables = self.tables();
        if !tables.is_claim_open(digest, now) {
            return Ok(UseClaim::Gone);
        }
        match tables.insert_user(admin) {
            InsertUser::Inserted => {
                tables.claim = None;
                Ok(UseClaim::Claimed)
            }
            InsertUser::EmailTaken => Ok(UseClaim::EmailTaken),
        }
    }
}
