//! `dango env list`: every variable of `.env`, masked.

use std::collections::HashMap;

use dango_secrets::dotenv::{Binding, EnvDocument};
use dango_vault::is_encrypted_binding;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::Global;
use crate::opened::Opened;
use crate::output::Output;
use crate::secrets::MASK;
use crate::server::{Server, VariableRow};

#[derive(Serialize)]
struct Row {
    key: String,
    masked_value: &'static str,
    encrypted: bool,
    reference: bool,
}

pub(crate) fn run(global: &Global, output: &mut Output<'_>) -> Outcome {
    let rows = match Server::of(global, output)? {
        Some(server) => {
            let listed = server.listing()?.variables.into_iter();
            let row = |row: VariableRow| Row {
                key: row.key,
                masked_value: MASK,
                encrypted: row.encrypted,
                reference: row.reference,
            };
            listed.map(row).collect()
        }
        None => of_file(&Opened::find(global, output.host)?.env()?),
    };
    show(rows, output)
}

fn of_file(document: &EnvDocument) -> Vec<Row> {
    // Of duplicates the last one counts.
    let last: HashMap<&str, &Binding> = document.bindings().map(|binding| (binding.key(), binding)).collect();
    let row = |key: &str| Row {
        key: key.to_owned(),
        masked_value: MASK,
        encrypted: last.get(key).is_some_and(|binding| is_encrypted_binding(binding)),
        reference: last.get(key).is_some_and(|binding| binding.has_reference()),
    };
    document.keys().into_iter().map(row).collect()
}

fn show(rows: Vec<Row>, output: &mut Output<'_>) -> Outcome {
    if output.json {
        return output.json(&rows);
    }
    if rows.is_empty() {
        output.say("no variables in .env yet");
        output.hint("store one with `dango env set NAME`");
        return Ok(());
    }
    let cells: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            let kept = if row.encrypted { "encrypted" } else { "plain" };
            let reference = if row.reference { "reference" } else { "" };
            vec![row.key, row.masked_value.to_owned(), kept.to_owned(), reference.to_owned()]
        })
        .collect();
    output.table(&["KEY", "VALUE", "STORED", "REFERENCE"], &cells)
}
