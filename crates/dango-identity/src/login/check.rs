//! Checking the password of somebody who is logged in: for a change of password, a step-up, a second factor. Same budget, same steps.

use dango_core::Timestamp;

use super::{BeginLoginError, LoginError, LoginRules, LoginStore, is_same};
use crate::account::LoginCandidate;
use crate::epoch::SecurityEpoch;
use crate::id::UserId;
use crate::lockout::{AttemptKey, Charge, ChargedAttempt, ClientClass};
use crate::password::{HashPasswordError, Password, PasswordHasher, Verdict};
use crate::session::Session;
use crate::store::StoreError;

impl LoginRules {
    /// Begins a check of the password of whoever holds a session.
    ///
    /// Failures count in the budget of the session's browser and in that of strangers: who has got hold of a session gets no
    /// second budget by logging in from elsewhere. Only the first can lock the session out.
    ///
    /// # Errors
    ///
    /// [`BeginCheckError`].
    pub async fn begin_password_check<S>(
        &self,
        store: &mut dyn LoginStore,
        session: &Session<S>,
        now: Timestamp,
    ) -> Result<PasswordCheck, BeginCheckError> {
        let candidate = store.find_candidate(session.user()).await?.ok_or(BeginCheckError::SessionEnded)?;
        let account = self.account_key(&candidate.user.email);
        let client = session.record().device.map_or(ClientClass::Untrusted, ClientClass::Trusted);
        let user = Some(candidate.user.id);
        let mut charged = vec![self.charge(store, AttemptKey { account, client }, user, now).await?];
        if client != ClientClass::Untrusted {
            let key = AttemptKey {
                account,
                client: ClientClass::Untrusted,
            };
            if let Charge::Granted { window } = store.charge_attempt(&key, &self.lockout, now).await? {
                charged.push(ChargedAttempt { key, window });
            }
        }
        Ok(PasswordCheck { charged, candidate })
    }
}

/// A check that was not admitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BeginCheckError {
    /// Too many failures, or the store failed.
    #[error(transparent)]
    Begin(#[from] BeginLoginError),
    /// The user is gone, and the session with them.
    #[error("the session has ended")]
    SessionEnded,
}

impl BeginCheckError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Begin(error) => error.code(),
            Self::SessionEnded => "session-expired",
        }
    }
}

impl From<StoreError> for BeginCheckError {
    fn from(error: StoreError) -> Self {
        Self::Begin(error.into())
    }
}

/// A check of a password that was charged.
#[must_use = "a check that is dropped stays charged as a failure"]
pub struct PasswordCheck {
    charged: Vec<ChargedAttempt>,
    candidate: LoginCandidate,
}

impl PasswordCheck {
    /// Compares the password with the stored one; as [`LoginAttempt::verify`](super::LoginAttempt::verify).
    pub fn verify(self, hasher: &PasswordHasher, password: &Password) -> CheckedPassword {
        let stored = self.candidate.password.as_ref();
        let verdict = hasher.verify(password, stored.map(|stored| &stored.record));
        CheckedPassword {
            charged: self.charged,
            candidate: self.candidate,
            verdict,
        }
    }
}

/// A password that was compared. The answer is in the settlement.
#[must_use = "a check that is not settled stays charged as a failure"]
pub struct CheckedPassword {
    charged: Vec<ChargedAttempt>,
    candidate: LoginCandidate,
    verdict: Result<Verdict, HashPasswordError>,
}

impl CheckedPassword {
    /// Settles the check in a second transaction. A right password costs nothing and forgives nothing.
    ///
    /// # Errors
    ///
    /// [`LoginError::InvalidCredentials`] where the password is wrong, is void or was changed since.
    pub async fn settle(self, rules: &LoginRules, store: &mut dyn LoginStore, now: Timestamp) -> Result<ProvenPassword, LoginError> {
        match self.verdict {
            Ok(Verdict::Matches | Verdict::MatchesOutdated) => {}
            Ok(Verdict::Differs | Verdict::UnknownPepper) => return Err(LoginError::InvalidCredentials),
            Err(error) => {
                refund_all(rules, store, &self.charged).await?;
                return Err(error.into());
            }
        }
        let fresh = store
            .find_candidate(self.candidate.user.id)
            .await?
            .ok_or(LoginError::InvalidCredentials)?;
        let current = fresh.password.as_ref().is_some_and(|password| password.is_current(now));
        if !is_same(&self.candidate, &fresh) || !current || !fresh.user.may_log_in() {
            return Err(LoginError::InvalidCredentials);
        }
        refund_all(rules, store, &self.charged).await?;
        Ok(ProvenPassword {
            user: fresh.user.id,
            epoch: fresh.user.epoch,
        })
    }
}

async fn refund_all(rules: &LoginRules, store: &mut dyn LoginStore, charged: &[ChargedAttempt]) -> Result<(), StoreError> {
    for charged in charged {
        rules.refund(store, charged).await?;
    }
    Ok(())
}

/// A password that was proven a moment ago. It comes from [`CheckedPassword::settle`] alone.
#[derive(Debug)]
#[must_use]
pub struct ProvenPassword {
    user: UserId,
    epoch: SecurityEpoch,
}

impl ProvenPassword {
    /// Whose password it is.
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// The epoch under which it was proven; a change of password is written under the same one or not at all.
    pub const fn epoch(&self) -> SecurityEpoch {
        self.epoch
    }
}

/// Refuses a new password that is the current one, a temporary one among them.
///
/// # Errors
///
/// [`PasswordUnchanged`].
pub fn check_new_password(current: &Password, new: &Password) -> Result<(), PasswordUnchanged> {
    if current.matches(new) { Err(PasswordUnchanged) } else { Ok(()) }
}

/// The new password is the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the new password is the current one")]
pub struct PasswordUnchanged;

impl PasswordUnchanged {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        "password-unchanged"
    }
}
