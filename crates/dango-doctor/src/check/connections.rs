//! Stored connections to providers: how long they last, and whether their tokens are there. Nobody is asked.

use dango_core::CredentialPath;
use dango_secrets::Value;
use dango_sources::{Expiry, expiry};
use dango_vault::Connection;

use crate::chart::Chart;
use crate::code::Code;
use crate::finding::{Finding, word};

pub(super) fn check(chart: &Chart<'_>, found: &mut Vec<Finding>) {
    let Some(document) = &chart.opened else { return };
    for connection in Connection::list(document, chart.site.clock) {
        let name = &connection.name;
        let asked = word(name);
        for path in &connection.unreadable {
            found.push(Finding::new(
                Code::ConnectionTime,
                path.to_string(),
                format!("{path} is no time, so nobody knows when the connection ends"),
                format!("`dango oauth refresh {asked}`, or correct it in .dlt/secrets.toml"),
            ));
        }
        if !has_token(chart, name) && !is_told(name, found) {
            found.push(Finding::new(
                Code::ConnectionWithoutToken,
                Connection::path_of(name).to_string(),
                format!("the connection {name} is noted, and [sources.{name}] has none of its tokens"),
                format!(
                    "`dango oauth {} --name {asked}` connects it again; `dango oauth remove {asked}` forgets it",
                    word(&connection.source_type)
                ),
            ));
            continue;
        }
        let (code, says) = match expiry(connection.expires_at, chart.site.clock.now()) {
            Expiry::Expired => (Code::ConnectionExpired, "has ended".to_owned()),
            Expiry::Expiring { days: 0 } => (Code::ConnectionExpiring, "ends within a day".to_owned()),
            Expiry::Expiring { days: 1 } => (Code::ConnectionExpiring, "ends in 1 day".to_owned()),
            Expiry::Expiring { days } => (Code::ConnectionExpiring, format!("ends in {days} days")),
            _ => continue,
        };
        found.push(Finding::new(
            code,
            name.clone(),
            format!("the access of {name} to {} {says}", connection.provider),
            format!("`dango oauth refresh {asked}`"),
        ));
    }
}

/// Whether anything is stored for the source, in its own section or in the environment under its name.
fn has_token(chart: &Chart<'_>, name: &str) -> bool {
    let Some(section) = CredentialPath::from_parts(["sources", name]) else {
        return false;
    };
    let stored = chart.opened.as_ref().and_then(|document| document.value(&section));
    let in_file = matches!(&stored, Some(Value::Table(keys)) if keys.iter().any(|(key, value)| is_token(key, value)));
    let variable = super::dlt::variable_of(&section).map(|name| format!("{name}__"));
    let in_environment = variable.is_some_and(|start| {
        let names = chart.site.environment.keys().filter_map(|name| name.to_str());
        names
            .chain(chart.variables.iter().map(|(name, _)| name))
            .any(|name| name.starts_with(&start))
    });
    in_file || in_environment
}

/// A token, or a key of the same role; `account_id` and the like are none.
fn is_token(key: &str, value: &Value) -> bool {
    match value {
        Value::Table(below) => below.iter().any(|(key, value)| is_token(key, value)),
        Value::String(_) => key.contains("token") || key.contains("key") || key.contains("secret") || key == "credentials",
        _ => false,
    }
}

/// Whether the source is known to lack a credential.
fn is_told(name: &str, found: &[Finding]) -> bool {
    let start = format!("sources.{name}.");
    found.iter().any(|finding| {
        matches!(finding.code, Code::CredentialMissing | Code::CredentialEmpty | Code::Placeholder) && finding.place.starts_with(&start)
    })
}
