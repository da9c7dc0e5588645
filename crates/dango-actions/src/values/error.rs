//! Why values were not given, or a credential was not changed.

use std::time::Duration;

use crate::desk::FilesError;
use crate::fault::Fault;
use crate::permit::Denied;
use crate::recording::{BeginChangesError, FinishChangesError};

/// No value was given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadValuesError {
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The files do not give them.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It could not be recorded, or not be done at all, so nothing was given.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl ReadValuesError {
    /// The stable code, as HTTP answers have it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied(denied) => denied.code(),
            Self::Files(error) => error.code(),
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// Why a credential was not set or not deleted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeCredentialError {
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It could not be recorded, so it was not done.
    #[error("the change cannot be recorded in the audit log, so it was not made")]
    Unrecorded(#[source] Fault),
    /// The files do not take it.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It was done, and that stands in no record.
    #[error("the change was made, but how it ended could not be recorded in the audit log")]
    OutcomeUnrecorded(#[source] FinishChangesError),
    /// It was not begun, or broke off.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl ChangeCredentialError {
    /// The stable code, as HTTP answers have it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied(denied) => denied.code(),
            Self::Unrecorded(_) | Self::OutcomeUnrecorded(_) => "audit_unavailable",
            Self::Files(error) => error.code(),
            Self::Fault(fault) => fault.code(),
        }
    }

    /// When it is worth trying again, where that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unrecorded(fault) | Self::Fault(fault) => fault.retry_after(),
            Self::Files(error) => error.retry_after(),
            Self::Denied(_) | Self::OutcomeUnrecorded(_) => None,
        }
    }
}

impl From<BeginChangesError> for ChangeCredentialError {
    fn from(error: BeginChangesError) -> Self {
        match error {
            BeginChangesError::Denied(denied) => Self::Denied(denied),
            BeginChangesError::Unrecorded(fault) => Self::Unrecorded(fault),
        }
    }
}
