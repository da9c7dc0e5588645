//! Sessions whose stage is part of their type, so that code for one stage does not compile with a session of another.

use std::marker::PhantomData;
use std::time::Duration;

use dango_core::Timestamp;

use super::{AuthContext, Obligation, SessionRecord, Stage};
use crate::id::{SessionId, UserId};

/// The stage at which the second factor is still to come.
#[derive(Debug)]
pub enum Partial {}

/// The stage at which something has to be done first: change the password, or enrol a second factor.
#[derive(Debug)]
pub enum Restricted {}

/// The stage at which everything that the user may do can be done.
#[derive(Debug)]
pub enum Full {}

/// A session that was found, is what was issued, and is not over. It comes from [`Sessions`](super::Sessions) alone.
///
/// Code for a full session does not compile with a partial one:
///
/// ```compile_fail,E0308
/// use dango_identity::{Full, Partial, Session};
/// fn show_secrets(session: &Session<Full>) {}
/// fn handler(session: &Session<Partial>) {
///     show_secrets(session);
/// }
/// ```
///
/// Nor can one be made up:
///
/// ```compile_fail,E0423
/// use dango_identity::{Full, Session, SessionRecord};
/// fn forge(record: SessionRecord) -> Session<Full> {
///     Session(record, std::marker::PhantomData)
/// }
/// ```
#[derive(Debug)]
pub struct Session<S>(pub(super) SessionRecord, PhantomData<fn() -> S>);

impl<S> Session<S> {
    pub(super) const fn new(record: SessionRecord) -> Self {
        Self(record, PhantomData)
    }

    /// The session's id.
    pub const fn id(&self) -> SessionId {
        self.0.id
    }

    /// Whose session it is.
    pub const fn user(&self) -> UserId {
        self.0.user
    }

    /// How its holder was proven.
    pub const fn auth(&self) -> &AuthContext {
        &self.0.auth
    }

    /// The row.
    pub const fn record(&self) -> &SessionRecord {
        &self.0
    }
}

impl Session<Full> {
    /// Whether its holder was proven at most this long ago, by a login or a step-up.
    pub fn is_fresh(&self, window: Duration, now: Timestamp) -> bool {
        self.0.auth.is_fresh(window, now)
    }
}

/// A session at whatever stage.
#[derive(Debug)]
pub enum AnySession {
    /// The second factor is still to come.
    Partial(Session<Partial>),
    /// Something has to be done first.
    Restricted(Session<Restricted>, Obligation),
    /// Logged in.
    Full(Session<Full>),
}

impl AnySession {
    pub(super) const fn new(record: SessionRecord) -> Self {
        match record.stage {
            Stage::SecondFactorPending => Self::Partial(Session::new(record)),
            Stage::PasswordChangeRequired => Self::Restricted(Session::new(record), Obligation::PasswordChange),
            Stage::EnrolmentRequired => Self::Restricted(Session::new(record), Obligation::Enrolment),
            Stage::Full => Self::Full(Session::new(record)),
        }
    }

    /// The session under an obligation that the user has come under since it was issued: a full one is restricted by it.
    #[must_use]
    pub fn under(self, obligation: Option<Obligation>) -> Self {
        match (self, obligation) {
            (Self::Full(session), Some(obligation)) => Self::Restricted(Session::new(session.0), obligation),
            (session, _) => session,
        }
    }

    /// The row.
    pub const fn record(&self) -> &SessionRecord {
        match self {
            Self::Partial(session) => &session.0,
            Self::Restricted(session, _) => &session.0,
            Self::Full(session) => &session.0,
        }
    }
}
