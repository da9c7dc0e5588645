//! Proving again who one is while logged in: the password, and a code where one is asked for. Both count towards the lockout.

use std::sync::Arc;

use dango_audit::Event;
use dango_identity::{
    AttemptKey, BeginCheckError, BeginLoginError, Charge, ChargedAttempt, ClientClass, DeviceId, FirstFactors, LocalPassword, Lock,
    LoginError, Password, ProvenFactor, ProvenPassword, SecondFactorCode, SessionRecord, User, VerifyFactorError, check_local_password,
};

use crate::actions::{Actions, Inner};
use crate::fault::Fault;
use crate::holder::{Holder, LoggedIn};
use crate::unit::{Record, Unit};

/// Why nobody was proven; each action has its own names for these.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unproven {
    Password,
    Code,
    NotEnabled,
    Locked(Lock),
    SessionEnded,
    NoPassword,
}

impl Unproven {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Password => "invalid_credentials",
            Self::Code => "invalid_code",
            Self::NotEnabled => "not_enabled",
            Self::Locked(_) => "account_locked",
            Self::SessionEnded => "session_expired",
            Self::NoPassword => "local_password_refused",
        }
    }
}

impl Inner {
    /// The budget of an account and a browser.
    pub(super) fn budget(&self, user: &User, device: Option<DeviceId>) -> AttemptKey {
        AttemptKey {
            account: self.rules.account_key(&user.email),
            client: device.map_or(ClientClass::Untrusted, ClientClass::Trusted),
        }
    }
}

impl Actions {
    /// Proves who holds a session by the password. Where there is none, because the account is opened at another provider alone, a
    /// login that is minutes old proves as much.
    pub(super) async fn prove_holder<S: LoggedIn, E: From<Fault> + From<Unproven> + Send + 'static>(
        &self,
        holder: Holder<S>,
        password: Arc<Password>,
        event: Event,
    ) -> Result<Holder<S>, E> {
        let user = holder.user.clone();
        let looked = self.read(&holder.caller, move |mut unit| {
            Box::pin(async move { unit.opens_elsewhere_alone(&user).await })
        });
        let is_fresh = holder
            .session
            .record()
            .auth
            .is_fresh(self.sessions().limits().step_up, self.clock().now());
        if looked.await.map_err(E::from)? && is_fresh {
            return Ok(holder);
        }
        let (holder, _) = self.prove_password::<S, E>(holder, password, event).await?;
        Ok(holder)
    }

    /// Proves the password of a session's holder: charged, computed outside of any transaction, settled. A failure is recorded as
    /// that of the event.
    pub(super) async fn prove_password<S: LoggedIn, E: From<Fault> + From<Unproven> + Send + 'static>(
        &self,
        holder: Holder<S>,
        password: Arc<Password>,
        event: Event,
    ) -> Result<(Holder<S>, ProvenPassword), E> {
        let caller = holder.caller.clone();
        let begun = self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let (inner, now) = (Arc::clone(&unit.inner), unit.now);
                let refusal = if !unit.is_live(holder.session.record()).await? {
                    Unproven::SessionEnded
                } else if unit.opens_elsewhere_alone(&holder.user).await? {
                    Unproven::NoPassword
                } else {
                    match inner.rules.begin_password_check(unit.tx, &holder.session, now).await {
                        Ok(check) => return Ok(Ok((holder, check))),
                        Err(BeginCheckError::Begin(BeginLoginError::Locked { lock, .. })) => Unproven::Locked(lock),
                        Err(BeginCheckError::Begin(BeginLoginError::Store(error))) => return Err(error.into()),
                        Err(_) => Unproven::SessionEnded,
                    }
                };
                unit.record_failure(event, refusal.code(), Some(&holder.user), None).await?;
                Ok(Err(E::from(refusal)))
            })
        });
        let (holder, check) = begun.await?;
        let checked = self.hashing(move |hasher, _| check.verify(hasher, &password)).await?;
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let (inner, now) = (Arc::clone(&unit.inner), unit.now);
                match checked.settle(&inner.rules, unit.tx, now).await {
                    Ok(proven) => Ok(Ok((holder, proven))),
                    Err(LoginError::Hash(error)) => Err(error.into()),
                    Err(LoginError::Store(error)) => Err(error.into()),
                    Err(_) => {
                        let key = inner.budget(&holder.user, holder.session.record().device);
                        let lock = unit.tx.find_lock(&key, inner.rules.lockout(), now).await?;
                        let refusal = Unproven::Password;
                        unit.record_failure(event, refusal.code(), Some(&holder.user), lock).await?;
                        Ok(Err(E::from(refusal)))
                    }
                }
            })
        })
        .await
    }
}

