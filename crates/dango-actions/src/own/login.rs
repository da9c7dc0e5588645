//! Logging in with a password and, where there is one, a second factor.

use std::sync::Arc;

use dango_audit::{Detail, Event, Label, Outcome, Stage, Target, Word};
use dango_identity::{
    AuthFactor, Busy, DeviceId, DeviceToken, FactorSet, IssuedSession, Lock, LoginError, LoginStep, Obligation, Partial, Password,
    PlainToken, SecondFactorCode, SecondFactorError, User, UserId, kind,
};

use crate::accounts::UserView;
use crate::actions::Actions;
use crate::caller::{Caller, audit_id};
use crate::fault::{Fault, own_refusals};
use crate::holder::Holder;
use crate::unit::{Answer, Record, Unit, user_target};

/// What comes after a password that was right.
pub enum LogInStep {
    /// Logged in.
    Done(Box<Login>),
    /// A second factor is due; the session reaches nothing but its check, for five minutes.
    SecondFactor(Box<IssuedSession>),
}

/// A login that is done.
pub struct Login {
    /// The session with its token.
    pub issued: IssuedSession,
    /// The user.
    pub user: UserView,
    /// What has to be done before anything else.
    pub obligation: Option<Obligation>,
    /// What the browser shows next time, so that strangers cannot lock it out.
    pub device: DeviceToken,
    /// How many recovery codes are left; nothing where no second factor was asked for.
    pub recovery_codes_left: Option<u32>,
}

own_refusals! {
    /// Nobody was logged in.
    LogInError {
        /// For whatever reason; nobody is told which.
        InvalidCredentials = "invalid_credentials", "the e-mail address or the password is not right";
        /// Too many failures, at an account that exists or not.
        Locked(Lock) = "account_locked", "the account is {0}";
        /// Nobody is let in at all.
        Closed = "auth_disabled", "signing in is switched off";
    }

    /// The login did not end.
    VerifyCodeError {
        /// The code is wrong or was used.
        InvalidCode = "invalid_code", "the code is not valid";
        /// Too many failures.
        Locked(Lock) = "account_locked", "the account is {0}";
        /// The partial session is over.
        SessionEnded = "session_expired", "the login has taken too long or was ended";
        /// The stored secret does not open: another identity key, or damage.
        Unverifiable = "second_factor_unverifiable", "the second factor cannot be checked; an administrator can reset it";
    }
}

impl Actions {
    /// Logs in with a password.
    ///
    /// The try is charged before the password is looked at, and every outcome takes the same time. `caller` is anonymous.
    ///
    /// More logins of one account at once than may fail wait for one another, so right ones do not lock it: at this server for as long as
    /// others are open, at others for [`Setup::login_patience`](crate::Setup::login_patience).
    ///
    /// `earlier` is the session that the browser has until now, whoever's it is. It ends with the login, in the same transaction: its
    /// cookie is replaced, and nobody else is to have it (ASVS 7.2.4). A login that is refused leaves it alone.
    ///
    /// Permission: none. Audit: `login_success`, or `second_factor_requested` where one is due; `logout` of the earlier session, before
    /// either; `login_failure`, and `account_locked` by the failure that locks.
    ///
    /// # Errors
    ///
    /// [`LogInError`].
    pub async fn log_in(
        &self,
        caller: &Caller,
        email: &str,
        password: Password,
        device: Option<DeviceToken>,
        earlier: Option<PlainToken<kind::Session>>,
    ) -> Result<LogInStep, LogInError> {
        let device = device.map(Arc::new);
        let inner = self.inner();
        // A browser that the account knows waits for no stranger.
        let known = device.as_ref().and_then(|device| device.claimed_user(&inner.device));
        let queue = format!(
            "{} {}",
            email.to_lowercase(),
            known.map(|user| user.to_string()).unwrap_or_default()
        );
        let turn = inner.turns.take(queue).await.map_err(|_| Fault::Busy(Busy))?;
        let attempt = self.charge(caller, email, device.clone(), &turn).await?;
        let checked = self
            .hashing(move |hasher, entropy| attempt.verify(hasher, &password, entropy))
            .await?;
        self.write(caller, move |mut unit| {
            Box::pin(async move {
                let (inner, now) = (Arc::clone(&unit.inner), unit.now);
                let (budget, user) = (*checked.budget(), checked.user());
                match checked.settle(&inner.rules, unit.tx, now).await {
                    Ok(step) => unit.admit(step, device.as_deref(), earlier).await,
                    Err(LoginError::Hash(error)) => Err(error.into()),
                    Err(LoginError::Store(error)) => Err(error.into()),
                    Err(_) => {
                        let user = unit.account_of(user).await?;
                        let lock = unit.tx.find_lock(&budget, inner.rules.lockout(), now).await?;
                        unit.record_failure(Event::LoginFailure, "invalid_credentials", user.as_ref(), lock)
                            .await?;
                        Ok(Err(LogInError::InvalidCredentials))
                    }
                }
            })
        })
        .await
    }

