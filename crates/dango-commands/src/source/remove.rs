//! `dango source remove`: a source out of `sources.yml`, and its credentials if wanted.

use clap::Args;
use dango_actions::Ending;
use dango_audit::{Detail, Event};
use dango_core::CredentialPath;
use serde::Serialize;

use super::{Sources, edit_file, parse_name};
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
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
    let credentials = CredentialPath::from_parts(["sources", name.as_str()]);
    let connection = CredentialPath::from_parts(["dango", "oauth", name.as_str()]);
    let tables: Vec<CredentialPath> = credentials.into_iter().chain(connection).collect();
    let stored = sources
        .secrets
        .entries()
        .iter()
        .filter(|entry| tables.iter().any(|table| entry.path.starts_with(table)))
        .count();
    let take_credentials = stored > 0
        && !arguments.keep_credentials
        && (global.yes || prompt::decide(&format!("remove its {stored} values from .dlt/secrets.toml, too?"), false, output)?);
    let change = |output: &mut Output<'_>| {
        edit_file(&opened, output, |file| {
            file.remove(&name).map_err(|error| Failure::caused_by(&error))
        })?;
        if !take_credentials {
            return Ok(0);
        }
        let removed = opened.vault().unset_secrets(&tables);
        removed.map_err(|error| opened.vault_failure(&error))
    };
    let draft = record::source(Event::SourceRemoved, &name);
    let removed = recorded(&opened, vec![draft], output, change, |removed| {
        vec![Ending::done().with(Detail::Count, count(*removed))]
    })?;
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
    Ok(())
}
