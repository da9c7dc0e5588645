//! `dango env`: the variables in `.env`, one file a verb.

mod get;
mod lint;
mod list;
mod set;
mod unset;

use clap::Subcommand;

use crate::Outcome;
use crate::arguments::Global;
use crate::output::Output;

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
    /// Show the lines that python-dotenv, node dotenv, docker and bash read differently
    Lint,
}

pub(crate) fn run(command: EnvCommand, global: &Global, output: &mut Output<'_>) -> Outcome {
    match command {
        EnvCommand::List => list::run(global, output),
        EnvCommand::Get(arguments) => get::run(&arguments, global, output),
        EnvCommand::Set(arguments) => set::run(&arguments, global, output),
        EnvCommand::Unset(arguments) => unset::run(&arguments, global, output),
        EnvCommand::Lint => lint::run(global, output),
    }
}
