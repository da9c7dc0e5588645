//! One's own second factor: enrolling, removing, new recovery codes.

use std::sync::Arc;

use dango_audit::{Detail, Event, Word};
use dango_identity::{
    AuthFactor, BeginEnrolmentError, DisableError, Enrolment, FactorSet, FinishEnrolmentError, Full, IssuedSession, Lock, Password,
    RecoveryCodes, RegenerateError, Restricted, SecondFactorCode, SecondFactorState, TotpCode,
};

use super::login::issue_fault;
use super::proof::Unproven;
use crate::accounts::count;
use crate::actions::Actions;
use crate::fault::{Fault, own_refusals};
use crate::holder::{Holder, LoggedIn};
use crate::unit::{Answer, Record, Unit};

/// A second factor that is on from here.
pub struct EnabledFactor {
    /// The recovery codes, to be shown once.
    pub codes: RecoveryCodes,
    /// The session with a new token; the old one is dead.
    pub issued: IssuedSession,
}

own_refusals! {
    /// No enrolment was begun.
    BeginSetupError {
        /// The password is not right.
        InvalidCredentials = "invalid_credentials", "the password is not right";
        /// Too many failures.
        Locked(Lock) = "account_locked", "the account is {0}";
        /// The session has ended meanwhile.
        SessionEnded = "session_expired", "the session has ended";
        /// There is one already.
        AlreadyEnabled = "already_enabled", "a second factor is enabled already";
        /// The password has to be changed first.
        PasswordChangeRequired = "password_change_required", "the password has to be changed first";
        /// The account is opened at another provider alone, and has no password to prove or to change.
        NoPassword = "local_password_refused", "this account signs in with another provider and has no password here; sign in again with it";
    }

    /// The second factor is not on.
    FinishSetupError {
        /// The code is not the app's.
        InvalidCode = "invalid_code", "the code is not valid";
        /// Too many codes were tried.
        Locked(Lock) = "account_locked", "the account is {0}";
        /// No enrolment waits for a code, or no longer.
        NoPendingSetup = "no_pending_setup", "no enrolment is waiting for a code";
        /// The session has ended meanwhile.
        SessionEnded = "session_expired", "the session has ended";
    }

    /// The second factor is still on.
    DisableFactorError {
        /// The password is not right.
        InvalidCredentials = "invalid_credentials", "the password is not right";
        /// The code is wrong or was used.
        InvalidCode = "invalid_code", "the code is not valid";
        /// Too many failures.
        Locked(Lock) = "account_locked", "the account is {0}";
        /// The session has ended meanwhile.
        SessionEnded = "session_expired", "the session has ended";
        /// There is none.
        NotEnabled = "not_enabled", "no second factor is enabled";
        /// No code was given, and the session's own was proven too long ago.
        ReauthenticationRequired = "reauthentication_required", "this needs a code of the second factor";
        /// The account is opened at another provider alone, and has no password to prove or to change.
        NoPassword = "local_password_refused", "this account signs in with another provider and has no password here; sign in again with it";
    }

    /// The recovery codes are as they were.
    RegenerateCodesError {
        /// The password is not right.
        InvalidCredentials = "invalid_credentials", "the password is not right";
        /// The code is wrong or was used.
        InvalidCode = "invalid_code", "the code is not valid";
        /// Too many failures.
        Locked(Lock) = "account_locked", "the account is {0}";
        /// The session has ended meanwhile.
        SessionEnded = "session_expired", "the session has ended";
        /// There is no second factor.
        NotEnabled = "not_enabled", "no second factor is enabled";
        /// The account is opened at another provider alone, and has no password to prove or to change.
        NoPassword = "local_password_refused", "this account signs in with another provider and has no password here; sign in again with it";
    }
}

impl From<Unproven> for BeginSetupError {
    fn from(unproven: Unproven) -> Self {
        match unproven {
            Unproven::Locked(lock) => Self::Locked(lock),
            Unproven::SessionEnded => Self::SessionEnded,
            Unproven::NoPassword => Self::NoPassword,
            Unproven::Password | Unproven::Code | Unproven::NotEnabled => Self::InvalidCredentials,
        }
    }
}

macro_rules! from_unproven {
    ($($name:ident)*) => {$(
        impl From<Unproven> for $name {
            fn from(unproven: Unproven) -> Self {
                match unproven {
                    Unproven::Password => Self::InvalidCredentials,
                    Unproven::Code => Self::InvalidCode,
                    Unproven::NotEnabled => Self::NotEnabled,
                    Unproven::Locked(lock) => Self::Locked(lock),
                    Unproven::SessionEnded => Self::SessionEnded,
                    Unproven::NoPassword => Self::NoPassword,
                }
            }
        }
    )*};
}

