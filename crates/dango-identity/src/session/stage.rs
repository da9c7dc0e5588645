//! How far a session has come, and what its holder has to do first.

use std::fmt;
use std::str::FromStr;

/// How far a session has come. The list is closed: a stage that a program does not know is no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The password was right; the second factor is still to come.
    SecondFactorPending,
    /// Logged in with a password that has to be changed first.
    PasswordChangeRequired,
    /// Logged in; a second factor has to be enrolled first.
    EnrolmentRequired,
    /// Logged in.
    Full,
}

impl Stage {
    /// Every stage.
    pub const ALL: [Self; 4] = [
        Self::SecondFactorPending,
        Self::PasswordChangeRequired,
        Self::EnrolmentRequired,
        Self::Full,
    ];

    /// The word that is stored. It never changes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecondFactorPending => "second-factor-pending",
            Self::PasswordChangeRequired => "password-change-required",
            Self::EnrolmentRequired => "enrolment-required",
            Self::Full => "full",
        }
    }

    /// Whether nobody is logged in yet.
    pub const fn is_partial(self) -> bool {
        matches!(self, Self::SecondFactorPending)
    }

    /// The stage after the last factor.
    pub const fn after_login(obligation: Option<Obligation>) -> Self {
        match obligation {
            Some(Obligation::PasswordChange) => Self::PasswordChangeRequired,
            Some(Obligation::Enrolment) => Self::EnrolmentRequired,
            None => Self::Full,
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Stage {
    type Err = ParseStageError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text).ok_or(ParseStageError)
    }
}

/// A text that is no stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a stage of a session")]
pub struct ParseStageError;

/// What somebody who is logged in has to do before anything else; a change of password comes before an enrolment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Obligation {
    /// Choose a password of their own.
    PasswordChange,
    /// Enrol a second factor.
    Enrolment,
}
