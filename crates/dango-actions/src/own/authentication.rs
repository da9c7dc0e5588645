//! Who a request is from: by the token of a session, or by an API key.

use std::sync::Arc;
use std::time::Duration;

use dango_audit::{Detail, Event, Outcome, Target, TargetKind, Word};
use dango_core::Timestamp;
use dango_identity::{
    AnySession, AuthenticatedKey, CheckApiKeyError, CheckSessionError, Client, PlainApiKey, PlainToken, User, UserId,
    find_second_factor_state, kind,
};
use dango_store::Admission;

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

/// What a reading found, with what is to be written about it.
enum Found<T> {
    Good(T),
    Closed,
    Bad(Option<Record>),
}

/// Whether a use is written down.
#[derive(Clone, Copy)]
enum Touch {
    Leave,
    Write,
}

impl Actions {
    /// Finds out whose session a token is, at which stage it is, and what its user has to do first. It reads, and writes at most
    /// once a minute that the session was used; where that cannot be written the session counts all the same.
    ///
    /// Permission: none. Audit: `session_row_invalid` for a row that was written by hand, `session_use_after_expire`; at most as
    /// often as denials.
    ///
    /// # Errors
    ///
    /// [`AuthenticateError`].
    pub async fn authenticate(&self, token: PlainToken<kind::Session>, client: Client) -> Result<SignedIn, AuthenticateError> {
        let (caller, token) = (Caller::anonymous(client.clone()), Arc::new(token));
        let first = Arc::clone(&token);
        let read = self.read(&caller, move |unit| Box::pin(unit.find_session(first, Touch::Leave)));
        let (user, session) = self.settled(&caller, read.await?).await?;
        let every = self.sessions().limits().touch_every;
        if is_due(session.record().last_active, every, self.clock().now()) {
            let write = self.write(&caller, move |unit| {
                Box::pin(async move { Ok(Ok(unit.find_session(token, Touch::Write).await?)) })
            });
            let written: Result<Found<(User, AnySession)>, Fault> = write.await;
            if let Ok(found) = written {
                let (user, session) = self.settled(&caller, found).await?;
                return Ok(SignedIn::new(user, session, client));
            }
        }
        Ok(SignedIn::new(user, session, client))
    }

    /// Finds out whose API key it is. It reads, and writes at most once a minute that the key was used; where that cannot be
    /// written the key counts all the same.
    ///
    /// Permission: none. Audit: `api_key_refused` for a key that is over, is used from elsewhere, or whose row was written by hand;
    /// at most as often as denials.
    ///
    /// # Errors
    ///
    /// [`AuthenticateError`].
    pub async fn authenticate_key(&self, key: PlainApiKey, client: Client) -> Result<KeyHolder, AuthenticateError> {
        let (caller, key) = (Caller::anonymous(client.clone()), Arc::new(key));
        let first = Arc::clone(&key);
        let read = self.read(&caller, move |unit| Box::pin(unit.find_key(first, Touch::Leave))).await;
        let every = self.inner().api_keys.policy().touch_every;
        let is_final = match &read {
            Ok(Found::Good((_, key))) => {
                let last = key.record().last_used.as_ref();
                last.is_some_and(|last| !is_due(last.at, every, self.clock().now()))
            }
            Ok(Found::Closed | Found::Bad(_)) => true,
            // The use of a key that was retired ends its family, which a transaction that only reads cannot do.
            Err(_) => false,
        };
        let found = if is_final {
            read?
        } else {
            let write = self.write(&caller, move |unit| {
                Box::pin(async move { Ok(Ok(unit.find_key(key, Touch::Write).await?)) })
            });
            let written: Result<_, Fault> = write.await;
            match (written, read) {
                (Err(_), Ok(found)) => found,
                (written, _) => written?,
            }
        };
        let (user, key) = self.settled(&caller, found).await?;
        let caller = Caller::api_key(&key, &user, client);
        Ok(KeyHolder { caller, user, key })
    }

    async fn settled<T>(&self, caller: &Caller, found: Found<T>) -> Result<T, AuthenticateError> {
        match found {
            Found::Good(good) => Ok(good),
            Found::Closed => Err(AuthenticateError::Closed),
            Found::Bad(record) => {
                if let Some(record) = record.filter(|record| self.denials().admits(caller, record.event(), self.clock().now())) {
                    self.record(caller, record, Outcome::Denied).await?;
                }
                Err(AuthenticateError::Unauthenticated)
            }
        }
    }
}

