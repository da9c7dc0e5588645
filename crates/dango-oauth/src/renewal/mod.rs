//! Keeping a grant alive: the renewal itself, and new tokens that are stored before they are used. When to renew and
//! what a failure means is in `decision`; who may renew at a time is the store's to say.

mod decision;

use dango_core::{SecretValue, Timestamp};

use crate::answer::{ProviderError, read_tokens};
use crate::client::ClientRegistration;
use crate::grant::{ends, later, token_fields};
use crate::http::Http;
use crate::limit::whole;
use crate::protocol::{exchange_request, refresh_request};
use crate::provider::{Endpoints, Provider, RefreshModel, SourceScopes};

pub use decision::{Cause, Due, Jitter, Reread, Verdict, due, judge, likely_cause};

/// What is stored of a connection, as far as renewing it goes.
#[derive(Clone, Default)]
pub struct StoredTokens {
    /// The access token, where one is stored.
    pub access_token: Option<SecretValue>,
    /// The refresh token, where there is one.
    pub refresh_token: Option<SecretValue>,
    /// When the access token ends, if that is known.
    pub access_expires_at: Option<Timestamp>,
    /// When the grant ends, if that is known.
    pub expires_at: Option<Timestamp>,
    /// When the tokens were made or renewed, if that is known.
    pub renewed_at: Option<Timestamp>,
}

impl StoredTokens {
    /// When the access token ends: as the provider said, else as long after it was made as the provider's tokens live.
    /// Beside a refresh token, one of unknown age has ended.
    pub fn access_end(&self, provider: &Provider) -> Option<Timestamp> {
        let assumed = || {
            let lifetime = provider.access_lifetime.filter(|_| self.refresh_token.is_some())?;
            let made = self.renewed_at.map(|made| later(made, lifetime.as_secs()));
            Some(made.unwrap_or(Timestamp::from_unix_micros(0)))
        };
        self.access_expires_at.or_else(assumed)
    }
}

/// New tokens, to be stored.
pub struct RenewedTokens {
    /// The access token.
    pub access_token: SecretValue,
    /// The refresh token that is worth something now: the new one, or the old one where it stays.
    pub refresh_token: Option<SecretValue>,
    /// Whether the refresh token is another than before, so that the old one may be worth nothing.
    pub rotated: bool,
    /// When the access token ends.
    pub access_expires_at: Option<Timestamp>,
    /// When the grant ends.
    pub expires_at: Option<Timestamp>,
}

impl RenewedTokens {
    /// What a source stores of them: its fields with their values.
    pub fn fields(&self, source: &SourceScopes) -> Vec<(String, SecretValue)> {
        token_fields(source, &self.access_token, self.refresh_token.as_ref())
    }
}

/// Why a connection was not renewed. The stored tokens are as good as they were, unless [`judge`] says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenewalError {
    /// The grant has ended; nothing was asked.
    #[error("the connection has expired")]
    Expired,
    /// The provider renews nothing, or what it takes for it is not stored; nothing was asked.
    #[error("the connection cannot be renewed without a browser")]
    NotRenewable,
    /// The provider gave nothing.
    #[error("the connection was not renewed")]
    Provider(#[from] ProviderError),
}

impl RenewalError {
    /// The stable name of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotRenewable => "not_renewable",
            Self::Provider(error) => error.code(),
        }
    }
}

/// New tokens that nobody may use yet: with rotation, using them before they are stored could lose the grant.
pub struct Unsaved(RenewedTokens);

/// New tokens that are stored.
pub struct Saved(RenewedTokens);

/// Storing failed. The tokens are still here: try again, since the old ones may be worth nothing.
#[derive(thiserror::Error)]
#[error("the new tokens could not be stored")]
pub struct NotSaved<E: std::error::Error + 'static> {
    /// The tokens.
    pub unsaved: Unsaved,
    /// Why they could not be stored.
    #[source]
    pub cause: E,
}

impl<E: std::error::Error + 'static> std::fmt::Debug for NotSaved<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NotSaved").field("cause", &self.cause).finish_non_exhaustive()
    }
}

impl Unsaved {
    /// Stores the tokens with `write`, which must not return before they are durable, and gives them out for use.
    ///
    /// # Errors
    ///
    /// [`NotSaved`] with the tokens and what `write` said.
    pub async fn save<E: std::error::Error + 'static>(
        self,
        write: impl AsyncFnOnce(&RenewedTokens) -> Result<(), E>,
    ) -> Result<Saved, NotSaved<E>> {
        match write(&self.0).await {
            Ok(()) => Ok(Saved(self.0)),
            Err(cause) => Err(NotSaved { unsaved: self, cause }),
        }
    }
}

impl Saved {
    /// The tokens, for use.
    pub fn into_tokens(self) -> RenewedTokens {
        self.0
    }
}

/// Renews a connection: with its refresh token, or by exchanging its access token while that is alive.
///
/// The caller holds the lease of the connection: two renewals at a time would make each other's tokens worthless.
///
/// # Errors
///
/// [`RenewalError`]; what follows from it is for [`judge`] to say.
pub async fn renew(
    http: &dyn Http,
    provider: &Provider,
    endpoints: &Endpoints,
    client: &ClientRegistration,
    stored: &StoredTokens,
    now: Timestamp,
) -> Result<Unsaved, RenewalError> {
    if stored.expires_at.is_some_and(|end| now >= end) {
        return Err(RenewalError::Expired);
    }
    let request = match (provider.refresh, &stored.refresh_token, &stored.access_token) {
        (RefreshModel::Static | RefreshModel::Rotating, Some(token), _) => refresh_request(provider, endpoints, client, token),
        (RefreshModel::Exchange, _, Some(token)) => exchange_request(provider, endpoints, client, token),
        _ => return Err(RenewalError::NotRenewable),
    };
    let request = request.map_err(ProviderError::from)?;
    let answer = whole(async { read_tokens(provider, http.call(&endpoints.reach, request).await?) }).await?;
    let old = stored.refresh_token.as_ref();
    let rotated = match (&answer.refresh_token, old) {
        (Some(new), Some(old)) => new.expose() != old.expose(),
        (new, _) => new.is_some(),
    };
    let mut ends = ends(provider, &answer, answer.refresh_token.is_some() || old.is_some(), now);
    // An old refresh token that stays keeps its own end.
    let prolongs = rotated || answer.refresh_expires_in.is_some() || provider.refresh != RefreshModel::Static;
    if !prolongs && stored.expires_at.is_some() {
        ends.grant = stored.expires_at;
    }
    Ok(Unsaved(RenewedTokens {
        access_token: answer.access_token,
        refresh_token: answer.refresh_token.or_else(|| old.cloned()),
        rotated,
        access_expires_at: ends.access,
        expires_at: ends.grant,
    }))
}
