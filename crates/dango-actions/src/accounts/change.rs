//! Changing accounts of others: role, switched on or off, unlocked, removed, logged out. That one administrator is left is the store's to guard.

use dango_audit::{Detail, Event, Word};
use dango_identity::{AccountChange, Email, Role, User, check_not_own_account};

use super::{Effect, UserRef, UserView, about};
use crate::actions::Actions;
use crate::fault::refusals;
use crate::permit::{Permit, UsersManage};
use crate::unit::{Answer, Record, Unit};

/// An account after something was done to it.
#[derive(Clone, Debug)]
pub struct AccountOutcome {
    /// The account.
    pub user: UserView,
    /// Whether it was changed.
    pub effect: Effect,
}

refusals! {
    /// The account is as it was.
    ChangeAccountError {
        /// There is no such user.
        NotFound = "not_found", "there is no such user";
        /// Nobody would be left who can administer.
        LastAdmin = "last_admin", "this is the only active administrator";
        /// Nobody does this to themselves.
        OwnAccount = "own_account", "this cannot be done to your own account";
    }

    /// The account is still there.
    DeleteUserError {
        /// There is no such user.
        NotFound = "not_found", "there is no such user";
        /// Nobody would be left who can administer.
        LastAdmin = "last_admin", "this is the only active administrator";
        /// Nobody does this to themselves.
        OwnAccount = "own_account", "this cannot be done to your own account";
        /// The address that was typed to confirm is another one.
        ConfirmationMismatch = "confirmation_mismatch", "the address typed to confirm is not that of the account";
    }
}

/// Which change, with its event.
#[derive(Clone, Copy)]
enum Change {
    Role(Role),
    Deactivate,
    Reactivate,
    Unlock,
}

impl Change {
    const fn event(self) -> Event {
        match self {
            Self::Role(_) => Event::RoleChanged,
            Self::Deactivate => Event::UserDeactivated,
            Self::Reactivate => Event::UserReactivated,
            Self::Unlock => Event::AccountUnlocked,
        }
    }

    /// A role may be given up; the store keeps the last administrator's.
    const fn spares_own_account(self) -> bool {
        !matches!(self, Self::Role(_))
    }
}

impl Actions {
    /// Gives a user another role. It counts from the user's next request on.
    ///
    /// Permission: `users.manage`. Audit: `role_changed` with `old_role` and `new_role`.
    ///
    /// # Errors
    ///
    /// [`ChangeAccountError`]: no such user, the last administrator.
    pub async fn change_role(
        &self,
        permit: &Permit<UsersManage>,
        user: impl Into<UserRef>,
        role: Role,
    ) -> Result<AccountOutcome, ChangeAccountError> {
        self.change(permit, user.into(), Change::Role(role)).await
    }

    /// Switches an account off: sessions, keys and invitations end at once, for good.
    ///
    /// Permission: `users.manage`. Audit: `user_deactivated`.
    ///
    /// # Errors
    ///
    /// [`ChangeAccountError`]: no such user, the last administrator, one's own account.
    pub async fn deactivate_user(
        &self,
        permit: &Permit<UsersManage>,
        user: impl Into<UserRef>,
    ) -> Result<AccountOutcome, ChangeAccountError> {
        self.change(permit, user.into(), Change::Deactivate).await
    }

    /// Switches an account on again. No session and no key comes back.
    ///
    /// Permission: `users.manage`. Audit: `user_reactivated`.
    ///
    /// # Errors
    ///
    /// [`ChangeAccountError`]: no such user, one's own account.
    pub async fn reactivate_user(
        &self,
        permit: &Permit<UsersManage>,
        user: impl Into<UserRef>,
    ) -> Result<AccountOutcome, ChangeAccountError> {
        self.change(permit, user.into(), Change::Reactivate).await
    }

    /// Forgets the failed logins of an account, whether it is locked or not.
    ///
    /// Permission: `users.manage`. Audit: `account_unlocked`.
    ///
    /// # Errors
    ///
    /// [`ChangeAccountError`]: no such user, one's own account.
    pub async fn unlock(&self, permit: &Permit<UsersManage>, user: impl Into<UserRef>) -> Result<AccountOutcome, ChangeAccountError> {
        self.change(permit, user.into(), Change::Unlock).await
    }

    async fn change(&self, permit: &Permit<UsersManage>, wanted: UserRef, change: Change) -> Result<AccountOutcome, ChangeAccountError> {
        self.act(permit, move |unit| Box::pin(unit.change_account(wanted, change))).await
    }

