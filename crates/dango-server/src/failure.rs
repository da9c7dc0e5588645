//! Why the server does not start: a message, hints, and the exit status. It never holds a secret.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write;

use dango_actions::{CheckpointError, Fault, IdentityKeyError, PremisesError};
use dango_store::StoreFailure;

use crate::serve::TlsError;
use crate::settings::SettingsError;

/// What to do where the key is not the one that is needed.
pub(crate) const BRING_KEY: &str =
    "put the key back from a backup, or give it in DANGO_IDENTITY_KEY or in the file that DANGO_IDENTITY_KEY_FILE names";

/// Where the password of a database stands that nobody else sees.
pub(crate) const PASSWORD_PLACES: &str =
    "a password in DANGO_SERVER_DATABASE_URL, in PGPASSWORD, or in the file that PGPASSFILE names is seen by nobody else";

const RECOVER: &str = "if it is lost for good, `dango auth recover` begins with a new one";

/// A failure as a person reads it.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hints: Vec<String>,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hints: Vec::new(),
        }
    }

    /// An error with its causes.
    pub(crate) fn caused_by(error: &dyn Error) -> Self {
        Self::new(chain(error))
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Says of what it is told.
    pub(crate) fn at(mut self, place: impl std::fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// Writes it as the command line does: one line for what is wrong, one for each thing to do about it.
    pub(crate) fn write(&self, out: &mut dyn Write) {
        self.write_as("error", out);
    }

    fn write_as(&self, kind: &str, out: &mut dyn Write) {
        // Where even this cannot be written, the exit status says it.
        let _ = writeln!(out, "{kind}: {}", one_line(&self.message));
        for hint in &self.hints {
            let _ = writeln!(out, "hint: {}", one_line(hint));
        }
    }

    /// Writes it as something that is no failure.
    pub(crate) fn warn(&self, out: &mut dyn Write) {
        self.write_as("warning", out);
    }

    /// Writes it to the log.
    pub(crate) fn log(&self) {
        tracing::error!(hint = self.hints.join("; "), "{}", self.message);
    }
}

/// A message with its causes on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // A transparent error says what its cause says.
        if !text.ends_with(&cause_text) {
            let _ = write!(text, ": {cause_text}");
        }
        next = cause.source();
    }
    text
}

/// Text that cannot move a terminal's cursor or begin another line: a path may hold anything.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
            let _ = write!(line, "{}", character.escape_unicode());
        } else {
            line.push(character);
        }
    }
    line
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        let failure = Self::caused_by(&error);
        match &error {
            SettingsError::UnknownVariable { .. } | SettingsError::UnknownKey { .. } => {
                failure.hint("`dango-server --help` lists the settings; nothing was made or started")
            }
            SettingsError::Exposed { path, .. } => failure
                .hint(format!("`chmod 600 {}` closes it", path.display()))
                .hint(PASSWORD_PLACES),
            _ => failure,
        }
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        let failure = Self::caused_by(&error);
        match error {
            TlsError::NotPem { .. } => {
                failure.hint("a PEM file has lines such as -----BEGIN CERTIFICATE----- and -----BEGIN PRIVATE KEY-----")
            }
            TlsError::Mismatch { .. } => {
                failure.hint("give both files of one certificate; the server's own certificate comes first in its file")
            }
            _ => failure,
        }
    }
}

impl From<PremisesError> for Failure {
    fn from(error: PremisesError) -> Self {
        let failure = Self::caused_by(&error);
        match error {
            PremisesError::DatabaseGone { checkpoint, .. } => failure.hint("put it back from a backup").hint(format!(
                "to begin anew, without its users and its audit log, move {} away",
                checkpoint.display()
            )),
            _ => failure,
        }
    }
}

impl From<IdentityKeyError> for Failure {
    fn from(error: IdentityKeyError) -> Self {
        let failure = Self::caused_by(&error);
        match error {
            IdentityKeyError::Twice => failure.hint("unset one of them"),
            IdentityKeyError::Exposed { path, .. } => failure
                .hint(format!("`chmod 600 {}` closes it", path.display()))
                .hint("if somebody else may have read it, begin with a new key (`dango auth recover`)"),
            IdentityKeyError::Variable(_) | IdentityKeyError::Malformed { .. } => {
                failure.hint("a key is 32 bytes as 64 hexadecimal digits or as base64; nothing was overwritten")
            }
            IdentityKeyError::Missing { .. } => failure.hint("correct DANGO_IDENTITY_KEY_FILE, or put the file there"),
            _ => failure,
        }
    }
}

impl From<StoreFailure> for Failure {
    fn from(error: StoreFailure) -> Self {
        let failure = Self::caused_by(&error);
        match error {
            StoreFailure::Full => failure.hint("make room, then start again"),
            StoreFailure::ReadOnly => failure.hint("make the database and its directory writable for the server's user"),
            StoreFailure::Damaged(_) => failure
                .hint("it is left as it is: put it back from a backup")
                .hint("what can still be read of the audit log is written out by `dango audit export`"),
            StoreFailure::Foreign => failure.hint("it is left as it is: put the database back from a backup, or move the file away"),
            StoreFailure::Unsafe { .. } => failure.hint("put a file of the server's own user there"),
            StoreFailure::Encoding { .. } => {
                failure.hint("`createdb --encoding=UTF8 --template=template0 NAME` makes one that takes every character")
            }
            StoreFailure::Newer { .. } => failure.hint("use that version of Dango, or a later one"),
            StoreFailure::Moved { address } => failure.hint(format!(
                "`export DANGO_SERVER_DATABASE_URL={address}`, and the password where the server looks for it"
            )),
            StoreFailure::Arriving => failure
                .hint("`dango-server migrate --from sqlite:FILE --to postgres://…` goes on with the move and finishes it")
                .hint("the same with --abort takes it back"),
            _ => failure,
        }
    }
}

impl From<CheckpointError> for Failure {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Fault(fault) => fault.into(),
            error => Self::caused_by(&error)
                .hint("put the database back as it was, or from a newer backup")
                .hint("`dango audit verify` says what is wrong with the log"),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match (fault.store_failure(), &fault) {
            (Some(failure), _) => failure.clone().into(),
            (None, Fault::Audit(_)) => Self::caused_by(&fault)
                .hint("`dango-server verify` says what is wrong with the log")
                .hint(BRING_KEY)
                .hint("if it is lost for good, `dango-server auth recover` begins a new log with the one that is given"),
            _ => Self::caused_by(&fault),
        }
    }
}

/// The key of a database that is there is gone.
pub(crate) fn identity_key_is_lost(premises: &dango_actions::Premises) -> Failure {
    Failure::new(format!(
        "the identity key of {} is gone: {} is not there",
        premises.database().display(),
        premises.identity_key().path().display()
    ))
    .hint(BRING_KEY)
    .hint(RECOVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_said_leaves_its_line() {
        let mut out = Vec::new();
        Failure::new("a\nerror: b\u{1b}[2J").hint("c\r\u{202e}d").write(&mut out);
        let text = String::from_utf8(out).expect("text");
        assert_eq!(text, "error: a\\u{a}error: b\\u{1b}[2J\nhint: c\\u{d}\\u{202e}d\n");
    }
}
