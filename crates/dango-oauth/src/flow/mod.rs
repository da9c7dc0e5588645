//! The authorization code ceremony (RFC 6749 §4.1 with PKCE, RFC 7636): begun, answered, redeemed, each once.

mod callback;

use std::time::Duration;

use dango_core::{Entropy, EntropyError, SecretValue, Timestamp};
use url::Url;

use crate::answer::{ProviderError, TokenAnswer, read_tokens};
use crate::client::ClientRegistration;
use crate::grant::{Grant, ask_identity, ask_scopes, ends, later};
use crate::http::{CallError, Http};
use crate::limit::whole;
use crate::protocol::{Authorization, authorization_url, code_request, exchange_request};
use crate::provider::{Endpoints, Provider, RefreshModel};
use crate::random::{Digest, make_token};

pub use callback::{CallbackAnswer, CallbackError, Denial, ForeignText, LONGEST_QUERY};

use callback::CallbackOutcome;

/// How long a flow in a browser may take.
pub const FLOW_LIFETIME: Duration = Duration::from_secs(600);

/// Who begins a flow for which connector: whoever finishes it must say the same, before the code is redeemed.
///
/// `starter` names the user and the browser (a session's id, a cookie's value); the connector is the source type or
/// login provider that the callback's own path names.
#[derive(Clone, Copy)]
pub struct Context(Digest);

impl Context {
    /// A context of a connector and the parts that name who begins.
    pub fn new(connector: &str, starter: &[&str]) -> Self {
        let mut parts = vec![connector];
        parts.extend(starter);
        Self(Digest::derive_from_parts(&parts))
    }
}

/// What a flow is begun with.
pub struct FlowRequest<'a> {
    /// The provider.
    pub provider: &'a Provider,
    /// Its endpoints.
    pub endpoints: &'a Endpoints,
    /// The client.
    pub client: &'a ClientRegistration,
    /// Where the provider sends the browser back to: one of its own for each connector.
    pub redirect_uri: &'a Url,
    /// The scopes to ask for.
    pub scopes: Vec<String>,
    /// Who begins.
    pub context: Context,
    /// Whether an ID token is to come of it.
    pub purpose: Purpose,
    /// How long it may take: [`FLOW_LIFETIME`], or as long as a terminal waits.
    pub lifetime: Duration,
}

/// What a flow is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Tokens for a data source.
    Connection,
    /// An ID token to log in with; a nonce goes along (OpenID Connect Core §3.1.2.1).
    Login,
}

/// A flow that was begun: what is kept, and where the browser goes.
pub struct Begun {
    /// What is kept until the answer.
    pub pending: PendingFlow,
    /// Where the browser goes. It holds `state` and the challenge: show it to the user who began, and to no log.
    pub authorization_url: Url,
}

/// A flow that waits for its answer. It holds neither `state` nor nonce, only their digests.
pub struct PendingFlow(FlowRecord);

/// A waiting flow as plain values, for a store that finds it by [`FlowRecord::state`] and gives it out once.
pub struct FlowRecord {
    /// The provider's name.
    pub provider: String,
    /// The digest of `state`.
    pub state: Digest,
    /// The digest of the context.
    pub context: Digest,
    /// The digest of the nonce, where there is one.
    pub nonce: Option<Digest>,
    /// The PKCE verifier; a secret, to be stored encrypted.
    pub verifier: SecretValue,
    /// Where the provider sends the browser back to.
    pub redirect_uri: Url,
    /// The scopes that were asked for.
    pub scopes: Vec<String>,
    /// The issuer that an answer must come from, if it is known.
    pub issuer: Option<String>,
    /// Whether an answer must name its issuer.
    pub issuer_required: bool,
    /// When the flow ends.
    pub expires_at: Timestamp,
}

/// Why an answer is not taken. In every case nothing was sent to the provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// The answer is to another flow.
    #[error("the answer belongs to another request")]
    StateMismatch,
    /// Somebody else began it, or it began for another connector.
    #[error("the request was begun elsewhere")]
    OtherContext,
    /// It took too long.
    #[error("the request is too old")]
    Expired,
    /// The answer comes from another provider (RFC 9207 §2.4).
    #[error("the answer comes from another provider")]
    IssuerMismatch,
    /// The provider or its user said no.
    #[error("the provider refused: {}", .0.error)]
    Denied(Denial),
}

impl FlowError {
    /// The stable name of the error, as `http-api.md` has them.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::StateMismatch | Self::OtherContext | Self::IssuerMismatch => "state_mismatch",
            Self::Expired => "session_expired",
            Self::Denied(_) => "provider_denied",
        }
    }
}

/// Begins a flow: `state`, PKCE verifier and nonce are made anew each time, of 256 random bits each.
///
/// # Errors
///
/// [`EntropyError`] where there is no randomness.
pub fn begin_flow(request: FlowRequest<'_>, entropy: &dyn Entropy, now: Timestamp) -> Result<Begun, EntropyError> {
    let state = make_token(entropy)?;
    let verifier = make_token(entropy)?;
    let nonce = match request.purpose {
        Purpose::Connection => None,
        Purpose::Login => Some(make_token(entropy)?),
    };
    let asked = Authorization {
        redirect_uri: request.redirect_uri,
        scopes: &request.scopes,
        state: &state,
        verifier: &verifier,
        nonce: nonce.as_ref(),
    };
    let authorization_url = authorization_url(request.provider, request.endpoints, request.client, &asked);
    let pending = PendingFlow(FlowRecord {
        provider: request.provider.name.clone(),
        state: Digest::derive_from(state.expose()),
        context: request.context.0,
        nonce: nonce.map(|nonce| Digest::derive_from(nonce.expose())),
        verifier,
        redirect_uri: request.redirect_uri.clone(),
        scopes: request.scopes,
        issuer: request.provider.issuer.clone(),
        issuer_required: request.provider.issuer_required,
        expires_at: later(now, request.lifetime.as_secs()),
    });
    Ok(Begun {
        pending,
        authorization_url,
    })
}

