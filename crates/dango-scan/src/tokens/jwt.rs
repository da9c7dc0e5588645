//! JSON Web Tokens with a signature: three parts in base64url, of which the first says how it was signed.

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use super::Match;
use super::checks::is_beginning;

/// Longer parts are not taken for one, in characters.
const LONGEST: usize = 8 * 1024;
/// Shorter signatures are none: HMAC-SHA-256 has 43 characters.
const LEAST_SIGNATURE: usize = 40;

/// Claims of which a token that opens something has at least one (RFC 7519 §4.1).
const REGISTERED: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// `header.payload.signature`, the header an object with `alg`, the payload one with a registered claim; not the one of the documentation, whose subject is 1234567890.
pub(super) fn signed(text: &[u8], at: usize) -> Option<Match> {
    // The anchor is found in either case.
    if !text[at..].starts_with(b"eyJ") || !is_beginning(text, at) || text[..at].last() == Some(&b'-') {
        return None;
    }
    let header = part(text, at)?;
    let payload = part(text, header + 1).filter(|_| text.get(header) == Some(&b'.'))?;
    let signature = part(text, payload + 1).filter(|_| text.get(payload) == Some(&b'.'))?;
    if signature - payload <= LEAST_SIGNATURE || text.get(signature) == Some(&b'.') {
        return None;
    }
    object(&text[at..header])?
        .get("alg")?
        .as_str()
        .filter(|name| !name.eq_ignore_ascii_case("none"))?;
    let claims = object(&text[header + 1..payload])?;
    let is_about_somebody = REGISTERED.iter().any(|name| claims.get(name).is_some());
    (is_about_somebody && claims.get("sub").and_then(Value::as_str) != Some("1234567890")).then_some(Match { start: at, end: signature })
}

fn part(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let is_base64url = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let length = rest.iter().take(LONGEST).take_while(is_base64url).count();
    (length > 0).then_some(at + length)
}

fn object(part: &[u8]) -> Option<Value> {
    let decoded = BASE64URL_NOPAD.decode(part).ok()?;
    serde_json::from_slice(&decoded).ok().filter(Value::is_object)
}