from_unproven! { DisableFactorError RegenerateCodesError }

impl Actions {
    /// Begins an enrolment in an authenticator app. Nothing is on before it is confirmed, within ten minutes.
    ///
    /// Permission: the session and the password. Audit: `two_fa_setup_started`, and `account_locked` by the failure that locks.
    ///
    /// # Errors
    ///
    /// [`BeginSetupError`].
    pub async fn begin_enrolment<S: LoggedIn>(&self, holder: Holder<S>, password: Password) -> Result<Enrolment, BeginSetupError> {
        let caller = holder.caller.clone();
        let event = Event::TwoFaSetupStarted;
        if holder.user.must_change_password {
            let record = Record::of(event).on_user(&holder.user);
            let refused = self.write(&caller, move |mut unit| {
                Box::pin(async move { unit.refuse(record, BeginSetupError::PasswordChangeRequired).await })
            });
            return refused.await;
        }
        let holder = self.prove_holder::<S, BeginSetupError>(holder, Arc::new(password), event).await?;
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let (inner, now, user) = (Arc::clone(&unit.inner), unit.now, holder.user);
                let record = Record::of(event).on_user(&user);
                let shown = (inner.issuer.as_str(), user.email.as_str());
                let begun = inner.factors.begin_enrolment(unit.tx, user.id, shown, now, &*inner.entropy).await;
                match begun {
                    Ok(enrolment) => {
                        unit.succeed(record.with(Detail::ExpiresAt, enrolment.expires_at)).await?;
                        Ok(Ok(enrolment))
                    }
                    Err(BeginEnrolmentError::Store(error)) => Err(error.into()),
                    Err(BeginEnrolmentError::Entropy(error)) => Err(error.into()),
                    Err(_) => unit.refuse(record, BeginSetupError::AlreadyEnabled).await,
                }
            })
        })
        .await
    }

    /// Confirms an enrolment with a code from the app. The second factor is on from here, and that code is used.
    ///
    /// Permission: the session. Audit: `two_fa_enabled`.
    ///
    /// # Errors
    ///
    /// [`FinishSetupError`].
    pub async fn finish_enrolment(&self, holder: Holder<Full>, code: TotpCode) -> Result<EnabledFactor, FinishSetupError> {
        let caller = holder.caller.clone();
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let codes = match unit.confirm(&holder, &code).await? {
                    Ok(codes) => codes,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let (inner, now) = (Arc::clone(&unit.inner), unit.now);
                let proven = FactorSet::of(AuthFactor::Totp);
                let issued = inner.sessions.step_up(unit.tx, holder.session, proven, now, &*inner.entropy).await;
                let issued = issued.map_err(issue_fault)?;
                Ok(Ok(EnabledFactor { codes, issued }))
            })
        })
        .await
    }

    /// As [`Actions::finish_enrolment`], for somebody who can do nothing else before; the session is released from that.
    ///
    /// Permission: the session. Audit: `two_fa_enabled`.
    ///
    /// # Errors
    ///
    /// [`FinishSetupError`].
    pub async fn finish_due_enrolment(&self, holder: Holder<Restricted>, code: TotpCode) -> Result<EnabledFactor, FinishSetupError> {
        let caller = holder.caller.clone();
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let codes = match unit.confirm(&holder, &code).await? {
                    Ok(codes) => codes,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                let (inner, now) = (Arc::clone(&unit.inner), unit.now);
                let proven = FactorSet::of(AuthFactor::Totp);
                let next = inner.rules.obligation(&holder.user, SecondFactorState::Active);
                let issued = inner
                    .sessions
                    .release(unit.tx, holder.session, proven, next, now, &*inner.entropy)
                    .await;
                let issued = issued.map_err(issue_fault)?;
                Ok(Ok(EnabledFactor { codes, issued }))
            })
        })
        .await
    }

    /// Removes the holder's second factor and ends the other sessions. Without a code the session's own second factor must have
    /// been proven within the step-up window.
    ///
    /// Permission: the session, the password and the factor. Audit: `two_fa_disabled`, and `account_locked` by the failure that locks.
    ///
    /// # Errors
    ///
    /// [`DisableFactorError`].
    pub async fn disable_second_factor(
        &self,
        holder: Holder<Full>,
        password: Password,
        code: Option<SecondFactorCode>,
    ) -> Result<(), DisableFactorError> {
        let caller = holder.caller.clone();
        let event = Event::TwoFaDisabled;
        let holder = self
            .prove_holder::<Full, DisableFactorError>(holder, Arc::new(password), event)
            .await?;
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let (inner, now) = (Arc::clone(&unit.inner), unit.now);
                let record = Record::of(event).on_user(&holder.user);
                let disabled = match code {
                    Some(code) => match unit.prove_code(&holder.user, holder.session.record(), &code, event).await? {
                        Ok(proof) => inner.factors.disable(unit.tx, proof).await,
                        Err(refusal) => return Ok(Err(refusal.into())),
                    },
                    None => {
                        let window = inner.sessions.limits().step_up;
                        inner.factors.disable_within(unit.tx, &holder.session, window, now).await
                    }
                };
                match disabled {
                    Ok(()) => {
                        let ended = inner.sessions.end_others(unit.tx, &holder.session).await?;
                        unit.succeed(record.with(Detail::Count, count(ended))).await?;
                        Ok(Ok(()))
                    }
                    Err(DisableError::Store(error)) => Err(error.into()),
                    Err(DisableError::ProofTooOld) => {
                        let has = unit.tx.active_totp(holder.user.id).await?.is_some();
                        let refusal = if has {
                            DisableFactorError::ReauthenticationRequired
                        } else {
                            DisableFactorError::NotEnabled
                        };
                        unit.refuse(record, refusal).await
                    }
                    Err(_) => unit.refuse(record, DisableFactorError::NotEnabled).await,
                }
            })
        })
        .await
    }

    /// Makes new recovery codes; the old ones are dead. A recovery code does not renew recovery codes.
    ///
    /// Permission: the session, the password and a code from the app. Audit: `recovery_codes_regenerated`, and `account_locked` by the
    /// failure that locks.
    ///
    /// # Errors
    ///
    /// [`RegenerateCodesError`].
    pub async fn regenerate_recovery_codes(
        &self,
        holder: Holder<Full>,
        password: Password,
        code: TotpCode,
    ) -> Result<RecoveryCodes, RegenerateCodesError> {
        let caller = holder.caller.clone();
        let event = Event::RecoveryCodesRegenerated;
        let holder = self
            .prove_holder::<Full, RegenerateCodesError>(holder, Arc::new(password), event)
            .await?;
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let (inner, now) = (Arc::clone(&unit.inner), unit.now);
                let code = SecondFactorCode::Totp(code);
                let proof = match unit.prove_code(&holder.user, holder.session.record(), &code, event).await? {
                    Ok(proof) => proof,
                    Err(refusal) => return Ok(Err(refusal.into())),
                };
                let record = Record::of(event).on_user(&holder.user);
                match inner.factors.regenerate_recovery(unit.tx, proof, now, &*inner.entropy).await {
                    Ok(codes) => {
                        unit.succeed(record).await?;
                        Ok(Ok(codes))
                    }
                    Err(RegenerateError::Store(error)) => Err(error.into()),
                    Err(RegenerateError::Entropy(error)) => Err(error.into()),
                    Err(_) => unit.refuse(record, RegenerateCodesError::NotEnabled).await,
                }
            })
        })
        .await
    }
}