impl CallbackAnswer {
    /// The `state` that came back, for a store that finds flows by a digest of its own.
    pub fn state(&self) -> &str {
        self.state.expose()
    }

    /// The digest under which the flow of this answer is found.
    pub fn state_digest(&self) -> Digest {
        Digest::derive_from(self.state.expose())
    }
}

impl PendingFlow {
    /// The flow as plain values.
    pub fn into_record(self) -> FlowRecord {
        self.0
    }

    /// A flow that was stored.
    ///
    /// # Security
    ///
    /// The store must have given it out once and removed it in the same step: that is what makes an answer count once.
    pub const fn from_record(record: FlowRecord) -> Self {
        Self(record)
    }

    /// The digest of `state`, under which the flow is found.
    pub const fn state(&self) -> Digest {
        self.0.state
    }

    /// Whether an answer is to this flow.
    pub fn is_answered_by(&self, answer: &CallbackAnswer) -> bool {
        self.0.state.ct_eq(&answer.state_digest())
    }

    /// Takes the answer. The flow is used up, whatever comes of it.
    ///
    /// # Errors
    ///
    /// [`FlowError`]; the code is not sent anywhere then.
    ///
    /// # Security
    ///
    /// What the draft on cross-user session fixation asks for happens here, before the code is redeemed: the same user,
    /// browser and connector at both ends (draft-ietf-oauth-security-topics-update), and the same issuer (RFC 9207).
    pub fn finish(self, answer: CallbackAnswer, context: &Context, now: Timestamp) -> Result<Redeemable, FlowError> {
        if !self.is_answered_by(&answer) {
            return Err(FlowError::StateMismatch);
        }
        if !self.0.context.ct_eq(&context.0) {
            return Err(FlowError::OtherContext);
        }
        if now >= self.0.expires_at {
            return Err(FlowError::Expired);
        }
        match (&self.0.issuer, &answer.issuer) {
            (Some(expected), Some(issuer)) if expected != issuer => return Err(FlowError::IssuerMismatch),
            (_, None) if self.0.issuer_required => return Err(FlowError::IssuerMismatch),
            _ => {}
        }
        match answer.outcome {
            CallbackOutcome::Code(code) => Ok(Redeemable { record: self.0, code }),
            CallbackOutcome::Denied(denial) => Err(FlowError::Denied(denial)),
        }
    }
}

/// A code that may be redeemed, once.
pub struct Redeemable {
    record: FlowRecord,
    code: SecretValue,
}

impl Redeemable {
    /// The name of the provider whose code it is.
    pub fn provider(&self) -> &str {
        &self.record.provider
    }

    /// Redeems the code, and asks which scopes were granted and whose account it is.
    ///
    /// # Errors
    ///
    /// [`ProviderError`]. A code is worth nothing afterwards, whatever the outcome.
    pub async fn redeem(
        self,
        http: &dyn Http,
        provider: &Provider,
        endpoints: &Endpoints,
        client: &ClientRegistration,
        now: Timestamp,
    ) -> Result<Grant, ProviderError> {
        let wanted = self.record.scopes.clone();
        whole(async {
            let mut answer = self.tokens(http, provider, endpoints, client).await?;
            if provider.refresh == RefreshModel::Exchange {
                let request = exchange_request(provider, endpoints, client, &answer.access_token)?;
                answer = read_tokens(provider, http.call(&endpoints.reach, request).await?)?;
            }
            let scopes = ask_scopes(http, provider, endpoints, &answer, &wanted).await?;
            let identity = ask_identity(http, provider, endpoints, &answer.access_token).await?;
            let ends = ends(provider, &answer, answer.refresh_token.is_some(), now);
            Ok(Grant {
                access_token: answer.access_token,
                refresh_token: answer.refresh_token,
                access_expires_at: ends.access,
                expires_at: ends.grant,
                scopes,
                identity,
                kept: answer.kept,
            })
        })
        .await
    }

    /// Redeems the code and no more.
    pub(crate) async fn tokens(
        self,
        http: &dyn Http,
        provider: &Provider,
        endpoints: &Endpoints,
        client: &ClientRegistration,
    ) -> Result<TokenAnswer, ProviderError> {
        // Whatever a caller mixes up: a code goes to the provider that it came from, and to no other.
        if provider.name != self.record.provider {
            return Err(ProviderError::Call(CallError::ForeignHost));
        }
        let request = code_request(
            provider,
            endpoints,
            client,
            &self.code,
            &self.record.verifier,
            &self.record.redirect_uri,
        )?;
        read_tokens(provider, http.call(&endpoints.reach, request).await?)
    }

    /// The digest of the nonce that an ID token must carry.
    pub(crate) const fn nonce(&self) -> Option<Digest> {
        self.record.nonce
    }
}
