//! The key that servers and CI are given in `DANGO_KEY` or `DANGO_KEY_FILE`; the caller reads both, and nothing is ever written back.

use dango_core::SecretValue;

use super::{HolderError, HolderKind, KeyHolder};
use crate::key::MasterKey;
use crate::key_set::KeySet;

/// A key from the environment.
pub struct EnvironmentHolder {
    text: SecretValue,
    /// Absent for the variable, which takes no white space around the key.
    file: Option<String>,
}

impl EnvironmentHolder {
    /// The value of `DANGO_KEY`.
    pub fn from_variable(value: SecretValue) -> Self {
        Self { text: value, file: None }
    }

    /// The content of the file that `DANGO_KEY_FILE` names, and its name for messages.
    pub fn from_file(name: impl Into<String>, content: SecretValue) -> Self {
        Self {
            text: content,
            file: Some(name.into()),
        }
    }

    fn read_only(&self) -> HolderError {
        HolderError::ReadOnly { kind: self.kind() }
    }
}

impl KeyHolder for EnvironmentHolder {
    fn kind(&self) -> HolderKind {
        HolderKind::Environment
    }

    fn describe(&self) -> String {
        match &self.file {
            Some(name) => format!("the file {name}, which DANGO_KEY_FILE names"),
            None => "DANGO_KEY".to_owned(),
        }
    }

    fn load(&self) -> Result<KeySet, HolderError> {
        let key = match self.file {
            Some(_) => MasterKey::parse_file(&self.text),
            None => MasterKey::parse(&self.text),
        };
        match key {
            Ok(key) => Ok(KeySet::new(key, None)),
            Err(error) => Err(HolderError::Unreadable {
                place: self.describe(),
                source: error.into(),
            }),
        }
    }

    fn store(&self, _: &KeySet) -> Result<(), HolderError> {
        Err(self.read_only())
    }

    fn delete(&self) -> Result<(), HolderError> {
        Err(self.read_only())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretValue {
        SecretValue::new(text.to_owned()).expect("no NUL")
    }

    #[test]
    fn a_key_is_read_strictly_from_the_variable_and_with_line_ends_from_a_file() {
        let hex = "ab".repeat(32);
        let line = format!("{hex}\n");
        assert!(EnvironmentHolder::from_variable(secret(&hex)).load().is_ok());
        assert!(EnvironmentHolder::from_variable(secret(&line)).load().is_err());
        assert!(EnvironmentHolder::from_file("key", secret(&line)).load().is_ok());
        assert!(EnvironmentHolder::from_file("key", secret("\n")).load().is_err());
    }

    #[test]
    fn what_is_no_key_is_refused_without_echo() {
        let holder = EnvironmentHolder::from_variable(secret("canary"));
        let error = holder.load().err().expect("refused");
        assert_eq!(error.code(), "key-malformed");
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert!(!format!("{error} {error:?} {source:?}").contains("canary"));
        assert_eq!(error.to_string(), "what is in DANGO_KEY cannot be read as a key");
        let empty = EnvironmentHolder::from_variable(secret("")).load().err().expect("refused");
        assert_eq!(empty.code(), "key-empty");
    }

    #[test]
    fn the_environment_is_never_written() {
        let holder = EnvironmentHolder::from_variable(secret(&"ab".repeat(32)));
        let keys = holder.load().expect("a key");
        assert_eq!(holder.store(&keys).err().map(|error| error.code()), Some("holder-read-only"));
        assert_eq!(holder.delete().err().map(|error| error.code()), Some("holder-read-only"));
    }
}
