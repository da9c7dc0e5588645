//! Users in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dango_core::Timestamp;

use super::{MemoryStore, Tables};
use crate::account::{
    AccountChange, Activity, EmailChange, InsertUser, LoginCandidate, LoginCompletion, NewUser, PasswordOrigin, StoredPassword, User,
    UserStore,
};
use crate::email::Email;
use crate::epoch::SecurityEpoch;
use crate::id::UserId;
use crate::password::PasswordRecord;
use crate::role::Role;
use crate::store::StoreError;

/// A user and the password. The epoch in here is not the user's: that one is in its own table.
#[derive(Clone)]
pub(super) struct UserRow {
    user: User,
    pub(super) password: Option<StoredPassword>,
}

/// Users by id.
pub(super) type UserRows = BTreeMap<UserId, UserRow>;

impl Tables {
    /// The user with the epoch that they are in.
    pub(super) fn user(&self, id: UserId) -> Option<User> {
        let row = self.users.get(&id)?;
        Some(User {
            epoch: self.epoch(id),
            ..row.user.clone()
        })
    }

    fn user_by_email(&self, email: &Email) -> Option<User> {
        let row = self.users.values().find(|row| row.user.email == *email)?;
        self.user(row.user.id)
    }

    fn candidate(&self, user: User) -> LoginCandidate {
        let password = self.users.get(&user.id).and_then(|row| row.password.clone());
        LoginCandidate { user, password }
    }

    pub(super) fn has_working_admin(&self) -> bool {
        self.users.values().any(|row| row.user.is_working_admin())
    }

    fn is_last_admin(&self, user: &User) -> bool {
        let mut others = self.users.values().filter(|row| row.user.id != user.id);
        user.is_active_admin() && !others.any(|other| other.user.can_stand_in_for(user))
    }

    /// Inserts a user whose address is free.
    pub(super) fn insert_user(&mut self, new: &NewUser) -> InsertUser {
        let id = new.user.id;
        if self.users.contains_key(&id) || self.user_by_email(&new.user.email).is_some() {
            return InsertUser::EmailTaken;
        }
        self.epochs.insert(id, new.user.epoch);
        let row = UserRow {
            user: new.user.clone(),
            password: new.password.clone(),
        };
        self.users.insert(id, row);
        if let Some(invite) = &new.invite {
            self.invites.insert(*invite.digest.as_bytes(), (id, invite.clone()));
        }
        InsertUser::Inserted
    }

    /// Raises the epoch and removes sessions and invitations.
    pub(super) fn end_everything_issued(&mut self, user: UserId) {
        self.raise_epoch(user);
        self.end_where(|record| record.user == user);
        self.drop_invites(user);
    }

    fn revoke_api_keys(&mut self, owner: UserId, now: Timestamp) {
        self.revoke_where(now, |row| row.owner == owner);
    }

    pub(super) fn drop_invites(&mut self, user: UserId) {
        self.invites.retain(|_, (invited, _)| *invited != user);
    }

    /// Changes a row that is there, and answers the user as they are then.
    pub(super) fn update(
        &mut self,
        id: UserId,
        now: Timestamp,
        change: impl FnOnce(&mut User, &mut Option<StoredPassword>),
    ) -> Option<User> {
        let row = self.users.get_mut(&id)?;
        change(&mut row.user, &mut row.password);
        row.user.updated_at = now;
        self.user(id)
    }

    fn changed(&mut self, id: UserId, now: Timestamp, change: impl FnOnce(&mut User)) -> AccountChange {
        let user = self.update(id, now, |user, _| change(user));
        user.map_or(AccountChange::NotFound, AccountChange::Changed)
    }
}

#[async_trait]
impl UserStore for MemoryStore {
    async fn insert_user(&mut self, new: &NewUser) -> Result<InsertUser, StoreError> {
        Ok(self.tables().insert_user(new))
    }

