//! What all imports share: their result, their error, and how names of variables become paths.

use std::collections::HashMap;
use std::fmt;

use dango_core::{CredentialPath, SecretValue};
use zeroize::Zeroizing;

use super::Tree;
use super::tree::child;
use crate::Value;
use crate::dlt::path_of;

/// Files from this size on are refused, in bytes.
const MAX_BYTES: usize = 16 << 20;
/// How deep tables and arrays may nest; `.dlt/secrets.toml` cannot hold much more.
pub(super) const MAX_DEPTH: usize = 64;

/// What was read from a file of another tool.
pub struct Import {
    /// One entry per value, in the order of the file; tables are walked, arrays stay whole.
    ///
    /// No path occurs twice and none lies below another.
    pub credentials: Vec<(CredentialPath, Tree)>,
    /// How many empty tables were left out.
    pub empty_tables: usize,
}

/// A file that cannot be imported: where and why.
///
/// # Security
///
/// It names places and names, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ImportError {
    /// Where.
    pub place: Place,
    /// Why.
    pub problem: ImportProblem,
}

/// A place in a file to import.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A character: line and column, counted from 1.
    Position {
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
    },
    /// A line, counted from 1.
    Line(usize),
    /// A variable of a file that knows variables only.
    Variable(String),
    /// A value of a file that knows paths.
    Path(CredentialPath),
    /// No place in it.
    File,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position { line, column } => write!(f, "line {line}, column {column}"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Variable(name) => write!(f, "{}", name.escape_debug()),
            Self::Path(path) => write!(f, "{path}"),
            Self::File => f.write_str("the file"),
        }
    }
}

/// Why a file cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportProblem {
    /// More bytes than anyone keeps credentials in.
    #[error("it is larger than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
    /// A byte that UTF-8 does not allow there.
    #[error("this is not UTF-8")]
    NotUtf8,
    /// The format wants something else here.
    #[error("{0}")]
    Syntax(String),
    /// Tables and arrays in one another, too deep.
    #[error("tables and arrays are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// A name for the second time in one table.
    #[error("this name is already in the same table")]
    Duplicate,
    /// The character NUL in a name or a value.
    #[error("the character NUL is not allowed")]
    Nul,
    /// A null, which `secrets.toml` cannot hold.
    #[error("there is no null in secrets.toml; remove the entry, or give it a value")]
    Null,
    /// A number that 64 bits cannot hold exactly enough.
    #[error("this number is too large; put it in quotes to import it as text")]
    NumberTooLarge,
    /// A number with leading zeros, which some read as octal, some as decimal and some as text.
    #[error("readers disagree about numbers with leading zeros; put it in quotes to import it as text")]
    LeadingZeros,
    /// The file has no names, only a value.
    #[error("a table of names and values was expected")]
    NotATable,
    /// A YAML anchor, alias or merge key.
    #[error("anchors, aliases and merge keys are not supported; write the value out")]
    Alias,
    /// A YAML tag other than those of the core schema.
    #[error("this tag is not supported")]
    Tag,
    /// A second YAML document.
    #[error("there is more than one document; split the file")]
    SecondDocument,
    /// The shell would put something else here.
    #[error("a shell would expand this; put it in single quotes if it is meant as it stands")]
    Expansion,
    /// The shell would run this.
    #[error("this is not an assignment; nothing is ever executed")]
    Command,
    /// A quote without its end.
    #[error("the quote is never closed")]
    UnclosedQuote,
    /// A variable without a value, which docker takes from its own environment.
    #[error("there is no `=` and so no value")]
    NoValue,
    /// A variable name that the format does not allow.
    #[error("this is not a variable name")]
    Name,
    /// Another name that stands for the same path.
    #[error("it stands for {path}, and so does {}", other.escape_debug())]
    SamePath {
        /// The path of both.
        path: CredentialPath,
        /// The other name.
        other: String,
    },
    /// A path below a value that is no table.
    #[error("it stands for {path}, but {parent} has a value of its own")]
    BelowValue {
        /// The path.
        path: CredentialPath,
        /// The path above it.
        parent: CredentialPath,
    },
    /// A Kubernetes object that is not a Secret, or a list of several.
    #[error("{0}")]
    Manifest(&'static str),
    /// A text that is not Base64 (RFC 4648 §4).
    #[error("this is not base64")]
    Base64,
    /// Decoded bytes that are not text.
    #[error("the decoded value is not UTF-8 text without NUL")]
    Binary,
}

