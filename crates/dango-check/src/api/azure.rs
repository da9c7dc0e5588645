//! Azure Storage's Shared Key (<https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-shared-key>), for a GET that
//! lists containers. Other requests are not signed here.

use dango_core::{SecretValue, Timestamp};
use data_encoding::BASE64;
use ring::hmac as authentication;
use time::OffsetDateTime;
use time::macros::format_description;
use url::Url;
use zeroize::Zeroizing;

use super::address::account;
use crate::outcome::Obstacle;
use crate::subject::Subject;

const SUFFIX: &str = ".blob.core.windows.net";

/// The headers that prove who asks; `version` is the `x-ms-version` that is sent beside them.
pub(super) fn sign(url: &Url, version: &str, subject: &Subject, now: Timestamp) -> Result<Vec<(&'static str, SecretValue)>, Obstacle> {
    let name = account(subject.text("azure_storage_account_name").ok_or(Obstacle::Incomplete)?, SUFFIX)?;
    let key = subject.text("azure_storage_account_key").ok_or(Obstacle::Incomplete)?;
    let key = Zeroizing::new(BASE64.decode(key.trim().as_bytes()).map_err(|_| Obstacle::Malformed)?);
    let date = http_date(now).ok_or(Obstacle::Malformed)?;
    let mut parameters: Vec<String> = url.query_pairs().map(|(name, value)| format!("\n{name}:{value}")).collect();
    parameters.sort();
    // Eleven headers that are not sent, then those of the service, then what is asked.
    let text = format!(
        "GET{}x-ms-date:{date}\nx-ms-version:{version}\n/{name}{}{}",
        "\n".repeat(12),
        url.path(),
        parameters.concat()
    );
    let tag = authentication::sign(&authentication::Key::new(authentication::HMAC_SHA256, &key), text.as_bytes());
    let authorization = format!("SharedKey {name}:{}", BASE64.encode(tag.as_ref()));
    [("x-ms-date", date), ("authorization", authorization)]
        .into_iter()
        .map(|(name, value)| Ok((name, SecretValue::new(value).map_err(|_| Obstacle::Malformed)?)))
        .collect()
}

/// The time as HTTP has it (RFC 9110 §5.6.7).
fn http_date(now: Timestamp) -> Option<String> {
    let at = OffsetDateTime::from_unix_timestamp(now.unix_micros().div_euclid(1_000_000)).ok()?;
    let form = format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
    at.format(form).ok()
}
