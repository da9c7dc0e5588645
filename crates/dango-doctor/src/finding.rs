//! One thing that is wrong: what, where, and what to do about it. Never a value.

use crate::code::Code;
use crate::repair::Repair;

/// One thing that is wrong with a project.
///
/// # Security
///
/// It names files, credentials and variables, never a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing it is.
    pub code: Code,
    /// Where: a file, relative to the project where it is below it; the path of a credential; or the name of a variable.
    pub place: String,
    /// One sentence for people, without a full stop.
    pub message: String,
    /// What to do about it: a command, or words where no command does it.
    pub fix: String,
    /// What puts it right, where that is safe.
    pub repair: Option<Repair>,
}

impl Finding {
    /// A finding whose fix is a person's to make.
    pub fn new(code: Code, place: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            code,
            place: place.into(),
            message: message.into(),
            fix: fix.into(),
            repair: None,
        }
    }

    /// The same, with what puts it right.
    #[must_use]
    pub fn with(self, repair: impl Into<Option<Repair>>) -> Self {
        Self {
            repair: repair.into(),
            ..self
        }
    }
}

/// A word of a command, quoted where a shell would act on it: names come from files, and a fix is made to be copied.
pub(crate) fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | '@' | '%' | '+' | ',' | '=');
    match !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_shell_would_act_on_is_quoted() {
        for (text, expected) in [
            (".dlt/secrets.toml", ".dlt/secrets.toml"),
            ("sources.\"my.db\".password", "'sources.\"my.db\".password'"),
            (".env.$(touch x)", "'.env.$(touch x)'"),
            ("it's", "'it'\\''s'"),
            ("-rf", "'-rf'"),
            ("", "''"),
        ] {
            assert_eq!(word(text), expected);
        }
    }
}