impl Unit<'_> {
    async fn confirm<S: LoggedIn>(&mut self, holder: &Holder<S>, code: &TotpCode) -> Answer<RecoveryCodes, FinishSetupError> {
        let (inner, now, user) = (Arc::clone(&self.inner), self.now, &holder.user);
        let record = Record::of(Event::TwoFaEnabled)
            .on_user(user)
            .with(Detail::Method, Word::new("totp"));
        if !self.is_live(holder.session.record()).await? {
            return self.refuse(record, FinishSetupError::SessionEnded).await;
        }
        let refusal = match inner.factors.finish_enrolment(self.tx, user.id, code, now, &*inner.entropy).await {
            Ok(confirmed) => {
                self.succeed(record).await?;
                return Ok(Ok(confirmed.codes));
            }
            Err(FinishEnrolmentError::Store(error)) => return Err(error.into()),
            Err(FinishEnrolmentError::Entropy(error)) => return Err(Fault::from(error)),
            Err(FinishEnrolmentError::InvalidCode) => FinishSetupError::InvalidCode,
            Err(FinishEnrolmentError::TooManyAttempts { retry_at }) => FinishSetupError::Locked(Lock::Until(retry_at)),
            Err(_) => FinishSetupError::NoPendingSetup,
        };
        self.refuse(record, refusal).await
    }
}
