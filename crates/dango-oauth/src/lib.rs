//! Connections to providers and login with them: OAuth 2.0 as a client. No file, no database, no environment: what is
//! stored is handed out and comes back through parameters.
//!
//! - [`Providers`]: endpoints, scopes and habits of each provider, as data ([`Provider`]);
//! - [`begin_flow`] → [`PendingFlow::finish`] → [`Redeemable::redeem`]: the authorization code ceremony, each step once;
//! - [`Receiver`]: the loopback server of the command line;
//! - [`Http`]: the port through which providers are called, and [`HttpClient`] behind it;
//! - [`renew`], [`due`], [`judge`]: keeping a grant alive; [`Unsaved`] tokens are stored before they are used;
//! - [`check`], [`revoke`], [`status`]: what a connection is worth, its end, its badge;
//! - [`OidcLogin`], [`GitHubLogin`]: who somebody is at another provider.
//!
//! ```
//! use dango_core::{Clock, OsEntropy, SystemClock};
//! use dango_oauth::{ClientRegistration, Context, FLOW_LIFETIME, FlowRequest, Providers, Purpose, Replacement, begin_flow};
//!
//! let providers = Providers::builtin();
//! let (provider, source) = providers.for_source_type(&"google_sheets".parse()?).expect("comes with Dango");
//! let endpoints = provider.endpoints(None, &Replacement::none())?;
//! let client = ClientRegistration::public("1234.apps.googleusercontent.com".to_owned());
//! let begun = begin_flow(
//!     FlowRequest {
//!         provider,
//!         endpoints: &endpoints,
//!         client: &client,
//!         redirect_uri: &"http://127.0.0.1:8080/callback".parse()?,
//!         scopes: provider.scopes_for(source),
//!         context: Context::new("google_sheets", &["terminal"]),
//!         purpose: Purpose::Connection,
//!         lifetime: FLOW_LIFETIME,
//!     },
//!     &OsEntropy,
//!     SystemClock.now(),
//! )?;
//! assert!(begun.authorization_url.as_str().starts_with("https://accounts.google.com/o/oauth2/v2/auth?"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![warn(missing_docs)]

mod answer;
mod badge;
mod client;
mod connection;
mod flow;
mod grant;
mod http;
mod limit;
mod login;
mod protocol;
mod provider;
mod random;
mod receiver;
mod renewal;
mod runtime;

pub use answer::{ErrorName, ProviderError};
pub use badge::{EXPIRING_DAYS, Status, days_until_expiry, status};
pub use client::ClientRegistration;
pub use connection::{CheckError, Checked, Checking, Revoked, check, check_renewed, revoke};
pub use flow::{
    Begun, CallbackAnswer, CallbackError, Context, Denial, FLOW_LIFETIME, FlowError, FlowRecord, FlowRequest, ForeignText, LONGEST_QUERY,
    PendingFlow, Purpose, Redeemable, begin_flow,
};
pub use grant::{Grant, GrantedScopes, Identity, SameAccount};
pub use http::{
    Answer, CallError, CertificateSource, ClientSetupError, Header, Http, HttpClient, MOST_ANSWER_BYTES, Method, Outbound, Reach,
};
pub use login::{
    Discovered, DiscoveryError, GITHUB_LOGIN_SCOPES, GitHubLogin, IdTokenError, IssuerProblem, JWKS_PAUSE_SECONDS, LoginError,
    LoginIdentity, MOST_KEYS, OidcLogin, OidcSettings, SKEW_SECONDS, VerifiedEmail,
};
pub use provider::{
    AccountHost, BodyFormat, ClientAuthentication, EndpointProblem, Endpoints, HostError, HostPart, IdentityClaims, MOST_PROVIDERS,
    Provider, ProviderProblem, Providers, ProvidersError, RefreshModel, Replacement, ReplacementError, Revocation, ScopeReport,
    SourceScopes, parse_replacement,
};
pub use random::Digest;
pub use receiver::{BindError, Browser, CallbackUrl, CallbackUrlError, ReceiveError, Received, Receiver};
pub use renewal::{
    Cause, Due, Jitter, NotSaved, RenewalError, RenewedTokens, Reread, Saved, StoredTokens, Unsaved, Verdict, due, judge, likely_cause,
    renew,
};
pub use runtime::block_on;
