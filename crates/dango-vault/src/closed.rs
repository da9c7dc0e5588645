//! Encrypted values that do not open: where, and why. What they hold is never told.

use std::fmt;
use std::sync::Arc;

use dango_keyring::{HolderError, OpenError};

/// One encrypted value that does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedValue {
    /// The path, or the variable.
    pub place: String,
    /// Why it does not open.
    pub problem: ClosedProblem,
}

impl fmt::Display for ClosedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// Why an encrypted value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClosedProblem {
    /// Its key is not at hand, or it was changed or moved.
    #[error(transparent)]
    Sealed(#[from] OpenError),
    /// It stands inside an array, where nothing seals one.
    #[error("it stands inside an array, where no encrypted value can be opened")]
    InArray,
    /// It opened, and is no value of the kind of file that it is in.
    #[error("what was encrypted is no single value")]
    NotAValue,
    /// A `.env` key that is no variable's name, to which nothing can be sealed.
    #[error("the key is no name of a variable")]
    NoName,
    /// A `.env` value that was sealed because no spelling holds it.
    #[error("no spelling in .env holds the value, so it can only stay encrypted")]
    NoSpelling,
}

impl ClosedProblem {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Sealed(error) => error.code(),
            Self::InArray => "encrypted-in-array",
            Self::NotAValue => "encrypted-not-a-value",
            Self::NoName => "encrypted-no-name",
            Self::NoSpelling => "encrypted-no-spelling",
        }
    }
}

/// Why encrypted values were not opened; nothing was.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// There are encrypted values, and their keys could not be fetched.
    #[error("there are encrypted values, such as {place}, and their key could not be fetched")]
    Keys {
        /// The first encrypted value.
        place: String,
        /// What the holder said.
        #[source]
        source: Arc<HolderError>,
    },
    /// Some do not open.
    #[error("{}", lines(.0))]
    Closed(Vec<ClosedValue>),
}

impl OpeningError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Keys { source, .. } => source.code(),
            Self::Closed(_) => "encrypted-value-closed",
        }
    }
}

fn lines(values: &[ClosedValue]) -> String {
    match values {
        [one] => format!("an encrypted value does not open: {one}"),
        values => {
            let lines: Vec<String> = values.iter().map(|value| format!("\n  {value}")).collect();
            format!("{} encrypted values do not open:{}", values.len(), lines.concat())
        }
    }
}
