//! What an explanation looks at: the environment, run secrets and settings files, all of them already read by the caller.

use dango_core::SecretValue;

use crate::Value;

/// Where dlt would look, as seen on one machine.
///
/// # Security
///
/// Values are looked at for their type and form; none is kept.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The value of a variable of the environment; not limited to names that a shell can export.
    /// Bytes that are not UTF-8 may be replaced.
    pub environment: &'a dyn Fn(&str) -> Option<SecretValue>,
    /// The value that `.env` (or whatever else is loaded behind the environment) adds for a variable.
    pub dotenv: &'a dyn Fn(&str) -> Option<SecretValue>,
    /// Whether `/run/secrets/<name>` is a readable file, or a directory with a readable file of the same name in it.
    /// The name is dlt's own and may hold `/` where a key does.
    pub run_secrets: &'a dyn Fn(&str) -> bool,
    /// The files with secrets that exist, what takes precedence first ([`super::DltFiles::secrets`]).
    pub secrets: &'a [SettingsFile<'a>],
    /// The files with configuration that exist, what takes precedence first ([`super::DltFiles::config`]).
    pub config: &'a [SettingsFile<'a>],
    /// How dlt is started.
    pub start: Start,
}

/// How dlt is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// As it is: dlt itself never reads `.env`.
    Plain,
    /// With `.env` loaded behind the environment, as `dango run` and python-dotenv's `load_dotenv()` do.
    DotenvLoaded,
}

/// A settings file that exists.
#[derive(Clone)]
pub struct SettingsFile<'a> {
    /// What to call it: a label or a path.
    pub location: String,
    /// What is in it, a table at the root.
    pub content: Result<&'a Value, UnreadableFile>,
}

/// Why dlt cannot read a settings file, even where this program can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadableFile {
    /// It begins with a UTF-8 byte order mark.
    #[error("it begins with a byte order mark")]
    ByteOrderMark,
    /// It does not parse or cannot be opened; the text says why and must hold no value.
    #[error("{0}")]
    Malformed(String),
}

/// How a program asks dlt for a value; it decides which places count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// A secret argument of a source or a secret field of credentials (`dlt.secrets.value`, `TSecretStrValue`).
    SecretArgument,
    /// An argument or field that is no secret: `config.toml` may hold it, `/run/secrets` is not looked at.
    PlainArgument,
    /// `dlt.secrets["a.b.c"]`: this one path, without sections left out and without a pipeline's name; never `config.toml`.
    SecretsItem,
}
