//! What a provider granted: tokens, how long they live, the scopes, and whose account it is.

use dango_core::{SecretValue, Timestamp};
use serde_json::Value;

use crate::answer::{ProviderError, TokenAnswer, read_json, read_object};
use crate::client::ClientRegistration;
use crate::http::Http;
use crate::protocol::token_get;
use crate::provider::{Endpoints, IdentityClaims, Provider, RefreshModel, ScopeReport, SourceScopes};

/// What a provider granted. Every secret of it is a [`SecretValue`].
pub struct Grant {
    /// The access token.
    pub access_token: SecretValue,
    /// The refresh token, where the provider gave one.
    pub refresh_token: Option<SecretValue>,
    /// When the access token ends; `None` where it does not.
    pub access_expires_at: Option<Timestamp>,
    /// When the grant ends, that is, when nothing can be renewed any more; `None` where no end is known.
    pub expires_at: Option<Timestamp>,
    /// The scopes.
    pub scopes: GrantedScopes,
    /// Whose account it is; `None` where the provider does not tell.
    pub identity: Option<Identity>,
    /// Members of the answer that the source needs beside the tokens.
    pub kept: Vec<(String, String)>,
}

/// The scopes of a grant, compared with those that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrantedScopes {
    /// What was granted.
    pub granted: Vec<String>,
    /// What was asked for and not granted: people may untick boxes.
    pub missing: Vec<String>,
}

/// Whose account a grant is for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The account's own id, which does not change.
    pub subject: Option<String>,
    /// What a person knows the account by.
    pub identifier: Option<String>,
    /// A name to show beside it.
    pub account: Option<String>,
}

/// Whether a new grant is for the account that was connected before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameAccount {
    /// It is.
    Yes,
    /// It is another one, so somebody is to be asked first.
    No,
    /// One of the two is not known.
    Unknown,
}

impl Grant {
    /// Whether something is missing that was asked for: the connection works, but not for all of it.
    pub fn is_limited(&self) -> bool {
        !self.scopes.missing.is_empty()
    }

    /// Compares with the identifier that is stored for the connection.
    pub fn same_account(&self, stored_identifier: Option<&str>) -> SameAccount {
        let new = self.identity.as_ref().and_then(|identity| identity.identifier.as_deref());
        match (stored_identifier.filter(|text| !text.is_empty()), new) {
            // E-mail addresses come back in the case that somebody typed once.
            (Some(stored), Some(new)) if stored.eq_ignore_ascii_case(new) => SameAccount::Yes,
            (Some(_), Some(_)) => SameAccount::No,
            _ => SameAccount::Unknown,
        }
    }

    /// What a source stores of this grant: its fields with their values. What is not among them stays as it is, so a
    /// refresh token that the provider did not give again is not blanked.
    pub fn fields(&self, source: &SourceScopes, client: &ClientRegistration) -> Vec<(String, SecretValue)> {
        let mut fields = token_fields(source, &self.access_token, self.refresh_token.as_ref());
        if source.client {
            fields.extend(SecretValue::new(client.id.clone()).ok().map(|id| ("client_id".to_owned(), id)));
            fields.extend(client.secret.clone().map(|secret| ("client_secret".to_owned(), secret)));
        }
        let kept = self
            .kept
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), SecretValue::new(value.clone()).ok()?)));
        fields.extend(kept);
        fields
    }

    /// Keeps the stored refresh token where the provider gave no new one, as it may on a second consent
    /// (<https://developers.google.com/identity/protocols/oauth2/web-server#offline>).
    ///
    /// Only for the same account: the caller has compared.
    #[must_use]
    pub fn or_keep_refresh_token(mut self, stored: Option<SecretValue>) -> Self {
        if self.refresh_token.is_none() && stored.is_some() {
            self.refresh_token = stored;
            // The end of a grant whose access token alone was seen was that of the access token.
            if self.expires_at == self.access_expires_at {
                self.expires_at = None;
            }
        }
        self
    }
}

/// The fields of a source that take tokens, with the tokens.
pub(crate) fn token_fields(source: &SourceScopes, access: &SecretValue, refresh: Option<&SecretValue>) -> Vec<(String, SecretValue)> {
    let pairs = [(&source.access_token, Some(access)), (&source.refresh_token, refresh)];
    let stored = pairs
        .into_iter()
        .filter_map(|(field, token)| Some((field.clone()?, token?.clone())));
    stored.collect()
}

/// The ends of an access token and of its grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) access: Option<Timestamp>,
    pub(crate) grant: Option<Timestamp>,
}

