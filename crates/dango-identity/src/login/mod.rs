//! The login ceremony and every other check of a password: charge, compute, settle. The computing never happens inside a transaction.

mod check;
mod password;
mod second_factor;
mod step;

use dango_core::Timestamp;

use crate::account::{LoginCandidate, User, UserStore};
use crate::email::Email;
use crate::factor::{FactorKind, FactorStore};
use crate::id::UserId;
use crate::key::{AccountNameKey, IdentityKey};
use crate::lockout::{AccountKey, AttemptKey, AttemptStore, Charge, ChargedAttempt, ClientClass, Lock, LockoutPolicy};
use crate::password::SecondFactorState;
use crate::role::Role;
use crate::session::{Obligation, SessionStore};
use crate::store::StoreError;
pub use check::{BeginCheckError, CheckedPassword, PasswordCheck, PasswordUnchanged, ProvenPassword, check_new_password};
pub use password::{CheckedLogin, LoginAttempt, LoginError};
pub use second_factor::{SecondFactorCode, SecondFactorError, SecondFactorPassed};
pub use step::{Authenticated, LoginStep, PendingSecondFactor};

/// Everything that a login touches, as one store.
pub trait LoginStore: UserStore + AttemptStore + FactorStore + SessionStore {}

impl<S: UserStore + AttemptStore + FactorStore + SessionStore> LoginStore for S {}

/// The rules of logging in under one identity key and one policy.
///
/// A login is `begin_login` (in a transaction), [`LoginAttempt::verify`] (outside of any, on a thread that may block),
/// [`CheckedLogin::settle`] (in a second transaction). Both transactions are committed whatever the answer is: a failure
/// that is rolled back is a guess that was free.
///
/// The order of the gates is fixed: lock, credential, active account, second factor, change that is due, enrolment that
/// is due.
///
/// ```
/// use dango_core::{Clock, OsEntropy, SystemClock};
/// use dango_identity::*;
///
/// # pollster::block_on(async {
/// let (key, now) = (IdentityKey::make(&OsEntropy)?, SystemClock.now());
/// let hasher = PasswordHasher::with_defaults(&key, &OsEntropy)?;
/// let password = Password::new("correct horse battery staple".to_owned())?;
///
/// let mut store = MemoryStore::new();
/// let chosen = StoredPassword::chosen(hasher.hash(&password, &OsEntropy)?, now);
/// let new = NewUser::with_password("ana@example.com".parse()?, Role::Editor, chosen, now, &OsEntropy)?;
/// assert_eq!(store.insert_user(&new).await?, InsertUser::Inserted);
///
/// let rules = LoginRules::new(&key, LockoutPolicy::default());
/// let attempt = rules.begin_login(&mut store, "Ana@Example.com", &|_| ClientClass::Untrusted, now).await?;
/// let checked = attempt.verify(&hasher, &password, &OsEntropy);
/// let LoginStep::Done(ana) = checked.settle(&rules, &mut store, now).await? else {
///     return Err("there is no second factor to ask for".into());
/// };
/// assert!(ana.user().role.permissions().contains(Permission::SourceSync));
/// assert!(!ana.user().role.permissions().contains(Permission::UsersManage));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
pub struct LoginRules {
    names: AccountNameKey,
    lockout: LockoutPolicy,
    second_factor_roles: Vec<Role>,
}

impl LoginRules {
    /// The rules under a key and a lockout policy; no role must have a second factor.
    pub fn new(key: &IdentityKey, lockout: LockoutPolicy) -> Self {
        Self {
            names: AccountNameKey::derive(key),
            lockout,
            second_factor_roles: Vec::new(),
        }
    }

    /// The same rules, with roles whose users can do nothing but enrol until they have a second factor.
    #[must_use]
    pub fn with_second_factor_for(self, roles: &[Role]) -> Self {
        Self {
            second_factor_roles: roles.to_vec(),
            ..self
        }
    }

    /// The lockout policy.
    pub const fn lockout(&self) -> &LockoutPolicy {
        &self.lockout
    }

    /// The name under which an account's failures are counted.
    pub fn account_key(&self, email: &Email) -> AccountKey {
        AccountKey::of(&self.names, email)
    }

    /// What a user who is logged in has to do before anything else. It is asked at every request, not only at the login.
    pub fn obligation(&self, user: &User, second_factor: SecondFactorState) -> Option<Obligation> {
        if user.must_change_password {
            Some(Obligation::PasswordChange)
        } else if second_factor == SecondFactorState::Absent && self.second_factor_roles.contains(&user.role) {
            Some(Obligation::Enrolment)
        } else {
            None
        }
    }

    /// Begins a login: finds out whom it concerns and charges the try, whether there is such an account or not.
    ///
    /// `classify` says whether the client has a valid device cookie of the account that was found.
    ///
    /// # Errors
    ///
    /// [`BeginLoginError::Locked`], also for accounts that do not exist.
    pub async fn begin_login(
        &self,
        store: &mut dyn LoginStore,
        typed_email: &str,
        classify: &(dyn Fn(&User) -> ClientClass + Send + Sync),
        now: Timestamp,
    ) -> Result<LoginAttempt, BeginLoginError> {
        let candidate = match typed_email.parse() {
            Ok(email) => store.find_candidate_by_email(&email).await?,
            Err(_) => None,
        };
        let client = candidate
            .as_ref()
            .map_or(ClientClass::Untrusted, |candidate| classify(&candidate.user));
        let account = AccountKey::of_typed(&self.names, typed_email);
        let user = candidate.as_ref().map(|candidate| candidate.user.id);
        let charged = self.charge(store, AttemptKey { account, client }, user, now).await?;
        Ok(LoginAttempt::new(charged, candidate))
    }

    /// Charges a try, or says what locks it.
    async fn charge(
        &self,
        store: &mut dyn LoginStore,
        key: AttemptKey,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Result<ChargedAttempt, BeginLoginError> {
        match store.charge_attempt(&key, &self.lockout, now).await? {
            Charge::Granted { window } => Ok(ChargedAttempt { key, window }),
            Charge::Refused(lock) => Err(BeginLoginError::Locked { lock, user }),
        }
    }

    async fn refund(&self, store: &mut dyn LoginStore, charged: &ChargedAttempt) -> Result<(), StoreError> {
        store.refund_attempt(charged, &self.lockout).await
    }
}

/// A try that was not admitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BeginLoginError {
    /// Too many failures. Nothing was counted.
    #[error("the account is {lock}")]
    Locked {
        /// For how long.
        lock: Lock,
        /// Whose account it is, for the audit log alone: the client is told the same where there is none.
        user: Option<UserId>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BeginLoginError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "account-locked",
            Self::Store(error) => error.code(),
        }
    }
}

/// Finds out whether a user has a second factor that is active. Recovery codes are none by themselves.
///
/// # Errors
///
/// [`StoreError`].
pub async fn find_second_factor_state(store: &mut dyn FactorStore, user: UserId) -> Result<SecondFactorState, StoreError> {
    let factors = store.factors_of(user).await?;
    let active = factors.iter().any(|factor| factor.kind != FactorKind::Recovery);
    Ok(if active {
        SecondFactorState::Active
    } else {
        SecondFactorState::Absent
    })
}

/// Whether the account is still what it was when the password was read: not switched off, not changed, nothing ended.
fn is_same(before: &LoginCandidate, now: &LoginCandidate) -> bool {
    let text = |candidate: &LoginCandidate| candidate.password.as_ref().map(|password| password.record.as_str().to_owned());
    before.user.epoch == now.user.epoch && text(before) == text(now)
}

#[cfg(test)]
mod tests;
