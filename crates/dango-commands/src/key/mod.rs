//! `dango key`: the project's encryption key, one file a verb.

mod create;
mod export;
mod import;
mod passphrase;
mod rotate;
mod status;

use clap::Subcommand;
use dango_actions::Ending;
use dango_audit::{Detail, Id};
use dango_keyring::{HolderKind, KeyId};
use dango_vault::AdoptError;

use crate::Outcome;
use crate::arguments::Global;
use crate::database::{Address, DatabaseArguments, is_moved};
use crate::failure::Failure;
use crate::key_access::with_hints;
use crate::opened::{Opened, find_project};
use crate::output::Output;

#[derive(Subcommand, Debug)]
pub(crate) enum KeyCommand {
    /// Show where the key is, its id, and how much it protects
    Status(status::StatusArguments),
    /// Make the project's key
    Create(create::CreateArguments),
    /// Encrypt everything under a new key; run again, it resumes what was interrupted
    Rotate(rotate::RotateArguments),
    /// Write a backup of the key, protected by a passphrase
    Export(export::ExportArguments),
    /// Restore the key from a backup, or move it to another place
    Import(import::ImportArguments),
}

pub(crate) fn run(command: KeyCommand, global: &Global, output: &mut Output<'_>) -> Outcome {
    match command {
        KeyCommand::Status(arguments) => status::run(&arguments, global, output),
        KeyCommand::Create(arguments) => create::run(&arguments, global, output),
        KeyCommand::Rotate(arguments) => rotate::run(&arguments, global, output),
        KeyCommand::Export(arguments) => export::run(&arguments, global, output),
        KeyCommand::Import(arguments) => import::run(&arguments, global, output),
    }
}

/// The project whose key is meant, with its values in the database that they were moved to, if they were.
fn open(database: &DatabaseArguments, global: &Global, output: &mut Output<'_>) -> Result<Opened, Failure> {
    let project = find_project(global, output.host)?;
    if !is_moved(&project)? {
        return Opened::at(project, output.host);
    }
    let address = Address::require(database, &project, output)?;
    let database = address.open(&project, output.host)?;
    Opened::in_database(project, database, output.host)
}

/// Where a key is put, as options name it.
const HOLDERS: [&str; 3] = ["keyring", "passphrase", "file"];

/// The kind that an option names; clap has let nothing else through.
fn kind(name: Option<&str>) -> HolderKind {
    name.and_then(HolderKind::parse).unwrap_or(HolderKind::Keyring)
}

/// A change that was made, with the key that it was about.
fn with_id(id: KeyId) -> Ending {
    let id: Id = id.to_string().parse().expect("the id of a key is 16 hexadecimal digits");
    Ending::done().with(Detail::KeyId, &id)
}

/// A number of values, for a person.
fn values(count: usize) -> String {
    if count == 1 {
        "1 value".to_owned()
    } else {
        format!("{count} values")
    }
}

/// Why a project did not get a key, for a person.
fn failure(opened: &Opened, error: AdoptError) -> Failure {
    match error {
        AdoptError::Vault(error) => opened.vault_failure(&error),
        AdoptError::AlreadyThere { .. } => Failure::caused_by(&error)
            .hint("`dango key rotate` replaces it by a new one and encrypts everything anew")
            .hint("`dango key status` shows what it protects"),
        AdoptError::InEnvironment { .. } => Failure::caused_by(&error).hint("unset that variable to keep a key elsewhere"),
        AdoptError::Lost { .. } => Failure::caused_by(&error)
            .hint("bring that key back first: `dango key import FILE`, or DANGO_KEY")
            .hint("if it is lost for good, `--yes` makes a new one; what the old one encrypted stays closed"),
        error => {
            let code = error.code();
            with_hints(Failure::caused_by(&error), code)
        }
    }
}
