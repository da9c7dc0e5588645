//! A table of providers read from TOML, strictly: an unknown member is an error. Which providers there are is not known here.

use std::time::Duration;

use super::endpoint::EndpointProblem;
use super::member::{File, Members, is_token};
use super::{BodyFormat, ClientAuthentication, HostPart, IdentityClaims, Provider, RefreshModel, Revocation, ScopeReport, SourceScopes};
/// How many providers a file may hold.
pub const MOST_PROVIDERS: usize = 100;

const MOST_BYTES: usize = 256 * 1024;
const DAY: Duration = Duration::from_secs(86_400);

/// A table of providers that cannot be used, with the place. No value of the file is repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ProvidersError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: ProviderProblem,
}

impl ProvidersError {
    /// The stable name of the error.
    pub const fn code(&self) -> &'static str {
        "oauth_providers_invalid"
    }
}

/// What is wrong with a table of providers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderProblem {
    /// Not TOML, or too large.
    #[error("this is no TOML")]
    Toml,
    /// More than [`MOST_PROVIDERS`], or a file beyond reason.
    #[error("the file is too large")]
    TooLarge,
    /// A provider's name.
    #[error("a provider's name has lower-case letters, digits and `_`, a letter first, at most 40 characters")]
    Name,
    /// A provider that is there already.
    #[error("a provider of this name is there already")]
    Taken,
    /// A source type that another provider serves.
    #[error("another provider serves this source type already")]
    SourceTaken,
    /// A member that is not known.
    #[error("unknown member")]
    Unknown,
    /// A member that is missing.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A member of the wrong type or outside of what it may be.
    #[error("`{member}` must be {expected}")]
    Value {
        /// The member.
        member: &'static str,
        /// What it takes, in words.
        expected: &'static str,
    },
    /// An address that is not accepted.
    #[error("`{member}` is no address of an endpoint: {problem}")]
    Endpoint {
        /// The member.
        member: &'static str,
        /// What is wrong with it.
        problem: EndpointProblem,
    },
}

/// Reads a table; `there` are the providers that it must not touch.
pub(super) fn parse(text: &str, there: &[Provider]) -> Result<Vec<Provider>, ProvidersError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let too_large = ProvidersError {
        line: 1,
        problem: ProviderProblem::TooLarge,
    };
    if text.len() > MOST_BYTES {
        return Err(too_large);
    }
    let file = File::parse(text)?;
    if file.root().len() > MOST_PROVIDERS {
        return Err(too_large);
    }
    let mut read: Vec<Provider> = Vec::new();
    for table in file.root().tables() {
        let (name, members) = table?;
        // Which variables hold a client's secret is not for a file to say that may come from somebody else.
        if !there.is_empty() && members.has("client_variables") {
            return Err(members.wrong(ProviderProblem::Unknown));
        }
        let provider = provider(name, members)?;
        if there.iter().chain(&read).any(|other| other.name == provider.name) {
            return Err(members.wrong(ProviderProblem::Taken));
        }
        let served = |source: &SourceScopes| {
            let mut others = there.iter().chain(&read).flat_map(|other| &other.sources);
            others.any(|other| other.source_type == source.source_type)
        };
        if provider.sources.iter().any(served) {
            return Err(members.wrong(ProviderProblem::SourceTaken));
        }
        read.push(provider);
    }
    Ok(read)
}

