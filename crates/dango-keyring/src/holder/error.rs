//! Why keys could not be fetched or kept. What the user may do about it is said at the edge, from the code.

use std::time::Duration;

use super::HolderKind;
use crate::key_set::ParseKeysError;
use crate::wrapped::{ParseWrappedError, UnwrapError, WrapError};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a place for keys did not do what it was asked.
///
/// # Security
///
/// No variant holds anything that was fetched: what cannot be read may still be a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HolderError {
    /// The system has no keyring: no D-Bus session, or no Secret Service on it.
    #[error("no keyring service is running")]
    NoKeyring {
        /// What the system said.
        #[source]
        source: Option<Source>,
    },
    /// The keyring is locked, and was not unlocked.
    #[error("the keyring is locked and was not unlocked")]
    Locked {
        /// What the system said.
        #[source]
        source: Option<Source>,
    },
    /// The keyring or the bus does not let this program in.
    #[error("access to the keyring was denied")]
    Denied {
        /// What the system said.
        #[source]
        source: Option<Source>,
    },
    /// The D-Bus session that the environment names cannot be reached, or ended meanwhile.
    #[error("the D-Bus session of the keyring is gone")]
    Gone {
        /// What the system said.
        #[source]
        source: Option<Source>,
    },
    /// The place is there and holds no key: it was deleted, or was never made.
    #[error("there is no key in {place}")]
    Missing {
        /// The place, as [`super::KeyHolder::describe`] says it.
        place: String,
    },
    /// No place was chosen for the project's key yet.
    #[error("this project has no encryption key")]
    NotChosen,
    /// The keys are under a passphrase, and nobody gave one.
    #[error("the encryption key is under a passphrase, which was not given")]
    NoPassphrase,
    /// Whoever was asked for the passphrase wants the program to end.
    #[error("the question for the passphrase of the encryption key was interrupted")]
    Interrupted,
    /// Two variables of the environment give a key.
    #[error("DANGO_KEY and DANGO_KEY_FILE are both set")]
    TwoInEnvironment,
    /// The note of where the key is cannot be read.
    #[error("line {line} of {place} does not say where the encryption key is")]
    ChoiceMalformed {
        /// The file.
        place: String,
        /// The line, from 1.
        line: usize,
    },
    /// Several entries answer to the same name; none is taken.
    #[error("the keyring has {count} entries for this project")]
    Ambiguous {
        /// How many.
        count: usize,
    },
    /// The keyring did not answer in time; a prompt may still be open.
    #[error("the keyring did not answer within {} s", after.as_secs())]
    TimedOut {
        /// How long it was waited for.
        after: Duration,
    },
    /// The keyring failed in another way.
    #[error("the keyring failed")]
    Failed {
        /// What the system said.
        #[source]
        source: Option<Source>,
    },
    /// What is there is no key.
    #[error("what is in {place} cannot be read as a key")]
    Unreadable {
        /// The place.
        place: String,
        /// What is wrong with it.
        #[source]
        source: ParseKeysError,
    },
    /// What is there is no set of keys under a passphrase.
    #[error("what is in {place} cannot be read as keys under a passphrase")]
    UnreadableWrapped {
        /// The place.
        place: String,
        /// What is wrong with it.
        #[source]
        source: ParseWrappedError,
    },
    /// The keys were stored, and what came back was something else.
    #[error("{place} did not keep the key: what it gives back is not what was stored")]
    NotKept {
        /// The place.
        place: String,
    },
    /// The environment is read, never written.
    #[error("keys cannot be stored in {kind}")]
    ReadOnly {
        /// The kind of place.
        kind: HolderKind,
    },
    /// The passphrase does not open the keys.
    #[error(transparent)]
    Unwrap(#[from] UnwrapError),
    /// The keys were not wrapped.
    #[error(transparent)]
    Wrap(#[from] WrapError),
    /// The file cannot be read or written.
    #[error("cannot use {place}")]
    File {
        /// The file.
        place: String,
        /// What the caller's storage said.
        #[source]
        source: Source,
    },
}

impl HolderError {
    /// A stable word for programs, and for the hints at the edge.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoKeyring { .. } => "keyring-none",
            Self::Locked { .. } => "keyring-locked",
            Self::Denied { .. } => "keyring-denied",
            Self::Gone { .. } => "keyring-gone",
            Self::Missing { .. } => "key-missing",
            Self::NotChosen => "key-not-chosen",
            Self::NoPassphrase => "passphrase-missing",
            Self::Interrupted => "passphrase-interrupted",
            Self::TwoInEnvironment => "key-twice-in-environment",
            Self::ChoiceMalformed { .. } => "key-holder-malformed",
            Self::Ambiguous { .. } => "keyring-ambiguous",
            Self::TimedOut { .. } => "keyring-timeout",
            Self::Failed { .. } => "keyring-failed",
            Self::Unreadable { source, .. } => source.code(),
            Self::UnreadableWrapped { source, .. } => source.code(),
            Self::NotKept { .. } => "key-not-kept",
            Self::ReadOnly { .. } => "holder-read-only",
            Self::Unwrap(error) => error.code(),
            Self::Wrap(error) => error.code(),
            Self::File { .. } => "key-file",
        }
    }
}
