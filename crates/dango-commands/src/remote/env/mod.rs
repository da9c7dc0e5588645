//! `dango remote env`: the variables in the `.env` of a deployed project, one file a verb.

mod delete;
mod get;
mod list;
mod set;

use clap::Subcommand;
use dango_remote::{ChangeError, parse_contents};
use dango_secrets::dotenv::EnvDocument;

use super::link::Link;
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum EnvCommand {
    /// List the variables on the server, masked
    List(list::ListArguments),
    /// Show one variable on the server: masked, or with --reveal its value
    Get(get::GetArguments),
    /// Add or replace one variable on the server
    Set(set::SetArguments),
    /// Remove one variable on the server
    Delete(delete::DeleteArguments),
}

pub(crate) fn run(command: EnvCommand, global: &Global, output: &mut Output<'_>) -> Outcome {
    match command {
        EnvCommand::List(arguments) => list::run(&arguments, global, output),
        EnvCommand::Get(arguments) => get::run(&arguments, global, output),
        EnvCommand::Set(arguments) => set::run(arguments, global, output),
        EnvCommand::Delete(arguments) => delete::run(&arguments, global, output),
    }
}

/// The server's `.env`; a missing one is empty.
fn read(link: &Link, output: &mut Output<'_>) -> Result<EnvDocument, Failure> {
    let result = link.work(output, |access| -> Result<_, ChangeError> {
        let session = access.open()?;
        let document = parse_contents(&session)?;
        session.close();
        Ok(document)
    });
    link.finish(result, output)
}
