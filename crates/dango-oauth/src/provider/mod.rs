//! Providers as data: endpoints, scopes, and how each one renews, revokes and reports. Nothing is called here.

mod endpoint;
mod member;
mod read;
mod replaced;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;
use std::time::Duration;

use dango_core::SourceType;
use url::Url;

use crate::http::Reach;

pub use endpoint::{AccountHost, EndpointProblem, HostError, parse_replacement};
pub use read::{MOST_PROVIDERS, ProviderProblem, ProvidersError};
pub use replaced::{Replacement, ReplacementError};

pub(crate) use endpoint::{Template, Transport, is_literal_loopback, parse_endpoint};

static BUILTIN: LazyLock<Vec<Provider>> =
    LazyLock::new(|| read::parse(include_str!("builtin.toml"), &[]).expect("the table that comes with the program is read in its tests"));

/// A provider of OAuth 2.0, and what is particular about it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Provider {
    /// Its name: lower-case letters, digits and `_`.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// The page where an app is registered.
    pub console: Option<String>,
    /// The variables of `.env` that hold the client's id and secret.
    pub client_variables: [String; 2],
    /// Its issuer identifier, which `iss` of an answer must equal (RFC 9207 §2.4).
    pub issuer: Option<String>,
    /// Whether an answer without `iss` is refused.
    pub issuer_required: bool,
    /// How the client proves who it is at the token endpoint.
    pub authentication: ClientAuthentication,
    /// How a request's body is spelled.
    pub body: BodyFormat,
    /// How a grant is kept alive.
    pub refresh: RefreshModel,
    /// How long an access token lives that comes with a refresh token, where the provider's answer does not say.
    pub access_lifetime: Option<Duration>,
    /// How long a grant lives where the provider's answer does not say.
    pub grant_lifetime: Option<Duration>,
    /// After how many days the tokens of an app in its testing phase end.
    pub testing_days: Option<u32>,
    /// How a grant is given back.
    pub revocation: Revocation,
    /// Where the granted scopes are told.
    pub scope_report: ScopeReport,
    /// What stands between two scopes.
    pub scope_separator: char,
    /// The header that carries an access token instead of `Authorization: Bearer`.
    pub token_header: Option<String>,
    /// Further headers of every call.
    pub headers: Vec<(String, String)>,
    /// Further parameters of the authorization request.
    pub parameters: Vec<(String, String)>,
    /// Scopes that every source type asks for.
    pub scopes: Vec<String>,
    /// Where the account is named in what the userinfo endpoint answers.
    pub identity: IdentityClaims,
    /// The part of the host that is the account's.
    pub host: Option<HostPart>,
    /// Members of the token answer that are kept beside the tokens, because the source needs them; never secrets.
    pub kept: Vec<String>,
    /// Whether its hosts may have addresses of a private network.
    pub private_network: bool,
    /// The source types that it serves.
    pub sources: Vec<SourceScopes>,
    authorize: Template,
    token: Template,
    userinfo: Option<Template>,
    revoke: Option<Template>,
    permissions: Option<Template>,
}

/// How the client proves who it is at the token endpoint (RFC 6749 §2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `client_id` and `client_secret` in the body.
    Body,
    /// HTTP Basic.
    Basic,
}

/// How a request's body is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// `application/x-www-form-urlencoded`, as RFC 6749 has it.
    Form,
    /// A JSON object.
    Json,
}

/// How a grant is kept alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshModel {
    /// One refresh token for as long as the grant lives.
    Static,
    /// Each renewal may give a new refresh token, after which the old one is worth nothing.
    Rotating,
    /// The access token itself is exchanged for a new one while it is alive (Facebook, 60 days).
    Exchange,
    /// Not at all: the token lives until it is revoked.
    None,
}

/// How a grant is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The provider has no endpoint for it.
    None,
    /// `POST token=…`, the client proving who it is (RFC 7009 §2.1).
    Rfc7009,
    /// `POST token=…` and nothing else (Google).
    TokenAlone,
    /// `POST` with the access token in `Authorization` (Slack).
    Bearer,
    /// `DELETE` with the access token in `Authorization` (Facebook).
    Delete,
    /// `DELETE` as the client, the access token in a JSON body (GitHub).
    DeleteGrant,
}

/// Where the granted scopes are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeReport {
    /// In `scope` of the token answer; without one they are those that were asked for (RFC 6749 §5.1).
    Answer,
    /// At an endpoint of its own, as `{"data":[{"permission","status"}]}` (Facebook).
    Permissions,
    /// Nowhere.
    Nowhere,
}

/// JSON pointers (RFC 6901) into what the userinfo endpoint answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityClaims {
    /// The account's own id, which does not change.
    pub subject: Option<String>,
    /// What a person knows the account by, such as its e-mail address.
    pub identifier: Option<String>,
    /// A name to show beside it.
    pub account: Option<String>,
}

/// The part of a provider's host that is the account's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostPart {
    /// Its name in the addresses.
    pub name: String,
    /// The field of the source that holds it.
    pub field: Option<String>,
    /// What is taken where nothing is given.
    pub default: Option<String>,
}

/// What a source type asks a provider for, and where its tokens are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceScopes {
    /// The source type.
    pub source_type: SourceType,
    /// The scopes, beside those of the provider.
    pub scopes: Vec<String>,
    /// The field of the source that takes the access token; `None` where the source makes its own.
    pub access_token: Option<String>,
    /// The field of the source that takes the refresh token.
    pub refresh_token: Option<String>,
    /// Whether the source makes its own access tokens, for which it reads the client's id and secret in the fields
    /// `client_id` and `client_secret`.
    pub client: bool,
}

