//! What PostgreSQL and the way to it say, as the failures that all backends share. Values of rows are in none of them.

use std::error::Error;
use std::fmt;

use dango_store::StoreFailure;

/// What went wrong at the database, told by its code and, where no value can be in it, by its own words.
#[derive(Debug)]
pub(crate) struct Told {
    code: String,
    message: Option<String>,
    constraint: Option<String>,
}

impl Told {
    /// Takes a code (<https://www.postgresql.org/docs/current/errcodes-appendix.html>) with what belongs to it.
    pub(crate) fn new(code: &str, message: &str, constraint: Option<&str>) -> Self {
        // Messages about data and constraints repeat what stood in a statement.
        let is_harmless = ["08", "25", "28", "3D", "3F", "40", "42", "53", "55", "57", "58", "XX"].contains(&class(code));
        Self {
            code: code.to_owned(),
            message: is_harmless.then(|| message.to_owned()),
            constraint: constraint.map(str::to_owned),
        }
    }

    /// The failure that it is.
    pub(crate) fn into_failure(self) -> StoreFailure {
        match (class(&self.code), self.code.as_str()) {
            // Somebody holds what was to be locked, or two waited for each other and one had to give way.
            (_, "55P03") | ("40", _) => StoreFailure::Locked,
            (_, "53100") => StoreFailure::Full,
            // Of what this program asks for, a server that follows another knows one thing not: a transaction that may write.
            (_, "25006" | "0A000") => StoreFailure::ReadOnly,
            ("28", _) | (_, "42501") => StoreFailure::forbidden(self),
            // No such database, schema, table, column or function.
            (_, "3D000" | "3F000" | "42P01" | "42703" | "42883") => StoreFailure::Missing,
            // The statements keep every constraint themselves: where one is broken, the rows are not those that were put in.
            ("21" | "22" | "23" | "P0", _) | (_, "XX001" | "XX002") => StoreFailure::damaged(self),
            _ => StoreFailure::unavailable(self),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => write!(f, "PostgreSQL says {}: {message}", self.code)?,
            None => write!(f, "PostgreSQL says {}", self.code)?,
        }
        match &self.constraint {
            Some(constraint) => write!(f, " (constraint {constraint})"),
            None => Ok(()),
        }
    }
}

impl Error for Told {}

/// The first two characters of a code.
fn class(code: &str) -> &str {
    code.get(..2).unwrap_or_default()
}

/// A row holds what nobody here can have written.
#[derive(Debug, thiserror::Error)]
#[error("column {column} of a row holds what cannot have been written")]
pub(crate) struct BadColumn {
    pub(crate) column: usize,
}

/// The database did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error("the database has not answered for {seconds} seconds")]
pub(crate) struct NoAnswer {
    pub(crate) seconds: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: &str) -> StoreFailure {
        Told::new(code, "canary", Some("users_pkey")).into_failure()
    }

    #[test]
    fn each_code_is_the_failure_that_a_caller_acts_upon() {
        for (code, expected) in [
            ("55P03", "store-locked"),
            ("40P01", "store-locked"),
            ("53100", "store-full"),
            ("25006", "store-read-only"),
            ("0A000", "store-read-only"),
            ("28P01", "store-forbidden"),
            ("42501", "store-forbidden"),
            ("42P01", "store-missing"),
            ("23505", "store-damaged"),
            ("22P02", "store-damaged"),
            ("57P01", "store-unavailable"),
            ("57014", "store-unavailable"),
            ("53300", "store-unavailable"),
            ("", "store-unavailable"),
        ] {
            assert_eq!(failure(code).code(), expected, "{code}");
        }
    }

    #[test]
    fn what_may_hold_a_value_is_not_repeated() {
        let text = |code| Told::new(code, "canary", Some("users_pkey")).to_string();
        assert_eq!(text("23505"), "PostgreSQL says 23505 (constraint users_pkey)");
        assert_eq!(text("57P01"), "PostgreSQL says 57P01: canary (constraint users_pkey)");
    }
}
