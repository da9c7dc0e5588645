//! `dango secrets`: the credentials in `.dlt/secrets.toml`, one file a verb.

pub(crate) use list::MASK;
pub(crate) use set::action;

pub(crate) mod changes;
pub(crate) mod diff;
mod encrypt;
mod explain;
mod export;
mod get;
pub(crate) mod history;
mod import;
mod list;
pub(crate) mod reseal;
mod set;
mod unset;

use clap::Subcommand;
use dango_core::CredentialPath;

use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum SecretsCommand {
    /// List the credentials, masked
    List(list::ListArguments),
    /// Show one credential: masked, or with --reveal its value
    Get(get::GetArguments),
    /// Add or replace one credential, read from a hidden prompt, standard input, a file or a variable
    Set(set::SetArguments),
    /// Remove one credential, or a whole table after confirmation
    Unset(unset::UnsetArguments),
    /// Encrypt credentials where they stand
    Encrypt(encrypt::EncryptArguments),
    /// Make encrypted credentials plain again
    Decrypt(encrypt::EncryptArguments),
    /// Accept the encrypted values of the file as they are, after a warning about the seal
    Reseal,
    /// Say who changed a credential and when, and list the previous values that can be put back, without showing them
    History(history::HistoryArguments),
    /// Put a previous value back
    Rollback(history::RollbackArguments),
    /// Name the credentials that differ from those of another project or file
    Diff(diff::DiffArguments),
    /// Take credentials from a file in another format
    Import(import::ImportArguments),
    /// Print the credentials in another format
    Export(export::ExportArguments),
    /// Show every place where dlt looks for a credential, and which one wins
    Explain(explain::ExplainArguments),
}

pub(crate) fn run(command: SecretsCommand, global: &Global, output: &mut Output<'_>) -> Outcome {
    match command {
        SecretsCommand::List(arguments) => list::run(&arguments, global, output),
        SecretsCommand::Get(arguments) => get::run(&arguments, global, output),
        SecretsCommand::Set(arguments) => set::run(&arguments, global, output),
        SecretsCommand::Unset(arguments) => unset::run(&arguments, global, output),
        SecretsCommand::Encrypt(arguments) => encrypt::encrypt(&arguments, global, output),
        SecretsCommand::Decrypt(arguments) => encrypt::decrypt(&arguments, global, output),
        SecretsCommand::Reseal => reseal::run(global, output),
        SecretsCommand::History(arguments) => history::history(&arguments, global, output),
        SecretsCommand::Rollback(arguments) => history::rollback(&arguments, global, output),
        SecretsCommand::Diff(arguments) => diff::run(&arguments, global, output),
        SecretsCommand::Import(arguments) => import::run(&arguments, global, output),
        SecretsCommand::Export(arguments) => export::run(&arguments, global, output),
        SecretsCommand::Explain(arguments) => explain::run(&arguments, global, output),
    }
}

/// Reads a PATH argument; a malformed one is wrong usage, and is not repeated.
pub(crate) fn parse_path(text: &str) -> Result<CredentialPath, Failure> {
    text.parse().map_err(|error: dango_core::ParsePathError| {
        let failure = Failure::usage(error.to_string())
            .hint("a path is the dotted path of a key in .dlt/secrets.toml, as in `sources.stripe.api_key`");
        if text.contains('=') {
            failure.hint("give the path alone; the value comes from a prompt, standard input, `--from-file` or `--from-env`")
        } else {
            failure
        }
    })
}

/// There is nothing at a path.
fn missing(path: &CredentialPath, opened: &Opened) -> Failure {
    Failure::refused(format!(
        "there is no credential {path} in {}",
        opened.project.secrets_toml().display()
    ))
    .hint("`dango secrets list` shows what there is")
}
