//! The port to a project's files: what the desk asks of them, and why they refuse. What is in a file, and the key to it, is behind the port.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use dango_audit::Word;
use dango_core::{SecretValue, Timestamp, VariableName};
use dango_secrets::SetOutcome;
use dango_store::BoxFuture;

/// A project's `.env` and `secrets.toml`, as the desk needs them.
///
/// An implementation must hold to this:
///
/// - [`ProjectFiles::list`] is asked on threads that must not be held up: it answers at once, from memory, or waits as futures wait;
/// - what [`ProjectFiles::change`] has answered with success is on the disk;
/// - a change that another program makes meanwhile is kept.
pub trait ProjectFiles: Send + Sync {
    /// What there is, without a value. While no file has changed it is the same [`Arc`].
    ///
    /// # Errors
    ///
    /// [`FilesError`] where a file cannot be read or parsed.
    fn list(&self) -> BoxFuture<'_, Result<Arc<SecretsListing>, FilesError>>;

    /// Makes changes of `.env` in their order and in one save, and answers each of them. It may take as long as a disk and a
    /// keyring take, and never for ever.
    fn change(&self, changes: &[VariableChange]) -> Vec<Result<VariableChanged, FilesError>>;
}

/// A change of `.env`, and who makes it, as the history of the values will say.
pub struct VariableChange {
    /// What is to happen.
    pub edit: VariableEdit,
    /// Who wants it.
    pub by: String,
}

/// What is to happen to a variable. There is no `Debug`: it holds the value.
pub enum VariableEdit {
    /// It gets a literal value.
    Set {
        /// The variable.
        key: VariableName,
        /// The value.
        value: SecretValue,
    },
    /// It goes. Any key that is in the file can, one that no variable may have, too.
    Delete {
        /// The key.
        key: String,
    },
}

/// What became of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableChanged {
    /// It has the value.
    Set {
        /// What happened to it.
        outcome: SetOutcome,
        /// Whether it is encrypted now.
        encrypted: bool,
    },
    /// It is gone.
    Deleted,
}

/// What a project has, in the order of its files; no value is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretsListing {
    /// The variables of `.env`, each once.
    pub variables: Arc<[ListedVariable]>,
    /// The credentials of `secrets.toml`, Dango's own records left out.
    pub credentials: Arc<[ListedCredential]>,
    /// The connections that Dango has a record of.
    pub connections: Arc<[ListedConnection]>,
}

/// A variable of `.env`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVariable {
    /// The key, whatever the file has as one.
    pub key: String,
    /// Whether the value is stored encrypted.
    pub is_encrypted: bool,
}

/// A credential of `secrets.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCredential {
    /// The path, as the command line spells it.
    pub path: String,
    /// Whether the value is stored encrypted.
    pub is_encrypted: bool,
}

/// A connection to a provider (OAuth), as `[dango.oauth.<name>]` tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedConnection {
    /// The name of the source; its type, where an earlier Dango made it.
    pub name: String,
    /// The type of the source.
    pub source_type: String,
    /// Who gave the access, or `unknown`.
    pub provider: String,
    /// The account, as the provider identifies it.
    pub identifier: Option<String>,
    /// The account, as people know it.
    pub account_info: Option<String>,
    /// Since when it is connected, where a time stands there.
    pub connected_at: Option<Timestamp>,
    /// When the access ends, where that is known.
    pub expires_at: Option<Timestamp>,
    /// When its tokens were last renewed.
    pub refreshed_at: Option<Timestamp>,
    /// What was granted, as the provider calls it; empty where nothing was noted.
    pub scopes: Vec<String>,
}

/// Why files were not read or not changed. The text names no folder of the machine and no value; what failed below is the source.
#[derive(Clone, Debug)]
pub struct FilesError {
    problem: FilesProblem,
    word: Word,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What is wrong, by what may be done about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilesProblem {
    /// The file can hold no such value.
    #[error("{reason}")]
    Value {
        /// Why not.
        reason: String,
    },
    /// There is no such variable.
    #[error("there is no such variable in .env")]
    NotFound,
    /// There is no such credential.
    #[error("there is no such credential in .dlt/secrets.toml")]
    NoCredential,
    /// It opens what Dango itself keeps, and is given to nobody.
    #[error("this variable opens what Dango keeps; the server gives it to nobody")]
    Withheld,
    /// A file does not parse, or has a line that stands in the way.
    #[error("{file} cannot be used as it is: line {line}, column {column}: {reason}")]
    Unparsable {
        /// The file, from the project's directory.
        file: &'static str,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// The project's encryption key is needed and cannot be used.
    #[error("the project's encryption key is needed for this, and could not be fetched or used")]
    Key,
    /// No room is left.
    #[error("no space is left on the disk of the project")]
    DiskFull,
    /// The file system takes no writes.
    #[error("the project is on a read-only file system")]
    ReadOnly,
    /// The server may not read or write there.
    #[error("the server is not permitted to use the project's files")]
    Permission,
    /// Others were at the file for the whole time.
    #[error("another program is at the project's files")]
    Busy,
    /// The change was made, and might not outlive a power failure.
    #[error("the change was made, but it is not sure to be on the disk")]
    NotDurable,
    /// Any other reason.
    #[error("the project's files could not be used")]
    Unusable,
}

impl FilesProblem {
    /// The stable code, as HTTP answers have it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Value { .. } => "invalid_value",
            Self::NotFound | Self::NoCredential | Self::Withheld => "not_found",
            Self::Unparsable { .. } => "file_unparsable",
            Self::Key => "encryption_key_unavailable",
            Self::DiskFull => "disk_full",
            Self::ReadOnly => "file_read_only",
            Self::Permission => "file_permission_denied",
            Self::Busy => "file_busy",
            Self::NotDurable => "file_not_durable",
            Self::Unusable => "file_unusable",
        }
    }
}

impl FilesError {
    /// An error; `word` is the code that the audit log and the command line have for it.
    pub const fn new(problem: FilesProblem, word: &'static str) -> Self {
        let word = Word::new(word);
        Self {
            problem,
            word,
            source: None,
        }
    }

    /// The same error with what failed below, for the server's own log: it may name folders, never a value.
    #[must_use]
    pub fn caused_by(self, source: impl Error + Send + Sync + 'static) -> Self {
        let source: Arc<dyn Error + Send + Sync> = Arc::new(source);
        Self {
            source: Some(source),
            ..self
        }
    }

    /// What is wrong.
    pub const fn problem(&self) -> &FilesProblem {
        &self.problem
    }

    /// The stable code, as HTTP answers have it.
    pub const fn code(&self) -> &'static str {
        self.problem.code()
    }

    /// The code that the audit log has for it, which is the command line's, too.
    pub const fn word(&self) -> Word {
        self.word
    }

    /// When it is worth trying again, where that is known.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self.problem {
            FilesProblem::Busy => Some(Duration::from_secs(1)),
            _ => None,
        }
    }
}

impl fmt::Display for FilesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl Error for FilesError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
