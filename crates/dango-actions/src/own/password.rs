//! Changing one's password, and proving again who one is.

use std::sync::Arc;

use dango_audit::{Detail, Event};
use dango_identity::{
    AuthFactor, Email, FactorSet, Full, IssueSessionError, IssuedSession, Lock, Password, PasswordContext, SecondFactorCode,
    SecondFactorState, StoredPassword, UserId, WeakPassword, check_new_password, find_second_factor_state,
};

use super::login::{factor_words, issue_fault};
use super::proof::Unproven;
use crate::actions::{Actions, Inner};
use crate::fault::{Fault, own_refusals};
use crate::holder::{Holder, LoggedIn};
use crate::unit::Record;

own_refusals! {
    /// The password is as it was.
    ChangePasswordError {
        /// The current password is not right.
        InvalidCredentials = "invalid_credentials", "the current password is not right";
        /// Too many failures.
        Locked(Lock) = "account_locked", "the account is {0}";
        /// The session has ended meanwhile.
        SessionEnded = "session_expired", "the session has ended";
        /// The account is opened at another provider alone, and has no password to prove or to change.
        NoPassword = "local_password_refused", "this account signs in with another provider and has no password here; sign in again with it";
        /// The new password may not be chosen.
        Weak(WeakPassword) = "weak_password", "{0}";
        /// The new password is the current one.
        Unchanged = "password_unchanged", "the new password is the current one";
    }

    /// The session is as it was.
    ReauthenticateError {
        /// The password is not right.
        InvalidCredentials = "invalid_credentials", "the password is not right";
        /// The code is wrong or was used, or there is no second factor.
        InvalidCode = "invalid_code", "the code is not valid";
        /// Too many failures.
        Locked(Lock) = "account_locked", "the account is {0}";
        /// The session has ended meanwhile.
        SessionEnded = "session_expired", "the session has ended";
        /// The account is opened at another provider alone, and has no password to prove or to change.
        NoPassword = "local_password_refused", "this account signs in with another provider and has no password here; sign in again with it";
    }
}

impl From<Unproven> for ChangePasswordError {
    fn from(unproven: Unproven) -> Self {
        match unproven {
            Unproven::Locked(lock) => Self::Locked(lock),
            Unproven::SessionEnded => Self::SessionEnded,
            Unproven::NoPassword => Self::NoPassword,
            Unproven::Password | Unproven::Code | Unproven::NotEnabled => Self::InvalidCredentials,
        }
    }
}

impl From<Unproven> for ReauthenticateError {
    fn from(unproven: Unproven) -> Self {
        match unproven {
            Unproven::Locked(lock) => Self::Locked(lock),
            Unproven::SessionEnded => Self::SessionEnded,
            Unproven::NoPassword => Self::NoPassword,
            Unproven::Password => Self::InvalidCredentials,
            Unproven::Code | Unproven::NotEnabled => Self::InvalidCode,
        }
    }
}

impl Inner {
    /// Whether a new password may be chosen for an account.
    pub(super) fn check_password(&self, password: &Password, email: &Email, second_factor: SecondFactorState) -> Result<(), WeakPassword> {
        let words: Vec<&str> = self.context_words.iter().map(String::as_str).collect();
        let context = PasswordContext {
            email,
            words: &words,
            second_factor,
        };
        self.policy.check(password, &context)
    }
}

impl Actions {
    /// Changes the holder's password. Every session, device and invitation of the user ends, this session too; API keys stay.
    ///
    /// Permission: the session. Audit: `password_change`; a wrong current password counts towards the lockout, and
    /// `account_locked` is recorded by the failure that locks.
    ///
    /// # Errors
    ///
    /// [`ChangePasswordError`].
    pub async fn change_password<S: LoggedIn>(
        &self,
        holder: Holder<S>,
        current: Password,
        new: Password,
    ) -> Result<(), ChangePasswordError> {
        let (caller, user) = (holder.caller.clone(), holder.user.clone());
        let second_factor = self.second_factor_of(user.id).await?;
        let refusal = match self.inner().check_password(&new, &user.email, second_factor) {
            Err(weak) => Some(ChangePasswordError::Weak(weak)),
            Ok(()) => check_new_password(&current, &new).err().map(|_| ChangePasswordError::Unchanged),
        };
        if let Some(refusal) = refusal {
            let record = Record::of(Event::PasswordChange).on_user(&user);
            return self
                .write(&caller, move |mut unit| Box::pin(async move { unit.refuse(record, refusal).await }))
                .await;
        }
        let (_, proven) = self
            .prove_password::<S, ChangePasswordError>(holder, Arc::new(current), Event::PasswordChange)
            .await?;
        let record = self.hash(move |hasher, entropy| hasher.hash(&new, entropy)).await?;
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let stored = StoredPassword::chosen(record, unit.now);
                let change = Record::of(Event::PasswordChange).on_user(&user);
                // Not under another epoch: somebody else has changed it between the proof and this.
                if !unit.tx.change_password(proven.user(), proven.epoch(), &stored).await? {
                    return unit.refuse(change, ChangePasswordError::SessionEnded).await;
                }
                unit.succeed(change).await?;
                Ok(Ok(()))
            })
        })
        .await
    }

    /// Opens the step-up window again: the holder proves the password, and a code where one is given. The old token is dead.
    ///
    /// Permission: the session. Audit: `reauthenticated` with the factors, `recovery_code_used` besides where one was, and
    /// `account_locked` by the failure that locks.
    ///
    /// # Errors
    ///
    /// [`ReauthenticateError`].
    pub async fn reauthenticate(
        &self,
        holder: Holder<Full>,
        password: Password,
        code: Option<SecondFactorCode>,
    ) -> Result<IssuedSession, ReauthenticateError> {
        let caller = holder.caller.clone();
        let (holder, _) = self
            .prove_password::<Full, ReauthenticateError>(holder, Arc::new(password), Event::Reauthenticated)
            .await?;
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let Holder { user, session, .. } = holder;
                let (inner, now) = (Arc::clone(&unit.inner), unit.now);
                let mut factors = FactorSet::of(AuthFactor::Password);
                if let Some(code) = code {
                    match unit.prove_code(&user, session.record(), &code, Event::Reauthenticated).await? {
                        Ok(proven) => factors = factors.with(proven.factor()),
                        Err(refusal) => return Ok(Err(refusal.into())),
                    }
                }
                let record = Record::of(Event::Reauthenticated)
                    .on_user(&user)
                    .with(Detail::Factors, factor_words(factors).as_slice());
                match inner.sessions.step_up(unit.tx, session, factors, now, &*inner.entropy).await {
                    Ok(issued) => {
                        unit.succeed(record).await?;
                        Ok(Ok(issued))
                    }
                    Err(IssueSessionError::Stale) => unit.refuse(record, ReauthenticateError::SessionEnded).await,
                    Err(error) => Err(issue_fault(error)),
                }
            })
        })
        .await
    }

    pub(super) async fn second_factor_of(&self, user: UserId) -> Result<SecondFactorState, Fault> {
        self.read(&crate::Caller::system(), move |unit| {
            Box::pin(async move { Ok(find_second_factor_state(unit.tx, user).await?) })
        })
        .await
    }
}