impl Unit<'_> {
    /// Whether an account is opened at another provider alone. It has no password that could be proven, and gets none by its own
    /// wish: whoever the provider has shut out stays out. An administrator may hand one over.
    async fn opens_elsewhere_alone(&mut self, user: &User) -> Result<bool, Fault> {
        let candidate = self.tx.find_candidate(user.id).await?;
        let has_password = candidate.is_some_and(|candidate| candidate.password.is_some());
        let has_links = !self.tx.links_of(user.id).await?.is_empty();
        let factors = match (has_password, has_links) {
            (true, false) => FirstFactors::Password,
            (false, true) => FirstFactors::Links,
            (true, true) => FirstFactors::Both,
            (false, false) => FirstFactors::Neither,
        };
        Ok(check_local_password(factors, LocalPassword::NotBesideLinks).is_err())
    }

    /// Proves a code of a session's holder. The try counts in the account's budget before it is made, and is given back if it was
    /// right. A failure is recorded as that of the event.
    pub(super) async fn prove_code(
        &mut self,
        user: &User,
        session: &SessionRecord,
        code: &SecondFactorCode,
        event: Event,
    ) -> Result<Result<ProvenFactor, Unproven>, Fault> {
        let (inner, now) = (Arc::clone(&self.inner), self.now);
        let key = inner.budget(user, session.device);
        let policy = inner.rules.lockout();
        let window = match self.tx.charge_attempt(&key, policy, now).await? {
            Charge::Granted { window } => window,
            Charge::Refused(lock) => {
                let refusal = Unproven::Locked(lock);
                self.record_failure(event, refusal.code(), Some(user), None).await?;
                return Ok(Err(refusal));
            }
        };
        let charged = ChargedAttempt { key, window };
        let verified = match code {
            SecondFactorCode::Totp(code) => inner.factors.verify_totp(self.tx, user.id, code, now).await,
            SecondFactorCode::Recovery(code) => {
                let verified = inner.factors.verify_recovery(self.tx, user.id, code, now).await;
                if let Ok((_, left)) = &verified {
                    let used = Record::of(Event::RecoveryCodeUsed).on_user(user);
                    self.succeed(used.with(dango_audit::Detail::Remaining, i64::from(*left))).await?;
                }
                verified.map(|(proven, _)| proven)
            }
        };
        let refusal = match verified {
            Ok(proven) => {
                self.tx.refund_attempt(&charged, policy).await?;
                return Ok(Ok(proven));
            }
            Err(VerifyFactorError::Store(error)) => return Err(error.into()),
            Err(VerifyFactorError::NotEnabled) => {
                self.tx.refund_attempt(&charged, policy).await?;
                Unproven::NotEnabled
            }
            Err(VerifyFactorError::TooManyAttempts { retry_at }) => Unproven::Locked(Lock::Until(retry_at)),
            Err(_) => Unproven::Code,
        };
        let lock = self.tx.find_lock(&key, policy, now).await?;
        self.record_failure(event, refusal.code(), Some(user), lock).await?;
        Ok(Err(refusal))
    }
}
