//! Who a request is from: by the token of a session, or by an API key.

use std::sync::Arc;

use dango_audit::{Detail, Event, Outcome, Stage, Target, TargetKind, Word};
use dango_core::Timestamp;
use dango_identity::{
    ApiKeyTouch, AuthenticatedKey, CheckApiKeyError, CheckSessionError, Obligation, PlainApiKey, PlainToken, SessionId, TokenDigest, User,
    VerifiedApiKey, VerifiedSession, kind,
};
use dango_store::{Admission, AtTheDoor, Standing, StoreFailure};

use super::bearers::Known;
use crate::accounts::UserView;
use crate::actions::Actions;
use crate::caller::{Caller, audit_id};
use crate::fault::{Fault, own_refusals};
use crate::holder::SignedIn;
use crate::unit::{Record, Unit};

/// A program with a key that counts.
#[derive(Debug)]
pub struct KeyHolder {
    /// Who asks.
    pub caller: Caller,
    /// The key's owner.
    pub user: User,
    /// The key.
    pub key: AuthenticatedKey,
    /// What the owner has to do before anything else; until then the key does nothing either.
    pub obligation: Option<Obligation>,
    pub(crate) standing: Arc<Standing>,
    pub(crate) seen_at: Timestamp,
}

impl KeyHolder {
    /// The owner as lists show them, as they were when the key was checked. Nothing is read for it.
    pub fn view(&self) -> UserView {
        UserView::of(&self.standing, self.seen_at)
    }
}

own_refusals! {
    /// The request is nobody's.
    AuthenticateError {
        /// No such session or key, or it is over; nobody is told which.
        Unauthenticated = "authentication_required", "a login or an API key is required";
        /// Nobody is let in at all.
        Closed = "auth_disabled", "signing in is switched off";
    }
}

