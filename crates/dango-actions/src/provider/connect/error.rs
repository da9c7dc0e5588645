//! Why a connection was not made, checked or removed.

use crate::desk::FilesError;
use crate::fault::Fault;
use crate::permit::Denied;
use crate::provider::port::ProviderProblem;
use crate::recording::{BeginChangesError, FinishChangesError};

/// Why nothing was connected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It did not work at the provider, or its answer is not taken.
    #[error("{0}")]
    Provider(ProviderProblem),
    /// It is another account than before, and nobody has said that this is wanted.
    #[error("this is another account than the one that was connected")]
    AccountMismatch,
    /// The files do not take it.
    #[error("the connection could not be saved")]
    Save(#[source] FilesError),
    /// It could not be recorded, so it was not done.
    #[error("the connection cannot be recorded in the audit log, so it was not made")]
    Unrecorded(#[source] Fault),
    /// It was made, and that stands in no record.
    #[error("the connection was made, but that could not be recorded in the audit log")]
    OutcomeUnrecorded(#[source] FinishChangesError),
    /// Something failed, so nothing was done.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl ConnectError {
    /// The stable code, as the address of the page has it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied(denied) => denied.code(),
            Self::Provider(problem) => problem.code(),
            Self::AccountMismatch => "account_mismatch",
            Self::Save(_) | Self::Unrecorded(_) | Self::OutcomeUnrecorded(_) => "save_failed",
            Self::Fault(fault) => fault.code(),
        }
    }
}

impl From<BeginChangesError> for ConnectError {
    fn from(error: BeginChangesError) -> Self {
        match error {
            BeginChangesError::Denied(denied) => Self::Denied(denied),
            BeginChangesError::Unrecorded(fault) => Self::Unrecorded(fault),
        }
    }
}

/// Why a stored connection was not checked or not removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// There is no such connection.
    #[error("there is no such connection")]
    NotFound,
    /// The files cannot be read or changed.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It could not be recorded, so it was not done.
    #[error("the change cannot be recorded in the audit log, so it was not made")]
    Unrecorded(#[source] Fault),
    /// It was done, and that stands in no record.
    #[error("the change was made, but how it ended could not be recorded in the audit log")]
    OutcomeUnrecorded(#[source] FinishChangesError),
}

impl ConnectionError {
    /// The stable code, as HTTP answers have it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied(denied) => denied.code(),
            Self::NotFound => "not_found",
            Self::Files(error) => error.code(),
            Self::Unrecorded(_) | Self::OutcomeUnrecorded(_) => "audit_unavailable",
        }
    }
}

impl From<BeginChangesError> for ConnectionError {
    fn from(error: BeginChangesError) -> Self {
        match error {
            BeginChangesError::Denied(denied) => Self::Denied(denied),
            BeginChangesError::Unrecorded(fault) => Self::Unrecorded(fault),
        }
    }
}
