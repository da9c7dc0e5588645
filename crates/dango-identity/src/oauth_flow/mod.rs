//! An OAuth flow that waits for its answer: who began it and for what, sealed, given out once. The protocol is elsewhere.

mod store;
#[cfg(test)]
mod tests;

use std::time::Duration;

use dango_core::{Entropy, EntropyError, Timestamp};
use zeroize::Zeroizing;

pub use store::{InsertOauthFlow, OauthFlowRoom, OauthFlowStore};

use crate::id::{SessionId, UserId};
use crate::instant::after;
use crate::key::{ColumnKey, IdentityKey, TokenKey};
use crate::seal::{Cell, OpenColumnError, SealedColumn};
use crate::token::{PlainToken, TokenDigest, kind};

/// How long a flow may take in a browser.
pub const OAUTH_FLOW_TTL: Duration = Duration::from_secs(10 * 60);

/// Who began a flow: only the same may finish it (draft-ietf-oauth-security-topics-update, cross-user session fixation).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OauthStarter {
    /// A user, in one session.
    Session {
        /// The user.
        user: UserId,
        /// The session; another one of the same user is another browser.
        session: SessionId,
    },
    /// Nobody that is known yet, in the browser that has a cookie with the token of this digest.
    Browser(TokenDigest<kind::OauthBrowser>),
}

/// What is stored of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OauthFlowRecord {
    /// The digest of `state`.
    pub state: TokenDigest<kind::OauthState>,
    /// Who began it.
    pub starter: OauthStarter,
    /// What the flow needs again; it opens in this row only, for this starter and connector.
    pub sealed: SealedColumn,
    /// From then on no answer is taken.
    pub expires_at: Timestamp,
}

/// Seals flows, and opens those that were given out.
pub struct OauthFlows {
    tokens: TokenKey,
    column: ColumnKey,
}

impl OauthFlows {
    /// The rules under an identity key.
    pub fn new(key: &IdentityKey) -> Self {
        Self {
            tokens: TokenKey::derive(key),
            column: ColumnKey::derive(key),
        }
    }

    /// The digest under which a flow is found.
    pub fn digest(&self, state: &PlainToken<kind::OauthState>) -> TokenDigest<kind::OauthState> {
        state.digest(&self.tokens)
    }

    /// Who begins a flow in a browser that nobody is logged in with.
    pub fn browser(&self, token: &PlainToken<kind::OauthBrowser>) -> OauthStarter {
        OauthStarter::Browser(token.digest(&self.tokens))
    }

    /// Makes the record of a flow that begins now.
    ///
    /// `connector` names what the callback's own path names: a flow for one connector is none for another.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness.
    pub fn seal(
        &self,
        state: &PlainToken<kind::OauthState>,
        (starter, connector): (OauthStarter, &str),
        kept: &[u8],
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<OauthFlowRecord, EntropyError> {
        let (state, expires_at) = (self.digest(state), after(now, OAUTH_FLOW_TTL));
        let sealed = in_place(&state, &starter, connector, expires_at, |cell| {
            SealedColumn::seal(&self.column, cell, kept, entropy)
        })?;
        Ok(OauthFlowRecord {
            state,
            starter,
            sealed,
            expires_at,
        })
    }

    /// Opens a record that the store has given out, for whoever brings the answer.
    ///
    /// # Errors
    ///
    /// [`OpenOauthFlowError`].
    pub fn open(
        &self,
        record: &OauthFlowRecord,
        (starter, connector): (&OauthStarter, &str),
        now: Timestamp,
    ) -> Result<Zeroizing<Vec<u8>>, OpenOauthFlowError> {
        if record.starter != *starter {
            return Err(OpenOauthFlowError::OtherStarter);
        }
        if now >= record.expires_at {
            return Err(OpenOauthFlowError::Expired);
        }
        let opened = in_place(&record.state, starter, connector, record.expires_at, |cell| {
            record.sealed.open(&self.column, cell)
        });
        opened.map_err(OpenOauthFlowError::Sealed)
    }
}

/// Why the answer to a flow is not taken. The flow is used up all the same, and no code was sent anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenOauthFlowError {
    /// Somebody else began it.
    #[error("the flow was begun by somebody else or in another browser")]
    OtherStarter,
    /// It took too long.
    #[error("the flow is too old")]
    Expired,
    /// It was begun for another connector, or its row was changed.
    #[error("the flow was begun for something else")]
    Sealed(#[source] OpenColumnError),
}

impl OpenOauthFlowError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OtherStarter => "oauth-flow-other-starter",
            Self::Expired => "oauth-flow-expired",
            Self::Sealed(_) => "oauth-flow-other-connector",
        }
    }
}

/// Every other column of the row is in the place, so a row that was changed does not open.
fn in_place<T>(
    state: &TokenDigest<kind::OauthState>,
    starter: &OauthStarter,
    connector: &str,
    expires_at: Timestamp,
    work: impl FnOnce(&Cell<'_>) -> T,
) -> T {
    let expires_at = expires_at.unix_micros().to_be_bytes();
    let (who, browser): ([&[u8]; 2], &[u8]) = match starter {
        OauthStarter::Session { user, session } => ([user.as_bytes(), session.as_bytes()], &[]),
        OauthStarter::Browser(token) => ([&[], &[]], token.as_bytes()),
    };
    let row: [&[u8]; 6] = [state.as_bytes(), who[0], who[1], browser, connector.as_bytes(), &expires_at];
    work(&Cell {
        table: "oauth_flows",
        column: "sealed",
        row: &row,
    })
}
