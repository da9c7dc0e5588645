//! `dango remote`: deployed projects, and the variables in the `.env` of their servers; one file a verb.

mod add;
mod env;
mod failures;
mod link;
mod list;
mod push;
mod remove;
mod select;

use clap::{Args, Subcommand};
use dango_core::RemoteName;
use dango_remote::settings::Remotes;
use dango_secrets::storage::{self, Edit};
use zeroize::Zeroizing;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::{Opened, failure_of_update};
use crate::output::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum RemoteCommand {
    /// Say where a deployed project is; nothing is connected to
    Add(add::AddArguments),
    /// List the deployed projects
    List,
    /// Forget a deployed project; on the server nothing changes
    Remove(remove::RemoveArguments),
    /// Choose the deployed project that the other commands mean
    Use(select::UseArguments),
    /// Variables in the .env of a deployed project
    #[command(subcommand)]
    Env(env::EnvCommand),
    /// Send credentials of .dlt/secrets.toml to the .env of a deployed project, after showing what changes
    PushSecrets(push::PushArguments),
}

/// Which deployed project is meant.
#[derive(Args, Clone, Debug)]
pub(crate) struct Which {
    /// The deployed project [default: the one in use]
    #[arg(long, value_name = "NAME")]
    remote: Option<String>,
}

pub(crate) fn run(command: RemoteCommand, global: &Global, output: &mut Output<'_>) -> Outcome {
    match command {
        RemoteCommand::Add(arguments) => add::run(&arguments, global, output),
        RemoteCommand::List => list::run(global, output),
        RemoteCommand::Remove(arguments) => remove::run(&arguments, global, output),
        RemoteCommand::Use(arguments) => select::run(&arguments, global, output),
        RemoteCommand::Env(command) => env::run(command, global, output),
        RemoteCommand::PushSecrets(arguments) => push::run(&arguments, global, output),
    }
}

/// Reads a remote's name; a malformed one is wrong usage.
fn parse_name(text: &str) -> Result<RemoteName, Failure> {
    text.parse()
        .map_err(|error: dango_core::ParseNameError| Failure::usage(error.to_string()))
}

/// The project's remotes; a missing file knows none.
fn read(opened: &Opened) -> Result<Remotes, Failure> {
    let contents = storage::read(&opened.project.remote_toml()).map_err(|error| Failure::caused_by(&error))?;
    let bytes = contents.as_ref().map(|contents| contents.bytes());
    Remotes::parse(bytes.unwrap_or_default()).map_err(|error| failures::of_settings(&error, opened))
}

/// Reads, edits and replaces `remote.toml` under its lock.
fn edit(opened: &Opened, output: &Output<'_>, edit: impl Fn(&Remotes) -> Result<Remotes, Failure>) -> Result<(), Failure> {
    let result = storage::update(&opened.project.remote_toml(), output.host.entropy.as_ref(), |bytes| {
        let remotes = Remotes::parse(bytes.unwrap_or_default()).map_err(|error| failures::of_settings(&error, opened))?;
        let text = edit(&remotes)?.text().as_bytes().to_vec();
        Ok(Edit::Replace(Zeroizing::new(text), ()))
    });
    result.map_err(failure_of_update)
}
