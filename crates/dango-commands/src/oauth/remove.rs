//! `dango oauth remove`: a connection given back at its provider, and everything that was stored of it taken away.

use clap::Args;
use dango_actions::Ending;
use dango_audit::{Detail, Event};
use dango_oauth::{ClientRegistration, HttpClient, Provider, Revocation, Revoked, block_on, revoke};
use dango_vault::Connection;
use serde::Serialize;

use super::connect::PATIENCE;
use super::place::Places;
use super::renewing::{Renewing, draft, parse_type};
use super::{find, provider};
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

/// What came of it.
struct Removed {
    values: usize,
    revoked: bool,
}

pub(super) fn run(arguments: &RemoveArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let connection = find(&opened.secrets(output)?, &arguments.name, output)?;
    let account = connection.account_info.as_ref().or(connection.identifier.as_ref());
    let whose = account.map(|account| format!(" ({account})")).unwrap_or_default();
    prompt::confirm(&format!("remove the connection {}{whose}?", connection.name), global.yes, output)?;
    let change = |output: &mut Output<'_>| remove(&connection, &opened, output);
    let draft = draft(Event::OauthSourceDisconnected, &connection);
    let removed = recorded(&opened, vec![draft], output, change, |removed: &Removed| {
        let ending = Ending::done().with(Detail::Revoked, removed.revoked);
        vec![ending.with(Detail::Count, count(removed.values))]
    })?;
    if output.json {
        return output.json(&Done {
            name: connection.name,
            source_type: connection.source_type,
            action: "disconnected",
            revoked_at_provider: removed.revoked,
            credentials_removed: removed.values,
        });
    }
    let at_provider = if removed.revoked { ", and revoked at the provider" } else { "" };
    output.say(format!("{}: removed{at_provider}", connection.name));
    Ok(())
}

fn remove(connection: &Connection, opened: &Opened, output: &mut Output<'_>) -> Result<Removed, Failure> {
    let vault = opened.vault();
    let _lease = vault
        .lease_connection(&connection.name, PATIENCE)
        .map_err(|error| opened.vault_failure(&error))?;
    let providers = provider::providers(opened)?;
    let served = provider::of_connection(&providers, connection).ok();
    let mut fields = Vec::new();
    if let Some((provider, source)) = served {
        let source_type = parse_type(connection)?;
        fields = Places::new(&connection.name, &source_type, provider, source).all();
    } else {
        output.warn(format!(
            "what stands below sources.{} stays: which of it came from the provider is not known for its type",
            connection.name
        ));
    }
    let revoked = match Renewing::read(connection, &providers, opened, output) {
        Ok(renewing) => give_back(&renewing, opened, output)?,
        // What cannot be opened can still be taken away.
        Err(failure) => {
            not_revoked(connection, served.map(|(provider, _)| provider), &failure.message, output);
            false
        }
    };
    let values = vault.remove_connection(&connection.name, &fields);
    let values = values.map_err(|error| opened.vault_failure(&error))?;
    Ok(Removed { values, revoked })
}

/// Revokes the grant, unless another connection lives on it.
fn give_back(renewing: &Renewing<'_>, opened: &Opened, output: &mut Output<'_>) -> Result<bool, Failure> {
    let (connection, provider) = (&renewing.connection, renewing.provider);
    let others = Connection::list(&opened.secrets(output)?, output.host.clock.as_ref());
    // Providers end everything that an account has granted to an app, not the one token.
    let sharing = others
        .iter()
        .find(|other| other.name != connection.name && other.provider == connection.provider && other.identifier == connection.identifier);
    if let (Some(other), Some(_)) = (sharing, &connection.identifier) {
        output.warn(format!(
            "the access is not revoked at {}: {} has it from the same account, and would lose it, too",
            provider.title, other.name
        ));
        return Ok(false);
    }
    let anonymous = matches!(
        provider.revocation,
        Revocation::TokenAlone | Revocation::Bearer | Revocation::Delete
    );
    let client = match &renewing.client {
        Some(client) => client.clone(),
        None if anonymous => ClientRegistration::public(String::new()),
        None => {
            not_revoked(connection, Some(provider), "its app is not stored here", output);
            return Ok(false);
        }
    };
    let http = HttpClient::new();
    let ceremony = revoke(&http, provider, &renewing.endpoints, &client, &renewing.tokens);
    let revoked = block_on(ceremony).map_err(|error| Failure::refused(format!("cannot wait for the network: {error}")))?;
    match revoked {
        Revoked::Yes => return Ok(true),
        Revoked::Unsupported => not_revoked(connection, Some(provider), "it has no way to, or no token is stored", output),
        Revoked::Failed(error) => not_revoked(connection, Some(provider), &chain(&error), output),
    }
    Ok(false)
}

fn not_revoked(connection: &Connection, provider: Option<&Provider>, why: &str, output: &mut Output<'_>) {
    let title = provider.map_or(connection.provider.as_str(), |provider| provider.title.as_str());
    output.warn(format!("the access was not revoked at {title}: {why}"));
    output.hint(format!(
        "take it back on {title}'s own page, where an account lists the apps that it lets in"
    ));
}
