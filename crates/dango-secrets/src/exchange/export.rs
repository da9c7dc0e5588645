//! What all exports share: the variables they take, and the list of what cannot be written.

use std::collections::HashMap;
use std::fmt;

use dango_core::{CredentialPath, EntropyError, SecretValue};
use zeroize::Zeroizing;

use super::Format;

/// A credential under the name that it has in a program's environment.
#[derive(Clone)]
pub struct Variable {
    /// The name, such as `SOURCES__STRIPE__API_KEY`; what a format cannot name is found by the export.
    pub name: String,
    /// Where the credential is, for messages.
    pub path: CredentialPath,
    /// Its value as text, references resolved.
    pub value: SecretValue,
}

/// An export that was not made: all that cannot be written, each with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportError {
    /// The format asked for.
    pub format: Format,
    /// What cannot be written; never empty.
    pub problems: Vec<Problem>,
}

/// One credential that a format cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which one.
    pub path: CredentialPath,
    /// Why not.
    pub reason: Reason,
}

/// Why a format cannot hold a credential.
///
/// # Security
///
/// It never holds a part of the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The format does not allow the variable's name.
    #[error("its variable name must consist of {0}")]
    Name(&'static str),
    /// The program that reads the format keeps the name for itself.
    #[error("{0} does not let its variable be set")]
    ReservedName(&'static str),
    /// Another credential has the same variable.
    #[error("{0} has the same variable name")]
    SameName(CredentialPath),
    /// There is a line break in the value.
    #[error("its value has a line break, which the format cannot hold")]
    LineBreak,
    /// The value is too large.
    #[error("it is larger than the {0} bytes that the format can hold")]
    TooLarge(usize),
    /// Nothing that `.env` readers would read back as this value.
    #[error("{0}")]
    Spelling(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot export to {}", self.format)?;
        for (index, problem) in self.problems.iter().enumerate() {
            write!(f, "{} {problem}", if index == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

impl std::error::Error for ExportError {}

impl ExportError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        "export_refused"
    }
}

/// Why there is no text for `$GITHUB_ENV`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GithubExportError {
    /// Credentials that it cannot hold.
    #[error(transparent)]
    Refused(#[from] ExportError),
    /// No randomness for the delimiters.
    #[error("cannot make delimiters for {}", Format::Github)]
    Entropy(#[from] EntropyError),
}

impl GithubExportError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(error) => error.code(),
            Self::Entropy(_) => "entropy_unavailable",
        }
    }
}

/// Lists what is wrong with variables; `check` finds what is wrong with one of them.
///
/// Names that occur twice are found here.
pub(super) fn check_variables(
    format: Format,
    variables: &[Variable],
    mut check: impl FnMut(&Variable) -> Option<Reason>,
) -> Result<(), ExportError> {
    let mut problems = Vec::new();
    let mut seen: HashMap<&str, &CredentialPath> = HashMap::with_capacity(variables.len());
    for variable in variables {
        let twice = seen.get(variable.name.as_str()).map(|path| Reason::SameName((*path).clone()));
        seen.entry(&variable.name).or_insert(&variable.path);
        problems.extend(twice.into_iter().chain(check(variable)).map(|reason| Problem {
            path: variable.path.clone(),
            reason,
        }));
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(ExportError { format, problems })
    }
}

/// Whether a POSIX shell can export a variable of this name (POSIX.1-2024, XBD 8.1).
pub(super) fn is_shell_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The rule of [`is_shell_name`] in words.
pub(super) const SHELL_NAME: &str = "ASCII letters, digits and `_`, and no digit first";

/// Lines with a line feed behind each, in a buffer that does not grow.
pub(super) fn join_lines(lines: &[Zeroizing<String>]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(lines.iter().map(|line| line.len() + 1).sum()));
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    text
}