impl Unit<'_> {
    async fn find_session(self, token: Arc<PlainToken<kind::Session>>, touch: Touch) -> Result<Found<(User, AnySession)>, Fault> {
        if self.tx.admission().await? == Admission::Closed {
            return Ok(Found::Closed);
        }
        let (inner, now) = (&self.inner, self.now);
        let bad = |event, id: dango_identity::SessionId, user: Option<UserId>| {
            let record = Record::of(event).on(Target::new(TargetKind::Session, &audit_id(id)));
            let record = match user {
                Some(user) => record
                    .with(Detail::SessionId, &audit_id(id))
                    .on(Target::new(TargetKind::User, &audit_id(user))),
                None => record,
            };
            Ok(Found::Bad(Some(record)))
        };
        let session = match inner.sessions.check(self.tx, &token, now).await {
            Ok(session) => session,
            Err(CheckSessionError::Store(error)) => return Err(error.into()),
            Err(CheckSessionError::RowInvalid { id }) => return bad(Event::SessionRowInvalid, id, None),
            Err(CheckSessionError::Expired { id, user } | CheckSessionError::Idle { id, user }) => {
                return bad(Event::SessionUseAfterExpire, id, Some(user));
            }
            Err(_) => return Ok(Found::Bad(None)),
        };
        let user = self.tx.find_user(session.record().user).await?;
        let Some(user) = user.filter(User::may_log_in) else {
            return Ok(Found::Bad(None));
        };
        if matches!(touch, Touch::Write) {
            match &session {
                AnySession::Partial(session) => inner.sessions.touch(self.tx, session, now).await?,
                AnySession::Restricted(session, _) => inner.sessions.touch(self.tx, session, now).await?,
                AnySession::Full(session) => inner.sessions.touch(self.tx, session, now).await?,
            };
        }
        let factor = find_second_factor_state(self.tx, user.id).await?;
        let obligation = inner.rules.obligation(&user, factor);
        Ok(Found::Good((user, session.under(obligation))))
    }

    async fn find_key(self, key: Arc<PlainApiKey>, touch: Touch) -> Result<Found<(User, AuthenticatedKey)>, Fault> {
        if self.tx.admission().await? == Admission::Closed {
            return Ok(Found::Closed);
        }
        let (inner, now) = (&self.inner, self.now);
        let client = self.caller().client().clone();
        let key = match inner.api_keys.check(self.tx, &key, &client, now).await {
            Ok(key) => key,
            Err(CheckApiKeyError::Unknown) => return Ok(Found::Bad(None)),
            Err(CheckApiKeyError::Store(error)) => return Err(error.into()),
            Err(error) => {
                let code = Word::new(error.code());
                let record = Record::of(Event::ApiKeyRefused).with(Detail::Code, code);
                let id = match error {
                    CheckApiKeyError::RowInvalid { id }
                    | CheckApiKeyError::Revoked { id, .. }
                    | CheckApiKeyError::Expired { id, .. }
                    | CheckApiKeyError::Retired { id, .. }
                    | CheckApiKeyError::AddressRefused { id, .. } => Some(id),
                    _ => None,
                };
                let record = match id {
                    Some(id) => record.on(Target::new(TargetKind::ApiKey, &audit_id(id))),
                    None => record,
                };
                return Ok(Found::Bad(Some(record)));
            }
        };
        let user = self.tx.find_user(key.owner()).await?;
        let Some(user) = user.filter(User::may_log_in) else {
            return Ok(Found::Bad(None));
        };
        if matches!(touch, Touch::Write) {
            inner.api_keys.touch(self.tx, &key, &client, now).await?;
        }
        Ok(Found::Good((user, key)))
    }
}

/// Whether something was last written down long enough ago. After a clock was set back nothing is due until it has caught up.
fn is_due(last: Timestamp, every: Duration, now: Timestamp) -> bool {
    let age = now.unix_micros().saturating_sub(last.unix_micros());
    u64::try_from(age).is_ok_and(|age| Duration::from_micros(age) >= every)
}
