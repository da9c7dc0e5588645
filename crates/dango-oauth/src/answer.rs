//! What providers answer, read: success in their several shapes, and errors without a word of the body.

use std::fmt;

use dango_core::SecretValue;
use serde_json::{Map, Value};

use crate::http::{Answer, CallError};
use crate::provider::Provider;

const LONGEST_TOKEN: usize = 16 * 1024;
const LONGEST_LIFETIME_SECONDS: u64 = 10 * 366 * 86_400;

/// Why a provider gave nothing. It never holds a part of the answer but for the error's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// There is no answer.
    #[error("the provider could not be asked")]
    Call(#[from] CallError),
    /// The provider has trouble of its own, or asks to come later: 5xx and 429.
    #[error("the provider has trouble of its own (status {status})")]
    Trouble {
        /// The status.
        status: u16,
        /// Seconds to wait, if it said so.
        retry_after: Option<u64>,
    },
    /// The provider refused.
    #[error("the provider refused: {0}")]
    Refused(ErrorName),
    /// An answer that is not what the provider documents.
    #[error("the provider's answer is not what it documents")]
    Malformed,
}

impl ProviderError {
    /// The stable name of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Call(error) => error.code(),
            Self::Trouble { .. } => "server_error",
            Self::Refused(_) => "refused",
            Self::Malformed => "malformed_answer",
        }
    }

    /// Whether the provider said that the token or code is no longer worth anything. All else says nothing about it.
    pub fn is_invalid_grant(&self) -> bool {
        matches!(self, Self::Refused(name) if name.is_invalid_grant())
    }
}

/// The name of an error, as the provider gave it (RFC 6749 §5.2): lower-case letters and `_` alone, at most 64, so that
/// nothing that was sent can come back in it.
#[derive(Clone, PartialEq, Eq)]
pub struct ErrorName(String);

impl ErrorName {
    /// Takes over a name if it is one.
    pub(crate) fn parse(text: &str) -> Self {
        let word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        if !text.is_empty() && text.len() <= 64 && text.bytes().all(word) {
            Self(text.to_owned())
        } else {
            Self("unrecognised_error".to_owned())
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names under which providers say what RFC 6749 calls `invalid_grant`: the RFC itself, GitHub, Slack, HubSpot.
    fn is_invalid_grant(&self) -> bool {
        const NAMES: [&str; 8] = [
            "invalid_grant",
            "bad_refresh_token",
            "bad_verification_code",
            "invalid_refresh_token",
            "invalid_code",
            "code_already_used",
            "token_revoked",
            "token_expired",
        ];
        NAMES.contains(&self.as_str())
    }
}

impl fmt::Display for ErrorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ErrorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ErrorName({})", self.0)
    }
}

/// A token endpoint's answer (RFC 6749 §5.1).
pub(crate) struct TokenAnswer {
    pub(crate) access_token: SecretValue,
    pub(crate) refresh_token: Option<SecretValue>,
    pub(crate) id_token: Option<SecretValue>,
    pub(crate) expires_in: Option<u64>,
    pub(crate) refresh_expires_in: Option<u64>,
    pub(crate) scopes: Option<Vec<String>>,
    pub(crate) kept: Vec<(String, String)>,
}

/// Reads a token endpoint's answer.
pub(crate) fn read_tokens(provider: &Provider, answer: Answer) -> Result<TokenAnswer, ProviderError> {
    let mut object = read_object(answer)?;
    let known_type = |name: &str| ["bearer", "bot", "user"].iter().any(|known| name.eq_ignore_ascii_case(known));
    match object.get("token_type") {
        None | Some(Value::Null) => {}
        // RFC 6749 §7.1: a token of a type that is not understood is not used. Slack says whose token it is instead.
        Some(Value::String(name)) if known_type(name) => {}
        Some(_) => return Err(ProviderError::Malformed),
    }
    let scopes = object.get("scope").or_else(|| object.get("scopes")).and_then(scopes_of);
    let expires_in = object.get("expires_in").and_then(seconds_of);
    // Zendesk and Google say it in the first form, Airtable in the second.
    let refresh_expires_in = object
        .get("refresh_token_expires_in")
        .or_else(|| object.get("refresh_expires_in"))
        .and_then(seconds_of);
    let kept = provider.kept.iter().filter_map(|name| {
        let value = object.get(name)?.as_str()?;
        (value.len() <= 1000 && !value.chars().any(char::is_control)).then(|| (name.clone(), value.to_owned()))
    });
    let kept = kept.collect();
    // Moved out, so that the text is not left behind in what is dropped.
    let access_token = take_token(&mut object, "access_token")?.ok_or(ProviderError::Malformed)?;
    Ok(TokenAnswer {
        access_token,
        refresh_token: take_token(&mut object, "refresh_token")?,
        id_token: take_token(&mut object, "id_token")?,
        expires_in,
        refresh_expires_in,
        scopes,
        kept,
    })
}

