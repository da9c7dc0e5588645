//! The rules of sessions: issuing, rotating and ending them. How a token's row is checked is in `check`.

use dango_core::{Entropy, Timestamp};

use super::error::{CheckSessionError, IssueSessionError};
use super::typed::{AnySession, Full, Partial, Restricted, Session};
use super::{AuthContext, FactorSet, Obligation, SessionLimits, SessionRecord, SessionStore, SessionWrite, Stage};
use crate::client::Client;
use crate::epoch::SecurityEpoch;
use crate::factor::ProvenFactor;
use crate::id::{DeviceId, SessionId, UserId};
use crate::instant::after;
use crate::key::{IdentityKey, SessionMacKey, TokenKey};
use crate::store::StoreError;
use crate::token::{PlainToken, kind};

/// The rules of sessions under one identity key and one set of limits.
///
/// ```
/// use dango_core::{Clock, OsEntropy, SystemClock};
/// use dango_identity::{
///     AnySession, AuthFactor, Client, FactorSet, IdentityKey, MemoryStore, NewSession, PlainToken, SecurityEpoch, SessionLimits, Sessions, Stage, UserId,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # pollster::block_on(async {
/// let (mut store, now) = (MemoryStore::new(), SystemClock.now());
/// let sessions = Sessions::new(&IdentityKey::make(&OsEntropy)?, SessionLimits::default());
/// let login = NewSession {
///     user: UserId::make(now, &OsEntropy)?,
///     epoch: SecurityEpoch::default(),
///     factors: FactorSet::of(AuthFactor::Password),
///     stage: Stage::Full,
///     client: Client::default(),
///     device: None,
/// };
/// let issued = sessions.begin(&mut store, login, now, &OsEntropy).await?;
///
/// // What the browser sends back with its next request:
/// let token = PlainToken::parse(issued.token.expose())?;
/// let AnySession::Full(session) = sessions.check(&mut store, &token, now).await? else {
///     return Err("not logged in".into());
/// };
/// sessions.touch(&mut store, &session, now).await?;
///
/// sessions.end(&mut store, session.record()).await?;
/// assert!(sessions.check(&mut store, &token, now).await.is_err());
/// # Ok(())
/// # })
/// # }
/// ```
pub struct Sessions {
    pub(super) tokens: TokenKey,
    pub(super) mac: SessionMacKey,
    pub(super) limits: SessionLimits,
}

/// What a session is issued for: a user whose proof has just succeeded.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The user.
    pub user: UserId,
    /// The epoch that the user was in when the proof was checked. If it has changed since, no session is issued.
    pub epoch: SecurityEpoch,
    /// What was proven.
    pub factors: FactorSet,
    /// How far that gets.
    pub stage: Stage,
    /// Where it came from.
    pub client: Client,
    /// The browser, where it is known.
    pub device: Option<DeviceId>,
}

/// A session that was just issued or rotated.
pub struct IssuedSession {
    /// The token, for its holder alone. An earlier one of the same session is dead.
    pub token: PlainToken<kind::Session>,
    /// The session.
    pub session: AnySession,
    /// The sessions that ended to make room, oldest first.
    pub evicted: Vec<SessionId>,
}

impl Sessions {
    /// The rules under a key.
    pub fn new(key: &IdentityKey, limits: SessionLimits) -> Self {
        Self {
            tokens: TokenKey::derive(key),
            mac: SessionMacKey::derive(key),
            limits,
        }
    }

    /// The limits.
    pub const fn limits(&self) -> &SessionLimits {
        &self.limits
    }

    /// Issues a session with a token of its own. No token that a client brought is ever adopted.
    ///
    /// # Errors
    ///
    /// [`IssueSessionError::Stale`] where everything of the user's was ended since the proof was checked.
    pub async fn begin(
        &self,
        store: &mut dyn SessionStore,
        new: NewSession,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<IssuedSession, IssueSessionError> {
        let token = PlainToken::make(entropy)?;
        let span = if new.stage.is_partial() {
            self.limits.partial
        } else {
            self.limits.absolute
        };
        let record = SessionRecord {
            id: SessionId::make(now, entropy)?,
            digest: token.digest(&self.tokens),
            user: new.user,
            stage: new.stage,
            auth: AuthContext::at_login(new.factors, now),
            epoch: new.epoch,
            created_at: now,
            expires_at: after(now, span),
            last_active: now,
            client: new.client,
            device: new.device,
            mac: [0; 32],
        }
        .authenticated(&self.mac);
        let written = store.insert_session(&record, self.limits.parallel).await?;
        issued(token, record, written)
    }

    /// Charges one try of a second factor before it is checked. After the last one allowed the session is dead, and so is it
    /// for all that come at the same time.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn charge_attempt(&self, store: &mut dyn SessionStore, session: &Session<Partial>) -> Result<Attempt, StoreError> {
        let digest = &session.record().digest;
        let limit = self.limits.partial_attempts;
        Ok(match store.charge_session_attempt(digest, limit).await? {
            Some(made) => Attempt::Granted {
                left: limit.saturating_sub(made),
            },
            None => Attempt::Refused,
        })
    }

