//! Which stored values are looked for: not the short and the common, and not the settings that stand beside secrets and in code, too.

use dango_core::SecretValue;
use dango_secrets::redact::is_maskable;

/// Shorter values are not looked for, in characters.
const MIN_CHARACTERS: usize = 8;
/// Shorter decimal numbers are not looked for, in digits: dates, accounts and times stand everywhere.
const MIN_DIGITS: usize = 12;

/// Words in a name that say that its value is a secret, whatever it looks like.
const SECRET_WORDS: [&str; 13] = [
    "secret",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "token",
    "apikey",
    "api_key",
    "private",
    "credential",
    "auth",
    "signing",
    "dsn",
];

/// Names of settings: their values are no secrets, and code names them for good reasons. Compared with a whole name or its end after `_`.
const SETTINGS: [&str; 44] = [
    "account",
    "account_id",
    "account_name",
    "adapter",
    "auth_uri",
    "base_url",
    "bucket",
    "bucket_name",
    "bucket_url",
    "catalog",
    "client_email",
    "client_id",
    "client_x509_cert_url",
    "cluster",
    "customer_id",
    "database",
    "dataset",
    "dataset_name",
    "dialect",
    "dir",
    "directory",
    "domain",
    "driver",
    "drivername",
    "email",
    "encoding",
    "endpoint",
    "endpoint_url",
    "host",
    "hostname",
    "level",
    "locale",
    "location",
    "mode",
    "path",
    "project",
    "project_id",
    "region",
    "role",
    "schema",
    "server",
    "token_uri",
    "type",
    "warehouse",
];

/// Names of people and accounts, which are settings, too.
const PEOPLE: [&str; 4] = ["login", "user", "user_name", "username"];

/// Texts of eight characters and more that stand everywhere; compared without regard to ASCII case.
const COMMON: [&str; 22] = [
    "12345678",
    "123456789",
    "1234567890",
    "abcdefgh",
    "api_secret",
    "application/json",
    "authorization",
    "basic_auth",
    "changeme1",
    "changeme123",
    "europe-west1",
    "my-secret",
    "password1",
    "password123",
    "placeholder",
    "qwertyuiop",
    "secret_key",
    "supersecret",
    "your-api-key",
    "your_api_key",
    "your-token-here",
    "replace-me",
];

/// Whether a value is looked for under a name (the last part of its path, or a variable's name).
///
/// It is not if it has fewer than 8 characters or 4 different ones, is a common word, or a decimal number of fewer than 12 digits; and
/// unless its name says that it is a secret, not if the name is that of a setting (`host`, `project_id`), or if the value is plainly no
/// secret: a path, a host name, an e-mail address, a time, or a URL without user information and query.
pub(super) fn is_worth(name: &str, value: &SecretValue) -> bool {
    let text = value.expose().trim();
    if text.chars().nth(MIN_CHARACTERS - 1).is_none() || !is_maskable(value) || COMMON.iter().any(|word| word.eq_ignore_ascii_case(text)) {
        return false;
    }
    if text.len() < MIN_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_')) {
        return false;
    }
    let name = name.to_ascii_lowercase();
    if is_setting(&name) {
        return false;
    }
    SECRET_WORDS.iter().any(|word| name.contains(word)) || !is_plainly_public(text)
}

/// The last part of a credential's path, as far as names of settings go; a quoted one keeps its quotes, so it is none.
pub(super) fn leaf(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn is_setting(name: &str) -> bool {
    let ends = |setting: &str| name == setting || name.strip_suffix(setting).is_some_and(|before| before.ends_with('_'));
    SETTINGS.iter().chain(&PEOPLE).any(|setting| ends(setting))
}

fn is_plainly_public(text: &str) -> bool {
    is_path(text) || is_plain_url(text) || is_host_or_address(text) || is_time(text)
}

fn is_path(text: &str) -> bool {
    ["/", "./", "../", "~/"].iter().any(|start| text.starts_with(start)) && !text.contains(char::is_whitespace)
}

fn is_plain_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    // A web hook's path is its secret: only short words in a path are none.
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
        && !rest.contains(['@', '?', '#'])
        && path.split('/').all(|part| part.len() < 20)
}

/// `db.internal`, `db.example.com:5432`, `ada@example.com`: lower-case labels, at least two of them, the last of letters.
fn is_host_or_address(text: &str) -> bool {
    let host = text.split_once('@').map_or(text, |(_, host)| host);
    let host = host
        .rsplit_once(':')
        .map_or(host, |(host, port)| match port.bytes().all(|byte| byte.is_ascii_digit()) {
            true => host,
            false => text,
        });
    let labels: Vec<&str> = host.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let is_top = |label: &&str| (2..=12).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_lowercase());
    labels.len() >= 2 && labels.iter().all(is_label) && labels.last().is_some_and(is_top)
}

/// Dates and times of RFC 3339, and parts of them.
fn is_time(text: &str) -> bool {
    text.len() <= 35
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.contains(['-', ':'])
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"-:.+TZ ".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worth(name: &str, text: &str) -> bool {
        is_worth(leaf(name), &SecretValue::new(text.to_owned()).unwrap())
    }

    #[test]
    fn ordinary_secrets_are_looked_for_under_any_name() {
        for text in [
            "hunter22",
            "canary_value_abc",
            "sk_live_51H8x",
            "correct horse battery",
            "pässwört",
            "123456789012",
            "https://hooks.example.com/services/T0/B0/abcdefghijklmnopqrstuvwx",
            "postgres://app:pw12@db.example.com/x",
        ] {
            assert!(worth("sources.a.value", text), "{text}");
        }
        assert!(worth("DB_PASSWORD", "db.internal.example"), "a password may look like a host");
    }

    #[test]
    fn short_common_and_monotonous_values_are_not() {
        for text in [
            "hunter2",
            "production",
            "12345678",
            "20260131",
            "aaaaaaaabbbb",
            "PASSWORD123",
            "2026-01-31",
        ] {
            assert!(!worth("sources.a.password", text), "{text}");
        }
    }

    #[test]
    fn settings_are_not_by_their_name_or_by_what_they_are() {
        for (name, text) in [
            ("sources.pg.credentials.host", "wh1-prod-7"),
            ("GCP_PROJECT_ID", "shop-analytics-42"),
            ("sources.pg.username", "dango_user"),
            ("sources.ads.customer_id", "4815162342998"),
            ("LOG_DESTINATION", "/var/log/shop/pipeline.log"),
            ("APP_URL", "https://app.example.com/v2/start"),
            ("SENDER", "ada@example.com"),
            ("BROKER", "mq.internal.example:5672"),
            ("SINCE", "2026-01-31T00:00:00Z"),
        ] {
            assert!(!worth(name, text), "{name}");
        }
    }
}
