//! `dango audit`: what happened, whether the log still says so, and the log for other programs. One file a verb.

mod export;
mod filter;
mod list;
mod verify;

use clap::Subcommand;

use crate::Outcome;
use crate::arguments::Global;
use crate::output::Output;
pub(crate) use list::{HEADING, ListArguments, details, run as list};

#[derive(Subcommand, Debug)]
pub(crate) enum AuditCommand {
    /// List what happened, the newest first
    List(ListArguments),
    /// Check that the log is as it was written; exit 3 names the first bad record
    Verify(verify::VerifyArguments),
    /// Write the log out as JSON Lines or CSV, the oldest record first
    Export(export::ExportArguments),
}

pub(crate) fn run(command: AuditCommand, global: &Global, output: &mut Output<'_>) -> Outcome {
    match command {
        AuditCommand::List(arguments) => list(&arguments, global, output),
        AuditCommand::Verify(arguments) => verify::run(&arguments, global, output),
        AuditCommand::Export(arguments) => export::run(&arguments, global, output),
    }
}
