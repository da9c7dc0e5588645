//! `dango secrets list`: every credential by path, masked.

use std::borrow::Cow;

use clap::Args;
use dango_core::CredentialPath;
use dango_secrets::document::SecretsDocument;
use serde::Serialize;

use super::parse_path;
use crate::Outcome;
use crate::arguments::Global;
use crate::opened::Opened;
use crate::output::Output;
use crate::server::{Listing, Server};

/// What stands for a value in every output.
pub(crate) const MASK: &str = "***";

#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    /// Only credentials at or below this path
    #[arg(value_name = "PREFIX")]
    prefix: Option<String>,
}

/// A credential as lists show it.
#[derive(Serialize)]
struct Row {
    path: String,
    masked_value: &'static str,
    #[serde(rename = "type")]
    value_type: Cow<'static, str>,
    encrypted: bool,
    reference: bool,
}

pub(crate) fn run(arguments: &ListArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let prefix = arguments.prefix.as_deref().map(parse_path).transpose()?;
    let rows = match Server::of(global, output)? {
        Some(server) => of_server(server.listing()?, prefix.as_ref()),
        None => of_file(&Opened::find(global, output.host)?.secrets(output)?, prefix.as_ref()),
    };
    show(rows, prefix.is_some(), output)
}

fn of_file(document: &SecretsDocument, prefix: Option<&CredentialPath>) -> Vec<Row> {
    document
        .entries()
        .into_iter()
        .filter(|entry| !dango_vault::is_seal(&entry.path))
        .filter(|entry| prefix.is_none_or(|prefix| entry.path.starts_with(prefix)))
        .map(|entry| Row {
            path: entry.path.to_string(),
            masked_value: MASK,
            value_type: entry.value.value_type().map_or("", |value_type| value_type.as_str()).into(),
            encrypted: dango_vault::is_encrypted(&entry.value),
            reference: entry.value.has_reference(),
        })
        .collect()
}

fn of_server(listing: Listing, prefix: Option<&CredentialPath>) -> Vec<Row> {
    let is_wanted = |path: &str| prefix.is_none_or(|prefix| path.parse::<CredentialPath>().is_ok_and(|path| path.starts_with(prefix)));
    let wanted = listing.credentials.into_iter().filter(|row| is_wanted(&row.path));
    wanted
        .map(|row| Row {
            path: row.path,
            masked_value: MASK,
            value_type: row.value_type.into(),
            encrypted: row.encrypted,
            reference: row.reference,
        })
        .collect()
}

fn show(rows: Vec<Row>, is_narrowed: bool, output: &mut Output<'_>) -> Outcome {
    if output.json {
        return output.json(&rows);
    }
    if rows.is_empty() {
        output.say(if is_narrowed {
            "no credentials below this path"
        } else {
            "no credentials yet"
        });
        output.hint("store one with `dango secrets set sources.NAME.KEY`");
        return Ok(());
    }
    let cells: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            let kept = if row.encrypted { "encrypted" } else { "plain" };
            let reference = if row.reference { "reference" } else { "" };
            vec![
                row.path,
                row.masked_value.to_owned(),
                row.value_type.into_owned(),
                kept.to_owned(),
                reference.to_owned(),
            ]
        })
        .collect();
    output.table(&["PATH", "VALUE", "TYPE", "STORED", "REFERENCE"], &cells)
}
