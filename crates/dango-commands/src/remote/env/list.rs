//! `dango remote env list`: every variable of the server's `.env`, masked.

use clap::Args;
use dango_secrets::dotenv::Binding;
use dango_vault::is_encrypted_binding;
use serde::Serialize;

use crate::Outcome;
use crate::arguments::Global;
use crate::output::Output;
use crate::remote::Which;
use crate::remote::link::Link;
use crate::secrets::MASK;

#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    which: Which,
}

#[derive(Serialize)]
struct Row {
    key: String,
    masked_value: &'static str,
    encrypted: bool,
    reference: bool,
}

pub(crate) fn run(arguments: &ListArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let link = Link::find(&arguments.which, global, output)?;
    let document = super::read(&link, output)?;
    // Of duplicates the last one counts.
    let last: std::collections::HashMap<&str, &Binding> = document.bindings().map(|binding| (binding.key(), binding)).collect();
    let row = |key: &str| Row {
        key: key.to_owned(),
        masked_value: MASK,
        encrypted: last.get(key).is_some_and(|binding| is_encrypted_binding(binding)),
        reference: last.get(key).is_some_and(|binding| binding.has_reference()),
    };
    let rows: Vec<Row> = document.keys().into_iter().map(row).collect();
    if output.json {
        return output.json(&rows);
    }
    if rows.is_empty() {
        output.say(format!("no variables in .env on {} yet", link.remote.name));
        output.hint("store one with `dango remote env set NAME`");
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
