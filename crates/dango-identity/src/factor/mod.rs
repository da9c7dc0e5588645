//! Second factors: time-based codes and recovery codes, as rows of their own, so that further kinds can come. Passwords are elsewhere.

mod error;
mod record;
mod recovery;
mod second_factors;
mod store;
mod totp;

use dango_core::Timestamp;

use crate::id::{FactorId, UserId};
use crate::session::AuthFactor;

pub use error::{BeginEnrolmentError, DisableError, FinishEnrolmentError, ImportFactorError, RegenerateError, VerifyFactorError};
pub use record::{TotpRecord, TotpState};
pub use recovery::{ParseRecoveryCodeError, RECOVERY_CODES, RecoveryCode, RecoveryCodes, RecoverySetRecord};
pub use second_factors::{Confirmation, Enrolment, SecondFactors};
pub use store::{AttemptLimit, FactorCharge, FactorStore};
pub use totp::{
    InvalidTotpParameters, ParseTotpCodeError, ParseTotpSecretError, TotpAlgorithm, TotpCode, TotpParameters, TotpSecret, TotpStep,
};

/// A kind of second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FactorKind {
    /// An app that makes time-based codes.
    Totp,
    /// A set of recovery codes.
    Recovery,
    /// A passkey. None can be enrolled; the word is taken.
    Passkey,
}

impl FactorKind {
    /// The word that is stored. It never changes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Recovery => "recovery",
            Self::Passkey => "passkey",
        }
    }
}

/// An active factor, without anything that helps to pass it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactorSummary {
    /// The factor's id.
    pub id: FactorId,
    /// Its kind.
    pub kind: FactorKind,
    /// When its enrolment began.
    pub created_at: Timestamp,
}

/// A second factor that was proven a moment ago. It comes from [`SecondFactors`] alone, and is used once.
#[derive(Debug)]
#[must_use]
pub struct ProvenFactor {
    user: UserId,
    factor: AuthFactor,
}

impl ProvenFactor {
    /// Whose factor it is.
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// Which factor.
    pub const fn factor(&self) -> AuthFactor {
        self.factor
    }

    #[cfg(test)]
    pub(crate) const fn for_tests(user: UserId, factor: AuthFactor) -> Self {
        Self { user, factor }
    }
}

#[cfg(test)]
mod tests;
