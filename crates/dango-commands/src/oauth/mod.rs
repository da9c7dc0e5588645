//! `dango oauth`: connections to providers; one file a verb, and what they share of providers, records and tokens.

mod check;
mod client;
mod connect;
mod fields;
mod inbox;
mod list;
mod making;
mod provider;
mod refresh;
mod remove;
mod setup;
mod status;
mod stored;
mod view;
mod wait;

pub(crate) use check::check_connection;
pub(crate) use refresh::renew_due;
pub(crate) use remove::{draft_of_removal, ending_of_removal, remove};

use clap::{Args, Subcommand};
use dango_core::SourceName;
use dango_secrets::document::SecretsDocument;
use dango_vault::Connection;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
pub(crate) struct OauthArguments {
    #[command(flatten)]
    connect: connect::ConnectArguments,
    #[command(subcommand)]
    verb: Option<OauthVerb>,
}

#[derive(Subcommand, Debug)]
enum OauthVerb {
    /// Store the client id and secret of an app that you registered at a provider
    Setup(setup::SetupArguments),
    /// List the stored connections
    List,
    /// Show the connections that have expired or are about to (exit 3 if any)
    Status,
    /// Ask the providers whether the connections work (exit 3 if one does not)
    Check(check::CheckArguments),
    /// Renew a connection, without a browser where the provider can
    Refresh(refresh::RefreshArguments),
    /// Revoke a connection at the provider, and remove all that was stored of it
    Remove(remove::RemoveArguments),
}

pub(crate) fn run(arguments: &OauthArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    if arguments.verb.is_some() && arguments.connect.is_given() {
        return Err(Failure::usage(
            "a source type and its options stand alone, without another command of `dango oauth`",
        ));
    }
    match &arguments.verb {
        None => connect::run(&arguments.connect, global, output),
        Some(OauthVerb::Setup(arguments)) => setup::run(arguments, global, output),
        Some(OauthVerb::List) => list::run(global, output),
        Some(OauthVerb::Status) => status::run(global, output),
        Some(OauthVerb::Check(arguments)) => check::run(arguments, global, output),
        Some(OauthVerb::Refresh(arguments)) => refresh::run(arguments, global, output),
        Some(OauthVerb::Remove(arguments)) => remove::run(arguments, global, output),
    }
}

/// The connection of a name, or of a type where it has only one.
fn find(document: &SecretsDocument, text: &str, output: &Output<'_>) -> Result<Connection, Failure> {
    let all = Connection::list(document, output.host.clock.as_ref());
    if let Some(named) = all.iter().find(|connection| connection.name == text) {
        return Ok(named.clone());
    }
    let mut of_type = all.into_iter().filter(|connection| connection.source_type == text);
    match (of_type.next(), of_type.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(Failure::refused("there are several connections of that type: give the name of one")
            .with_code("ambiguous")
            .hint("`dango oauth list` shows their names")),
        (None, _) => Err(stored::not_found()),
    }
}

/// The name as records of the audit log have it; a name that no source can have is told as none.
fn source_name(connection: &Connection) -> Option<SourceName> {
    connection.name.parse().ok()
}
