//! `dango key status`: where the key is, its id, and how much it protects.

use clap::Args;
use serde::Serialize;

use super::{open, values};
use crate::Outcome;
use crate::arguments::Global;
use crate::database::DatabaseArguments;
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct StatusArguments {
    #[command(flatten)]
    database: DatabaseArguments,
}

#[derive(Serialize)]
struct Status {
    holder: Option<&'static str>,
    key_id: Option<String>,
    protects: usize,
    seals: u64,
}

pub(crate) fn run(arguments: &StatusArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = open(&arguments.database, global, output)?;
    let status = opened.place.status().map_err(|error| opened.vault_failure(&error))?;
    opened.warn_of_ignored_key(output);
    if output.json {
        return output.json(&Status {
            holder: status.kind.map(dango_keyring::HolderKind::as_str),
            key_id: status.key_id.map(|id| id.to_string()),
            protects: status.protects,
            seals: status.seals,
        });
    }
    let mut rows = Vec::new();
    match (status.kind, status.key_id, status.place) {
        (Some(kind), Some(id), Some(place)) => {
            rows.push(vec!["holder".to_owned(), format!("{kind} ({place})")]);
            rows.push(vec!["key id".to_owned(), id.to_string()]);
            rows.push(vec![
                "protects".to_owned(),
                format!("{}, previous ones included", values(status.protects)),
            ]);
            rows.push(vec![
                "seals".to_owned(),
                format!("{} of {} under this key", status.seals, dango_keyring::SealCount::MOST),
            ]);
        }
        _ => rows.push(vec!["holder".to_owned(), "none".to_owned()]),
    }
    for id in &status.retired {
        rows.push(vec!["retired".to_owned(), id.to_string()]);
    }
    for (id, count) in &status.unknown {
        rows.push(vec!["not at hand".to_owned(), format!("{id}, needed by {}", values(*count))]);
    }
    output.table(&["KEY", ""], &rows)?;
    if status.kind.is_none() {
        for hint in crate::key_access::hints("key-not-chosen") {
            output.hint(hint);
        }
    }
    if !status.retired.is_empty() {
        output.hint("a rotation was interrupted: `dango key rotate` finishes it");
    }
    Ok(())
}
