//! What goes wrong with a project's files, in the words of the port: no folder of the machine in the text, the cause kept for the log.

use dango_actions::{FilesError, FilesProblem};
use dango_secrets::document::DocumentError;
use dango_secrets::dotenv::{EnvEditError, EnvError};
use dango_secrets::home::HomeError;
use dango_secrets::storage::{ReadError, WriteError};
use dango_vault::{EnvSetError, VaultError};

/// `.env`, from the project's directory.
const ENV: &str = ".env";
/// `secrets.toml`, from the project's directory.
const SECRETS: &str = ".dlt/secrets.toml";

/// Why a change, or all of them, was not made.
pub fn of_vault(error: VaultError) -> FilesError {
    let word = error.code();
    let problem = match &error {
        VaultError::EnvSet(EnvSetError::Edit(error)) => of_edit(error),
        VaultError::EnvSet(EnvSetError::Reference { .. }) | VaultError::IsEnvelope { .. } | VaultError::Nul => {
            FilesProblem::Value { reason: error.to_string() }
        }
        VaultError::Env(error) => of_env(error),
        VaultError::Document(error) => of_document(error),
        VaultError::Read(error) => of_read(error),
        VaultError::Write(error) => of_write(error),
        VaultError::Keys(_)
        | VaultError::Store(_)
        | VaultError::TooManyKeys(_)
        | VaultError::Opening(_)
        | VaultError::EnvSet(_)
        | VaultError::Exhausted { .. }
        | VaultError::Retired { .. }
        | VaultError::OtherKey { .. }
        | VaultError::ProjectId => FilesProblem::Key,
        _ => FilesProblem::Unusable,
    };
    FilesError::new(problem, word).caused_by(error)
}

/// Why `.env` was not listed.
pub fn of_env_error(error: EnvError) -> FilesError {
    FilesError::new(of_env(&error), error.code()).caused_by(error)
}

/// Why `secrets.toml` was not listed.
pub fn of_document_error(error: DocumentError) -> FilesError {
    FilesError::new(of_document(&error), error.code()).caused_by(error)
}

/// Why a file was not read.
pub fn of_read_error(error: ReadError) -> FilesError {
    FilesError::new(of_read(&error), error.code()).caused_by(error)
}

fn of_edit(error: &EnvEditError) -> FilesProblem {
    match error {
        EnvEditError::NotFound => FilesProblem::NotFound,
        EnvEditError::OtherLine { line, .. } => unparsable(ENV, (*line, 1), error),
        _ => FilesProblem::Value { reason: error.to_string() },
    }
}

fn of_env(error: &EnvError) -> FilesProblem {
    let reason = match error {
        EnvError::Nul { .. } => "there is a NUL byte",
        _ => "there is a byte that is not UTF-8",
    };
    unparsable(ENV, error.place(), reason)
}

fn of_document(error: &DocumentError) -> FilesProblem {
    unparsable(SECRETS, (error.line, error.column), &error.problem)
}

fn unparsable(file: &'static str, (line, column): (usize, usize), reason: impl ToString) -> FilesProblem {
    FilesProblem::Unparsable {
        file,
        line,
        column,
        reason: reason.to_string(),
    }
}

const fn of_read(error: &ReadError) -> FilesProblem {
    match error {
        ReadError::Denied { .. } => FilesProblem::Permission,
        ReadError::Home(HomeError::Keys { .. } | HomeError::UnknownKey { .. }) => FilesProblem::Key,
        _ => FilesProblem::Unusable,
    }
}

const fn of_write(error: &WriteError) -> FilesProblem {
    match error {
        WriteError::DiskFull { .. } => FilesProblem::DiskFull,
        WriteError::ReadOnly { .. } => FilesProblem::ReadOnly,
        WriteError::Denied { .. } | WriteError::NotOurs { .. } => FilesProblem::Permission,
        WriteError::Locked { .. } | WriteError::Changed { .. } => FilesProblem::Busy,
        WriteError::NotDurable { .. } => FilesProblem::NotDurable,
        WriteError::Home(HomeError::Keys { .. } | HomeError::UnknownKey { .. }) => FilesProblem::Key,
        WriteError::Home(HomeError::Moving { .. } | HomeError::Moved { .. }) => FilesProblem::Busy,
        _ => FilesProblem::Unusable,
    }
}
