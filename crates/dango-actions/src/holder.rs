//! Who is signed in, with the session that says so. The stage of the session is part of the type, so no action runs at the wrong one.

use std::sync::Arc;

use dango_core::Timestamp;
use dango_identity::{AnySession, Full, Obligation, Partial, Restricted, Session, SessionRecord, User};
use dango_store::{Admission, Standing};

use crate::accounts::UserView;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::unit::Unit;

/// Somebody with a session at some stage. It comes from [`Actions::authenticate`](crate::Actions::authenticate) alone.
#[derive(Debug)]
pub struct Holder<S> {
    pub(crate) caller: Caller,
    pub(crate) user: User,
    pub(crate) session: Session<S>,
    standing: Arc<Standing>,
    seen_at: Timestamp,
}

impl<S> Holder<S> {
    fn new(standing: &Arc<Standing>, caller: Caller, session: Session<S>, now: Timestamp) -> Self {
        Self {
            caller,
            user: standing.user.clone(),
            session,
            standing: Arc::clone(standing),
            seen_at: now,
        }
    }

    /// The user as lists show them, as they were when the session was checked. Nothing is read for it.
    pub fn view(&self) -> UserView {
        UserView::of(&self.standing, self.seen_at)
    }

    /// The user, as they were when the session was checked.
    pub const fn user(&self) -> &User {
        &self.user
    }

    /// Who asks, for [`Actions::permit`](crate::Actions::permit).
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The session.
    pub const fn session(&self) -> &Session<S> {
        &self.session
    }
}

/// Somebody with a session, by how far it has come.
#[derive(Debug)]
pub enum SignedIn {
    /// The second factor is still to come.
    Partial(Holder<Partial>),
    /// Something has to be done first.
    Restricted(Holder<Restricted>, Obligation),
    /// Logged in.
    Full(Holder<Full>),
}

impl SignedIn {
    pub(crate) fn new(standing: &Arc<Standing>, session: AnySession, visitor: Caller, now: Timestamp) -> Self {
        let caller = visitor.become_user(&standing.user, &session);
        match session {
            AnySession::Partial(session) => Self::Partial(Holder::new(standing, caller, session, now)),
            AnySession::Restricted(session, obligation) => Self::Restricted(Holder::new(standing, caller, session, now), obligation),
            AnySession::Full(session) => Self::Full(Holder::new(standing, caller, session, now)),
        }
    }

    /// The user as lists show them, as they were when the session was checked. Nothing is read for it.
    pub fn view(&self) -> UserView {
        match self {
            Self::Partial(holder) => holder.view(),
            Self::Restricted(holder, _) => holder.view(),
            Self::Full(holder) => holder.view(),
        }
    }

    /// The user.
    pub const fn user(&self) -> &User {
        match self {
            Self::Partial(holder) => &holder.user,
            Self::Restricted(holder, _) => &holder.user,
            Self::Full(holder) => &holder.user,
        }
    }

    /// Who asks.
    pub const fn caller(&self) -> &Caller {
        match self {
            Self::Partial(holder) => &holder.caller,
            Self::Restricted(holder, _) => &holder.caller,
            Self::Full(holder) => &holder.caller,
        }
    }
}

/// A stage at which somebody is logged in: the password was right, and the second factor where there is one.
pub trait LoggedIn: sealed::Sealed + Send + 'static {}

impl LoggedIn for Full {}
impl LoggedIn for Restricted {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for dango_identity::Full {}
    impl Sealed for dango_identity::Restricted {}
}

impl Unit<'_> {
    /// Whether a session still counts, now that nothing can come between: it is there, its user may log in, the door is open.
    pub(crate) async fn is_live(&mut self, session: &SessionRecord) -> Result<bool, Fault> {
        if self.tx.admission().await? == Admission::Closed {
            return Ok(false);
        }
        let stored = self.tx.find_session(&session.digest).await?;
        let is_there = stored.is_some_and(|stored| stored.record.id == session.id && stored.epoch == session.epoch);
        let user = self.tx.find_user(session.user).await?;
        Ok(is_there && user.is_some_and(|user| user.may_log_in()))
    }
}
