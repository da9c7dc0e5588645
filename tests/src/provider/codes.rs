//! Authorization codes of all the providers (RFC 6749 §4.1, PKCE of RFC 7636): given at the page, redeemed once. Tokens are each provider's.

use std::sync::Mutex;

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

use super::wire::{Seen, form};

/// The code of a consent that nobody gave at the page. It can be redeemed again and again, by any client.
pub const OPEN_CODE: &str = "the-code";

/// What was asked for at the authorization page.
#[derive(Clone, Debug, Default)]
pub(super) struct Consent {
    code: String,
    client_id: String,
    redirect_uri: String,
    challenge: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) nonce: Option<String>,
    /// Google's parameter; `None` where nobody came over the page.
    pub(super) access_type: Option<String>,
}

/// Why a code is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadCode {
    Unknown,
    Redirect,
    Verifier,
}

/// The codes that were given and not redeemed.
#[derive(Default)]
pub(super) struct Codes(Mutex<Given>);

#[derive(Default)]
struct Given {
    open: Vec<Consent>,
    count: usize,
}

impl Codes {
    /// Says yes to an authorization request: where the browser goes then, with `more` beside code and state. `None` where the
    /// request is none.
    pub(super) fn give(&self, seen: &Seen, prefix: &str, more: &[(&str, &str)]) -> Option<String> {
        if seen.query("response_type")? != "code" {
            return None;
        }
        let mut given = self.0.lock().expect("no thread failed");
        given.count += 1;
        let consent = Consent {
            code: format!("{prefix}canary-code-{}", given.count),
            client_id: seen.query("client_id")?,
            redirect_uri: seen.query("redirect_uri")?,
            challenge: match (seen.query("code_challenge"), seen.query("code_challenge_method").as_deref()) {
                (Some(challenge), Some("S256")) => Some(challenge),
                (None, None) => None,
                _ => return None,
            },
            scope: seen.query("scope"),
            nonce: seen.query("nonce"),
            access_type: Some(seen.query("access_type").unwrap_or_else(|| "online".to_owned())),
        };
        let mut parameters = vec![("code", consent.code.as_str())];
        parameters.extend(more);
        let location = back(seen, &parameters);
        given.open.push(consent);
        location
    }

    /// Redeems the code of a token request. It is used up whatever comes of it.
    pub(super) fn redeem(&self, seen: &Seen) -> Result<Consent, BadCode> {
        let code = seen.field("code").ok_or(BadCode::Unknown)?;
        if code == OPEN_CODE {
            return Ok(Consent::default());
        }
        let mut given = self.0.lock().expect("no thread failed");
        let place = given.open.iter().position(|consent| consent.code == code).ok_or(BadCode::Unknown)?;
        let consent = given.open.remove(place);
        let (client_id, _) = seen.client().ok_or(BadCode::Unknown)?;
        if client_id != consent.client_id {
            return Err(BadCode::Unknown);
        }
        if seen.field("redirect_uri").as_deref() != Some(&consent.redirect_uri) {
            return Err(BadCode::Redirect);
        }
        let shown = seen.field("code_verifier");
        let shown = shown.map(|verifier| BASE64URL_NOPAD.encode(digest(&SHA256, verifier.as_bytes()).as_ref()));
        if shown != consent.challenge {
            return Err(BadCode::Verifier);
        }
        Ok(consent)
    }
}

/// The address that a browser is sent back to, with these parameters and the state.
pub(super) fn back(seen: &Seen, parameters: &[(&str, &str)]) -> Option<String> {
    let (redirect_uri, state) = (seen.query("redirect_uri")?, seen.query("state")?);
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    let all: Vec<_> = parameters.iter().copied().chain([("state", state.as_str())]).collect();
    Some(format!("{redirect_uri}{joint}{}", form(&all)))
}
