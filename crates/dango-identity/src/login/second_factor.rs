//! The second step of a login: one code, charged before it is looked at, and the end of the ceremony.

use dango_core::{Entropy, Timestamp};

use super::{BeginLoginError, LoginRules, LoginStore};
use crate::account::{LoginCompletion, User};
use crate::factor::{ProvenFactor, RecoveryCode, SecondFactors, TotpCode, VerifyFactorError};
use crate::lockout::{AttemptKey, ClientClass, Lock};
use crate::password::SecondFactorState;
use crate::session::{Attempt, AuthFactor, IssueSessionError, IssuedSession, Obligation, Partial, Session, Sessions};
use crate::store::StoreError;

/// What somebody answers to the question for a second factor.
pub enum SecondFactorCode {
    /// A code from the app.
    Totp(TotpCode),
    /// A recovery code.
    Recovery(RecoveryCode),
}

/// A login that is done.
#[must_use]
pub struct SecondFactorPassed {
    /// The new session; the partial one is gone.
    pub issued: IssuedSession,
    /// The user, as they were at the login.
    pub user: User,
    /// What has to be done before anything else.
    pub obligation: Option<Obligation>,
    /// How many recovery codes are left.
    pub recovery_codes_left: u32,
}

impl LoginRules {
    /// Checks the second factor of a partial session and ends the login.
    ///
    /// The try counts in the account's budget, in the session's and in that of the account's codes, before the code is
    /// looked at. Commit the transaction whatever the answer is.
    ///
    /// # Errors
    ///
    /// [`SecondFactorError`].
    pub async fn finish_second_factor(
        &self,
        store: &mut dyn LoginStore,
        (sessions, factors): (&Sessions, &SecondFactors),
        session: Session<Partial>,
        code: &SecondFactorCode,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<SecondFactorPassed, SecondFactorError> {
        let candidate = store.find_candidate(session.user()).await?.ok_or(SecondFactorError::SessionEnded)?;
        let user = candidate.user;
        let key = AttemptKey {
            account: self.account_key(&user.email),
            client: session.record().device.map_or(ClientClass::Untrusted, ClientClass::Trusted),
        };
        let charged = match self.charge(store, key, Some(user.id), now).await {
            Ok(charged) => charged,
            Err(BeginLoginError::Locked { lock, .. }) => {
                // Guessing does not go on where it was stopped once the lock is over.
                sessions.end(store, session.record()).await?;
                return Err(SecondFactorError::Locked(lock));
            }
            Err(BeginLoginError::Store(error)) => return Err(error.into()),
        };
        let Attempt::Granted { left } = sessions.charge_attempt(store, &session).await? else {
            return Err(SecondFactorError::SessionEnded);
        };
        if !user.may_log_in() {
            sessions.end(store, session.record()).await?;
            return Err(SecondFactorError::SessionEnded);
        }
        let (proof, recovery_codes_left) = match verify(store, factors, &user, code, now).await {
            Ok(proven) => proven,
            Err(error) => {
                // The failure that locks the account ends the login, too: an unlock must not let the guessing go on.
                if left == 0 || store.find_lock(&key, &self.lockout, now).await?.is_some() {
                    sessions.end(store, session.record()).await?;
                }
                return Err(match error {
                    VerifyFactorError::TooManyAttempts { retry_at } => SecondFactorError::Locked(Lock::Until(retry_at)),
                    VerifyFactorError::Store(error) => error.into(),
                    VerifyFactorError::Column(_) => {
                        self.refund(store, &charged).await?;
                        SecondFactorError::Unverifiable(error)
                    }
                    _ => SecondFactorError::InvalidCode,
                });
            }
        };
        let with_password = session.auth().factors.contains(AuthFactor::Password);
        let password = candidate.password.as_ref().filter(|_| with_password);
        let completed = store
            .complete_login(&LoginCompletion {
                user: user.id,
                epoch: session.record().epoch,
                password: password.map(|password| &password.record),
                upgrade: None,
                now,
            })
            .await?;
        if !completed {
            sessions.end(store, session.record()).await?;
            return Err(SecondFactorError::SessionEnded);
        }
        store.clear_attempts(&charged.key).await?;
        let obligation = self.obligation(&user, SecondFactorState::Active);
        let issued = sessions.complete(store, session, proof, obligation, now, entropy).await?;
        Ok(SecondFactorPassed {
            issued,
            user,
            obligation,
            recovery_codes_left,
        })
    }
}

async fn verify(
    store: &mut dyn LoginStore,
    factors: &SecondFactors,
    user: &User,
    code: &SecondFactorCode,
    now: Timestamp,
) -> Result<(ProvenFactor, u32), VerifyFactorError> {
    match code {
        SecondFactorCode::Totp(code) => {
            let proof = factors.verify_totp(store, user.id, code, now).await?;
            let left = store.count_recovery_codes(user.id).await?;
            Ok((proof, left))
        }
        SecondFactorCode::Recovery(code) => factors.verify_recovery(store, user.id, code, now).await,
    }
}

/// The login did not end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecondFactorError {
    /// The code is wrong or was used.
    #[error("the code is not valid")]
    InvalidCode,
    /// Too many failures at this account.
    #[error("the account is {0}")]
    Locked(Lock),
    /// The partial session is over: its tries are used up, it was used, or the account has changed.
    #[error("the login has taken too long or was ended")]
    SessionEnded,
    /// The stored secret does not open: somebody should be told. The try costs nothing.
    #[error("the second factor cannot be checked")]
    Unverifiable(#[source] VerifyFactorError),
    /// The session could not be issued.
    #[error(transparent)]
    Issue(#[from] IssueSessionError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SecondFactorError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidCode => "invalid-code",
            Self::Locked(_) => "account-locked",
            Self::SessionEnded => "session-expired",
            Self::Unverifiable(error) => error.code(),
            Self::Issue(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}
