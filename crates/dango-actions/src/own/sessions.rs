//! One's own sessions: leaving, listing, ending others.

use std::sync::Arc;

use dango_audit::{Detail, Event, Target, TargetKind};
use dango_identity::{Full, PlainToken, Revocation, SessionId, SessionList, SessionRecord, kind};

use crate::accounts::count;
use crate::actions::Actions;
use crate::caller::audit_id;
use crate::fault::{Fault, own_refusals};
use crate::holder::{Holder, SignedIn};
use crate::unit::{Record, Unit};

own_refusals! {
    /// The session goes on.
    RevokeSessionError {
        /// The user has no such session; another user's looks the same.
        NotFound = "not_found", "there is no such session";
        /// It is the one in use.
        Current = "current_session", "this is the session in use: log out instead";
        /// The session that asks has ended meanwhile.
        SessionEnded = "session_expired", "the session has ended";
    }
}

impl Actions {
    /// Logs out: the session ends on the server, at whatever stage it is.
    ///
    /// Permission: the session. Audit: `logout`.
    ///
    /// # Errors
    ///
    /// [`Fault`] if the database cannot be written.
    pub async fn log_out(&self, signed_in: SignedIn) -> Result<(), Fault> {
        let caller = signed_in.caller().clone();
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let record = match &signed_in {
                    SignedIn::Partial(holder) => holder.session.record(),
                    SignedIn::Restricted(holder, _) => holder.session.record(),
                    SignedIn::Full(holder) => holder.session.record(),
                };
                unit.log_out(record).await?;
                Ok(Ok(()))
            })
        })
        .await
    }

    /// Lists the holder's sessions that are live and logged in.
    ///
    /// Permission: the session. Audit: none.
    ///
    /// # Errors
    ///
    /// [`Fault`] if the database cannot be read.
    pub async fn list_sessions(&self, holder: &Holder<Full>) -> Result<SessionList, Fault> {
        let user = holder.user.id;
        self.read(&holder.caller, move |unit| {
            Box::pin(async move { Ok(unit.inner.sessions.list(unit.tx, user, unit.now).await?) })
        })
        .await
    }

    /// Ends another session of the holder.
    ///
    /// Permission: the session. Audit: `session_revoked`.
    ///
    /// # Errors
    ///
    /// [`RevokeSessionError`].
    pub async fn revoke_session(&self, holder: Holder<Full>, id: SessionId) -> Result<(), RevokeSessionError> {
        let caller = holder.caller.clone();
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let inner = Arc::clone(&unit.inner);
                let record = Record::of(Event::SessionRevoked).on(Target::new(TargetKind::Session, &audit_id(id)));
                if !unit.is_live(holder.session.record()).await? {
                    return unit.refuse(record, RevokeSessionError::SessionEnded).await;
                }
                let refusal = match inner.sessions.revoke(unit.tx, &holder.session, id).await? {
                    Revocation::Ended => {
                        unit.succeed(record.with(Detail::Count, 1)).await?;
                        return Ok(Ok(()));
                    }
                    Revocation::NotFound => RevokeSessionError::NotFound,
                    Revocation::Current => RevokeSessionError::Current,
                };
                unit.refuse(record, refusal).await
            })
        })
        .await
    }

    /// Ends all other sessions of the holder; answers how many.
    ///
    /// Permission: the session. Audit: `session_revoked` with the count.
    ///
    /// # Errors
    ///
    /// [`RevokeSessionError::SessionEnded`].
    pub async fn revoke_other_sessions(&self, holder: Holder<Full>) -> Result<u64, RevokeSessionError> {
        let caller = holder.caller.clone();
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                let inner = Arc::clone(&unit.inner);
                let record = Record::of(Event::SessionRevoked).on_user(&holder.user);
                if !unit.is_live(holder.session.record()).await? {
                    return unit.refuse(record, RevokeSessionError::SessionEnded).await;
                }
                let ended = inner.sessions.end_others(unit.tx, &holder.session).await?;
                unit.succeed(record.with(Detail::Count, count(ended))).await?;
                Ok(Ok(ended))
            })
        })
        .await
    }
}

impl Unit<'_> {
    /// Ends a session as its holder does who leaves.
    async fn log_out(&mut self, session: &SessionRecord) -> Result<(), Fault> {
        let inner = Arc::clone(&self.inner);
        inner.sessions.end(self.tx, session).await?;
        let target = Target::new(TargetKind::Session, &audit_id(session.id));
        self.succeed(Record::of(Event::Logout).on(target)).await?;
        Ok(())
    }

    /// Ends the session that a browser has until now, as an act of its holder. What is no session changes nothing, and is written down
    /// where it would be if it were shown by itself.
    pub(super) async fn end_earlier(&mut self, token: Option<PlainToken<kind::Session>>) -> Result<(), Fault> {
        let Some(token) = token else { return Ok(()) };
        let (inner, visitor) = (Arc::clone(&self.inner), self.caller().clone());
        let session = match inner.sessions.check(self.tx, &token, self.now).await {
            Ok(session) => session,
            Err(error) => return self.note_refusal(error).await,
        };
        let user = self.tx.find_user(session.record().user).await?;
        let Some(user) = user.filter(dango_identity::User::may_log_in) else {
            return Ok(());
        };
        self.act_as(visitor.clone().become_user(&user, &session));
        self.log_out(session.record()).await?;
        self.act_as(visitor);
        Ok(())
    }
}
