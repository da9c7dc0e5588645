//! `dango source list`: the project's sources and the state of their credentials.

use dango_sources::{CredentialState, Expiry};
use serde::Serialize;

use super::Sources;
use crate::Outcome;
use crate::arguments::Global;
use crate::opened::Opened;
use crate::output::Output;

#[derive(Serialize)]
struct Row {
    name: String,
    #[serde(rename = "type")]
    source_type: String,
    state: &'static str,
    missing: Vec<String>,
    days_until_expiry: Option<i64>,
    sync: bool,
}

pub(crate) fn run(global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let sources = Sources::read(&opened, output)?;
    let mut rows = Vec::new();
    for source in sources.file.sources() {
        let state = sources.state(source, output);
        // One connection whose record is damaged hides none of the others.
        let expiry = sources.expiry(source.name(), output).unwrap_or_else(|failure| {
            output.warn(failure.message);
            Expiry::None
        });
        rows.push(Row {
            name: source.name().to_string(),
            source_type: source.source_type().to_string(),
            state: word(state.as_ref(), expiry),
            missing: state
                .iter()
                .flat_map(|state| &state.missing)
                .map(|missing| missing.path.to_string())
                .collect(),
            days_until_expiry: match expiry {
                Expiry::Valid { days } | Expiry::Expiring { days } => Some(days),
                Expiry::Expired => Some(0),
                Expiry::None => None,
            },
            sync: source.sync().is_some(),
        });
    }
    if output.json {
        return output.json(&rows);
    }
    if rows.is_empty() {
        output.say("no sources yet");
        output.hint("add one with `dango source add`");
        return Ok(());
    }
    let cells: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            let sync = if row.sync { "yes" } else { "no" };
            vec![
                row.name,
                row.source_type,
                row.state.replace('_', " "),
                row.missing.join(", "),
                sync.to_owned(),
            ]
        })
        .collect();
    output.table(&["NAME", "TYPE", "CREDENTIALS", "MISSING", "SYNC"], &cells)
}

/// The state of a source's credentials in one stable word.
fn word(state: Option<&CredentialState>, expiry: Expiry) -> &'static str {
    match (state, expiry) {
        (None, _) => "unknown_type",
        (Some(state), _) if !state.is_complete() => "incomplete",
        (_, Expiry::Expired) => "expired",
        (_, Expiry::Expiring { .. }) => "expiring",
        _ => "complete",
    }
}
