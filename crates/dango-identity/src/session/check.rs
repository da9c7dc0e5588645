//! Whether the row of a token is a session: what the row alone decides, apart from what the time decides.

use dango_core::Timestamp;

use super::error::CheckSessionError;
use super::record::Over;
use super::typed::{AnySession, Session};
use super::{SessionRecord, SessionStore, SessionTouch, Sessions, StoredSession};
use crate::id::SessionId;
use crate::instant::after;
use crate::store::StoreError;
use crate::token::{PlainToken, TokenDigest, kind};

/// The row of a token, written under this identity key. Whether the session still counts, [`Sessions::admit`] decides each time.
///
/// It comes from [`Sessions::verify`] alone and may be kept for as long as the row is the same.
#[derive(Clone, Debug)]
pub struct VerifiedSession(StoredSession);

impl VerifiedSession {
    /// The row.
    pub const fn record(&self) -> &SessionRecord {
        &self.0.record
    }
}

impl Sessions {
    /// The digest under which the session of a token is found.
    pub fn digest(&self, token: &PlainToken<kind::Session>) -> TokenDigest<kind::Session> {
        token.digest(&self.tokens)
    }

    /// Checks that a row belongs to a token and was written under this identity key. The code comes first: nothing else of a row
    /// means anything without it. The answer depends on nothing but the row.
    ///
    /// # Errors
    ///
    /// [`CheckSessionError::RowInvalid`].
    pub fn verify(&self, stored: StoredSession, digest: &TokenDigest<kind::Session>) -> Result<VerifiedSession, CheckSessionError> {
        if stored.record.digest == *digest && stored.record.is_authentic(&self.mac) {
            Ok(VerifiedSession(stored))
        } else {
            Err(CheckSessionError::RowInvalid { id: stored.record.id })
        }
    }

    /// Decides whether a session counts now: nothing has ended it, and its time is not up.
    ///
    /// # Errors
    ///
    /// [`CheckSessionError::Revoked`], [`CheckSessionError::Expired`] or [`CheckSessionError::Idle`].
    pub fn admit(&self, session: &VerifiedSession, now: Timestamp) -> Result<AnySession, CheckSessionError> {
        let StoredSession { record, epoch } = &session.0;
        let (id, user) = (record.id, record.user);
        if record.epoch != *epoch {
            return Err(CheckSessionError::Revoked { id, user });
        }
        match record.over(&self.limits, now) {
            Some(Over::Expired) => Err(CheckSessionError::Expired { id, user }),
            Some(Over::Idle) => Err(CheckSessionError::Idle { id, user }),
            None => Ok(AnySession::new(record.clone())),
        }
    }

    /// Finds the session of a token and checks all of it; writes nothing.
    ///
    /// # Errors
    ///
    /// [`CheckSessionError`]; all of its variants but the last mean the same to the client.
    pub async fn check(
        &self,
        store: &mut dyn SessionStore,
        token: &PlainToken<kind::Session>,
        now: Timestamp,
    ) -> Result<AnySession, CheckSessionError> {
        let digest = self.digest(token);
        let Some(stored) = store.find_session(&digest).await? else {
            let planted = self.find_planted(store, &token.plain_digests()).await?;
            return Err(planted.map_or(CheckSessionError::Unknown, |id| CheckSessionError::RowInvalid { id }));
        };
        self.admit(&self.verify(stored, &digest)?, now)
    }

    /// Looks for the row that somebody wrote for a token of their own, as best they could without the key, by the token's
    /// [`PlainToken::plain_digests`]. It would open nothing anyway; it is looked for so that it is told of.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn find_planted(
        &self,
        store: &mut dyn SessionStore,
        digests: &[TokenDigest<kind::Session>],
    ) -> Result<Option<SessionId>, StoreError> {
        for digest in digests {
            if let Some(stored) = store.find_session(digest).await? {
                return Ok(Some(stored.record.id));
            }
        }
        Ok(None)
    }

    /// What is to be written down of a use of a session, if [`SessionLimits::touch_every`](super::SessionLimits::touch_every) has
    /// passed since the last one that was.
    pub fn due_touch(&self, session: &SessionRecord, now: Timestamp) -> Option<SessionTouch> {
        let is_due = now >= after(session.last_active, self.limits.touch_every);
        is_due.then(|| session.touch(&self.mac, now))
    }

    /// Writes down that a session was used, where that is due; answers whether it wrote.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn touch<S>(&self, store: &mut dyn SessionStore, session: &Session<S>, now: Timestamp) -> Result<bool, StoreError> {
        match self.due_touch(session.record(), now) {
            Some(touch) => store.touch_session(&session.record().digest, &touch).await,
            None => Ok(false),
        }
    }
}
