//! The values of `secrets.toml` one by one: placeholders, references, what dlt casts, keys that it does not find.

use dango_core::CredentialPath;
use dango_secrets::dlt::{Cast, CastKind, auto_cast};
use dango_secrets::environment::Variables;
use dango_secrets::{ReferenceError, Value};
use dango_sources::{Presence, TypeSpec, catalogue};

use crate::chart::{Chart, SettingsKind};
use crate::code::Code;
use crate::finding::{Finding, word};

/// What `dlt init` writes in the place of a text.
const PLACEHOLDER: &str = "<configure me>";

/// Placeholders of dlt's for values that are no strings.
const PLACEHOLDER_TIMES: [&str; 2] = ["1768-07-21T02:56:07.000003Z", "1768-07-21"];

/// Ends of names whose values are secrets.
const SECRET_NAMES: [&str; 16] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secret_key",
    "private_key",
    "access_key",
    "api_key",
    "apikey",
    "access_token",
    "refresh_token",
    "auth_token",
    "api_token",
    "bearer_token",
    "security_token",
    "connection_string",
];

/// Whether a key is named like a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let has_end = |end: &str| {
        name.strip_suffix(end)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with(['_', '.']))
    };
    name == "token" || name == "secret" || SECRET_NAMES.iter().any(|end| has_end(end))
}

pub(super) fn check(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    settings(chart, found);
    for entry in chart.values() {
        dotted(&entry.path, found);
        let Value::String(text) = &entry.value else {
            if let Value::Datetime(text) = &entry.value
                && PLACEHOLDER_TIMES.contains(&text.as_str())
            {
                found.push(placeholder(&entry.path));
            }
            continue;
        };
        if text.has_reference() {
            found.push(reference(chart, &entry.path, &entry.value));
            continue;
        }
        let text = text.verbatim();
        if Presence::of(&text) == Presence::Placeholder || PLACEHOLDER_TIMES.contains(&text.as_str()) {
            found.push(placeholder(&entry.path));
        } else if let Some(form) = foreign_reference(&text) {
            found.push(Finding::new(
                Code::ForeignReference,
                entry.path.to_string(),
                format!(
                    "{} is written as {form}, which neither dlt nor Dango resolves: it is used as it stands",
                    entry.path
                ),
                format!(
                    "`dango secrets set {} --reference` takes `${{NAME}}`; without it the value itself",
                    word(&entry.path.to_string())
                ),
            ));
        } else if text.trim_start().starts_with("-----BEGIN ") && text.contains("\\n") {
            found.push(Finding::new(
                Code::EscapedLineEnds,
                entry.path.to_string(),
                format!(
                    "{} is a key whose line ends are written as `\\n` and stay so: no program can read it",
                    entry.path
                ),
                format!("`dango secrets set {} --from-file KEY.pem`", word(&entry.path.to_string())),
            ));
        } else if let Some(kind) = harmful_cast(&entry.path, &text) {
            found.push(Finding::new(
                Code::AutoCast,
                entry.path.to_string(),
                format!(
                    "`dlt.secrets[\"{0}\"]` turns {0} into {1}, so it is no longer what is written",
                    entry.path,
                    article(kind)
                ),
                format!(
                    "ask for it with `dlt.secrets.get(\"{}\")`, or as an argument of type `str`",
                    entry.path
                ),
            ));
        }
    }
}

fn placeholder(path: &CredentialPath) -> Finding {
    Finding::new(
        Code::Placeholder,
        path.to_string(),
        format!("{path} still has the placeholder that asks for a value, and dlt takes it for one"),
        format!("`dango secrets set {}`", word(&path.to_string())),
    )
}

/// The placeholders that `dlt init` writes into `config.toml`, too.
fn settings(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let files = chart.settings.iter().filter(|file| file.kind == SettingsKind::Config);
    for (file, document) in files.filter_map(|file| Some((file, file.document.as_ref()?))) {
        let place = chart.site.name_of(&file.path);
        for entry in document.entries() {
            if matches!(&entry.value, Value::String(text) if text.verbatim().as_str() == PLACEHOLDER) {
                found.push(Finding::new(
                    Code::Placeholder,
                    entry.path.to_string(),
                    format!(
                        "{} in {place} still has the placeholder that asks for a value, and dlt takes it for one",
                        entry.path
                    ),
                    format!("write the value into {place}, or take the line out"),
                ));
            }
        }
    }
}

/// What a reference comes to.
fn reference(chart: &Chart<'_>, path: &CredentialPath, value: &Value) -> Finding {
    let process = |name: &str| chart.site.variable(name);
    let resolved = match &chart.env {
        Some(env) => value.resolve(path, &Variables { env, process: &process }).map(|_| ()),
        None => Ok(()),
    };
    match resolved {
        Ok(()) => Finding::new(
            Code::NeedsRun,
            path.to_string(),
            format!("{path} holds a reference, which dlt takes for text: it is resolved by `dango run` and `dango sync` alone"),
            "start the pipeline with `dango run -- COMMAND`; or store the value itself: `dango secrets set`",
        ),
        Err(error) => {
            // A `:?` message is the file's own text, which may say anything.
            let message = match &error {
                ReferenceError::Message { path, name, .. } => format!("{path} refers to {name}, which is set nowhere"),
                error => error.to_string(),
            };
            let fix = match &error {
                ReferenceError::Unset { name, .. } | ReferenceError::Message { name, .. } => format!("`dango env set {name}`"),
                _ => "break the circle: give one of the variables a value of its own with `dango env set`".to_owned(),
            };
            Finding::new(Code::UnsetReference, path.to_string(), message, fix)
        }
    }
}