/// When the tokens of an answer end. `has_refresh_token` also counts one that is kept from before.
pub(crate) fn ends(provider: &Provider, answer: &TokenAnswer, has_refresh_token: bool, now: Timestamp) -> Ends {
    let after = |seconds: u64| later(now, seconds);
    let configured = provider.grant_lifetime.map(|lifetime| after(lifetime.as_secs()));
    let assumed = provider.access_lifetime.filter(|_| has_refresh_token);
    let access = answer.expires_in.or(assumed.map(|lifetime| lifetime.as_secs())).map(after);
    let grant = match provider.refresh {
        RefreshModel::Static | RefreshModel::Rotating if has_refresh_token => answer.refresh_expires_in.map(after).or(configured),
        RefreshModel::Exchange => access.or(configured),
        RefreshModel::Static | RefreshModel::Rotating | RefreshModel::None => access,
    };
    let access = if provider.refresh == RefreshModel::Exchange {
        grant
    } else {
        access
    };
    Ends { access, grant }
}

/// A time some seconds later.
pub(crate) fn later(now: Timestamp, seconds: u64) -> Timestamp {
    let micros = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000);
    Timestamp::from_unix_micros(now.unix_micros().saturating_add(micros))
}

impl GrantedScopes {
    /// Compares what was granted with what was asked for.
    pub(crate) fn compare(wanted: &[String], granted: Option<Vec<String>>) -> Self {
        // RFC 6749 §5.1: without a word about it, it is what was asked for.
        let granted = granted.unwrap_or_else(|| wanted.to_vec());
        let missing = missing(wanted, &granted);
        Self { granted, missing }
    }
}

impl Provider {
    /// What a source wants of this provider and is not among the scopes that were granted.
    pub fn missing_scopes(&self, source: &SourceScopes, granted: &[String]) -> Vec<String> {
        missing(&self.scopes_for(source), granted)
    }
}

fn missing(wanted: &[String], granted: &[String]) -> Vec<String> {
    // Scopes that ask for tokens, not for data, are left out of the report by some providers.
    let for_tokens = |scope: &str| ["openid", "offline_access", "refresh_token"].contains(&scope);
    let missing = wanted.iter().filter(|scope| !granted.contains(scope) && !for_tokens(scope));
    missing.cloned().collect()
}

/// Asks which scopes were granted, in the provider's way.
pub(crate) async fn ask_scopes(
    http: &dyn Http,
    provider: &Provider,
    endpoints: &Endpoints,
    answer: &TokenAnswer,
    wanted: &[String],
) -> Result<GrantedScopes, ProviderError> {
    let granted = match (provider.scope_report, &endpoints.permissions) {
        (ScopeReport::Answer, _) => answer.scopes.clone(),
        (ScopeReport::Permissions, Some(url)) => {
            let request = token_get(provider, url, &answer.access_token)?;
            let listed = read_object(http.call(&endpoints.reach, request).await?)?;
            let data = listed.get("data").and_then(Value::as_array).ok_or(ProviderError::Malformed)?;
            let is_granted = |entry: &&Value| entry.get("status").and_then(Value::as_str) == Some("granted");
            let names = data.iter().take(500).filter(is_granted);
            Some(
                names
                    .filter_map(|entry| entry.get("permission")?.as_str())
                    .map(str::to_owned)
                    .collect(),
            )
        }
        (ScopeReport::Permissions, None) | (ScopeReport::Nowhere, _) => None,
    };
    Ok(GrantedScopes::compare(wanted, granted))
}

/// Asks whose account a token is for; `None` where the provider has no endpoint for it.
pub(crate) async fn ask_identity(
    http: &dyn Http,
    provider: &Provider,
    endpoints: &Endpoints,
    access_token: &SecretValue,
) -> Result<Option<Identity>, ProviderError> {
    let Some(url) = &endpoints.userinfo else { return Ok(None) };
    let request = token_get(provider, url, access_token)?;
    let answer = read_json(http.call(&endpoints.reach, request).await?)?;
    Ok(Some(Identity::read(&provider.identity, &answer)))
}

impl Identity {
    fn read(claims: &IdentityClaims, answer: &Value) -> Self {
        let at = |pointer: &Option<String>| text_of(answer.pointer(pointer.as_deref()?)?);
        Self {
            subject: at(&claims.subject),
            identifier: at(&claims.identifier),
            account: at(&claims.account),
        }
    }
}

/// A text or number on one line, at most 320 characters, as long as the longest e-mail address.
fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.chars().filter(|c| !c.is_control()).take(320).collect(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text: &String| !text.is_empty())
}
