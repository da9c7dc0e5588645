//! Why settings cannot be used: the place and what is wrong, never what stands there.

use std::path::PathBuf;

use dango_secrets::storage::ReadError;

use super::layers::Origin;

/// Settings that cannot be used. It never repeats a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A variable that begins like the server's and is none of them.
    #[error("{name} is no setting of the server")]
    UnknownVariable {
        /// The variable.
        name: String,
    },
    /// A key in the file that is none.
    #[error("{origin}: this key is no setting of the server")]
    UnknownKey {
        /// Where.
        origin: Origin,
    },
    /// What was given is not what a setting needs.
    #[error("{origin}: the value of {name} has to be {wanted}")]
    Malformed {
        /// Where.
        origin: Origin,
        /// The setting.
        name: &'static str,
        /// What it needs.
        wanted: &'static str,
    },
    /// A value that is not UTF-8.
    #[error("{origin}: the value is not UTF-8")]
    NotText {
        /// Where.
        origin: Origin,
    },
    /// Several values for one setting.
    #[error("{origin}: this setting has one value, not an array")]
    NotOne {
        /// Where.
        origin: Origin,
    },
    /// The file is not what it should be.
    #[error("{origin}: {problem}")]
    File {
        /// Where.
        origin: Origin,
        /// What is wrong.
        problem: &'static str,
    },
    /// One setting that needs another.
    #[error("{origin}: {name} needs {other}")]
    Alone {
        /// Where.
        origin: Origin,
        /// The setting that was given.
        name: &'static str,
        /// The one that was not.
        other: &'static str,
    },
    /// A password stands in a file that others may read.
    #[error("{origin}: {name} holds a password, and others may read the file")]
    Exposed {
        /// Where.
        origin: Origin,
        /// The setting.
        name: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// Passwords would be hashed more cheaply than is safe.
    #[error("{origin}: hashing has to cost at least 19456 KiB and 2 passes, and no more than a stored hash can say")]
    WeakHashing {
        /// Where.
        origin: Origin,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Read(ReadError),
}
