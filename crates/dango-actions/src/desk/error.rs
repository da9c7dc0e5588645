//! Why the desk did not do what it was asked.

use std::time::Duration;

use dango_core::ParseNameError;

use super::files::FilesError;
use super::{LARGEST_VALUE, RETRY_AFTER};
use crate::fault::Fault;
use crate::permit::Denied;
use crate::recording::{BeginChangesError, FinishChangesError};

/// Why a variable was not set or not deleted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeVariableError {
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The key is none that a variable can have.
    #[error(transparent)]
    Key(#[from] ParseNameError),
    /// The value is none that any file can hold.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// It could not be recorded, so it was not done.
    #[error("the change cannot be recorded in the audit log, so it was not made")]
    Unrecorded(#[source] Fault),
    /// The files do not take it.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It was done, and that stands in no record.
    #[error("the change was made, but how it ended could not be recorded in the audit log")]
    OutcomeUnrecorded(#[source] FinishChangesError),
    /// Too many changes wait already; this one was not begun.
    #[error("too many changes are waiting")]
    Busy,
    /// The server is stopping; the change was not begun.
    #[error("the server is stopping")]
    Closed,
    /// The work broke off; whether the change was made is not known, and the audit log has it as open.
    #[error("the work was broken off, and whether the change was made is not known")]
    Interrupted,
}

impl ChangeVariableError {
    /// The stable code, as HTTP answers have it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied(denied) => denied.code(),
            Self::Key(_) => "invalid_key",
            Self::Value(_) => "invalid_value",
            Self::Unrecorded(_) | Self::OutcomeUnrecorded(_) => "audit_unavailable",
            Self::Files(error) => error.code(),
            Self::Busy => "busy",
            Self::Closed => "stopping",
            Self::Interrupted => "interrupted",
        }
    }

    /// When it is worth trying again, where that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy | Self::Closed => Some(RETRY_AFTER),
            Self::Unrecorded(fault) => fault.retry_after(),
            Self::Files(error) => error.retry_after(),
            _ => None,
        }
    }
}

impl From<BeginChangesError> for ChangeVariableError {
    fn from(error: BeginChangesError) -> Self {
        match error {
            BeginChangesError::Denied(denied) => Self::Denied(denied),
            BeginChangesError::Unrecorded(fault) => Self::Unrecorded(fault),
        }
    }
}

/// What makes a text no value of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// A NUL, which no environment can hold.
    #[error("the value has a NUL")]
    Nul,
    /// More than a variable may have.
    #[error("the value is longer than {LARGEST_VALUE} bytes")]
    TooLong,
}

/// Why nothing was listed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListSecretsError {
    /// The caller may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The files cannot be read.
    #[error(transparent)]
    Files(#[from] FilesError),
}

impl ListSecretsError {
    /// The stable code, as HTTP answers have it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied(denied) => denied.code(),
            Self::Files(error) => error.code(),
        }
    }
}
