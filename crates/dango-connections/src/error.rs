//! Why something about a connection was not done, one type an operation. None of them holds a value or what a provider wrote.

use std::path::PathBuf;
use std::time::Duration;

use dango_core::InvalidSecret;
use dango_oauth::{Cause, HostError, ProvidersError, RenewalError, ReplacementError};
use dango_secrets::ReferenceError;
use dango_secrets::document::DocumentError;
use dango_secrets::dotenv::{EnvError, EnvValueError};
use dango_secrets::storage::ReadError;
use dango_vault::{OpeningError, VaultError};

/// Why what is stored could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoredError {
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// `secrets.toml` does not parse.
    #[error(".dlt/secrets.toml: {0}")]
    Document(DocumentError),
    /// `.env` does not parse.
    #[error(".env: {0}")]
    Env(EnvError),
    /// The references of `.env` cannot be expanded.
    #[error(".env: {0}")]
    EnvValues(EnvValueError),
    /// An encrypted value does not open.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// A value refers to a variable that stands for nothing.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A value that no file can hold.
    #[error(transparent)]
    Value(#[from] InvalidSecret),
    /// The seal was not checked because somebody interrupted.
    #[error(transparent)]
    Interrupted(VaultError),
}

impl StoredError {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read(error) => error.code(),
            Self::Document(error) => error.code(),
            Self::Env(error) => error.code(),
            Self::EnvValues(error) => error.code(),
            Self::Opening(error) => error.code(),
            Self::Reference(error) => error.code(),
            Self::Value(_) => "value-nul",
            Self::Interrupted(error) => error.code(),
        }
    }
}

/// Why a project's own table of providers cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvidersFileError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is no text.
    #[error("{} is not UTF-8 at byte offset {offset}", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The first byte that is none.
        offset: usize,
    },
    /// It is no table of providers.
    #[error("{}:{}: {}", path.display(), error.line, error.problem)]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        error: ProvidersError,
    },
}

impl ProvidersFileError {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read(error) => error.code(),
            Self::NotUtf8 { .. } => "oauth_providers_invalid",
            Self::Invalid { error, .. } => error.code(),
        }
    }
}

/// Why a provider cannot be asked at any address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointsError {
    /// The environment replaces an endpoint by something that is none.
    #[error(transparent)]
    Replacement(#[from] ReplacementError),
    /// The account's part of the host is missing, or is none.
    #[error("{error}")]
    Host {
        /// What is wrong with it.
        error: HostError,
        /// The field of the source that holds it.
        field: Option<String>,
    },
}

impl EndpointsError {
    /// The stable name of the error.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Replacement(error) => error.code(),
            Self::Host { error, .. } => error.code(),
        }
    }
}

/// Why a stored connection could not be read with all that it takes to ask its provider.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// There is none of that name.
    #[error("there is no connection of that name")]
    NotFound,
    /// No provider serves its type.
    #[error("no provider is known for its type")]
    Unserved,
    /// What is stored cannot be read.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// The provider has no address.
    #[error(transparent)]
    Endpoints(#[from] EndpointsError),
}

impl LiveError {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Unserved => "unsupported",
            Self::Stored(error) => error.code(),
            Self::Endpoints(error) => error.code(),
        }
    }
}

/// Why a connection was not renewed. What is stored is as good as it was, unless this says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenewError {
    /// No app is registered for it.
    #[error("no app is registered for the provider")]
    NoClient,
    /// Another machine may be renewing it: this one was not heard of for too long.
    #[error("another machine may be renewing the connection")]
    LeaseLost,
    /// It could not be read again after the provider had refused.
    #[error("the connection was refused, and could not be read again")]
    Reread(#[source] LiveError),
    /// The provider takes it no more, which was believed only after what is stored was read again.
    #[error("the provider takes the connection no more")]
    Dead {
        /// Why, probably.
        cause: Cause,
    },
    /// The app's registration is wrong, or the provider wants something else: only a person helps.
    #[error(transparent)]
    Misconfigured(RenewalError),
    /// That says nothing about the connection.
    #[error("{error}")]
    Later {
        /// What it was.
        error: RenewalError,
        /// When to try again.
        after: Duration,
    },
    /// The provider gave new tokens, and they could not be stored.
    #[error("the new tokens could not be stored")]
    NotSaved(#[source] VaultError),
}

impl RenewError {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoClient => "missing_credentials",
            Self::LeaseLost => "lease_lost",
            Self::Reread(error) => error.code(),
            Self::Dead { .. } => "revoked",
            Self::Misconfigured(error) | Self::Later { error, .. } => error.code(),
            Self::NotSaved(error) => error.code(),
        }
    }
}

/// Why a grant was not stored; nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// The source needs a refresh token, the provider gave none, and none of the same account and app is stored.
    #[error("the provider gave no refresh token, without which the source cannot be loaded")]
    NoRefreshToken,
    /// Meanwhile somebody has connected another account than the one that was compared.
    #[error("meanwhile another account was connected")]
    OtherAccount,
    /// What is stored cannot be read.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// The file does not take it, or another process is busy with the connection.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl SaveError {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoRefreshToken => "exchange_failed",
            Self::OtherAccount => "account_mismatch",
            Self::Stored(error) => error.code(),
            Self::Vault(error) => error.code(),
        }
    }
}

/// Why a connection was not checked. What a provider says of one is no failure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckFailure {
    /// Another process is busy with it.
    #[error(transparent)]
    Lease(VaultError),
    /// It cannot be read.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// The check had to renew, and the new tokens could not be stored.
    #[error("the new tokens could not be stored")]
    NotSaved(#[source] VaultError),
}

impl CheckFailure {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Live(error) => error.code(),
            Self::Lease(error) | Self::NotSaved(error) => error.code(),
        }
    }
}

/// Why a connection was not removed; all of it is still there, though the provider may have taken the grant back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoveError {
    /// There is none of that name.
    #[error("there is no connection of that name")]
    NotFound,
    /// The file cannot be read.
    #[error(transparent)]
    Stored(#[from] StoredError),
    /// The file does not take it, or another process is busy with the connection.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl RemoveError {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Stored(error) => error.code(),
            Self::Vault(error) => error.code(),
        }
    }
}
