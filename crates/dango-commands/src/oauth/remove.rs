//! `dango oauth remove`: a connection given back at its provider, and everything that was stored of it taken away.

use clap::Args;
use dango_actions::{ChangeDraft, Ending};
use dango_audit::{Detail, Event};
use dango_connections::{GivenBack, NotGivenBack, PATIENCE, RemoveError, Removed, provider_of};
use dango_oauth::HttpClient;
use dango_vault::Connection;
use serde::Serialize;

use super::find;
use super::stored::{ask, draft, live_failure, not_found, providers};
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::{Failure, chain};
use crate::opened::Opened;
use crate::output::Output;
use crate::prompt;
use crate::recorded::{count, recorded};

#[derive(Args, Debug)]
pub(super) struct RemoveArguments {
    /// The connection, or its type where it is the only one
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Serialize)]
struct Done {
    name: String,
    source_type: String,
    action: &'static str,
    revoked_at_provider: bool,
    credentials_removed: usize,
}

pub(super) fn run(arguments: &RemoveArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let connection = find(&opened.secrets(output)?, &arguments.name, output)?;
    let account = connection.account_info.as_ref().or(connection.identifier.as_ref());
    let whose = account.map(|account| format!(" ({account})")).unwrap_or_default();
    prompt::confirm(&format!("remove the connection {}{whose}?", connection.name), global.yes, output)?;
    let change = |output: &mut Output<'_>| remove(&connection, &opened, output);
    let draft = draft_of_removal(&connection);
    let removed = recorded(&opened, vec![draft], output, change, |removed: &Removed| {
        vec![ending_of_removal(removed)]
    })?;
    let revoked = matches!(removed.given_back, GivenBack::Yes);
    if output.json {
        return output.json(&Done {
            name: connection.name,
            source_type: connection.source_type,
            action: "disconnected",
            revoked_at_provider: revoked,
            credentials_removed: removed.values,
        });
    }
    let at_provider = if revoked { ", and revoked at the provider" } else { "" };
    output.say(format!("{}: removed{at_provider}", connection.name));
    Ok(())
}

/// A removal, for the audit log.
pub(crate) fn draft_of_removal(connection: &Connection) -> ChangeDraft {
    draft(Event::OauthSourceDisconnected, connection)
}

/// How a removal ended, for the audit log.
pub(crate) fn ending_of_removal(removed: &Removed) -> Ending {
    let revoked = matches!(removed.given_back, GivenBack::Yes);
    Ending::done()
        .with(Detail::Revoked, revoked)
        .with(Detail::Count, count(removed.values))
}

/// Gives a connection back at its provider and removes all that was stored of it; warns of what its provider did not do.
pub(crate) fn remove(connection: &Connection, opened: &Opened, output: &mut Output<'_>) -> Result<Removed, Failure> {
    let files = opened.connections(output.host);
    let providers = providers(&files)?;
    let title = provider_of(&providers, connection).map_or(connection.provider.as_str(), |(provider, _)| provider.title.as_str());
    let http = HttpClient::new();
    let removed = ask(files.remove(&connection.name, &providers, &http, PATIENCE), &files, opened, output)?;
    let removed = removed.map_err(|error| match error {
        RemoveError::NotFound => not_found(),
        RemoveError::Stored(error) => opened.stored_failure(&error),
        RemoveError::Vault(error) => opened.vault_failure(&error),
        error => Failure::caused_by(&error).with_code(error.code()),
    })?;
    if removed.fields_stay {
        output.warn(format!(
            "what stands below sources.{} stays: which of it came from the provider is not known for its type",
            connection.name
        ));
    }
    match &removed.given_back {
        GivenBack::Yes => {}
        GivenBack::Shared { with } => output.warn(format!(
            "the access is not revoked at {title}: {with} has it from the same account, and would lose it, too"
        )),
        GivenBack::No(NotGivenBack::Unread(error)) => {
            not_revoked(title, &live_failure(error, connection, opened).message, output);
        }
        GivenBack::No(why) => not_revoked(title, &chain(why), output),
    }
    Ok(removed)
}

fn not_revoked(title: &str, why: &str, output: &mut Output<'_>) {
    output.warn(format!("the access was not revoked at {title}: {why}"));
    output.hint(format!(
        "take it back on {title}'s own page, where an account lists the apps that it lets in"
    ));
}