    /// Checks the second factor and ends the login. The partial session is gone, whether it was right or the tries are used up.
    ///
    /// Permission: the partial session. Audit: `two_fa_verified` or `recovery_code_used`, and `login_success`; a failure is
    /// `two_fa_verified` or `recovery_code_used` that failed, and `account_locked` by the failure that locks.
    ///
    /// # Errors
    ///
    /// [`VerifyCodeError`].
    pub async fn verify_second_factor(&self, holder: Holder<Partial>, code: SecondFactorCode) -> Result<Login, VerifyCodeError> {
        let caller = holder.caller.clone();
        self.write(&caller, move |unit| Box::pin(unit.finish_login(holder, code))).await
    }
}

impl Unit<'_> {
    /// Issues the session of a password that was right.
    pub(crate) async fn admit(
        mut self,
        step: LoginStep,
        device: Option<&DeviceToken>,
        earlier: Option<PlainToken<kind::Session>>,
    ) -> Answer<LogInStep, LogInError> {
        let (inner, now, client) = (Arc::clone(&self.inner), self.now, self.caller().client().clone());
        match step {
            LoginStep::SecondFactor(pending) => {
                let Some(user) = self.tx.find_user(pending.user()).await? else {
                    return Ok(Err(LogInError::InvalidCredentials));
                };
                self.end_earlier(earlier).await?;
                let trusted = device.and_then(|device| device.verify(&inner.device, user.id, user.epoch, now));
                let new = pending.into_session(client, trusted.map(|device| device.device()));
                let issued = inner
                    .sessions
                    .begin(self.tx, new, now, &*inner.entropy)
                    .await
                    .map_err(issue_fault)?;
                self.succeed(Record::of(Event::SecondFactorRequested).on_user(&user)).await?;
                Ok(Ok(LogInStep::SecondFactor(Box::new(issued))))
            }
            LoginStep::Done(authenticated) => {
                self.end_earlier(earlier).await?;
                let (before, obligation) = (authenticated.user().clone(), authenticated.obligation());
                let trusted = device.and_then(|device| device.verify(&inner.device, before.id, before.epoch, now));
                let browser = match trusted {
                    Some(trusted) => trusted.device(),
                    None => DeviceId::make(now, &*inner.entropy)?,
                };
                let factors = authenticated.factors();
                let new = authenticated.into_session(client, Some(browser));
                let issued = inner
                    .sessions
                    .begin(self.tx, new, now, &*inner.entropy)
                    .await
                    .map_err(issue_fault)?;
                let login = self.logged_in(before, issued, obligation, (browser, factors), None).await?;
                Ok(Ok(LogInStep::Done(Box::new(login))))
            }
        }
    }

    async fn finish_login(mut self, holder: Holder<Partial>, code: SecondFactorCode) -> Answer<Login, VerifyCodeError> {
        let Holder { session, user, .. } = holder;
        let event = match &code {
            SecondFactorCode::Totp(_) => Event::TwoFaVerified,
            SecondFactorCode::Recovery(_) => Event::RecoveryCodeUsed,
        };
        let (inner, now, device) = (Arc::clone(&self.inner), self.now, session.record().device);
        if !self.is_live(session.record()).await? {
            return self.refuse(Record::of(event).on_user(&user), VerifyCodeError::SessionEnded).await;
        }
        let rules = (&inner.sessions, &inner.factors);
        let passed = inner
            .rules
            .finish_second_factor(self.tx, rules, session, &code, now, &*inner.entropy)
            .await;
        let passed = match passed {
            Ok(passed) => passed,
            Err(SecondFactorError::Store(error)) => return Err(error.into()),
            Err(SecondFactorError::Issue(error)) => return Err(issue_fault(error)),
            Err(error) => {
                let refusal = match error {
                    SecondFactorError::Locked(lock) => VerifyCodeError::Locked(lock),
                    SecondFactorError::SessionEnded => VerifyCodeError::SessionEnded,
                    SecondFactorError::Unverifiable(_) => VerifyCodeError::Unverifiable,
                    _ => VerifyCodeError::InvalidCode,
                };
                let key = inner.budget(&user, device);
                let lock = self.tx.find_lock(&key, inner.rules.lockout(), now).await?;
                // One that was locked before was told of then.
                let lock = lock.filter(|_| matches!(refusal, VerifyCodeError::InvalidCode));
                self.record_failure(event, refusal.code(), Some(&user), lock).await?;
                return Ok(Err(refusal));
            }
        };
        let browser = match device {
            Some(device) => device,
            None => DeviceId::make(now, &*inner.entropy)?,
        };
        let left = passed.recovery_codes_left;
        let record = Record::of(event).on_user(&passed.user).with(Detail::Remaining, i64::from(left));
        self.succeed(record).await?;
        let factors = passed.issued.session.record().auth.factors;
        let login = self
            .logged_in(passed.user, passed.issued, passed.obligation, (browser, factors), Some(left))
            .await?;
        Ok(Ok(login))
    }

    /// Records a login that is done, as an act of whoever logged in, and makes the answer.
    async fn logged_in(
        &mut self,
        before: User,
        issued: IssuedSession,
        obligation: Option<Obligation>,
        (browser, factors): (DeviceId, FactorSet),
        recovery_codes_left: Option<u32>,
    ) -> Result<Login, Fault> {
        let caller = self.caller().clone().become_user(&before, &issued.session);
        self.act_as(caller);
        let record = Record::of(Event::LoginSuccess)
            .on_user(&before)
            .with(Detail::Factors, factor_words(factors).as_slice());
        self.succeed(record).await?;
        let user = self.tx.find_user(before.id).await?.unwrap_or(before);
        let device = DeviceToken::issue(&self.inner.device, user.id, browser, user.epoch, self.now);
        Ok(Login {
            issued,
            user: self.view(user).await?,
            obligation,
            device,
            recovery_codes_left,
        })
    }

    /// The account of a login that is refused, for its record. Where there is none as much is read, so that it takes as long: by
    /// an id of nobody, and of what the log would say about somebody.
    pub(super) async fn account_of(&mut self, user: Option<UserId>) -> Result<Option<User>, Fault> {
        if let Some(user) = user {
            return Ok(self.tx.find_user(user).await?);
        }
        let nobody = UserId::make(self.now, &*self.inner.entropy)?;
        let target = Target::user(&audit_id(nobody), Label::new("nobody@example.com"));
        let stage = Stage::Ended(Outcome::Failure);
        if let Some(facts) = self.draft(Record::of(Event::LoginFailure).on(target), stage).target_facts() {
            let _ = self.tx.find_personal(&facts).await?;
        }
        Ok(self.tx.find_user(nobody).await?)
    }

    /// Records a failed proof of who somebody is, and the lock that it caused.
    pub(crate) async fn record_failure(
        &mut self,
        event: Event,
        code: &'static str,
        user: Option<&User>,
        lock: Option<Lock>,
    ) -> Result<(), Fault> {
        let about = |event| {
            let record = Record::of(event);
            match user {
                Some(user) => record.on(user_target(user.id, &user.email)),
                None => record,
            }
        };
        let failed = about(event).with(Detail::Code, Word::new(code));
        self.record(failed, Stage::Ended(Outcome::Failure)).await?;
        if let Some(lock) = lock {
            let locked = match lock {
                Lock::Until(end) => about(Event::AccountLocked).with(Detail::LockedUntil, end),
                Lock::Stopped => about(Event::AccountLocked).with(Detail::Reason, Word::new("stopped")),
            };
            self.succeed(locked).await?;
        }
        Ok(())
    }
}

/// A session that was not issued although nothing can have come between is a failure, not a refusal.
pub(super) fn issue_fault(error: dango_identity::IssueSessionError) -> Fault {
    match error {
        dango_identity::IssueSessionError::Entropy(error) => error.into(),
        dango_identity::IssueSessionError::Store(error) => error.into(),
        _ => Fault::Interrupted,
    }
}

pub(super) fn factor_words(factors: FactorSet) -> Vec<Word> {
    [
        (AuthFactor::Password, "password"),
        (AuthFactor::Totp, "totp"),
        (AuthFactor::Recovery, "recovery"),
        (AuthFactor::Passkey, "passkey"),
        (AuthFactor::External, "external"),
    ]
    .into_iter()
    .filter(|(factor, _)| factors.contains(*factor))
    .map(|(_, word)| Word::new(word))
    .collect()
}
