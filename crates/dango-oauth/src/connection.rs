//! Questions about a connection that exists: whether it works, and its end at the provider. Nothing is stored here.

use dango_core::Timestamp;
use serde_json::Value;

use crate::answer::{ProviderError, read_json};
use crate::client::ClientRegistration;
use crate::grant::{Identity, ask_identity};
use crate::http::Http;
use crate::limit::whole;
use crate::protocol::revocation_request;
use crate::provider::{Endpoints, Provider, RefreshModel, Revocation};
use crate::renewal::{RenewalError, Saved, StoredTokens, Unsaved, renew};

/// What a live check found.
#[non_exhaustive]
pub struct Checked {
    /// Whether the connection counts as good: it does unless the provider plainly says otherwise.
    pub valid: bool,
    /// What stood in the way.
    pub error: Option<CheckError>,
    /// Whose account it is, if the provider told.
    pub identity: Option<Identity>,
}

/// How far a check came.
#[must_use]
pub enum Checking {
    /// To its end.
    Done(Checked),
    /// To new tokens, since the old ones had ended: they are saved, and then [`check_renewed`] finishes the check.
    Renewed(Unsaved),
}

/// What a live check can end with beside success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckError {
    /// The provider refuses the tokens.
    Revoked,
    /// The connection's time is over; nothing was asked.
    Expired,
    /// The provider cannot be reached.
    NetworkError,
    /// The provider has trouble of its own.
    ServerError,
    /// Tokens or the client are not stored; nothing was asked.
    MissingCredentials,
}

impl CheckError {
    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::NetworkError => "network_error",
            Self::ServerError => "server_error",
            Self::MissingCredentials => "missing_credentials",
        }
    }

    /// Whether the connection still counts as good.
    const fn leaves_valid(self) -> bool {
        matches!(self, Self::NetworkError | Self::ServerError)
    }
}

impl From<CheckError> for Checked {
    fn from(error: CheckError) -> Self {
        Self {
            valid: error.leaves_valid(),
            error: Some(error),
            identity: None,
        }
    }
}

/// Asks the provider whether a connection works.
///
/// An access token that is still good is tried as it is. Without one the connection is renewed, so the caller holds its
/// lease; the new tokens are used only once they are saved.
pub async fn check(
    http: &dyn Http,
    provider: &Provider,
    endpoints: &Endpoints,
    client: Option<&ClientRegistration>,
    stored: &StoredTokens,
    now: Timestamp,
) -> Checking {
    let done = |error: CheckError| Checking::Done(error.into());
    if stored.expires_at.is_some_and(|end| now >= end) {
        return done(CheckError::Expired);
    }
    let refreshes = matches!(provider.refresh, RefreshModel::Static | RefreshModel::Rotating) && stored.refresh_token.is_some();
    let lives = stored.access_end(provider).is_none_or(|end| now < end);
    let tried_as_is = stored.access_token.as_ref().filter(|token| lives && !token.expose().is_empty());
    if let Some(token) = tried_as_is {
        let checked = of_identity(whole(ask_identity(http, provider, endpoints, token)).await);
        // An access token can end before its time; the connection has not, while its refresh token works.
        if checked.error != Some(CheckError::Revoked) || !refreshes || client.is_none() {
            return Checking::Done(checked);
        }
    }
    let Some(client) = client.filter(|_| refreshes) else {
        return done(CheckError::MissingCredentials);
    };
    match renew(http, provider, endpoints, client, stored, now).await {
        Ok(unsaved) => Checking::Renewed(unsaved),
        Err(RenewalError::Expired) => done(CheckError::Expired),
        Err(RenewalError::NotRenewable) => done(CheckError::MissingCredentials),
        Err(RenewalError::Provider(error)) => done(class_of(&error)),
    }
}

/// Finishes a check with the tokens that it got.
pub async fn check_renewed(http: &dyn Http, provider: &Provider, endpoints: &Endpoints, saved: Saved) -> Checked {
    let token = saved.into_tokens().access_token;
    of_identity(whole(ask_identity(http, provider, endpoints, &token)).await)
}

fn of_identity(outcome: Result<Option<Identity>, ProviderError>) -> Checked {
    match outcome {
        Ok(identity) => Checked {
            valid: true,
            error: None,
            identity,
        },
        Err(error) => class_of(&error).into(),
    }
}

const fn class_of(error: &ProviderError) -> CheckError {
    match error {
        ProviderError::Call(_) => CheckError::NetworkError,
        ProviderError::Trouble { .. } | ProviderError::Malformed => CheckError::ServerError,
        ProviderError::Refused(_) => CheckError::Revoked,
    }
}

/// What came of giving a grant back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Revoked {
    /// The provider took it back, or knew it no more.
    Yes,
    /// The provider has no way to, or no token is stored: it is to be removed on the provider's own page.
    Unsupported,
    /// It did not work; removing the connection here goes on all the same.
    Failed(ProviderError),
}

/// Gives a grant back at the provider, once, as well as it can be done.
pub async fn revoke(
    http: &dyn Http,
    provider: &Provider,
    endpoints: &Endpoints,
    client: &ClientRegistration,
    stored: &StoredTokens,
) -> Revoked {
    // The refresh token ends the whole grant (RFC 7009 §2.1); where the token itself is the key, it is the access token.
    let [first, second] = match provider.revocation {
        Revocation::Rfc7009 | Revocation::TokenAlone => [&stored.refresh_token, &stored.access_token],
        _ => [&stored.access_token, &None],
    };
    let Some(token) = first.as_ref().or(second.as_ref()) else {
        return Revoked::Unsupported;
    };
    let Some(request) = revocation_request(provider, endpoints, client, token) else {
        return Revoked::Unsupported;
    };
    let outcome = whole(async {
        let answer = http.call(&endpoints.reach, request?).await?;
        let status = answer.status;
        // Success has no documented body in common: nothing, `true`, `{"success":true}`, `{"ok":true}`.
        if answer.is_success() && answer.body.is_empty() {
            return Ok(Value::Null);
        }
        match read_json(answer) {
            Err(ProviderError::Malformed) if status / 100 == 2 => Ok(Value::Null),
            outcome => outcome,
        }
    });
    match outcome.await {
        Ok(_) => Revoked::Yes,
        Err(error) if error.is_invalid_grant() => Revoked::Yes,
        Err(ProviderError::Refused(name)) if name.as_str() == "invalid_token" => Revoked::Yes,
        Err(error) => Revoked::Failed(error),
    }
}
