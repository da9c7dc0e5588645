//! What can go wrong with every action alike: the database, the log, the machine. What an action refuses by a rule is in its own error.

use std::time::Duration;

use dango_audit::log::LogError;
use dango_core::EntropyError;
use dango_identity::{Busy, HashPasswordError, StoreError};
use dango_store::StoreFailure;

/// Something failed, so nothing was done, but where [`Fault::is_uncertain`]. A rule that says no is never one of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The database could not do its part.
    #[error(transparent)]
    Store(StoreFailure),
    /// A store of people failed for a reason of its own.
    #[error("the database of users could not be used")]
    Identity(#[source] StoreError),
    /// What was to be done could not be recorded.
    #[error("the audit log cannot be used{}", consequence(.0))]
    Audit(#[source] LogError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// Too many passwords are being hashed.
    #[error(transparent)]
    Busy(Busy),
    /// No memory to hash a password.
    #[error("there is not enough memory to hash a password")]
    Memory,
    /// Work on another thread was broken off.
    #[error("the work was broken off")]
    Interrupted,
}

/// What is known to have come of it.
fn consequence(error: &LogError) -> &'static str {
    match StoreFailure::within(error) {
        Some(StoreFailure::Uncertain) => "",
        _ => ", so nothing was done",
    }
}

impl Fault {
    /// The stable code, as HTTP answers have it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Store(StoreFailure::Damaged(_) | StoreFailure::Foreign) => "database_damaged",
            Self::Store(_) | Self::Identity(_) => "database_unavailable",
            Self::Audit(_) => "audit_unavailable",
            Self::Entropy(_) => "no_randomness",
            Self::Busy(_) => "busy",
            Self::Memory => "no_memory",
            Self::Interrupted => "interrupted",
        }
    }

    /// When it is worth trying again, where that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy(busy) => Some(busy.retry_after()),
            Self::Store(StoreFailure::Locked) => Some(Duration::from_secs(1)),
            _ => None,
        }
    }

    /// The failure of the database that is behind it, if one is.
    pub fn store_failure(&self) -> Option<&StoreFailure> {
        match self {
            Self::Store(failure) => Some(failure),
            other => StoreFailure::within(other),
        }
    }

    /// Whether it may have been done all the same: the database was lost in the middle of a commit, and nobody could ask it since.
    pub fn is_uncertain(&self) -> bool {
        matches!(self.store_failure(), Some(StoreFailure::Uncertain))
    }
}

impl From<StoreFailure> for Fault {
    fn from(failure: StoreFailure) -> Self {
        Self::Store(failure)
    }
}

/// A failure of the backend is named as such, however it came here.
impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match StoreFailure::within(&error) {
            Some(failure) => Self::Store(failure.clone()),
            None => Self::Identity(error),
        }
    }
}

impl From<LogError> for Fault {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Entropy(error) => Self::Entropy(error),
            error => Self::Audit(error),
        }
    }
}

impl From<dango_audit::AuditStoreError> for Fault {
    fn from(error: dango_audit::AuditStoreError) -> Self {
        Self::Audit(error.into())
    }
}

impl From<HashPasswordError> for Fault {
    fn from(error: HashPasswordError) -> Self {
        match error {
            HashPasswordError::Busy(busy) => Self::Busy(busy),
            HashPasswordError::Entropy(error) => Self::Entropy(error),
            _ => Self::Memory,
        }
    }
}

/// An error with a code of the program's text, so that a record may hold it.
pub(crate) trait Coded {
    fn word(&self) -> &'static str;
}

/// Declares the errors of actions: each refusal with its code, and what can go wrong with all of them. Those of actions with a
/// ticket can be denied, too.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident { $($refusals:tt)* })*) => {$(
        $crate::fault::refusal! {
            $(#[$doc])*
            $name { $($refusals)* }
            { Denied }
        }
    )*};
}

/// As `refusals`, for actions that need no ticket.
macro_rules! own_refusals {
    ($($(#[$doc:meta])* $name:ident { $($refusals:tt)* })*) => {$(
        $crate::fault::refusal! { $(#[$doc])* $name { $($refusals)* } {} }
    )*};
}

macro_rules! refusal {
    (
        $(#[$doc:meta])*
        $name:ident {
            $($(#[$refusal:meta])* $variant:ident $(($inner:ty))? = $code:literal, $text:literal;)*
        }
        { $($denied:ident)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, thiserror::Error)]
        #[non_exhaustive]
        pub enum $name {
            $(
                $(#[$refusal])*
                #[error($text)]
                $variant $(($inner))?,
            )*
            $(
                /// The caller may not do it any more: the permission, the account or the session has gone since the permit.
                #[error(transparent)]
                $denied(#[from] $crate::permit::Denied),
            )?
            /// Something failed.
            #[error(transparent)]
            Fault(#[from] $crate::fault::Fault),
        }

        impl $name {
            /// The stable code, as HTTP answers have it.
            pub fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $code,)*
                    $(Self::$denied(denied) => denied.code(),)?
                    Self::Fault(fault) => fault.code(),
                }
            }
        }

        impl $crate::fault::Coded for $name {
            fn word(&self) -> &'static str {
                self.code()
            }
        }
    };
}

pub(crate) use {own_refusals, refusal, refusals};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_the_backend_is_found_however_deep_it_is() {
        let identity = Fault::from(StoreError::from(StoreFailure::Full));
        let audit = Fault::from(LogError::from(dango_audit::AuditStoreError::from(StoreFailure::Locked)));
        assert_eq!(identity.store_failure().map(StoreFailure::code), Some("store-full"));
        assert_eq!(audit.store_failure().map(StoreFailure::code), Some("store-locked"));
        assert_eq!((identity.code(), audit.code()), ("database_unavailable", "audit_unavailable"));
        let lost = Fault::from(LogError::from(dango_audit::AuditStoreError::from(StoreFailure::Uncertain)));
        assert!(!lost.to_string().contains("nothing was done") && audit.to_string().contains("nothing was done"));
        assert!(lost.is_uncertain() && !audit.is_uncertain() && !identity.is_uncertain());
    }
}
