//! `dango vault`: where the project's values are kept, and the way from files to a database and back. The steps are `dango-vault`'s.

mod failures;
mod moving;
mod plan;
mod status;
mod withdrawal;

use clap::Subcommand;
use dango_secrets::home::Whereabouts;

use crate::Outcome;
use crate::arguments::{Command, Global};
use crate::failure::Failure;
use crate::host::Host;
use crate::opened::find_project;
use crate::output::Output;
use crate::remote::RemoteCommand;
use crate::source::SourceCommand;

#[derive(Subcommand, Debug)]
pub(crate) enum VaultCommand {
    /// Move the project's values to PostgreSQL, or back to files; run again, it resumes what was interrupted
    Move(moving::MoveArguments),
    /// Say where the project's values are kept, and whether they are being moved
    Status(status::StatusArguments),
}

pub(crate) fn run(command: VaultCommand, global: &Global, output: &mut Output<'_>) -> Outcome {
    match command {
        VaultCommand::Move(arguments) => moving::run(&arguments, global, output),
        VaultCommand::Status(arguments) => status::run(&arguments, global, output),
    }
}

/// Refuses what works on files that are not here any more, before anybody is asked for a value in vain.
pub(crate) fn check_home(command: &Command, global: &Global, host: &Host) -> Result<(), Failure> {
    let needs_files = match command {
        Command::Secrets(_)
        | Command::Env(_)
        | Command::Run(_)
        | Command::Oauth(_)
        | Command::Sync(_)
        | Command::Rotate(_)
        | Command::Exposed(_) => true,
        Command::Source(command) => !matches!(command, SourceCommand::Types(_)),
        Command::Remote(command) => matches!(command, RemoteCommand::PushSecrets(_)),
        _ => false,
    };
    if !needs_files || global.server.is_some() {
        return Ok(());
    }
    // Where there is no project, or a note that says nothing, the command says more.
    let Ok(project) = find_project(global, host) else { return Ok(()) };
    match Whereabouts::read(project.root()) {
        Ok(Whereabouts::Rows) => Err(failures::moved(&project)),
        Ok(Whereabouts::Returning | Whereabouts::Returned) => Err(failures::moved(&project).hint("a move back was interrupted")),
        _ => Ok(()),
    }
}
