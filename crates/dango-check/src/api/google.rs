//! A Google service account's assertion: a JWT signed with RS256 (RFC 7515, RFC 7523). The exchange is an ordinary call.

use dango_core::{SecretValue, Timestamp};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use zeroize::Zeroizing;

use crate::outcome::Obstacle;
use crate::subject::Subject;

/// Who the assertion is for, whatever stands in for it.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// How long it counts, in seconds.
const LIFETIME: i64 = 300;

/// The assertion of the service account whose e-mail and key these are.
pub(super) fn assertion(scope: &str, subject: &Subject, now: Timestamp) -> Result<SecretValue, Obstacle> {
    let email = subject.text("client_email").ok_or(Obstacle::Incomplete)?;
    let key = key_pair(subject.text("private_key").ok_or(Obstacle::Incomplete)?).ok_or(Obstacle::Malformed)?;
    let issued = now.unix_micros().div_euclid(1_000_000);
    let claims = serde_json::json!({
        "iss": email, "scope": scope, "aud": AUDIENCE, "iat": issued, "exp": issued.saturating_add(LIFETIME),
    });
    let head = BASE64URL_NOPAD.encode(br#"{"alg":"RS256","typ":"JWT"}"#);
    let signed = format!("{head}.{}", BASE64URL_NOPAD.encode(claims.to_string().as_bytes()));
    let mut signature = vec![0; key.public().modulus_len()];
    let made = key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature);
    made.map_err(|_| Obstacle::Malformed)?;
    let text = format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature));
    SecretValue::new(text).map_err(|_| Obstacle::Malformed)
}

/// The key in PEM (RFC 7468 §10), its line breaks real ones or, as a copy out of the JSON file has them, written `\n`.
fn key_pair(pem: &str) -> Option<RsaKeyPair> {
    let text = Zeroizing::new(pem.replace("\\n", "\n"));
    let inside = text
        .split_once("-----BEGIN PRIVATE KEY-----")?
        .1
        .split_once("-----END PRIVATE KEY-----")?
        .0;
    let packed = Zeroizing::new(inside.split_whitespace().collect::<String>());
    let der = Zeroizing::new(BASE64.decode(packed.as_bytes()).ok()?);
    RsaKeyPair::from_pkcs8(&der).ok()
}