impl ImportError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self.problem {
            ImportProblem::SamePath { .. } | ImportProblem::BelowValue { .. } => "import_conflict",
            ImportProblem::Expansion | ImportProblem::Command => "import_executable",
            _ => "import_malformed",
        }
    }

    pub(super) fn new(place: Place, problem: ImportProblem) -> Self {
        Self { place, problem }
    }
}

impl Import {
    /// Takes over the variables of a `.env` file or another list of them; each becomes text.
    ///
    /// Of several with one name the last counts, as for every reader of such files.
    ///
    /// # Errors
    ///
    /// [`ImportProblem::SamePath`] and [`ImportProblem::BelowValue`], where the paths of two names do not fit together;
    /// [`ImportProblem::TooDeep`] for a name of more than 64 parts.
    pub fn from_variables(variables: Vec<(String, SecretValue)>) -> Result<Self, ImportError> {
        let mut places: HashMap<CredentialPath, usize> = HashMap::with_capacity(variables.len());
        let mut named: Vec<(String, CredentialPath, SecretValue)> = Vec::with_capacity(variables.len());
        for (name, value) in variables {
            let path = path_of(&name).unwrap_or_else(|| child(None, &name));
            if path.parts().len() > MAX_DEPTH {
                return Err(ImportError::new(Place::Variable(name), ImportProblem::TooDeep));
            }
            if let Some(other) = places.get(&path).map(|&index| &mut named[index]) {
                if other.0 != name {
                    let problem = ImportProblem::SamePath {
                        path,
                        other: other.0.clone(),
                    };
                    return Err(ImportError::new(Place::Variable(name), problem));
                }
                other.2 = value;
                continue;
            }
            places.insert(path.clone(), named.len());
            named.push((name, path, value));
        }
        for (name, path, _) in &named {
            let mut above = path.parent();
            while let Some(parent) = above {
                if places.contains_key(&parent) {
                    let path = path.clone();
                    return Err(ImportError::new(
                        Place::Variable(name.clone()),
                        ImportProblem::BelowValue { path, parent },
                    ));
                }
                above = parent.parent();
            }
        }
        Ok(Self {
            credentials: named.into_iter().map(|(_, path, value)| (path, Tree::String(value))).collect(),
            empty_tables: 0,
        })
    }

    /// Takes over the root of a TOML file that was read already.
    ///
    /// References are no references there: `${NAME}` becomes the text it is, as dlt reads it.
    ///
    /// # Errors
    ///
    /// [`ImportProblem::Nul`] with the path of the first string that has one.
    pub fn from_values(entries: &[(String, Value)]) -> Result<Self, ImportError> {
        let literal = |path: &CredentialPath, text: &crate::Text| {
            let text = std::mem::take(&mut *text.verbatim());
            SecretValue::new(text).map_err(|_| ImportError::new(Place::Path(path.clone()), ImportProblem::Nul))
        };
        match Tree::from_entries(entries, &mut { literal }) {
            Ok(entries) => Ok(Self::from_tree(entries)),
            Err(errors) => Err(errors.into_iter().next().expect("an error of at least one")),
        }
    }

    /// Walks the tables of a tree.
    pub(super) fn from_tree(entries: Vec<(String, Tree)>) -> Self {
        let mut import = Self {
            credentials: Vec::new(),
            empty_tables: 0,
        };
        import.walk(None, entries);
        import
    }

    fn walk(&mut self, parent: Option<&CredentialPath>, entries: Vec<(String, Tree)>) {
        if entries.is_empty() && parent.is_some() {
            self.empty_tables += 1;
        }
        for (name, value) in entries {
            let path = child(parent, &name);
            match value {
                Tree::Table(entries) => self.walk(Some(&path), entries),
                value => self.credentials.push((path, value)),
            }
        }
    }
}

/// The text of a file, without a byte order mark at its start.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, ImportError> {
    if bytes.len() > MAX_BYTES {
        return Err(ImportError::new(Place::File, ImportProblem::TooLarge));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let before = Zeroizing::new(before.into_owned());
            let line_start = before.rfind('\n').map_or(0, |at| at + 1);
            let place = Place::Position {
                line: before.matches('\n').count() + 1,
                column: before[line_start..].trim_start_matches('\u{feff}').chars().count() + 1,
            };
            Err(ImportError::new(place, ImportProblem::NotUtf8))
        }
    }
}
