//! AWS Signature Version 4 for requests without a query
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>). What is asked stands in the rows.

use dango_core::{SecretValue, Timestamp};
use data_encoding::HEXLOWER;
use ring::{digest, hmac as authentication};
use url::Url;

use crate::outcome::Obstacle;
use crate::subject::Subject;

/// What is to be signed.
pub(super) struct Unsigned<'a> {
    pub(super) method: &'static str,
    /// The address, whose path needs no encoding and which has no query.
    pub(super) url: &'a Url,
    pub(super) service: &'static str,
    pub(super) body: &'a str,
}

/// The headers that prove who asks.
pub(super) fn sign(request: &Unsigned<'_>, subject: &Subject, now: Timestamp) -> Result<Vec<(&'static str, SecretValue)>, Obstacle> {
    let id = subject.text("aws_access_key_id").ok_or(Obstacle::Incomplete)?;
    let key = subject.text("aws_secret_access_key").ok_or(Obstacle::Incomplete)?;
    let token = subject.text("aws_session_token");
    let region = subject.text("region_name").unwrap_or("us-east-1");
    let time = stamp(now).ok_or(Obstacle::Malformed)?;
    let date = &time[..8];
    let host = match (request.url.host_str(), request.url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => return Err(Obstacle::Malformed),
    };
    let hashed = hex(request.body.as_bytes());
    let mut headers = vec![
        ("host", host),
        ("x-amz-content-sha256", hashed.clone()),
        ("x-amz-date", time.clone()),
    ];
    headers.extend(token.map(|token| ("x-amz-security-token", token.to_owned())));
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let canonical = format!("{}\n{}\n\n{lines}\n{names}\n{hashed}", request.method, request.url.path());
    let scope = format!("{date}/{region}/{}/aws4_request", request.service);
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(canonical.as_bytes()));
    let mut derived = mac(format!("AWS4{key}").as_bytes(), date);
    for part in [region, request.service, "aws4_request"] {
        derived = mac(derived.as_ref(), part);
    }
    let signature = HEXLOWER.encode(mac(derived.as_ref(), &to_sign).as_ref());
    let authorization = format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
    // `Host` is written with the request.
    let rest = headers.into_iter().skip(1).chain([("authorization", authorization)]);
    rest.map(|(name, value)| Ok((name, SecretValue::new(value).map_err(|_| Obstacle::Malformed)?)))
        .collect()
}

/// The time as `20150830T123600Z`.
fn stamp(now: Timestamp) -> Option<String> {
    let text: String = now.to_string().chars().filter(|c| !matches!(c, '-' | ':')).collect();
    (text.len() == 16 && text.ends_with('Z')).then_some(text)
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn mac(key: &[u8], text: &str) -> authentication::Tag {
    authentication::sign(&authentication::Key::new(authentication::HMAC_SHA256, key), text.as_bytes())
}
