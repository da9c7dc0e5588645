//! Which values are worth masking: a rule on length and variety, and words too common to be secret.

use std::collections::HashSet;

use dango_core::SecretValue;

/// Shorter values are not masked, in characters.
const MIN_CHARACTERS: usize = 6;
/// Values with fewer different characters are not masked.
const MIN_VARIETY: usize = 4;
/// Shorter decimal numbers (ports, years, counts) are not masked, in digits.
const MIN_DIGITS: usize = 8;

/// Values that stand in any program's output; compared without regard to ASCII case.
const COMMON: &[&str] = &[
    "0.0.0.0",
    "127.0.0.1",
    "access",
    "account",
    "airflow",
    "analytics",
    "bigquery",
    "changeme",
    "client",
    "client_id",
    "compose",
    "config",
    "content",
    "credentials",
    "customer",
    "database",
    "databricks",
    "dataset",
    "default",
    "destination",
    "development",
    "disable",
    "disabled",
    "docker",
    "duckdb",
    "enable",
    "enabled",
    "example",
    "example.com",
    "facebook",
    "filesystem",
    "github",
    "google",
    "hubspot",
    "internal",
    "localhost",
    "master",
    "mongodb",
    "oauth2",
    "object",
    "passwd",
    "password",
    "pipeline",
    "postgres",
    "postgresql",
    "prefer",
    "private",
    "production",
    "public",
    "python",
    "readonly",
    "redshift",
    "require",
    "required",
    "salesforce",
    "schema",
    "secret",
    "secrets",
    "server",
    "service",
    "service_account",
    "shopify",
    "snowflake",
    "source",
    "sources",
    "sqlite",
    "staging",
    "standard",
    "string",
    "stripe",
    "system",
    "testing",
    "undefined",
    "unknown",
    "username",
    "verify-ca",
    "verify-full",
    "warehouse",
    "workspace",
    "http://",
    "https://",
];

/// Whether a value is masked in output and searched for in files.
///
/// White space around it does not count. A value is *not* masked if it has fewer than 6
/// characters, fewer than 4 different ones, is a decimal number of fewer than 8 digits, or is a
/// common word such as `docker` or `production`: masking those spoils the output, and the holes
/// would tell the value all the same. Whoever masks warns about the values that are left out.
pub fn is_maskable(value: &SecretValue) -> bool {
    is_maskable_text(value.expose())
}

pub(super) fn is_maskable_text(text: &str) -> bool {
    let text = text.trim();
    let length = text.chars().take(MIN_DIGITS).count();
    if length < MIN_CHARACTERS || (length < MIN_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())) {
        return false;
    }
    has_variety(text.chars()) && !COMMON.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether there are enough different units in it; reads no further than needed.
pub(super) fn has_variety<T: Eq + std::hash::Hash>(units: impl Iterator<Item = T>) -> bool {
    let mut seen = HashSet::with_capacity(MIN_VARIETY);
    units.into_iter().any(|unit| seen.insert(unit) && seen.len() == MIN_VARIETY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_common_and_monotonous_values_are_not_masked() {
        for text in [
            "",
            "true",
            "test",
            "a b",
            "12345",
            "5432",
            "123456",
            "docker",
            "Docker",
            "PRODUCTION",
            "aaaaaaaaaaaa",
            "abababababab",
            "      abc      ",
            "--------------",
            "localhost",
            "20260131 ",
        ] {
            let expected = text == "20260131 ";
            assert_eq!(is_maskable_text(text), expected, "{text:?}");
        }
    }

    #[test]
    fn ordinary_secrets_are_masked() {
        for text in [
            "hunter2",
            "s3cr3t",
            "sk_live_abc",
            "päßwörd",
            "12345678",
            "correct horse",
            "docker1",
        ] {
            assert!(is_maskable_text(text), "{text:?}");
        }
    }
}