/// How a value is written that is a reference as a whole, in the manner of another program.
fn foreign_reference(text: &str) -> Option<&'static str> {
    let text = text.trim();
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    let is_variable = |name: &str| {
        name.len() > 1
            && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            && name.starts_with(|c: char| c.is_ascii_uppercase())
    };
    if let Some(inner) = text.strip_prefix("{{").and_then(|text| text.strip_suffix("}}")) {
        return is_name(&inner.replace(['(', ')', '\'', '"', ' ', '|'], "_")).then_some("`{{ … }}`");
    }
    if text
        .strip_prefix("env:")
        .or_else(|| text.strip_prefix("ENV:"))
        .is_some_and(is_variable)
    {
        return Some("`env:…`");
    }
    if text.strip_prefix('$').is_some_and(is_variable) {
        return Some("`$NAME`");
    }
    let is_locator = |rest: &str| rest.split('/').count() > 1 && rest.split('/').all(|part| !part.is_empty());
    match text.strip_prefix("op://") {
        Some(rest) if is_locator(rest) => Some("`op://…`"),
        _ => None,
    }
}

/// The kind that dlt makes of a text, where that spoils it: what dlt's own sources are given as an argument is not cast.
fn harmful_cast(path: &CredentialPath, text: &str) -> Option<CastKind> {
    let [top, section, ..] = path.parts() else { return None };
    if top != "sources" || is_argument(section, path.leaf()) || path.parts().iter().any(|part| part == "credentials") {
        return None;
    }
    let cast = auto_cast(text);
    let kind = cast.kind();
    let loses_form = match kind {
        CastKind::Integer => !text.bytes().all(|byte| byte.is_ascii_digit()) || text.len() > 1 && text.starts_with('0'),
        // `1.5` comes back as it is written.
        CastKind::Float => !matches!(cast, Cast::Float(number) if format!("{number:?}") == text),
        CastKind::Boolean => true,
        _ => return None,
    };
    (loses_form || is_secret_name(path.leaf())).then_some(kind)
}

/// Whether one of dlt's own sources takes the key as an argument of a known type.
fn is_argument(section: &str, key: &str) -> bool {
    specs_of(section).any(|spec| spec.module.is_some_and(|module| module != "rest_api") && spec.field(key).is_some())
}

/// The types whose sections have this name: by dlt's module, its source, or the type's own name.
pub(super) fn specs_of(section: &str) -> impl Iterator<Item = &'static TypeSpec> {
    catalogue()
        .types()
        .into_iter()
        .filter(move |spec| spec.module == Some(section) || spec.source_names.contains(&section) || spec.name == section)
}

fn article(kind: CastKind) -> &'static str {
    match kind {
        CastKind::Boolean => "a boolean",
        CastKind::Integer => "an integer",
        CastKind::Float => "a floating-point number",
        CastKind::List => "a list",
        CastKind::Table => "a table",
        CastKind::Text => "a text",
    }
}

/// dlt splits a path at every dot, so it looks for another key.
fn dotted(path: &CredentialPath, found: &mut Vec<Finding>) {
    if matches!(path.parts()[0].as_str(), "sources" | "destination") && path.parts().iter().any(|part| part.contains('.')) {
        found.push(Finding::new(
            Code::DottedKey,
            path.to_string(),
            format!("{path} has a key with a dot in it, which dlt takes for two: it does not find the value"),
            "name the key without a dot, as with `_` in its place, and store the value there: `dango secrets set`",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_other_programs_are_known_by_their_whole_form() {
        for (text, is_reference) in [
            ("{{ STRIPE_KEY }}", true),
            ("{{ env_var('STRIPE_KEY') }}", true),
            ("env:STRIPE_KEY", true),
            ("$STRIPE_KEY", true),
            ("op://vault/item/field", true),
            ("pa$SWORD", false),
            ("$1", false),
            ("$ecret", false),
            ("a{{b}}c", false),
            ("env:staging", false),
        ] {
            assert_eq!(foreign_reference(text).is_some(), is_reference, "{text}");
        }
    }

    #[test]
    fn a_cast_is_told_where_it_spoils_a_value_and_dlt_does_cast() {
        let cast = |path: &str, text: &str| harmful_cast(&path.parse().expect("a path"), text).is_some();
        assert!(cast("sources.mine.zip", "00123"));
        assert!(cast("sources.mine.phone", "+15551234567"));
        assert!(cast("sources.mine.api_key", "12345678"));
        assert!(cast("sources.mine.flag", "true"));
        assert!(cast("sources.rest_api.token", "1e5"));
        assert!(!cast("sources.mine.version", "1.5"));
        assert!(!cast("sources.mine.account_id", "12345678"));
        assert!(!cast("sources.mine.api_key", "sk_1e5"));
        assert!(!cast("sources.facebook_ads.account_id", "0123"));
        assert!(!cast("sources.mine.credentials.password", "00123"));
        assert!(!cast("destination.postgres.credentials.password", "1e5"));
        assert!(!cast("sources.mine.key", "{\"a\":1}"));
    }

    #[test]
    fn names_of_secrets_are_known_by_their_end() {
        for (name, expected) in [
            ("db_password", true),
            ("API-KEY", true),
            ("token", true),
            ("page_token", false),
            ("passwordless", false),
        ] {
            assert_eq!(is_secret_name(name), expected, "{name}");
        }
    }
}