/// Reads any answer that is a JSON object, and tells the several forms of errors from success.
pub(crate) fn read_object(answer: Answer) -> Result<Map<String, Value>, ProviderError> {
    let object = match read_json(answer)? {
        Value::Object(object) => object,
        _ => return Err(ProviderError::Malformed),
    };
    Ok(object)
}

/// Reads any answer that is JSON.
pub(crate) fn read_json(answer: Answer) -> Result<Value, ProviderError> {
    if answer.is_trouble() {
        return Err(ProviderError::Trouble {
            status: answer.status,
            retry_after: answer.retry_after,
        });
    }
    let value: Option<Value> = serde_json::from_slice(&answer.body).ok();
    if let Some(error) = value
        .as_ref()
        .and_then(Value::as_object)
        .and_then(|object| error_in(object, &answer))
    {
        return Err(error);
    }
    match value {
        // A page of somebody in between (a proxy, a firewall) says nothing about the grant.
        _ if !answer.is_success() => Err(ProviderError::Refused(ErrorName::parse(""))),
        None => Err(ProviderError::Malformed),
        Some(value) => Ok(value),
    }
}

fn error_in(object: &Map<String, Value>, answer: &Answer) -> Option<ProviderError> {
    let refused = |name: &str| Some(ProviderError::Refused(ErrorName::parse(name)));
    match object.get("error") {
        // Facebook: {"error":{"message","type","code","error_subcode","fbtrace_id"}}
        Some(Value::Object(error)) => Some(graph_error(error, answer)),
        // RFC 6749 §5.2; GitHub and Slack with status 200. Slack's methods say `ok` as well.
        Some(Value::String(name)) if !name.is_empty() => refused(name),
        // HubSpot: {"status":"BAD_REFRESH_TOKEN","message",…}
        None if !answer.is_success() => match object.get("status") {
            Some(Value::String(name)) => refused(&name.to_ascii_lowercase()),
            _ => None,
        },
        _ if object.get("ok") == Some(&Value::Bool(false)) => refused(""),
        _ => None,
    }
}

/// The numbers of <https://developers.facebook.com/docs/graph-api/guides/error-handling>.
fn graph_error(error: &Map<String, Value>, answer: &Answer) -> ProviderError {
    let refused = |name: &str| ProviderError::Refused(ErrorName::parse(name));
    let message = error.get("message").and_then(Value::as_str);
    match error.get("code").and_then(Value::as_i64) {
        // A wrong secret of the app has the number of trouble of its own, which would pass.
        Some(1) if message == Some("Error validating client secret.") => refused("invalid_client"),
        // Its own trouble, and too many calls.
        Some(1 | 2 | 4 | 17 | 32 | 341 | 368 | 613) => ProviderError::Trouble {
            status: answer.status,
            retry_after: answer.retry_after,
        },
        // The token has expired, was revoked, or its user changed the password.
        Some(102 | 190 | 463 | 467) => refused("invalid_grant"),
        Some(101) => refused("invalid_client"),
        Some(10 | 200..=299) => refused("insufficient_scope"),
        _ => refused(""),
    }
}

fn take_token(object: &mut Map<String, Value>, name: &str) -> Result<Option<SecretValue>, ProviderError> {
    match object.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => {
            let secret = SecretValue::new(text).map_err(|_| ProviderError::Malformed)?;
            // What goes into headers and files: visible ASCII (RFC 6749, appendix A.12).
            let visible = secret.expose().bytes().all(|byte| (0x20..0x7f).contains(&byte));
            if !visible || secret.expose().len() > LONGEST_TOKEN {
                return Err(ProviderError::Malformed);
            }
            Ok(Some(secret))
        }
        Some(_) => Err(ProviderError::Malformed),
    }
}

/// Seconds, which some providers write as text; 0 and what is beyond reason are no statement.
fn seconds_of(value: &Value) -> Option<u64> {
    let seconds = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    seconds.filter(|seconds| (1..=LONGEST_LIFETIME_SECONDS).contains(seconds))
}

/// Scopes, separated by blanks or commas, or as a list.
fn scopes_of(value: &Value) -> Option<Vec<String>> {
    let split = |text: &str| {
        let parts = text.split([' ', ',']).filter(|part| !part.is_empty()).take(500);
        parts.map(str::to_owned).collect::<Vec<_>>()
    };
    match value {
        Value::String(text) => Some(split(text)),
        Value::Array(items) => Some(items.iter().take(500).filter_map(Value::as_str).map(str::to_owned).collect()),
        _ => None,
    }
}
