//! `.env` files: read as python-dotenv reads them, edited byte for byte, linted for what other readers see.
//!
//! - [`EnvDocument::parse`] reads a file; [`EnvDocument::values`] expands its references;
//! - [`EnvDocument::set`] and [`EnvDocument::unset`] edit it, every other byte staying as it is;
//! - [`lint`] tells where python-dotenv, node dotenv, docker and bash read different things.
//!
//! No file is opened and no environment is read here: bytes come in, and variables are asked for
//! through a function.
//!
//! ```
//! use dango_secrets::References;
//! use dango_secrets::dotenv::{EnvDocument, Precedence};
//! use dango_core::SecretValue;
//!
//! let document = EnvDocument::parse(b"# the warehouse\nHOST=db # inside\nURL=pg://${HOST}/x")?;
//! let url = document.value("URL", &|_| None, Precedence::File)?;
//! assert_eq!(url.as_ref().map(SecretValue::expose), Some("pg://db/x"));
//!
//! let password = SecretValue::new("it's a #secret".to_owned())?;
//! let (document, _) = document.set(&"HOST".parse()?, &password, References::Literal)?;
//! assert_eq!(document.text(), "# the warehouse\nHOST=\"it's a #secret\" # inside\nURL=pg://${HOST}/x");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod comparison;
mod dialect;
mod edit;
mod given;
mod interpolation;
mod lint;
mod opened;
mod parser;
mod several;
mod spelled;
mod spelling;
mod whitespace;

use std::collections::HashSet;

use zeroize::Zeroizing;

use parser::{Statement, StatementKind};

pub use edit::EnvEditError;
pub use given::GivenValue;
pub use interpolation::{EnvPiece, EnvValueError, EnvValues, Precedence};
pub use lint::{Finding, Reader, Reading, Sees, lint, lint_bytes};
pub use parser::Binding;
pub use several::Assignment;
pub use spelled::{EnvComment, EnvRespellError, EnvRespelling, EnvSpelled};
pub use spelling::Obstacles;

/// A `.env` file as python-dotenv 1.2.4 reads it, with the text it was read from.
///
/// There is no `Debug`: the text holds secrets.
#[derive(Clone, Default)]
pub struct EnvDocument {
    text: Zeroizing<String>,
    statements: Vec<Statement>,
}

/// Bytes that are no `.env` file, told by where, never by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvError {
    /// A byte that UTF-8 does not allow here (RFC 3629); python-dotenv fails on it.
    #[error("line {line}, column {column} (byte offset {offset}) is not UTF-8")]
    NotUtf8 {
        /// The first bad byte, counted from 0.
        offset: usize,
        /// Its line, counted from 1.
        line: usize,
        /// Its column in characters, counted from 1.
        column: usize,
    },
    /// A NUL byte, which no environment can hold.
    #[error("line {line}, column {column} (byte offset {offset}) has a NUL byte")]
    Nul {
        /// The first NUL, counted from 0.
        offset: usize,
        /// Its line, counted from 1.
        line: usize,
        /// Its column in characters, counted from 1.
        column: usize,
    },
}

impl EnvError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => "env_not_utf8",
            Self::Nul { .. } => "env_nul",
        }
    }

    /// The line and the column, counted from 1.
    pub fn place(&self) -> (usize, usize) {
        match *self {
            Self::NotUtf8 { line, column, .. } | Self::Nul { line, column, .. } => (line, column),
        }
    }
}

impl EnvDocument {
    /// Reads a file's bytes. Lines that make no sense are no error but [`EnvDocument::problems`].
    ///
    /// # Errors
    ///
    /// [`EnvError`] at the first byte that is NUL or not UTF-8.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvError> {
        let valid = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).expect("valid up to there"),
        };
        if let Some(offset) = valid.find('\0') {
            let (line, column) = place_behind(&valid[..offset]);
            return Err(EnvError::Nul { offset, line, column });
        }
        if valid.len() < bytes.len() {
            let (line, column) = place_behind(valid);
            let offset = valid.len();
            return Err(EnvError::NotUtf8 { offset, line, column });
        }
        Ok(Self::from_text(Zeroizing::new(valid.to_owned())))
    }

    fn from_text(text: Zeroizing<String>) -> Self {
        let statements = parser::parse(&text);
        Self { text, statements }
    }

    /// The file's text, a byte-order mark and all line ends as they are.
    ///
    /// # Security
    ///
    /// It holds every secret of the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every binding in order, duplicates included.
    pub fn bindings(&self) -> impl DoubleEndedIterator<Item = &Binding> {
        self.statements.iter().filter_map(|statement| match &statement.kind {
            StatementKind::Binding(binding) => Some(binding),
            _ => None,
        })
    }

    /// The distinct keys, in the order in which they first appear.
    pub fn keys(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        self.bindings().map(Binding::key).filter(|key| seen.insert(*key)).collect()
    }

    /// Whether the value that counts for a key, its last, holds a reference.
    pub fn has_reference(&self, key: &str) -> bool {
        self.bindings()
            .rfind(|binding| binding.key == key)
            .is_some_and(Binding::has_reference)
    }

    /// The lines, counted from 1, on which something starts that python-dotenv skips with a warning.
    pub fn problems(&self) -> impl Iterator<Item = usize> {
        self.statements
            .iter()
            .filter(|statement| matches!(statement.kind, StatementKind::Unparsable))
            .map(|statement| statement.line)
    }
}

/// Line and column, from 1, of what follows a text.
fn place_behind(text: &str) -> (usize, usize) {
    let last_line = text.rfind(['\r', '\n']).map_or(text, |at| &text[at + 1..]);
    (parser::count_lines(text) + 1, last_line.chars().count() + 1)
}