/// Why a request is nobody's.
enum Refusal {
    /// The door is closed.
    Closed,
    /// No such row, or a user who may not log in.
    Nobody,
    /// As that, and it is to be written down.
    Recorded(Record),
    Fault(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreFailure> for Refusal {
    fn from(failure: StoreFailure) -> Self {
        Self::Fault(failure.into())
    }
}

impl Actions {
    /// Finds out whose session a token is, at which stage it is, and what its user has to do first. It reads only where something was
    /// committed since it last did, and writes at most once a minute that the session was used; where that cannot be written the
    /// session counts all the same. `caller` is anonymous: who it turns out to be asks from the same place, under the same request.
    ///
    /// Permission: none. Audit: `session_row_invalid` for a row that was written by hand, `session_use_after_expire`; at most as
    /// often as denials.
    ///
    /// # Errors
    ///
    /// [`AuthenticateError`].
    pub async fn authenticate(&self, token: PlainToken<kind::Session>, caller: Caller) -> Result<SignedIn, AuthenticateError> {
        match self.check_session(&token, &caller).await {
            Ok(signed_in) => Ok(signed_in),
            Err(refusal) => Err(self.refused(refusal, caller).await),
        }
    }

    /// Finds out whose API key it is. It reads and writes as [`Actions::authenticate`] does.
    ///
    /// Permission: none. Audit: `api_key_refused` for a key that is over, is used from elsewhere, or whose row was written by hand;
    /// at most as often as denials.
    ///
    /// # Errors
    ///
    /// [`AuthenticateError`].
    pub async fn authenticate_key(&self, key: PlainApiKey, caller: Caller) -> Result<KeyHolder, AuthenticateError> {
        match self.check_key(key, &caller).await {
            Ok(holder) => Ok(holder),
            Err(refusal) => Err(self.refused(refusal, caller).await),
        }
    }

    async fn check_session(&self, token: &PlainToken<kind::Session>, visitor: &Caller) -> Result<SignedIn, Refusal> {
        let inner = self.inner();
        let digest = inner.sessions.digest(token);
        let known = match self.known_session(&digest).await {
            Err(Refusal::Nobody) => return Err(self.planted(token, visitor).await?),
            known => known?,
        };
        let now = inner.clock.now();
        let session = inner.sessions.admit(&known.row, now).map_err(refused_session)?;
        let user = &known.standing.user;
        if !user.may_log_in() {
            return Err(Refusal::Nobody);
        }
        let session = session.under(inner.rules.obligation(user, known.standing.second_factor));
        let signed_in = SignedIn::new(&known.standing, session, visitor.clone(), now);
        let touch = inner.sessions.due_touch(known.row.record(), now);
        if let Some((touch, _turn)) = touch.zip(inner.bearers.take_turn(*digest.as_bytes())) {
            let write = self.write(signed_in.caller(), move |unit| {
                Box::pin(async move { Ok(Ok(unit.tx.touch_session(&digest, &touch).await?)) })
            });
            let _: Result<bool, Fault> = write.await;
        }
        Ok(signed_in)
    }

    async fn check_key(&self, key: PlainApiKey, visitor: &Caller) -> Result<KeyHolder, Refusal> {
        let inner = self.inner();
        let digest = inner.api_keys.digest(&key);
        let known = self.known_key(&digest).await?;
        let now = inner.clock.now();
        let key = match inner.api_keys.admit(&known.row, visitor.client(), now) {
            // It has two holders, so its family ends. What a later reading says of it counts.
            Err(CheckApiKeyError::Retired { .. }) => return Err(self.end_family(key, visitor).await?),
            admitted => admitted.map_err(refused_key)?,
        };
        let standing = Arc::clone(&known.standing);
        if !standing.user.may_log_in() {
            return Err(Refusal::Nobody);
        }
        let user = standing.user.clone();
        let caller = visitor.clone().become_key(&key, &user);
        let touch = inner.api_keys.due_touch(&key, visitor.client(), now);
        if let Some((touch, _turn)) = touch.zip(inner.bearers.take_turn(*digest.as_bytes())) {
            let id = key.id();
            let write = self.write(&caller, move |unit| {
                let ApiKeyTouch { last_used, not_after } = touch;
                Box::pin(async move { Ok(Ok(unit.tx.touch_api_key(id, &last_used, not_after).await?)) })
            });
            let _: Result<bool, Fault> = write.await;
        }
        Ok(KeyHolder {
            caller,
            obligation: inner.rules.obligation(&user, standing.second_factor),
            user,
            key,
            standing,
            seen_at: now,
        })
    }

    /// The row of a session and whose it is, as they are now. The version comes first: what is committed between it and the reading
    /// makes what was read look overtaken, never the other way round.
    async fn known_session(&self, digest: &TokenDigest<kind::Session>) -> Result<Arc<Known<VerifiedSession>>, Refusal> {
        let (inner, version) = (self.inner(), self.store().version()?);
        let kept = version.and_then(|version| inner.bearers.sessions.find(digest.as_bytes(), version));
        if let Some(known) = kept {
            return Ok(known);
        }
        let (row, standing) = let_in(self.store().session_at_the_door(*digest, self.inner()).await?)?;
        let row = inner.sessions.verify(row, digest).map_err(refused_session)?;
        let standing = Arc::new(standing);
        let known = Arc::new(Known { row, standing });
        if let Some(version) = version {
            inner.bearers.sessions.keep(*digest.as_bytes(), version, Arc::clone(&known));
        }
        Ok(known)
    }

    /// Looks for a row that somebody wrote by hand for a token that is nobody's. Only whoever shows such a token pays for it.
    async fn planted(&self, token: &PlainToken<kind::Session>, visitor: &Caller) -> Result<Refusal, Fault> {
        let digests = token.plain_digests();
        let found = self.read(visitor, move |unit| {
            Box::pin(async move { Ok(unit.inner.sessions.find_planted(unit.tx, &digests).await?) })
        });
        let found: Result<Option<SessionId>, Fault> = found.await;
        Ok(found?.map_or(Refusal::Nobody, |id| refused_session(CheckSessionError::RowInvalid { id })))
    }

    /// As [`Actions::known_session`], for a key.
    async fn known_key(&self, digest: &TokenDigest<kind::ApiKey>) -> Result<Arc<Known<VerifiedApiKey>>, Refusal> {
        let (inner, version) = (self.inner(), self.store().version()?);
        let kept = version.and_then(|version| inner.bearers.api_keys.find(digest.as_bytes(), version));
        if let Some(known) = kept {
            return Ok(known);
        }
        let (row, standing) = let_in(self.store().api_key_at_the_door(*digest, self.inner()).await?)?;
        let row = inner.api_keys.verify(row, digest).map_err(refused_key)?;
        let standing = Arc::new(standing);
        let known = Arc::new(Known { row, standing });
        if let Some(version) = version {
            inner.bearers.api_keys.keep(*digest.as_bytes(), version, Arc::clone(&known));
        }
        Ok(known)
    }

    /// Checks a key that was retired once more, where its family can be ended.
    async fn end_family(&self, key: PlainApiKey, visitor: &Caller) -> Result<Refusal, Fault> {
        let checked = self.write(visitor, move |unit| {
            Box::pin(async move {
                let client = unit.caller().client().clone();
                match unit.inner.api_keys.check(unit.tx, &key, &client, unit.now).await {
                    Err(CheckApiKeyError::Store(error)) => Err(Fault::from(error)),
                    checked => Ok(Ok(checked.err())),
                }
            })
        });
        let refusal: Result<Option<CheckApiKeyError>, Fault> = checked.await;
        Ok(refusal?.map_or(Refusal::Nobody, refused_key))
    }

    /// Writes down what is to be, and says what the client is told.
    async fn refused(&self, refusal: Refusal, visitor: Caller) -> AuthenticateError {
        let record = match refusal {
            Refusal::Closed => return AuthenticateError::Closed,
            Refusal::Fault(fault) => return fault.into(),
            Refusal::Nobody => return AuthenticateError::Unauthenticated,
            Refusal::Recorded(record) => record,
        };
        if !self.denials().admits(&visitor, record.event(), self.clock().now()) {
            return AuthenticateError::Unauthenticated;
        }
        match self.record(&visitor, record, Outcome::Denied).await {
            Ok(()) => AuthenticateError::Unauthenticated,
            Err(fault) => fault.into(),
        }
    }
}

impl Unit<'_> {
    /// Writes down that a session was shown that is none, where that is to be, in the transaction of what it was shown for.
    pub(super) async fn note_refusal(&mut self, error: CheckSessionError) -> Result<(), Fault> {
        match refused_session(error) {
            Refusal::Closed | Refusal::Nobody => Ok(()),
            Refusal::Fault(fault) => Err(fault),
            Refusal::Recorded(record) => {
                if self.inner.denials.admits(self.caller(), record.event(), self.now) {
                    self.record(record, Stage::Ended(Outcome::Denied)).await?;
                }
                Ok(())
            }
        }
    }
}

/// What was read, if anybody is let in at all.
fn let_in<R>(read: AtTheDoor<R>) -> Result<(R, Standing), Refusal> {
    match read.admission {
        Admission::Closed => Err(Refusal::Closed),
        Admission::Open => read.bearer.ok_or(Refusal::Nobody),
    }
}

fn refused_session(error: CheckSessionError) -> Refusal {
    let session = |id| Target::new(TargetKind::Session, &audit_id(id));
    match error {
        CheckSessionError::RowInvalid { id } => Refusal::Recorded(Record::of(Event::SessionRowInvalid).on(session(id))),
        CheckSessionError::Expired { id, user } | CheckSessionError::Idle { id, user } => Refusal::Recorded(
            Record::of(Event::SessionUseAfterExpire)
                .with(Detail::SessionId, &audit_id(id))
                .on(Target::new(TargetKind::User, &audit_id(user))),
        ),
        CheckSessionError::Store(error) => Refusal::Fault(error.into()),
        _ => Refusal::Nobody,
    }
}

fn refused_key(error: CheckApiKeyError) -> Refusal {
    let record = Record::of(Event::ApiKeyRefused).with(Detail::Code, Word::new(error.code()));
    let id = match error {
        CheckApiKeyError::Unknown => return Refusal::Nobody,
        CheckApiKeyError::Store(error) => return Refusal::Fault(error.into()),
        CheckApiKeyError::RowInvalid { id }
        | CheckApiKeyError::Revoked { id, .. }
        | CheckApiKeyError::Expired { id, .. }
        | CheckApiKeyError::Retired { id, .. }
        | CheckApiKeyError::AddressRefused { id, .. } => id,
        _ => return Refusal::Recorded(record),
    };
    Refusal::Recorded(record.on(Target::new(TargetKind::ApiKey, &audit_id(id))))
}
