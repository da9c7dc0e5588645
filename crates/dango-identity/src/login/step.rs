//! Where a login has got to: done, or waiting for the second factor. Neither can be made up outside this module.

use dango_core::Timestamp;

use super::{LoginRules, LoginStore, find_second_factor_state};
use crate::account::{LoginCompletion, User};
use crate::client::Client;
use crate::id::{DeviceId, UserId};
use crate::password::SecondFactorState;
use crate::session::{AuthFactor, FactorSet, NewSession, Obligation, Stage};
use crate::store::StoreError;

/// What comes after a first factor that was right.
#[must_use]
pub enum LoginStep {
    /// Nothing more has to be proven.
    Done(Authenticated),
    /// A second factor has to be.
    SecondFactor(PendingSecondFactor),
}

/// Somebody who has proven who they are, with every factor that their account asks for.
///
/// It comes from a login alone:
///
/// ```compile_fail,E0451
/// use dango_identity::{Authenticated, FactorSet, User};
/// fn forge(user: User, factors: FactorSet) -> Authenticated {
///     Authenticated { user, factors, obligation: None }
/// }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Authenticated {
    user: User,
    factors: FactorSet,
    obligation: Option<Obligation>,
}

impl Authenticated {
    pub(super) const fn new(user: User, factors: FactorSet, obligation: Option<Obligation>) -> Self {
        Self { user, factors, obligation }
    }

    /// The user, as they were at the login; `last_login` is that of the login before.
    pub const fn user(&self) -> &User {
        &self.user
    }

    /// What was proven.
    pub const fn factors(&self) -> FactorSet {
        self.factors
    }

    /// What has to be done before anything else.
    pub const fn obligation(&self) -> Option<Obligation> {
        self.obligation
    }

    /// The session that this is good for.
    pub fn into_session(self, client: Client, device: Option<DeviceId>) -> NewSession {
        NewSession {
            user: self.user.id,
            epoch: self.user.epoch,
            factors: self.factors,
            stage: Stage::after_login(self.obligation),
            client,
            device,
        }
    }
}

/// Somebody who has proven the first factor of an account that asks for a second.
#[derive(Debug)]
#[must_use]
pub struct PendingSecondFactor {
    user: User,
    factors: FactorSet,
}

impl PendingSecondFactor {
    pub(super) const fn new(user: User, factors: FactorSet) -> Self {
        Self { user, factors }
    }

    /// The user's id.
    pub const fn user(&self) -> UserId {
        self.user.id
    }

    /// The partial session that this is good for. It reaches nothing but the check of the second factor.
    pub fn into_session(self, client: Client, device: Option<DeviceId>) -> NewSession {
        NewSession {
            user: self.user.id,
            epoch: self.user.epoch,
            factors: self.factors,
            stage: Stage::SecondFactorPending,
            client,
            device,
        }
    }
}

impl LoginRules {
    /// Lets in the user whom [`decide_external_login`](crate::decide_external_login) named, through the same gates as a
    /// password: no second factor, change or enrolment that is due is skipped. Answers nothing where the account has been
    /// switched off or changed since it was read.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn admit_external(&self, store: &mut dyn LoginStore, user: &User, now: Timestamp) -> Result<Option<LoginStep>, StoreError> {
        let factors = FactorSet::of(AuthFactor::External);
        let Some(fresh) = store.find_user(user.id).await? else {
            return Ok(None);
        };
        if fresh.epoch != user.epoch || !fresh.may_log_in() {
            return Ok(None);
        }
        if find_second_factor_state(store, fresh.id).await? == SecondFactorState::Active {
            return Ok(Some(LoginStep::SecondFactor(PendingSecondFactor::new(fresh, factors))));
        }
        let login = LoginCompletion {
            user: fresh.id,
            epoch: fresh.epoch,
            password: None,
            upgrade: None,
            now,
        };
        if !store.complete_login(&login).await? {
            return Ok(None);
        }
        let obligation = self.obligation(&fresh, SecondFactorState::Absent);
        Ok(Some(LoginStep::Done(Authenticated::new(fresh, factors, obligation))))
    }
}
