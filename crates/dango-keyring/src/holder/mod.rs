//! Where keys are kept: one trait, four holders. None of them falls back to another, and which one is used is the caller's choice.

mod environment;
mod error;
mod file;
mod keyring;

pub use environment::EnvironmentHolder;
pub use error::HolderError;
pub use file::{FileHolder, KeyFile, KeyFileError, PassphraseHolder};
pub use keyring::{KEYRING_SERVICE, OsKeyring, ServerEntry, SessionBus};

use crate::key_set::KeySet;

/// A place where a project's keys are kept.
///
/// Every call may block: the keyring may ask its user, the passphrase costs time on purpose. A program asks once and keeps the answer.
pub trait KeyHolder {
    /// Which kind of place it is.
    fn kind(&self) -> HolderKind;

    /// Says in a few words where the keys are, for people; no key is needed for it.
    fn describe(&self) -> String;

    /// Fetches the keys.
    ///
    /// # Errors
    ///
    /// [`HolderError`]; [`HolderError::Missing`] where the place is there and holds none.
    fn load(&self) -> Result<KeySet, HolderError>;

    /// Keeps the keys in place of those that are there, and makes sure that they can be fetched again.
    ///
    /// # Errors
    ///
    /// [`HolderError`]; [`HolderError::ReadOnly`] for the environment.
    fn store(&self, keys: &KeySet) -> Result<(), HolderError>;

    /// Forgets the keys.
    ///
    /// # Errors
    ///
    /// [`HolderError`]; [`HolderError::Missing`] where there are none.
    fn delete(&self) -> Result<(), HolderError>;
}

/// The kinds of places, as `dango key status` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HolderKind {
    /// The operating system's keyring.
    Keyring,
    /// A file that a passphrase opens.
    Passphrase,
    /// `DANGO_KEY` or `DANGO_KEY_FILE`.
    Environment,
    /// A key file, which whoever can read it can use.
    File,
}

impl HolderKind {
    /// The word for options, output and settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Passphrase => "passphrase",
            Self::Environment => "env",
            Self::File => "file",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Keyring, Self::Passphrase, Self::Environment, Self::File]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

impl std::fmt::Display for HolderKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
