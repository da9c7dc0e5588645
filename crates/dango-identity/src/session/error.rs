//! Why there is no session.

use dango_core::EntropyError;

use crate::id::{SessionId, UserId};
use crate::store::StoreError;

/// A token without a session that counts.
///
/// The client is told the same for every variant but [`CheckSessionError::Store`]; the difference is for the audit log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckSessionError {
    /// No such session; it may have been ended.
    #[error("no such session")]
    Unknown,
    /// A row that this program did not write: inserted, changed or copied by hand, or written under another identity key.
    #[error("the row of session {id} was not written under this identity key")]
    RowInvalid {
        /// The id that the row claims.
        id: SessionId,
    },
    /// Everything issued to the user was ended since.
    #[error("session {id} was ended")]
    Revoked {
        /// The session.
        id: SessionId,
        /// Whose it was.
        user: UserId,
    },
    /// Its time is up.
    #[error("session {id} has expired")]
    Expired {
        /// The session.
        id: SessionId,
        /// Whose it was.
        user: UserId,
    },
    /// It was not used for too long.
    #[error("session {id} was idle for too long")]
    Idle {
        /// The session.
        id: SessionId,
        /// Whose it was.
        user: UserId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CheckSessionError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "session-unknown",
            Self::RowInvalid { .. } => "session-row-invalid",
            Self::Revoked { .. } => "session-revoked",
            Self::Expired { .. } => "session-expired",
            Self::Idle { .. } => "session-idle",
            Self::Store(error) => error.code(),
        }
    }
}

/// No session was issued, and none was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueSessionError {
    /// Somebody or something ended it meanwhile.
    #[error("the session has ended meanwhile")]
    Stale,
    /// The proven factor is another user's.
    #[error("the proven factor belongs to another user")]
    ProofOfAnother,
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IssueSessionError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Stale => "session-stale",
            Self::ProofOfAnother => "proof-of-another",
            Self::Entropy(_) => "no-randomness",
            Self::Store(error) => error.code(),
        }
    }
}
