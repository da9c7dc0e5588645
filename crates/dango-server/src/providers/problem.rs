//! What goes wrong with stored connections, in the words of the ports: no folder of the machine, no value, nothing that a provider wrote.

use dango_actions::{FilesError, FilesProblem, ProviderFailure, ProviderProblem};
use dango_connections::{CheckFailure, EndpointsError, LiveError, ProvidersFileError, RemoveError, SaveError, StoredError};
use dango_files::problem::{of_document_error, of_env_error, of_read_error, of_vault};
use dango_oauth::ProviderError;
use dango_vault::VaultError;

use crate::failure::chain;

/// The project's own providers, from the project's directory.
const PROVIDERS: &str = ".dango/providers.toml";

pub(super) fn of_stored(error: StoredError) -> FilesError {
    match error {
        StoredError::Read(error) => of_read_error(error),
        StoredError::Document(error) => of_document_error(error),
        StoredError::Env(error) => of_env_error(error),
        StoredError::Opening(error) => of_vault(VaultError::Opening(error)),
        StoredError::Interrupted(error) => of_vault(error),
        error => FilesError::new(FilesProblem::Unusable, error.code()).caused_by(error),
    }
}

pub(super) fn of_providers_file(error: ProvidersFileError) -> FilesError {
    match error {
        ProvidersFileError::Read(error) => of_read_error(error),
        ProvidersFileError::Invalid { error, .. } => FilesError::new(
            FilesProblem::Unparsable {
                file: PROVIDERS,
                line: error.line,
                column: 1,
                reason: error.problem.to_string(),
            },
            error.code(),
        ),
        error => FilesError::new(FilesProblem::Unusable, error.code()).caused_by(error),
    }
}

pub(super) fn of_save(error: SaveError) -> FilesError {
    match error {
        SaveError::Vault(error) => of_vault(error),
        SaveError::Stored(error) => of_stored(error),
        SaveError::OtherAccount => FilesError::new(FilesProblem::Busy, "account_mismatch").caused_by(error),
        error => FilesError::new(FilesProblem::Unusable, error.code()).caused_by(error),
    }
}

pub(super) fn of_check(error: CheckFailure) -> FilesError {
    match error {
        CheckFailure::Lease(error) | CheckFailure::NotSaved(error) => of_vault(error),
        CheckFailure::Live(error) => of_live(error),
        error => FilesError::new(FilesProblem::Unusable, error.code()).caused_by(error),
    }
}

pub(super) fn of_remove(error: RemoveError) -> FilesError {
    match error {
        RemoveError::NotFound => FilesError::new(FilesProblem::NotFound, error.code()),
        RemoveError::Stored(error) => of_stored(error),
        RemoveError::Vault(error) => of_vault(error),
        error => FilesError::new(FilesProblem::Unusable, error.code()).caused_by(error),
    }
}

fn of_live(error: LiveError) -> FilesError {
    match error {
        LiveError::NotFound => FilesError::new(FilesProblem::NotFound, error.code()),
        LiveError::Stored(error) => of_stored(error),
        error => FilesError::new(FilesProblem::Unusable, error.code()).caused_by(error),
    }
}

/// A flow that cannot be begun or finished because of the project's files: the app is in them.
pub(super) fn flow_without_files(error: &FilesError) -> ProviderFailure {
    ProviderFailure::new(ProviderProblem::MissingCredentials, error.word().as_str()).caused_by(error.clone())
}

pub(super) fn flow_without_endpoints(error: EndpointsError) -> ProviderFailure {
    let problem = match &error {
        EndpointsError::Host { .. } => ProviderProblem::MissingCredentials,
        _ => ProviderProblem::ExchangeFailed,
    };
    ProviderFailure::new(problem, error.code()).caused_by(error)
}

pub(super) fn of_exchange(error: ProviderError) -> ProviderFailure {
    ProviderFailure::new(ProviderProblem::ExchangeFailed, error.code()).caused_by(error)
}

/// Tells the log why a flow came to nothing: people are told a code, and whoever runs the server has to find the cause.
pub(super) fn write_down(about: &str, failure: &ProviderFailure) {
    if std::error::Error::source(failure).is_some() {
        tracing::warn!(about, "what was to be done at a provider came to nothing: {}", chain(failure));
    }
}
