//! The claims of an ID token whose signature is verified already (OpenID Connect Core §2 and §3.1.3.7).

use dango_core::Timestamp;
use serde_json::{Map, Value};

use crate::answer::ProviderError;
use crate::login::{LoginIdentity, VerifiedEmail};
use crate::random::Digest;

/// How far the clocks of the two sides may be apart, in seconds.
pub const SKEW_SECONDS: i64 = 60;

/// Why an ID token is refused. Nothing of the token is repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenError {
    /// There is none.
    #[error("there is no ID token")]
    Missing,
    /// It is not a signed token of the form that is taken.
    #[error("the ID token is malformed")]
    Malformed,
    /// Its algorithm is not one that is taken.
    #[error("the ID token's algorithm is not accepted")]
    Algorithm,
    /// Its key is not in the provider's list.
    #[error("the ID token's key is not known")]
    UnknownKey,
    /// The provider's list of keys cannot be had.
    #[error("the provider's keys could not be read")]
    Keys(#[source] ProviderError),
    /// Its signature is wrong.
    #[error("the ID token's signature is wrong")]
    Signature,
    /// It is another issuer's.
    #[error("the ID token is another issuer's")]
    Issuer,
    /// It is for another client.
    #[error("the ID token is for another client")]
    Audience,
    /// It is too old, or not valid yet.
    #[error("the ID token is not valid at this time")]
    Time,
    /// It belongs to another login.
    #[error("the ID token belongs to another login")]
    Nonce,
    /// It names nobody.
    #[error("the ID token names nobody")]
    Subject,
}

impl IdTokenError {
    /// The stable name of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "id_token_missing",
            Self::Malformed => "id_token_malformed",
            Self::Algorithm => "id_token_algorithm",
            Self::UnknownKey | Self::Keys(_) => "id_token_key",
            Self::Signature => "id_token_signature",
            Self::Issuer => "id_token_issuer",
            Self::Audience => "id_token_audience",
            Self::Time => "id_token_time",
            Self::Nonce => "id_token_nonce",
            Self::Subject => "id_token_subject",
        }
    }
}

/// What an ID token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: Digest,
    pub(super) now: Timestamp,
}

/// Reads who it is, if the token says all that it must.
pub(super) fn read_claims(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<LoginIdentity, IdTokenError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(IdTokenError::Issuer);
    }
    if !is_for(claims, expected.client_id) {
        return Err(IdTokenError::Audience);
    }
    if !is_timely(claims, expected.now) {
        return Err(IdTokenError::Time);
    }
    let nonce = text("nonce").map(Digest::derive_from);
    if !nonce.is_some_and(|nonce| nonce.ct_eq(&expected.nonce)) {
        return Err(IdTokenError::Nonce);
    }
    // At most 255 ASCII characters (§2).
    let subject = text("sub").filter(|sub| !sub.is_empty() && sub.len() <= 255 && sub.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
    Ok(LoginIdentity {
        issuer: expected.issuer.to_owned(),
        subject: subject.ok_or(IdTokenError::Subject)?.to_owned(),
        email: verified_email(claims),
        name: name(claims),
    })
}

/// Adds what the userinfo endpoint says, if it speaks of the same account: the answer itself is not signed (§5.3.2).
pub(super) fn with_userinfo(identity: LoginIdentity, claims: &Map<String, Value>) -> Result<LoginIdentity, IdTokenError> {
    if claims.get("sub").and_then(Value::as_str) != Some(identity.subject.as_str()) {
        return Err(IdTokenError::Subject);
    }
    Ok(LoginIdentity {
        email: verified_email(claims),
        name: identity.name.or_else(|| name(claims)),
        ..identity
    })
}

fn verified_email(claims: &Map<String, Value>) -> Option<VerifiedEmail> {
    let verified = claims.get("email_verified") == Some(&Value::Bool(true));
    let email = claims.get("email").and_then(Value::as_str).filter(|_| verified);
    email.and_then(VerifiedEmail::parse)
}

fn name(claims: &Map<String, Value>) -> Option<String> {
    let name = claims.get("name").and_then(Value::as_str)?;
    Some(name.chars().filter(|c| !c.is_control()).take(100).collect())
}

/// Whether the token is for this client: alone, or among others if it was made for this one (`azp`).
fn is_for(claims: &Map<String, Value>, client_id: &str) -> bool {
    let party = claims.get("azp");
    let party_is_us = party.and_then(Value::as_str) == Some(client_id);
    let alone = match claims.get("aud") {
        Some(Value::String(audience)) => audience == client_id,
        Some(Value::Array(list)) => match list.as_slice() {
            [Value::String(audience)] => audience == client_id,
            list => party_is_us && list.iter().any(|audience| audience.as_str() == Some(client_id)),
        },
        _ => false,
    };
    alone && (party.is_none() || party_is_us)
}

fn is_timely(claims: &Map<String, Value>, now: Timestamp) -> bool {
    // A date may have a fraction (RFC 7519 §2); as text it is none.
    let seconds = |name: &str| claims.get(name).map(|value| value.as_f64().filter(|seconds| seconds.is_finite()));
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds since 1970 are exact in an f64 for longer than anybody signs tokens"
    )]
    let (now, skew) = (now.unix_micros().div_euclid(1_000_000) as f64, SKEW_SECONDS as f64);
    let ended = match seconds("exp") {
        Some(Some(end)) => now >= end + skew,
        _ => true,
    };
    let early = |name: &str, absent: bool| match seconds(name) {
        Some(Some(begin)) => begin > now + skew,
        Some(None) => true,
        None => absent,
    };
    !ended && !early("iat", true) && !early("nbf", false)
}
