//! Why a command did not do what it was asked: a message, hints, and the exit status.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;

/// The exit statuses of the command line contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Could not be done, or was refused.
    Refused,
    /// The command line itself is wrong.
    Usage,
    /// A check found something.
    Found,
    /// The status of a program that was run.
    Program(u8),
}

impl Status {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Found => 3,
            Self::Program(code) => code,
        }
    }
}

/// A failure as a person reads it. It never holds a secret.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    /// Empty where everything has been said already.
    pub(crate) message: String,
    pub(crate) hints: Vec<String>,
    /// A stable word for what went wrong, as records have it.
    pub(crate) code: &'static str,
}

impl Failure {
    /// Something that could not be done or was refused: exit 1.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self {
            status: Status::Refused,
            message: message.into(),
            hints: Vec::new(),
            code: "refused",
        }
    }

    /// A wrong command line: exit 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            status: Status::Usage,
            message: message.into(),
            hints: Vec::new(),
            code: "usage",
        }
    }

    /// An exit status about which nothing more is to be said.
    pub(crate) fn silent(status: Status) -> Self {
        Self {
            status,
            message: String::new(),
            hints: Vec::new(),
            code: "refused",
        }
    }

    /// An error with its causes, refused: exit 1.
    pub(crate) fn caused_by(error: &dyn Error) -> Self {
        Self::refused(chain(error))
    }

    /// Says of which file it is told.
    pub(crate) fn at(mut self, path: &Path) -> Self {
        let path = path.display().to_string();
        if !self.message.contains(&path) {
            self.message = format!("{path}: {}", self.message);
        }
        self
    }

    /// Says it in a stable word, too.
    pub(crate) fn with_code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    /// Says what else went wrong, with what may be done about that.
    pub(crate) fn also(mut self, other: Self) -> Self {
        self.message = format!("{}; {}", self.message, other.message);
        self.hints.extend(other.hints);
        self
    }

    /// Adds what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// An error and its causes on one line; a cause that repeats what was said already is left out.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.contains(&said) {
            // Writing to a string cannot fail.
            let _ = write!(text, ": {said}");
        }
        cause = error.source();
    }
    text
}
