//! Why nothing came of an operation on second factors.

use dango_core::{EntropyError, Timestamp};

use crate::seal::OpenColumnError;
use crate::store::StoreError;

/// No enrolment was begun.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BeginEnrolmentError {
    /// The user has an app already.
    #[error("a second factor is enabled already")]
    AlreadyEnabled,
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl BeginEnrolmentError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AlreadyEnabled => "already-enabled",
            Self::Entropy(_) => "no-randomness",
            Self::Store(error) => error.code(),
        }
    }
}

/// No enrolment was confirmed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FinishEnrolmentError {
    /// There is none, it took too long, or it was confirmed already.
    #[error("no enrolment is waiting for a code")]
    NoPendingSetup,
    /// The code is not the app's.
    #[error("the code is not valid")]
    InvalidCode,
    /// Too many codes were tried for this account.
    #[error("too many codes were tried")]
    TooManyAttempts {
        /// When the next may be.
        retry_at: Timestamp,
    },
    /// The stored secret does not open.
    #[error("the stored secret of the second factor does not open")]
    Column(#[from] OpenColumnError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FinishEnrolmentError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoPendingSetup => "no-pending-setup",
            Self::InvalidCode => "invalid-code",
            Self::TooManyAttempts { .. } => "too-many-codes",
            Self::Column(error) => error.code(),
            Self::Entropy(_) => "no-randomness",
            Self::Store(error) => error.code(),
        }
    }
}

/// No second factor was proven.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyFactorError {
    /// The user has none.
    #[error("no second factor is enabled")]
    NotEnabled,
    /// The code is wrong.
    #[error("the code is not valid")]
    InvalidCode,
    /// The code is right and was used, or a later one was. The client is told [`VerifyFactorError::InvalidCode`].
    #[error("the code was used already")]
    Replayed,
    /// Too many codes were tried for this account.
    #[error("too many codes were tried")]
    TooManyAttempts {
        /// When the next may be.
        retry_at: Timestamp,
    },
    /// The stored secret does not open: somebody should be told.
    #[error("the stored secret of the second factor does not open")]
    Column(#[from] OpenColumnError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl VerifyFactorError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotEnabled => "not-enabled",
            Self::InvalidCode => "invalid-code",
            Self::Replayed => "code-replayed",
            Self::TooManyAttempts { .. } => "too-many-codes",
            Self::Column(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}

/// No recovery codes were made; the old ones still count.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegenerateError {
    /// A recovery code does not renew recovery codes.
    #[error("new recovery codes need a code from the app")]
    NeedsTotp,
    /// The user has no second factor.
    #[error("no second factor is enabled")]
    NotEnabled,
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RegenerateError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NeedsTotp => "needs-totp",
            Self::NotEnabled => "not-enabled",
            Self::Entropy(_) => "no-randomness",
            Self::Store(error) => error.code(),
        }
    }
}

/// Nothing was removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DisableError {
    /// The user has no second factor.
    #[error("no second factor is enabled")]
    NotEnabled,
    /// The session's own second factor was proven too long ago, or never.
    #[error("the second factor was not proven recently")]
    ProofTooOld,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DisableError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotEnabled => "not-enabled",
            Self::ProofTooOld => "proof-too-old",
            Self::Store(error) => error.code(),
        }
    }
}

/// Nothing was taken over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportFactorError {
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImportFactorError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Entropy(_) => "no-randomness",
            Self::Store(error) => error.code(),
        }
    }
}
