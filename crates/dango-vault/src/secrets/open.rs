//! A document opened in memory: readers see what was encrypted in place of every encrypted value. Nothing is written here.

use dango_core::CredentialPath;
use dango_keyring::{Envelope, MalformedEnvelope, OpenError, Opener, Purpose};
use dango_secrets::document::{SecretsDocument, ValueText};

use super::{binding, envelope, holds_encrypted};
use crate::closed::{ClosedProblem, ClosedValue, OpeningError};
use crate::keys::Keys;

/// Which encrypted values are opened; the others stay as they are.
#[derive(Clone, Copy, Debug)]
pub enum Selection<'a> {
    /// All.
    All,
    /// Those at or below a path.
    Below(&'a CredentialPath),
}

impl Selection<'_> {
    fn holds(&self, path: &CredentialPath) -> bool {
        match self {
            Self::All => true,
            Self::Below(prefix) => path.starts_with(prefix),
        }
    }
}

/// Opens the selected values of a document; the result is for reading: its text, and every edit of it, is that of the file.
///
/// A `${` in an opened string is text, no reference. Without a selected encrypted value no key is asked for.
///
/// # Errors
///
/// [`OpeningError`]: all values that do not open, each with its path; then nothing is opened.
pub fn open_secrets(document: &SecretsDocument, selection: Selection<'_>, keys: &Keys<'_>) -> Result<SecretsDocument, OpeningError> {
    let mut closed = Vec::new();
    let mut opener = None;
    let opened = document.opened(|entry| {
        if !selection.holds(&entry.path) {
            return Ok(None);
        }
        let result = match envelope(&entry.value) {
            Some(envelope) => {
                let opener = match &mut opener {
                    Some(opener) => opener,
                    none => none.insert(fetch_opener(keys, &entry.path)?),
                };
                open(opener, &entry.path, &envelope)
            }
            None if holds_encrypted(&entry.value) => Err(ClosedProblem::InArray),
            None => return Ok(None),
        };
        match result {
            Ok(text) => Ok(Some(text.literal_value())),
            Err(problem) => {
                closed.push(ClosedValue {
                    place: entry.path.to_string(),
                    problem,
                });
                Ok(None)
            }
        }
    })?;
    if closed.is_empty() {
        Ok(opened)
    } else {
        Err(OpeningError::Closed(closed))
    }
}

fn fetch_opener(keys: &Keys<'_>, first: &CredentialPath) -> Result<Opener, OpeningError> {
    let keys = keys.fetch().map_err(|source| OpeningError::Keys {
        place: first.to_string(),
        source,
    })?;
    Ok(keys.opener(Purpose::SecretsToml))
}

/// Opens one value: its own text, and the comment that was sealed with it.
pub(crate) fn open(
    opener: &Opener,
    path: &CredentialPath,
    envelope: &Result<Envelope, MalformedEnvelope>,
) -> Result<ValueText, ClosedProblem> {
    let envelope = envelope.as_ref().map_err(|error| OpenError::from(*error))?;
    let plain = opener.open(&binding(path), envelope)?;
    ValueText::parse(plain.expose()).ok_or(ClosedProblem::NotAValue)
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;
    use dango_keyring::{KeySet, MasterKey};
    use dango_secrets::Value;

    use super::*;
    use crate::sealer::{Sealer, secret};

    /// A document of which each key holds such a text, sealed.
    fn document(keys: &KeySet, values: &[(&str, &str)]) -> SecretsDocument {
        let mut sealer = Sealer::new(keys, &OsEntropy);
        let mut text = String::new();
        for (key, plain) in values {
            let binding = binding(&key.parse().expect("a path"));
            let envelope = sealer
                .seal(Purpose::SecretsToml, &binding, &secret(plain).expect("no NUL"))
                .expect("seals");
            text.push_str(&format!("{key} = '{envelope}'\n"));
        }
        SecretsDocument::parse(text.as_bytes()).expect("TOML")
    }

    fn keys() -> KeySet {
        KeySet::new(MasterKey::make(&OsEntropy).expect("random"), None)
    }

    #[test]
    fn what_is_no_single_value_closes_everything_and_is_named() {
        let keys = keys();
        let bad = ["", " 1", "1\nb = 2", "1 # x\n", "a", "1\n[t]", "\"a"];
        for plain in bad {
            let document = document(&keys, &[("good", "\"x\""), ("bad", plain), ("worse", plain)]);
            let error = open_secrets(&document, Selection::All, &Keys::at_hand(&keys))
                .err()
                .expect("closed");
            let OpeningError::Closed(closed) = error else {
                panic!("the keys are at hand")
            };
            let found: Vec<_> = closed.iter().map(|closed| (closed.place.as_str(), closed.problem)).collect();
            let expected = [("bad", ClosedProblem::NotAValue), ("worse", ClosedProblem::NotAValue)];
            assert_eq!(found, expected, "{plain:?}");
        }
    }

    #[test]
    fn an_opened_value_has_its_type_and_no_reference() {
        let keys = keys();
        let document = document(
            &keys,
            &[
                ("text", "'${HOME}'  # hidden"),
                ("number", "0x1f"),
                ("table", "{ a = [\"${X}\", 2] }"),
            ],
        );
        let opened = open_secrets(&document, Selection::All, &Keys::at_hand(&keys)).expect("opens");
        let value = |path: &str| opened.value(&path.parse().expect("a path"));
        assert!(matches!(value("text"), Some(Value::String(text)) if text.verbatim().as_str() == "${HOME}"));
        assert!(matches!(value("number"), Some(Value::Integer { value: 31, text }) if text.as_str() == "0x1f"));
        assert!(matches!(value("table.a"), Some(Value::Array(items)) if items.len() == 2));
        assert!(opened.entries().iter().all(|entry| !entry.value.has_reference()));
        assert_eq!(opened.text(), document.text(), "what could be written is what is encrypted");
    }
}
