//! Where traces go: the setting, or the variables that every program with OpenTelemetry obeys.

use http::Uri;

use crate::failure::Failure;
use crate::system::System;

/// Where collectors take traces, behind the address of the collector (OTLP specification, OTLP/HTTP).
const PATH: &str = "/v1/traces";

/// What has to stand there.
pub(crate) const WANTED: &str =
    "an address of a collector of OTLP over HTTP, such as http://localhost:4318, without user, query or fragment";

/// The full address, if there is one. The setting comes before the variables, the one for traces before the one for everything; an empty
/// variable is none.
pub(super) fn resolve(setting: Option<&str>, system: &System) -> Result<Option<Uri>, Failure> {
    if let Some(base) = setting {
        return Ok(Some(behind(base).map_err(Failure::new)?));
    }
    let variable = |name: &str| match system.variable(name) {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) => match text.to_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(refused(name)),
        },
    };
    let is = |name: &str, word: &str| Ok::<_, Failure>(variable(name)?.is_some_and(|text| text.eq_ignore_ascii_case(word)));
    if is("OTEL_SDK_DISABLED", "true")? || is("OTEL_TRACES_EXPORTER", "none")? {
        return Ok(None);
    }
    if let Some(text) = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")? {
        let url = parse(&text).ok_or_else(|| refused("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))?;
        return Ok(Some(url));
    }
    let base = variable("OTEL_EXPORTER_OTLP_ENDPOINT")?;
    let url = base.map(|base| behind(&base).map_err(|_| refused("OTEL_EXPORTER_OTLP_ENDPOINT")));
    url.transpose()
}

/// The value is not repeated: it may hold a password.
fn refused(name: &str) -> Failure {
    Failure::new(format!("{name}: the value has to be {WANTED}"))
}

/// Checks the address of a collector, as the setting has it.
pub(crate) fn parse_base(text: &str) -> Result<String, &'static str> {
    behind(text).map(|_| text.to_owned())
}

fn behind(base: &str) -> Result<Uri, &'static str> {
    parse(&format!("{}{PATH}", base.trim_end_matches('/'))).ok_or(WANTED)
}

fn parse(text: &str) -> Option<Uri> {
    let url: Uri = text.parse().ok()?;
    let is_web = matches!(url.scheme_str(), Some("http" | "https"));
    let authority = url.authority()?;
    let is_plain = !authority.as_str().contains('@') && !authority.host().is_empty() && url.query().is_none() && !text.contains('#');
    (is_web && is_plain && authority.port_u16() != Some(0)).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_an_address_without_secrets() {
        for (base, full) in [
            ("http://localhost:4318", "http://localhost:4318/v1/traces"),
            ("http://localhost:4318/", "http://localhost:4318/v1/traces"),
            ("https://otlp.example/team", "https://otlp.example/team/v1/traces"),
            ("http://[::1]:4318", "http://[::1]:4318/v1/traces"),
        ] {
            assert_eq!(behind(base).map(|url| url.to_string()), Ok(full.to_owned()));
        }
        for bad in [
            "",
            "localhost:4318",
            "ftp://x",
            "http://",
            "http://u:canary@x",
            "http://x?y=canary",
            "http://x#canary",
            "http://x:0",
            "http://a b",
        ] {
            let wanted = parse_base(bad).expect_err(bad);
            assert!(!wanted.contains("canary"));
        }
    }
}