    /// Ends a partial session with the next stage: the second factor is proven. The old token is dead.
    ///
    /// # Errors
    ///
    /// [`IssueSessionError::Stale`] where the session has ended or was used for this already, and
    /// [`IssueSessionError::ProofOfAnother`] where somebody else's factor was proven.
    pub async fn complete(
        &self,
        store: &mut dyn SessionStore,
        session: Session<Partial>,
        proof: ProvenFactor,
        obligation: Option<Obligation>,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<IssuedSession, IssueSessionError> {
        if proof.user() != session.user() {
            return Err(IssueSessionError::ProofOfAnother);
        }
        let factors = session.auth().factors.with(proof.factor());
        let record = SessionRecord {
            stage: Stage::after_login(obligation),
            auth: AuthContext::at_login(factors, now),
            created_at: now,
            expires_at: after(now, self.limits.absolute),
            ..session.0
        };
        self.rotate(store, record, now, entropy).await
    }

    /// Opens the step-up window again: the holder has just proven these factors. The old token is dead; how long the session
    /// lasts in all stays what it was.
    ///
    /// # Errors
    ///
    /// [`IssueSessionError::Stale`] where the session has ended meanwhile.
    pub async fn step_up(
        &self,
        store: &mut dyn SessionStore,
        session: Session<Full>,
        proven: FactorSet,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<IssuedSession, IssueSessionError> {
        let record = SessionRecord {
            auth: session.auth().stepped_up(proven, now),
            ..session.0
        };
        self.rotate(store, record, now, entropy).await
    }

    /// Moves a restricted session on once its obligation is fulfilled. The old token is dead.
    ///
    /// # Errors
    ///
    /// [`IssueSessionError::Stale`] where the session has ended meanwhile.
    pub async fn release(
        &self,
        store: &mut dyn SessionStore,
        session: Session<Restricted>,
        proven: FactorSet,
        next: Option<Obligation>,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<IssuedSession, IssueSessionError> {
        let record = SessionRecord {
            stage: Stage::after_login(next),
            auth: session.auth().stepped_up(proven, now),
            ..session.0
        };
        self.rotate(store, record, now, entropy).await
    }

    /// Logs out.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn end(&self, store: &mut dyn SessionStore, session: &SessionRecord) -> Result<bool, StoreError> {
        store.end_session(&session.digest).await
    }

    /// Ends another session of the same user.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn revoke(&self, store: &mut dyn SessionStore, current: &Session<Full>, id: SessionId) -> Result<Revocation, StoreError> {
        if id == current.id() {
            return Ok(Revocation::Current);
        }
        let ended = store.end_session_of(current.user(), id).await?;
        Ok(if ended { Revocation::Ended } else { Revocation::NotFound })
    }

    /// Ends all other sessions of the same user; answers how many.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn end_others(&self, store: &mut dyn SessionStore, current: &Session<Full>) -> Result<u64, StoreError> {
        store.end_sessions_except(current.user(), current.id()).await
    }

    /// The live sessions of a user that are logged in, newest first, and apart from them the rows that are no sessions.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn list(&self, store: &mut dyn SessionStore, user: UserId, now: Timestamp) -> Result<SessionList, StoreError> {
        let mut list = SessionList {
            live: Vec::new(),
            invalid: Vec::new(),
        };
        for stored in store.sessions_of(user).await? {
            let digest = stored.record.digest;
            match self.verify(stored, &digest).and_then(|session| self.admit(&session, now)) {
                Ok(AnySession::Partial(_)) => {}
                Ok(session) => list.live.push(session.record().clone()),
                Err(CheckSessionError::RowInvalid { id }) => list.invalid.push(id),
                Err(_) => {}
            }
        }
        Ok(list)
    }

    async fn rotate(
        &self,
        store: &mut dyn SessionStore,
        record: SessionRecord,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<IssuedSession, IssueSessionError> {
        let token = PlainToken::make(entropy)?;
        let old = record.digest;
        let record = SessionRecord {
            digest: token.digest(&self.tokens),
            last_active: now,
            ..record
        }
        .authenticated(&self.mac);
        let written = store.rotate_session(&old, &record, self.limits.parallel).await?;
        issued(token, record, written)
    }
}

fn issued(token: PlainToken<kind::Session>, record: SessionRecord, written: SessionWrite) -> Result<IssuedSession, IssueSessionError> {
    match written {
        SessionWrite::Written { evicted } => Ok(IssuedSession {
            token,
            session: AnySession::new(record),
            evicted,
        }),
        SessionWrite::Stale => Err(IssueSessionError::Stale),
    }
}

/// The sessions of a user.
#[derive(Clone, Debug)]
pub struct SessionList {
    /// Those that are live and logged in, newest first.
    pub live: Vec<SessionRecord>,
    /// Rows that this program did not write: somebody should be told.
    pub invalid: Vec<SessionId>,
}

/// Whether one more code may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Attempt {
    /// It may, and is counted.
    Granted {
        /// How many more after this one. With none left and the code wrong, [`Sessions::end`] is due.
        left: u32,
    },
    /// It may not: they are used up, or the session has ended.
    Refused,
}

/// What became of ending another session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Revocation {
    /// It has ended.
    Ended,
    /// The user has no such session; another user's looks the same.
    NotFound,
    /// It is the one in use: log out instead.
    Current,
}
