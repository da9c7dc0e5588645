//! Why a project's encrypted files were not used or changed; single documents have errors of their own.

use std::sync::Arc;

use dango_keyring::{CounterExhausted, HolderError, KeyId, SealError, TooManyKeys};
use dango_secrets::document::{DocumentError, EditError};
use dango_secrets::dotenv::{EnvError, EnvRespellError};
use dango_secrets::storage::{ReadError, UpdateError, WriteError};

use crate::aside::{AsideError, ValuePlace};
use crate::closed::OpeningError;
use crate::env::{EnvEncryptError, EnvSetError};
use crate::history::HistoryError;
use crate::secrets::{EncryptError, SetError};

/// Why a file, or what belongs to it, was not changed.
///
/// # Security
///
/// It names files, paths and variables, never a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// A key is needed and could not be fetched.
    #[error("the encryption key could not be fetched")]
    Keys(#[from] Arc<HolderError>),
    /// Keys could not be stored.
    #[error("the encryption keys could not be stored")]
    Store(#[source] HolderError),
    /// Earlier rotations were never finished.
    #[error(transparent)]
    TooManyKeys(#[from] TooManyKeys),
    /// No randomness for a new key.
    #[error(transparent)]
    Entropy(#[from] dango_core::EntropyError),
    /// Encrypted values do not open.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// Values of `secrets.toml` were not encrypted or decrypted.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
    /// A value of `secrets.toml` was not set.
    #[error(transparent)]
    Set(#[from] SetError),
    /// Values of `.env` were not encrypted or decrypted.
    #[error(transparent)]
    EnvEncrypt(#[from] EnvEncryptError),
    /// A variable was not set.
    #[error(transparent)]
    EnvSet(#[from] EnvSetError),
    /// `secrets.toml` does not parse.
    #[error(".dlt/secrets.toml: {0}")]
    Document(DocumentError),
    /// `.env` does not parse.
    #[error(".env: {0}")]
    Env(EnvError),
    /// The seal found no place in `secrets.toml`.
    #[error("the table [dango.seal] cannot be written")]
    SealTable(#[source] EditError),
    /// The seal found no place in `.env`.
    #[error("the line of the seal cannot be written to .env")]
    SealLine(#[source] EnvRespellError),
    /// A value of the history was not sealed.
    #[error("a previous value was not encrypted")]
    Seal(#[from] SealError),
    /// The key has sealed as much as it may.
    #[error("the key {id} would have sealed more values than one key may: `dango key rotate` makes a new one")]
    Exhausted {
        /// The key.
        id: KeyId,
    },
    /// Another process has rotated the key since it was fetched.
    #[error("the key {id} was replaced by a rotation meanwhile: do it again with the new key")]
    Retired {
        /// The key.
        id: KeyId,
    },
    /// The counter of a file's seal cannot grow.
    #[error(transparent)]
    Counter(#[from] CounterExhausted),
    /// The count of seals cannot be read.
    #[error("line {line} of {path} is no count of seals")]
    Counts {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
    },
    /// The project's id is none that a keyring can have.
    #[error(".dango/project-id is no project id: letters, digits, `-` and `_`, at most 64")]
    ProjectId,
    /// The file's values are encrypted with a key that is not at hand, and another would have been added to it.
    #[error("the encrypted values of {file} need the key {found}, which is not at hand: none is added with {active}")]
    OtherKey {
        /// The file.
        file: &'static str,
        /// A key that its values need.
        found: KeyId,
        /// The key that is at hand.
        active: KeyId,
    },
    /// The history cannot be used.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// What is laid aside cannot be used.
    #[error(transparent)]
    Aside(#[from] AsideError),
    /// Somebody else has changed a value that was to be exchanged.
    #[error("{place} no longer has the value that was to be replaced, so it was left alone")]
    Changed {
        /// The path, or the variable.
        place: ValuePlace,
    },
    /// A text that would be taken for an encrypted value.
    #[error("{place} was given an encrypted value, which opens nowhere but where it was encrypted")]
    IsEnvelope {
        /// The path, or the variable.
        place: String,
    },
    /// A text with a NUL, which no file can hold.
    #[error("the value has a NUL byte")]
    Nul,
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl VaultError {
    /// Whether it is of the file as a whole, whatever was to be changed in it.
    pub(crate) const fn is_of_file(&self) -> bool {
        matches!(self, Self::Document(_) | Self::Env(_) | Self::Read(_) | Self::Write(_))
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Keys(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::TooManyKeys(_) => "keys-too-many",
            Self::Entropy(_) => "no-randomness",
            Self::Opening(error) => error.code(),
            Self::Encrypt(error) => error.code(),
            Self::Set(error) => error.code(),
            Self::EnvEncrypt(error) => error.code(),
            Self::EnvSet(error) => error.code(),
            Self::Document(error) => error.code(),
            Self::Env(error) => error.code(),
            Self::SealTable(error) => error.code(),
            Self::SealLine(error) => error.code(),
            Self::Seal(error) => error.code(),
            Self::Exhausted { .. } => "key-exhausted",
            Self::Retired { .. } => "key-retired",
            Self::Counter(_) => "seal-counter-exhausted",
            Self::Counts { .. } => "seal-counts-malformed",
            Self::ProjectId => "project-id-malformed",
            Self::OtherKey { .. } => "key-other",
            Self::History(error) => error.code(),
            Self::Aside(error) => error.code(),
            Self::Changed { .. } => "value-changed",
            Self::IsEnvelope { .. } => "value-is-envelope",
            Self::Nul => "value-nul",
            Self::Read(error) => error.code(),
            Self::Write(error) => error.code(),
        }
    }
}

impl From<UpdateError<VaultError>> for VaultError {
    fn from(error: UpdateError<VaultError>) -> Self {
        match error {
            UpdateError::Edit(error) => error,
            UpdateError::Read(error) => Self::Read(error),
            UpdateError::Write(error) => Self::Write(error),
        }
    }
}