fn provider(name: &str, members: Members<'_>) -> Result<Provider, ProvidersError> {
    let simple = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.len() > 40 || !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(simple) {
        return Err(members.wrong(ProviderProblem::Name));
    }
    members.known(&[
        "title",
        "console",
        "client_variables",
        "issuer",
        "issuer_required",
        "authorize",
        "token",
        "userinfo",
        "revoke",
        "permissions",
        "authenticate",
        "body",
        "refresh",
        "access_seconds",
        "grant_days",
        "testing_days",
        "revocation",
        "scope_report",
        "scope_separator",
        "token_header",
        "headers",
        "parameters",
        "scopes",
        "identity",
        "host",
        "kept",
        "private_network",
        "sources",
    ])?;
    let host = members.below("host")?.map(host_part).transpose()?;
    let placeholder = host.as_ref().map(|part| part.name.as_str());
    let endpoint = |member| members.endpoint(member, placeholder);
    let upper = name.to_ascii_uppercase();
    let variables = match members.texts("client_variables")?.as_deref() {
        None => [format!("{upper}_CLIENT_ID"), format!("{upper}_CLIENT_SECRET")],
        Some([id, secret]) => [id.clone(), secret.clone()],
        Some(_) => return Err(members.value("client_variables", "two names of variables")),
    };
    Ok(Provider {
        name: name.to_owned(),
        title: members.string("title")?.unwrap_or_else(|| name.to_owned()),
        console: members.string("console")?,
        client_variables: variables,
        issuer: members.string("issuer")?,
        issuer_required: members.boolean("issuer_required")?,
        authorize: endpoint("authorize")?.ok_or_else(|| members.wrong(ProviderProblem::Missing("authorize")))?,
        token: endpoint("token")?.ok_or_else(|| members.wrong(ProviderProblem::Missing("token")))?,
        userinfo: endpoint("userinfo")?,
        revoke: endpoint("revoke")?,
        permissions: endpoint("permissions")?,
        authentication: members.choice("authenticate", &AUTHENTICATIONS, ClientAuthentication::Body, "`body` or `basic`")?,
        body: members.choice("body", &BODIES, BodyFormat::Form, "`form` or `json`")?,
        refresh: members.choice(
            "refresh",
            &MODELS,
            RefreshModel::Static,
            "`static`, `rotating`, `exchange` or `none`",
        )?,
        access_lifetime: members
            .number("access_seconds", 31_622_400, "a number of seconds")?
            .map(|seconds| Duration::from_secs(seconds.into())),
        grant_lifetime: members.number("grant_days", 3650, "a number of days")?.map(|days| DAY * days),
        testing_days: members.number("testing_days", 365, "a number of days")?,
        revocation: members.choice(
            "revocation",
            &REVOCATIONS,
            Revocation::None,
            "`none`, `rfc7009`, `token_alone`, `bearer`, `delete` or `delete_grant`",
        )?,
        scope_report: members.choice(
            "scope_report",
            &REPORTS,
            ScopeReport::Answer,
            "`answer`, `permissions` or `nowhere`",
        )?,
        scope_separator: match members.string("scope_separator")?.as_deref() {
            None | Some(" ") => ' ',
            Some(",") => ',',
            Some(_) => return Err(members.value("scope_separator", "a blank or a comma")),
        },
        token_header: match members.string("token_header")? {
            Some(name) if !is_token(&name) => return Err(members.value("token_header", "the name of a header")),
            name => name,
        },
        headers: members.pairs("headers", &RESERVED_HEADERS)?,
        parameters: members.pairs("parameters", &RESERVED_PARAMETERS)?,
        scopes: members.texts("scopes")?.unwrap_or_default(),
        identity: members.below("identity")?.map(identity).transpose()?.unwrap_or_default(),
        kept: members.texts("kept")?.unwrap_or_default(),
        private_network: members.boolean("private_network")?,
        sources: members.below("sources")?.map(sources).transpose()?.unwrap_or_default(),
        host,
    })
}

fn host_part(members: Members<'_>) -> Result<HostPart, ProvidersError> {
    members.known(&["name", "field", "default"])?;
    Ok(HostPart {
        name: members
            .string("name")?
            .ok_or_else(|| members.wrong(ProviderProblem::Missing("name")))?,
        field: members.string("field")?,
        default: members.string("default")?,
    })
}

fn identity(members: Members<'_>) -> Result<IdentityClaims, ProvidersError> {
    members.known(&["subject", "identifier", "account"])?;
    let pointer = |member| match members.string(member)? {
        Some(text) if !text.starts_with('/') => Err(members.value(member, "a JSON pointer such as `/email`")),
        pointer => Ok(pointer),
    };
    Ok(IdentityClaims {
        subject: pointer("subject")?,
        identifier: pointer("identifier")?,
        account: pointer("account")?,
    })
}

fn sources(members: Members<'_>) -> Result<Vec<SourceScopes>, ProvidersError> {
    let read = |table: Result<(&str, Members<'_>), ProvidersError>| {
        let (name, members) = table?;
        let source_type = name.parse().map_err(|_| members.wrong(ProviderProblem::Unknown))?;
        members.known(&["scopes", "access_token", "refresh_token", "client"])?;
        Ok(SourceScopes {
            source_type,
            scopes: members.texts("scopes")?.unwrap_or_default(),
            access_token: members.string("access_token")?,
            refresh_token: members.string("refresh_token")?,
            client: members.boolean("client")?,
        })
    };
    members.tables().map(read).collect()
}

/// What Dango sets itself, or what would change where a request goes and how it is read.
const RESERVED_HEADERS: [&str; 9] = [
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "transfer-encoding",
    "user-agent",
];
const RESERVED_PARAMETERS: [&str; 8] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
];

const AUTHENTICATIONS: [(&str, ClientAuthentication); 2] = [("body", ClientAuthentication::Body), ("basic", ClientAuthentication::Basic)];
const BODIES: [(&str, BodyFormat); 2] = [("form", BodyFormat::Form), ("json", BodyFormat::Json)];
const MODELS: [(&str, RefreshModel); 4] = [
    ("static", RefreshModel::Static),
    ("rotating", RefreshModel::Rotating),
    ("exchange", RefreshModel::Exchange),
    ("none", RefreshModel::None),
];
const REVOCATIONS: [(&str, Revocation); 6] = [
    ("none", Revocation::None),
    ("rfc7009", Revocation::Rfc7009),
    ("token_alone", Revocation::TokenAlone),
    ("bearer", Revocation::Bearer),
    ("delete", Revocation::Delete),
    ("delete_grant", Revocation::DeleteGrant),
];
const REPORTS: [(&str, ScopeReport); 3] = [
    ("answer", ScopeReport::Answer),
    ("permissions", ScopeReport::Permissions),
    ("nowhere", ScopeReport::Nowhere),
];
