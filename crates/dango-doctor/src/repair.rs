//! What puts a finding right: each small, safe and done in one step. Nothing here destroys anything; recording it is the caller's work.

use std::convert::Infallible;
use std::path::PathBuf;

use dango_core::{CredentialPath, SecretValue};
use dango_secrets::References;
use dango_secrets::document::{NewValue, SecretsDocument};
use dango_secrets::project::InitError;
use dango_secrets::storage::{self, Closed, Edit, UpdateError, WriteError};
use dango_vault::{Protection, VaultError};
use zeroize::Zeroizing;

use crate::site::Site;

/// UTF-8's byte order mark.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Something that can be put right without asking.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repair {
    /// Permissions are taken away.
    Close {
        /// From this file or folder.
        path: PathBuf,
        /// Which ones.
        closed: Closed,
    },
    /// `.gitignore` gets what it lacks, this file included.
    Ignore {
        /// The file, relative to the project.
        name: String,
    },
    /// A byte order mark goes; every other byte stays.
    RemoveMark {
        /// Of this file.
        path: PathBuf,
    },
    /// What writes that never ended have left goes.
    RemoveLeftovers {
        /// Beside this file.
        target: PathBuf,
    },
    /// A default that dlt needs is written.
    WriteDefault {
        /// Where.
        path: CredentialPath,
        /// The default; no secret.
        value: &'static str,
    },
}

/// Why something was not put right; it is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepairError {
    /// A file could not be changed.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A file could not be read or changed.
    #[error(transparent)]
    Update(#[from] UpdateError<Infallible>),
    /// `.gitignore` could not be changed.
    #[error(transparent)]
    Gitignore(#[from] InitError),
    /// A default could not be written.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl RepairError {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Write(error) => error.code(),
            Self::Update(UpdateError::Read(error)) => error.code(),
            Self::Update(UpdateError::Write(error)) => error.code(),
            Self::Update(UpdateError::Edit(never)) => match *never {},
            Self::Gitignore(error) => error.code(),
            Self::Vault(error) => error.code(),
        }
    }
}

impl Repair {
    /// What is done, in one stable word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Close { .. } => "closed",
            Self::Ignore { .. } => "ignored",
            Self::RemoveMark { .. } => "mark_removed",
            Self::RemoveLeftovers { .. } => "leftovers_removed",
            Self::WriteDefault { .. } => "default_written",
        }
    }

    /// Does it; answers whether anything was left to do.
    ///
    /// # Errors
    ///
    /// [`RepairError`]; everything is then as it was.
    pub fn carry_out(&self, site: &Site<'_>) -> Result<bool, RepairError> {
        match self {
            Self::Close { path, closed } => Ok(storage::tighten(path, *closed)?),
            Self::Ignore { name } => Ok(site.project.ignore(std::slice::from_ref(name), site.entropy)?),
            Self::RemoveMark { path } => Ok(storage::update(path, site.entropy, |old| {
                let rest = old.and_then(|old| old.strip_prefix(MARK));
                Ok::<_, Infallible>(match rest {
                    Some(rest) => Edit::Replace(Zeroizing::new(rest.to_vec()), true),
                    None => Edit::Keep(false),
                })
            })?),
            // Whoever takes the lock of a file removes what is left beside it.
            Self::RemoveLeftovers { target } => Ok(storage::update(target, site.entropy, |_| Ok::<_, Infallible>(Edit::Keep(true)))?),
            Self::WriteDefault { path, value } => {
                let is_there = |document: &SecretsDocument| document.value(path).is_some();
                let text = SecretValue::new((*value).to_owned()).map_err(|_| VaultError::Nul)?;
                let value = NewValue::String {
                    text,
                    references: References::Literal,
                };
                let contents = site.project.secrets().map_err(VaultError::Read)?;
                let document = contents.map(|contents| SecretsDocument::parse(contents.bytes()).map_err(VaultError::Document));
                if document.transpose()?.is_some_and(|document| is_there(&document)) {
                    return Ok(false);
                }
                site.vault().set_secrets(&[(path.clone(), value)], Protection::Plain)?;
                Ok(true)
            }
        }
    }
}
