//! Taking a user's credentials away: a new temporary password, no second factor.

use std::fmt;

use dango_audit::{Detail, Event, Word};
use dango_core::Timestamp;
use dango_identity::{Password, TEMPORARY_PASSWORD_TTL, hash_temporary_password, make_temporary_password};

use super::{ChangeAccountError, Effect, UserRef, UserView, about};
use crate::accounts::AccountOutcome;
use crate::actions::Actions;
use crate::fault::refusals;
use crate::permit::{Permit, UsersManage};
use crate::unit::Record;

/// A user with a temporary password, to be handed over once.
pub struct ResetPassword {
    /// The user.
    pub user: UserView,
    /// The password. It is good for one login and has to be changed then.
    pub password: Password,
    /// From then on it is void.
    pub expires_at: Timestamp,
}

impl fmt::Debug for ResetPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResetPassword").field("user", &self.user).finish_non_exhaustive()
    }
}

refusals! {
    /// The password is as it was.
    ResetPasswordError {
        /// There is no such user.
        NotFound = "not_found", "there is no such user";
    }
}

impl Actions {
    /// Gives a user a temporary password. Sessions, invitations and API keys end, and failed logins are forgotten.
    ///
    /// Permission: `users.manage`. Audit: `password_reset`.
    ///
    /// # Errors
    ///
    /// [`ResetPasswordError::NotFound`].
    pub async fn reset_password(
        &self,
        permit: &Permit<UsersManage>,
        user: impl Into<UserRef>,
    ) -> Result<ResetPassword, ResetPasswordError> {
        let wanted = user.into();
        let inner = self.inner();
        let begun = inner.clock.now();
        let password = make_temporary_password(&*inner.entropy).map_err(crate::fault::Fault::from)?;
        let hashed = self.hash(move |hasher, entropy| {
            let stored = hash_temporary_password(&password, hasher, begun, entropy)?;
            Ok((password, stored))
        });
        let (password, stored) = hashed.await?;
        self.act(permit, move |mut unit| {
            Box::pin(async move {
                let found = unit.find(&wanted).await?;
                let record = about(Record::of(Event::PasswordReset), &wanted, found.as_ref());
                let changed = match found {
                    Some(user) => unit.tx.reset_password(user.id, &stored).await?,
                    None => None,
                };
                let Some(user) = changed else {
                    return unit.refuse(record, ResetPasswordError::NotFound).await;
                };
                let account = unit.inner.rules.account_key(&user.email);
                unit.tx.unlock_account(&account, unit.inner.rules.lockout(), unit.now).await?;
                unit.succeed(record.with(Detail::Method, Word::new("temp_password"))).await?;
                let user = unit.view(user).await?;
                let lifetime = i64::try_from(TEMPORARY_PASSWORD_TTL.as_micros()).unwrap_or(i64::MAX);
                let expires_at = Timestamp::from_unix_micros(begun.unix_micros().saturating_add(lifetime));
                Ok(Ok(ResetPassword {
                    user,
                    password,
                    expires_at,
                }))
            })
        })
        .await
    }

    /// Removes a user's second factor, with its recovery codes, and ends every session; the user has to enrol again.
    ///
    /// Permission: `users.manage`. Audit: `two_fa_reset`, and `session_revoked` with the count.
    ///
    /// # Errors
    ///
    /// [`ChangeAccountError::NotFound`].
    pub async fn reset_second_factor(
        &self,
        permit: &Permit<UsersManage>,
        user: impl Into<UserRef>,
    ) -> Result<AccountOutcome, ChangeAccountError> {
        let wanted = user.into();
        self.act(permit, move |mut unit| {
            Box::pin(async move {
                let found = unit.find(&wanted).await?;
                let record = about(Record::of(Event::TwoFaReset), &wanted, found.as_ref());
                let Some(user) = found else {
                    return unit.refuse(record, ChangeAccountError::NotFound).await;
                };
                let inner = std::sync::Arc::clone(&unit.inner);
                let effect = Effect::of(inner.factors.reset(&mut *unit.tx, user.id).await?);
                let ended = unit.tx.end_sessions_of(user.id).await?;
                unit.succeed(record.with(Detail::Action, Word::new(effect.as_str()))).await?;
                let sessions = Record::of(Event::SessionRevoked)
                    .on_user(&user)
                    .with(Detail::Count, super::change::count(ended))
                    .with(Detail::Reason, Word::new("two_fa_reset"));
                unit.succeed(sessions).await?;
                let user = unit.view(user).await?;
                Ok(Ok(AccountOutcome { user, effect }))
            })
        })
        .await
    }
}
