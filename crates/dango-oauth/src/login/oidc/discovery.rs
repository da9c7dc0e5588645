//! What an OpenID provider says about itself (OpenID Connect Discovery 1.0), believed only as far as the settings allow.

use serde_json::{Map, Value};
use url::Url;

use crate::answer::{ProviderError, read_object};
use crate::http::{CallError, Header, Http, Method, Outbound, Reach};
use crate::limit::whole;
use crate::provider::{
    ClientAuthentication, EndpointProblem, Endpoints, Provider, Replacement, Transport, is_literal_loopback, parse_endpoint,
};

/// An OpenID provider, as an administrator configured it.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    name: String,
    issuer: String,
    reach: Reach,
    transport: Transport,
}

/// Why an issuer cannot be used. It is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerProblem {
    /// Not an address.
    #[error("the issuer is no address: {0}")]
    Address(EndpointProblem),
    /// A query (OpenID Connect Core §2).
    #[error("an issuer has no query")]
    Query,
    /// A further host that is not one.
    #[error("a further host is not written as a host's name")]
    Host,
}

impl OidcSettings {
    /// Settings of a provider: the name in our paths, its issuer exactly as it spells it, the further hosts that its
    /// token endpoint and keys may be on, and whether any of them may be in a private network.
    ///
    /// # Errors
    ///
    /// [`IssuerProblem`]. An issuer over plain HTTP is taken on a loopback address that is written as a number.
    pub fn new(name: &str, issuer: &str, further_hosts: &[&str], private_network: bool) -> Result<Self, IssuerProblem> {
        let url = parse_endpoint(issuer, Transport::HttpsOrLoopback).map_err(IssuerProblem::Address)?;
        if url.query().is_some() {
            return Err(IssuerProblem::Query);
        }
        let mut reach = Reach::empty(private_network);
        reach.allow(&url);
        for host in further_hosts {
            let allowed = parse_endpoint(&format!("https://{host}/"), Transport::Https).map_err(|_| IssuerProblem::Host)?;
            if allowed.path() != "/" || allowed.query().is_some() {
                return Err(IssuerProblem::Host);
            }
            reach.allow(&allowed);
        }
        Ok(Self {
            name: name.to_owned(),
            issuer: issuer.to_owned(),
            reach,
            transport: if url.scheme() == "http" && is_literal_loopback(&url) {
                Transport::HttpsOrLoopback
            } else {
                Transport::Https
            },
        })
    }

    /// Google (<https://developers.google.com/identity/openid-connect/openid-connect>). Where its token endpoint is
    /// replaced, the issuer is the origin of the replacement, which then says where the rest is.
    ///
    /// # Errors
    ///
    /// None in practice: the issuer is a constant, and a replacement was checked when it was read.
    pub fn google(replacement: &Replacement) -> Result<Self, IssuerProblem> {
        if let Some(token) = replacement.token() {
            return Self::new("google", &token.origin().ascii_serialization(), &[], false);
        }
        Self::new(
            "google",
            "https://accounts.google.com",
            &["oauth2.googleapis.com", "openidconnect.googleapis.com", "www.googleapis.com"],
            false,
        )
    }

    /// The name in our paths.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The issuer.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
}

/// What a provider said about itself, and what was made of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Discovered {
    /// The provider, for flows.
    pub provider: Provider,
    /// Its endpoints.
    pub endpoints: Endpoints,
    /// Where its keys are.
    pub jwks: Url,
}

/// Why a provider's word about itself is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The provider gave nothing.
    #[error("the provider's configuration could not be read")]
    Provider(#[from] ProviderError),
    /// It names another issuer (OpenID Connect Discovery §4.3).
    #[error("the provider names another issuer than the one configured")]
    Issuer,
    /// An endpoint is missing or no address.
    #[error("`{0}` is missing or no address over TLS")]
    Endpoint(&'static str),
    /// An endpoint is on a host that is not configured.
    #[error("`{0}` is on a host that is not configured")]
    ForeignHost(&'static str),
}

impl DiscoveryError {
    /// The stable name of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Provider(error) => error.code(),
            Self::Issuer => "issuer_mismatch",
            Self::Endpoint(_) => "discovery_malformed",
            Self::ForeignHost(_) => "foreign_host",
        }
    }
}

impl From<CallError> for DiscoveryError {
    fn from(error: CallError) -> Self {
        Self::Provider(error.into())
    }
}

/// Asks a provider about itself.
pub(super) async fn discover(http: &dyn Http, settings: &OidcSettings) -> Result<Discovered, DiscoveryError> {
    let address = format!("{}/.well-known/openid-configuration", settings.issuer.trim_end_matches('/'));
    let url: Url = address.parse().map_err(|_| DiscoveryError::Issuer)?;
    let answer = whole(async { Ok(http.call(&settings.reach, plain_get(url)?).await?) }).await?;
    read(settings, &read_object(answer)?)
}

/// A request that holds nothing of ours.
pub(super) fn plain_get(url: Url) -> Result<Outbound, CallError> {
    let accept = dango_core::SecretValue::new("application/json".to_owned()).map_err(|_| CallError::Unwritable)?;
    Ok(Outbound {
        method: Method::Get,
        url,
        headers: vec![Header {
            name: "Accept".to_owned(),
            value: accept,
        }],
        body: None,
    })
}

fn read(settings: &OidcSettings, document: &Map<String, Value>) -> Result<Discovered, DiscoveryError> {
    if document.get("issuer").and_then(Value::as_str) != Some(settings.issuer.as_str()) {
        return Err(DiscoveryError::Issuer);
    }
    let endpoint = |name: &'static str| {
        let text = document.get(name).and_then(Value::as_str).ok_or(DiscoveryError::Endpoint(name))?;
        parse_endpoint(text, settings.transport).map_err(|_| DiscoveryError::Endpoint(name))
    };
    // Called by Dango itself, so only where an administrator said.
    let called = |name: &'static str| {
        let url = endpoint(name)?;
        settings.reach.admit(&url).map_err(|_| DiscoveryError::ForeignHost(name))?;
        Ok::<_, DiscoveryError>(url)
    };
    let list_has = |name: &str, value: &str| {
        let list = document.get(name).and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|entry| entry.as_str() == Some(value)))
    };
    let (authorize, token, jwks) = (endpoint("authorization_endpoint")?, called("token_endpoint")?, called("jwks_uri")?);
    // Without a list it is HTTP Basic (OpenID Connect Discovery §3).
    let authentication = if list_has("token_endpoint_auth_methods_supported", "client_secret_post") {
        ClientAuthentication::Body
    } else {
        ClientAuthentication::Basic
    };
    let advertised = document.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true));
    // Asked only for what the ID token leaves out, so a login does without one that is elsewhere.
    let userinfo = called("userinfo_endpoint").ok();
    let endpoints = Endpoints {
        authorize,
        token,
        userinfo,
        revoke: None,
        permissions: None,
        reach: settings.reach.clone(),
    };
    Ok(Discovered {
        provider: Provider::for_login(&settings.name, &settings.issuer, advertised, authentication, &endpoints),
        endpoints,
        jwks,
    })
}
