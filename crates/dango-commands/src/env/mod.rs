//! `dango env`: the variables in `.env`, one file a verb.

mod encrypt;
mod get;
mod history;
mod lint;
mod list;
mod set;
mod unset;

pub(crate) use set::parse_key;

use clap::Subcommand;

use crate::Outcome;
use crate::arguments::Global;
use crate::output::Output;
use crate::secrets::diff::DiffArguments;

#[derive(Subcommand, Debug)]
pub(crate) enum EnvCommand {
    /// List the variables, masked
    List,
    /// Show one variable: masked, or with --reveal its value
    Get(get::GetArguments),
    /// Add or replace one variable, read from a hidden prompt, standard input, a file or a variable
    Set(set::SetArguments),
    /// Remove one variable
    Unset(unset::UnsetArguments),
    /// Encrypt variables where they stand
    Encrypt(encrypt::EncryptArguments),
    /// Make encrypted variables plain again
    Decrypt(encrypt::EncryptArguments),
    /// Accept the encrypted values of the file as they are, after a warning about the seal
    Reseal,
    /// Say who changed a variable and when, and list the previous values that can be put back, without showing them
    History(history::HistoryArguments),
    /// Put a previous value back
    Rollback(history::RollbackArguments),
    /// Name the variables that differ from those of another project or file
    Diff(DiffArguments),
    /// Show the lines that python-dotenv, node dotenv, docker and bash read differently
    Lint,
}

pub(crate) fn run(command: EnvCommand, global: &Global, output: &mut Output<'_>) -> Outcome {
    match command {
        EnvCommand::List => list::run(global, output),
        EnvCommand::Get(arguments) => get::run(&arguments, global, output),
        EnvCommand::Set(arguments) => set::run(&arguments, global, output),
        EnvCommand::Unset(arguments) => unset::run(&arguments, global, output),
        EnvCommand::Encrypt(arguments) => encrypt::encrypt(&arguments, global, output),
        EnvCommand::Decrypt(arguments) => encrypt::decrypt(&arguments, global, output),
        EnvCommand::Reseal => history::reseal(global, output),
        EnvCommand::History(arguments) => history::history(&arguments, global, output),
        EnvCommand::Rollback(arguments) => history::rollback(&arguments, global, output),
        EnvCommand::Diff(arguments) => history::diff(&arguments, global, output),
        EnvCommand::Lint => lint::run(global, output),
    }
}