    /// Removes a user with everything that belongs to them. What they did stays in the log.
    ///
    /// Permission: `users.manage`. Audit: `user_deleted`.
    ///
    /// # Errors
    ///
    /// [`DeleteUserError`]; [`DeleteUserError::ConfirmationMismatch`] only where an address was typed to confirm.
    pub async fn delete_user(
        &self,
        permit: &Permit<UsersManage>,
        user: impl Into<UserRef>,
        confirmation: Option<Email>,
    ) -> Result<User, DeleteUserError> {
        let wanted = user.into();
        self.act(permit, move |mut unit| {
            Box::pin(async move {
                let found = unit.find(&wanted).await?;
                let record = about(Record::of(Event::UserDeleted), &wanted, found.as_ref());
                let Some(user) = found else {
                    return unit.refuse(record, DeleteUserError::NotFound).await;
                };
                let record = record.with(Detail::Role, Word::new(user.role.name()));
                if check_not_own_account(unit.caller().user_id(), user.id).is_err() {
                    return unit.refuse(record, DeleteUserError::OwnAccount).await;
                }
                if confirmation.is_some_and(|typed| typed.canonical() != user.email.canonical()) {
                    return unit.refuse(record, DeleteUserError::ConfirmationMismatch).await;
                }
                let deleted = match unit.tx.delete_user(user.id).await? {
                    AccountChange::Changed(user) | AccountChange::Unchanged(user) => user,
                    AccountChange::NotFound => return unit.refuse(record, DeleteUserError::NotFound).await,
                    AccountChange::LastAdmin => return unit.refuse(record, DeleteUserError::LastAdmin).await,
                };
                unit.succeed(record).await?;
                Ok(Ok(deleted))
            })
        })
        .await
    }

    /// Ends every session of a user; answers how many there were.
    ///
    /// Permission: `users.manage`. Audit: `session_revoked` with the count.
    ///
    /// # Errors
    ///
    /// [`ChangeAccountError::NotFound`].
    pub async fn revoke_sessions(&self, permit: &Permit<UsersManage>, user: impl Into<UserRef>) -> Result<u64, ChangeAccountError> {
        let wanted = user.into();
        self.act(permit, move |mut unit| {
            Box::pin(async move {
                let found = unit.find(&wanted).await?;
                let record = about(Record::of(Event::SessionRevoked), &wanted, found.as_ref());
                let Some(user) = found else {
                    return unit.refuse(record, ChangeAccountError::NotFound).await;
                };
                let ended = unit.tx.end_sessions_of(user.id).await?;
                unit.succeed(record.with(Detail::Count, count(ended))).await?;
                Ok(Ok(ended))
            })
        })
        .await
    }
}

impl Unit<'_> {
    async fn change_account(mut self, wanted: UserRef, change: Change) -> Answer<AccountOutcome, ChangeAccountError> {
        let found = self.find(&wanted).await?;
        let mut record = about(Record::of(change.event()), &wanted, found.as_ref());
        let Some(user) = found else {
            return self.refuse(record, ChangeAccountError::NotFound).await;
        };
        if let Change::Role(role) = change {
            record = record
                .with(Detail::OldRole, Word::new(user.role.name()))
                .with(Detail::NewRole, Word::new(role.name()));
        }
        if change.spares_own_account() && check_not_own_account(self.caller().user_id(), user.id).is_err() {
            return self.refuse(record, ChangeAccountError::OwnAccount).await;
        }
        let changed = match change {
            Change::Role(role) => self.tx.change_role(user.id, role, self.now).await?,
            Change::Deactivate => self.tx.deactivate_user(user.id, self.now).await?,
            Change::Reactivate => self.tx.reactivate_user(user.id, self.now).await?,
            Change::Unlock => {
                let account = self.inner.rules.account_key(&user.email);
                let policy = self.inner.rules.lockout();
                if self.tx.unlock_account(&account, policy, self.now).await? {
                    AccountChange::Changed(user)
                } else {
                    AccountChange::Unchanged(user)
                }
            }
        };
        let (user, effect) = match changed {
            AccountChange::Changed(user) => (user, Effect::Changed),
            AccountChange::Unchanged(user) => (user, Effect::Unchanged),
            AccountChange::NotFound => return self.refuse(record, ChangeAccountError::NotFound).await,
            AccountChange::LastAdmin => return self.refuse(record, ChangeAccountError::LastAdmin).await,
        };
        self.succeed(record.with(Detail::Action, Word::new(effect.as_str()))).await?;
        let user = self.view(user).await?;
        Ok(Ok(AccountOutcome { user, effect }))
    }
}

/// A number as records hold it.
pub(crate) fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
