//! `dango source remove`: a source out of `sources.yml`, and its credentials if wanted.

use clap::Args;
use dango_actions::Ending;
use dango_audit::{Detail, Event};
use dango_connections::Removed;
use dango_core::CredentialPath;
use dango_vault::Connection;
use serde::Serialize;

use super::{Sources, edit_file, parse_name};
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::oauth;
use crate::opened::Opened;
use crate::output::Output;
use crate::prompt;
use crate::recorded::{self as record, count, recorded};

#[derive(Args, Debug)]
pub(crate) struct RemoveArguments {
    /// The source
    #[arg(value_name = "NAME")]
    name: String,
    /// Leave its credentials where they are, without asking
    #[arg(long)]
    keep_credentials: bool,
}

/// What went with the source.
struct Gone {
    values: usize,
    /// Its connection, if it had one.
    disconnected: Option<Removed>,
}

#[derive(Serialize)]
struct Done {
    name: String,
    action: &'static str,
    credentials_removed: usize,
}

pub(crate) fn run(arguments: &RemoveArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let name = parse_name(&arguments.name)?;
    let opened = Opened::find(global, output.host)?;
    let sources = Sources::read(&opened, output)?;
    sources.find(&name)?;
    prompt::confirm(&format!("remove the source {name}?"), global.yes, output)?;
    let connection = sources.connection(&name, output);
    let credentials = CredentialPath::from_parts(["sources", name.as_str()]);
    let tables: Vec<CredentialPath> = credentials.into_iter().chain([Connection::path_of(name.as_str())]).collect();
    let stored = sources
        .secrets
        .entries()
        .iter()
        .filter(|entry| tables.iter().any(|table| entry.path.starts_with(table)))
        .count();
    let take_credentials =
        stored > 0 && !arguments.keep_credentials && (global.yes || prompt::decide(&question(stored, connection.as_ref()), false, output)?);
    // Whoever takes the tokens away gives the access back, too: later nobody could.
    let given_back = connection.as_ref().filter(|_| take_credentials);
    let change = |output: &mut Output<'_>| {
        let disconnected = match given_back {
            Some(connection) => Some(oauth::remove(connection, &opened, output)?),
            None => None,
        };
        edit_file(&opened, output, |file| {
            file.remove(&name).map_err(|error| Failure::caused_by(&error))
        })?;
        let mut values = disconnected.as_ref().map_or(0, |disconnected| disconnected.values);
        if take_credentials {
            let removed = opened.vault().unset_secrets(&tables);
            values += removed.map_err(|error| opened.vault_failure(&error))?;
        }
        Ok(Gone { values, disconnected })
    };
    let mut drafts = vec![record::source(Event::SourceRemoved, &name)];
    drafts.extend(given_back.map(oauth::draft_of_removal));
    let gone = recorded(&opened, drafts, output, change, |gone: &Gone| {
        let removed = Ending::done().with(Detail::Count, count(gone.values));
        let disconnected = gone.disconnected.as_ref().map(oauth::ending_of_removal);
        [removed].into_iter().chain(disconnected).collect()
    })?;
    let removed = gone.values;
    if output.json {
        return output.json(&Done {
            name: name.to_string(),
            action: "deleted",
            credentials_removed: removed,
        });
    }
    match (removed, stored) {
        (0, 0) => output.say(format!("{name}: removed")),
        (0, stored) => output.say(format!("{name}: removed; its {stored} values are still in .dlt/secrets.toml")),
        (removed, _) => output.say(format!("{name}: removed, with {removed} values in .dlt/secrets.toml")),
    }
    if let Some(connection) = connection.filter(|_| !take_credentials) {
        output.hint(format!(
            "it is still connected; `dango oauth remove {}` revokes that and takes its tokens away",
            connection.name
        ));
    }
    Ok(())
}

fn question(stored: usize, connection: Option<&Connection>) -> String {
    match connection {
        Some(_) => format!("remove its {stored} values from .dlt/secrets.toml, too, and revoke its access at the provider?"),
        None => format!("remove its {stored} values from .dlt/secrets.toml, too?"),
    }
}