/// The endpoints of a provider for one account, replaced ones included, and which hosts may be called for them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Endpoints {
    /// Where the browser is sent.
    pub authorize: Url,
    /// Where codes and refresh tokens are redeemed.
    pub token: Url,
    /// Where the account is named.
    pub userinfo: Option<Url>,
    /// Where a grant is given back.
    pub revoke: Option<Url>,
    /// Where granted permissions are listed.
    pub permissions: Option<Url>,
    /// The hosts that may be called.
    pub reach: Reach,
}

/// The providers that there are: those that come with Dango, and the project's own.
#[derive(Clone, Debug)]
pub struct Providers {
    all: Vec<Provider>,
}

impl Providers {
    /// The providers that come with Dango.
    pub fn builtin() -> Self {
        Self { all: BUILTIN.clone() }
    }

    /// Adds those of a project: the text of its `.dango/providers.toml`.
    ///
    /// # Errors
    ///
    /// [`ProvidersError`] with the place in the file: no TOML, an unknown member, an address that is not `https:`.
    ///
    /// # Security
    ///
    /// The file travels with a project, so it can come from somebody else. It cannot change a provider that comes with
    /// Dango, nor serve a source type that one of them serves: a client secret never goes to another host because of it.
    pub fn with_project_file(self, text: &str) -> Result<Self, ProvidersError> {
        let added = read::parse(text, &self.all)?;
        let mut all = self.all;
        all.extend(added);
        Ok(Self { all })
    }

    /// Every provider.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.all.iter()
    }

    /// The provider of a name.
    pub fn find(&self, name: &str) -> Option<&Provider> {
        self.all.iter().find(|provider| provider.name == name)
    }

    /// The provider that serves a source type, and what is asked of it.
    pub fn for_source_type(&self, source_type: &SourceType) -> Option<(&Provider, &SourceScopes)> {
        let mut pairs = self
            .all
            .iter()
            .flat_map(|provider| provider.sources.iter().map(move |source| (provider, source)));
        pairs.find(|(_, source)| source.source_type == *source_type)
    }
}

impl Provider {
    /// A provider that is there to log in with, as far as a flow needs to know it.
    pub(crate) fn for_login(
        name: &str,
        issuer: &str,
        issuer_required: bool,
        authentication: ClientAuthentication,
        endpoints: &Endpoints,
    ) -> Self {
        Self {
            name: name.to_owned(),
            title: name.to_owned(),
            console: None,
            client_variables: [String::new(), String::new()],
            issuer: Some(issuer.to_owned()),
            issuer_required,
            authentication,
            body: BodyFormat::Form,
            refresh: RefreshModel::None,
            access_lifetime: None,
            grant_lifetime: None,
            testing_days: None,
            revocation: Revocation::None,
            scope_report: ScopeReport::Nowhere,
            scope_separator: ' ',
            token_header: None,
            headers: Vec::new(),
            parameters: Vec::new(),
            scopes: Vec::new(),
            identity: IdentityClaims::default(),
            host: None,
            kept: Vec::new(),
            private_network: endpoints.reach.private_network(),
            sources: Vec::new(),
            authorize: Template::Fixed(endpoints.authorize.clone()),
            token: Template::Fixed(endpoints.token.clone()),
            userinfo: None,
            revoke: None,
            permissions: None,
        }
    }

    /// All scopes to ask for, for a source: the provider's and the source type's.
    pub fn scopes_for(&self, source: &SourceScopes) -> Vec<String> {
        let mut scopes = self.scopes.clone();
        scopes.extend(source.scopes.iter().filter(|scope| !self.scopes.contains(scope)).cloned());
        scopes
    }

    /// Reads the account's part of the host, as somebody wrote it; `None` where the provider has one host for all.
    ///
    /// # Errors
    ///
    /// [`HostError`] where one is needed and missing, or is no host name.
    pub fn parse_account_host(&self, text: Option<&str>) -> Result<Option<AccountHost>, HostError> {
        let Some(part) = &self.host else { return Ok(None) };
        let text = text.filter(|text| !text.trim().is_empty()).or(part.default.as_deref());
        let text = text.ok_or(HostError::Missing)?;
        AccountHost::parse(text, self.token.suffix().unwrap_or_default()).map(Some)
    }

    /// The endpoints for one account, with those replaced that `replacement` names.
    ///
    /// # Errors
    ///
    /// [`HostError`] where the provider needs an account's host and got none.
    pub fn endpoints(&self, account: Option<&AccountHost>, replacement: &Replacement) -> Result<Endpoints, HostError> {
        let resolved = |template: &Option<Template>| template.as_ref().map(|template| template.resolve(account)).transpose();
        let mut endpoints = Endpoints {
            authorize: self.authorize.resolve(account)?,
            token: self.token.resolve(account)?,
            userinfo: resolved(&self.userinfo)?,
            revoke: resolved(&self.revoke)?,
            permissions: resolved(&self.permissions)?,
            reach: Reach::empty(self.private_network),
        };
        replacement.apply(&mut endpoints);
        // The authorization endpoint is for browsers; Dango itself never calls it.
        let called = [
            Some(&endpoints.token),
            endpoints.userinfo.as_ref(),
            endpoints.revoke.as_ref(),
            endpoints.permissions.as_ref(),
        ];
        let mut reach = Reach::empty(self.private_network);
        called.into_iter().flatten().for_each(|url| reach.allow(url));
        endpoints.reach = reach;
        Ok(endpoints)
    }
}