    async fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.tables().user(id))
    }

    async fn find_user_by_email(&mut self, email: &Email) -> Result<Option<User>, StoreError> {
        Ok(self.tables().user_by_email(email))
    }

    async fn users(&mut self) -> Result<Vec<User>, StoreError> {
        let tables = self.tables();
        let mut users: Vec<User> = tables.users.keys().filter_map(|id| tables.user(*id)).collect();
        users.sort_by_key(|user| (user.created_at, user.id));
        Ok(users)
    }

    async fn find_candidate_by_email(&mut self, email: &Email) -> Result<Option<LoginCandidate>, StoreError> {
        let tables = self.tables();
        Ok(tables.user_by_email(email).map(|user| tables.candidate(user)))
    }

    async fn find_candidate(&mut self, id: UserId) -> Result<Option<LoginCandidate>, StoreError> {
        let tables = self.tables();
        Ok(tables.user(id).map(|user| tables.candidate(user)))
    }

    async fn complete_login(&mut self, login: &LoginCompletion<'_>) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let same_epoch = tables.epoch(login.user) == login.epoch;
        let Some(row) = tables.users.get_mut(&login.user) else {
            return Ok(false);
        };
        if !same_epoch || !row.user.may_log_in() {
            return Ok(false);
        }
        if let Some(proven) = login.password {
            let Some(stored) = row.password.as_mut() else { return Ok(false) };
            if stored.record.as_str() != proven.as_str() || !stored.opens_login(login.now) {
                return Ok(false);
            }
            if let PasswordOrigin::Temporary { used, .. } = &mut stored.origin {
                *used = true;
            }
            if let Some(upgrade) = login.upgrade {
                stored.record = upgrade.clone();
            }
        }
        row.user.last_login = Some(login.now);
        Ok(true)
    }

    async fn upgrade_password(&mut self, id: UserId, proven: &PasswordRecord, upgrade: &PasswordRecord) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let stored = tables.users.get_mut(&id).and_then(|row| row.password.as_mut());
        let Some(stored) = stored.filter(|stored| stored.record.as_str() == proven.as_str()) else {
            return Ok(false);
        };
        stored.record = upgrade.clone();
        Ok(true)
    }

    async fn change_role(&mut self, id: UserId, role: Role, now: Timestamp) -> Result<AccountChange, StoreError> {
        let mut tables = self.tables();
        let Some(user) = tables.user(id) else {
            return Ok(AccountChange::NotFound);
        };
        if user.role == role {
            return Ok(AccountChange::Unchanged(user));
        }
        if role != Role::Admin && tables.is_last_admin(&user) {
            return Ok(AccountChange::LastAdmin);
        }
        Ok(tables.changed(id, now, |user| user.role = role))
    }

    async fn deactivate_user(&mut self, id: UserId, now: Timestamp) -> Result<AccountChange, StoreError> {
        let mut tables = self.tables();
        let Some(user) = tables.user(id) else {
            return Ok(AccountChange::NotFound);
        };
        if user.activity == Activity::Inactive {
            return Ok(AccountChange::Unchanged(user));
        }
        if tables.is_last_admin(&user) {
            return Ok(AccountChange::LastAdmin);
        }
        tables.end_everything_issued(id);
        tables.revoke_api_keys(id, now);
        Ok(tables.changed(id, now, |user| {
            user.activity = Activity::Inactive;
            // The link is dead; what is shown after a reactivation must not say that it can still be used.
            user.invite_expires_at = user.invite_expires_at.map(|expires_at| expires_at.min(now));
        }))
    }

    async fn reactivate_user(&mut self, id: UserId, now: Timestamp) -> Result<AccountChange, StoreError> {
        let mut tables = self.tables();
        let Some(user) = tables.user(id) else {
            return Ok(AccountChange::NotFound);
        };
        if user.activity == Activity::Active {
            return Ok(AccountChange::Unchanged(user));
        }
        Ok(tables.changed(id, now, |user| user.activity = Activity::Active))
    }

    async fn delete_user(&mut self, id: UserId) -> Result<AccountChange, StoreError> {
        let mut tables = self.tables();
        let Some(user) = tables.user(id) else {
            return Ok(AccountChange::NotFound);
        };
        if tables.is_last_admin(&user) {
            return Ok(AccountChange::LastAdmin);
        }
        tables.end_everything_issued(id);
        tables.api_keys.retain(|_, row| row.owner != id);
        tables.factors.remove(&id);
        tables.links.retain(|link| link.user != id);
        tables.users.remove(&id);
        Ok(AccountChange::Changed(user))
    }

    async fn change_email(&mut self, id: UserId, email: &Email, now: Timestamp) -> Result<EmailChange, StoreError> {
        let mut tables = self.tables();
        if tables.user(id).is_none() {
            return Ok(EmailChange::NotFound);
        }
        if tables.user_by_email(email).is_some_and(|user| user.id != id) {
            return Ok(EmailChange::Taken);
        }
        tables.end_everything_issued(id);
        let user = tables.update(id, now, |user, _| {
            user.email = email.clone();
            user.invite_expires_at = user.invite_expires_at.map(|expires_at| expires_at.min(now));
        });
        Ok(user.map_or(EmailChange::NotFound, EmailChange::Changed))
    }

    async fn change_password(&mut self, id: UserId, epoch: SecurityEpoch, password: &StoredPassword) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        if tables.epoch(id) != epoch || !tables.user(id).is_some_and(|user| user.may_log_in()) {
            return Ok(false);
        }
        tables.end_everything_issued(id);
        let changed = tables.update(id, password.set_at, |user, stored| {
            user.must_change_password = false;
            *stored = Some(password.clone());
        });
        Ok(changed.is_some())
    }

    async fn reset_password(&mut self, id: UserId, password: &StoredPassword) -> Result<Option<User>, StoreError> {
        let mut tables = self.tables();
        if !tables.users.contains_key(&id) {
            return Ok(None);
        }
        tables.end_everything_issued(id);
        tables.revoke_api_keys(id, password.set_at);
        Ok(tables.update(id, password.set_at, |user, stored| {
            user.must_change_password = password.is_temporary();
            user.invite_expires_at = None;
            *stored = Some(password.clone());
        }))
    }
}
