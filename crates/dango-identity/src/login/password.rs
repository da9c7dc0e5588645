//! Logging in with a password: the try that was charged, the computation, the settlement.

use dango_core::{Entropy, Timestamp};

use super::{Authenticated, LoginRules, LoginStep, LoginStore, PendingSecondFactor, find_second_factor_state, is_same};
use crate::account::{LoginCandidate, LoginCompletion};
use crate::id::UserId;
use crate::lockout::{AttemptKey, ChargedAttempt};
use crate::password::{HashPasswordError, Password, PasswordHasher, PasswordRecord, SecondFactorState, Verdict};
use crate::session::{AuthFactor, FactorSet};
use crate::store::StoreError;

/// A login that was charged: the password comes next.
#[must_use = "an attempt that is dropped stays charged as a failure"]
pub struct LoginAttempt {
    charged: ChargedAttempt,
    candidate: Option<LoginCandidate>,
}

impl LoginAttempt {
    pub(super) const fn new(charged: ChargedAttempt, candidate: Option<LoginCandidate>) -> Self {
        Self { charged, candidate }
    }

    /// Compares the password with the stored one, or with a stand-in that takes as long.
    ///
    /// It takes some 20 ms of a core and 19 MiB and may wait for its turn: call it outside of any transaction, on a thread
    /// that may block.
    pub fn verify(self, hasher: &PasswordHasher, password: &Password, entropy: &dyn Entropy) -> CheckedLogin {
        let stored = self.candidate.as_ref().and_then(|candidate| candidate.password.as_ref());
        let verdict = hasher.verify(password, stored.map(|stored| &stored.record));
        let opens = self.candidate.as_ref().is_some_and(|candidate| candidate.user.may_log_in());
        let upgrade = match verdict {
            // An upgrade that does not come about now comes about at the next login.
            Ok(Verdict::MatchesOutdated) if opens => hasher.hash(password, entropy).ok(),
            _ => None,
        };
        CheckedLogin {
            charged: self.charged,
            candidate: self.candidate,
            verdict,
            upgrade,
        }
    }
}

/// A login whose password was compared. The answer is in the settlement.
#[must_use = "a login that is not settled stays charged as a failure"]
pub struct CheckedLogin {
    charged: ChargedAttempt,
    candidate: Option<LoginCandidate>,
    verdict: Result<Verdict, HashPasswordError>,
    upgrade: Option<PasswordRecord>,
}

impl CheckedLogin {
    /// Whose account it is, if there is one: for the audit log alone.
    pub fn user(&self) -> Option<UserId> {
        self.candidate.as_ref().map(|candidate| candidate.user.id)
    }

    /// The budget that was charged, to find out whether this try has locked it.
    pub const fn budget(&self) -> &AttemptKey {
        &self.charged.key
    }

    /// Settles the login in a second transaction.
    ///
    /// # Errors
    ///
    /// [`LoginError::InvalidCredentials`] for every reason why nobody is let in: no such account, no password, the wrong one,
    /// switched off, invited, changed since. [`LoginError::Hash`] where it could not be found out; such a try costs nothing.
    pub async fn settle(self, rules: &LoginRules, store: &mut dyn LoginStore, now: Timestamp) -> Result<LoginStep, LoginError> {
        let verdict = match self.verdict {
            Ok(verdict) => verdict,
            Err(error) => {
                rules.refund(store, &self.charged).await?;
                return Err(error.into());
            }
        };
        let (Verdict::Matches | Verdict::MatchesOutdated, Some(candidate)) = (verdict, &self.candidate) else {
            return Err(LoginError::InvalidCredentials);
        };
        // Before anything is read again: whoever is not let in anyway shall not take longer.
        if !candidate.user.may_log_in() {
            return Err(LoginError::InvalidCredentials);
        }
        let fresh = store
            .find_candidate(candidate.user.id)
            .await?
            .ok_or(LoginError::InvalidCredentials)?;
        let opens = fresh.password.as_ref().is_some_and(|password| password.opens_login(now));
        let is_same = is_same(candidate, &fresh);
        // Two logins at once, of which the other was the first to replace the outdated hash of their password: whatever else
        // changes a password raises the epoch.
        let is_upgraded = verdict == Verdict::MatchesOutdated && candidate.user.epoch == fresh.user.epoch;
        if !(is_same || is_upgraded) || !opens || !fresh.user.may_log_in() {
            return Err(LoginError::InvalidCredentials);
        }
        let proven = fresh.password.as_ref().map(|password| &password.record);
        let upgrade = self.upgrade.as_ref().filter(|_| is_same);
        let factors = FactorSet::of(AuthFactor::Password);
        if find_second_factor_state(store, fresh.user.id).await? == SecondFactorState::Active {
            // Here, not after the second factor: the password itself is known now and never again, and a better hash of the same
            // password opens nothing that the old one did not.
            if let (Some(proven), Some(upgrade)) = (proven, upgrade)
                && !store.upgrade_password(fresh.user.id, proven, upgrade).await?
            {
                return Err(LoginError::InvalidCredentials);
            }
            // The password is no failure, but what failed before it stays: only the last factor clears it.
            rules.refund(store, &self.charged).await?;
            return Ok(LoginStep::SecondFactor(PendingSecondFactor::new(fresh.user, factors)));
        }
        let completed = store
            .complete_login(&LoginCompletion {
                user: fresh.user.id,
                epoch: fresh.user.epoch,
                password: proven,
                upgrade,
                now,
            })
            .await?;
        if !completed {
            return Err(LoginError::InvalidCredentials);
        }
        store.clear_attempts(&self.charged.key).await?;
        let obligation = rules.obligation(&fresh.user, SecondFactorState::Absent);
        Ok(LoginStep::Done(Authenticated::new(fresh.user, factors, obligation)))
    }
}

/// Nobody was logged in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// For whatever reason; nobody is told which.
    #[error("the e-mail address or the password is not right")]
    InvalidCredentials,
    /// It could not be found out.
    #[error(transparent)]
    Hash(#[from] HashPasswordError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LoginError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidCredentials => "invalid-credentials",
            Self::Hash(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}
