//! A document opened in memory: every encrypted value replaced by what was encrypted. Nothing is written here.

use dango_core::CredentialPath;
use dango_keyring::{Envelope, KeySet, MalformedEnvelope, OpenError, Purpose};
use dango_secrets::document::{CommentChange, Respelling, SecretsDocument, ValueText};

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

/// Opens the selected values of a document; the result is for reading and must never be written.
///
/// A `${` in an opened string is text, no reference. Without a selected encrypted value no key is asked for.
///
/// # Errors
///
/// [`OpeningError`]: all values that do not open, each with its path; then nothing is opened.
pub fn open_secrets(document: &SecretsDocument, selection: Selection<'_>, keys: &Keys<'_>) -> Result<SecretsDocument, OpeningError> {
    let mut closed = Vec::new();
    let mut sealed = Vec::new();
    for entry in document.entries().into_iter().filter(|entry| selection.holds(&entry.path)) {
        match envelope(&entry.value) {
            Some(envelope) => sealed.push((entry.path, envelope)),
            None if holds_encrypted(&entry.value) => closed.push(ClosedValue {
                place: entry.path.to_string(),
                problem: ClosedProblem::InArray,
            }),
            None => {}
        }
    }
    if sealed.is_empty() && closed.is_empty() {
        return Ok(document.clone());
    }
    let mut opened = Vec::with_capacity(sealed.len());
    if let Some((first, _)) = sealed.first() {
        let keys = keys.fetch().map_err(|source| OpeningError::Keys {
            place: first.to_string(),
            source,
        })?;
        for (path, envelope) in &sealed {
            let spelling = open(keys, path, envelope).and_then(|text| text.literal_spelling().ok_or(ClosedProblem::NotAValue));
            match spelling {
                Ok(spelling) => opened.push((path, spelling)),
                Err(problem) => closed.push(ClosedValue {
                    place: path.to_string(),
                    problem,
                }),
            }
        }
    }
    if !closed.is_empty() {
        return Err(OpeningError::Closed(closed));
    }
    let changes: Vec<_> = opened
        .iter()
        .map(|(path, spelling)| Respelling {
            path,
            spelling,
            comment: CommentChange::Keep,
        })
        .collect();
    // Each is one value by itself, so only all of them together can be refused.
    document.respell(&changes).map_err(|_| {
        let not_a_value = |(path, _): &(CredentialPath, _)| ClosedValue {
            place: path.to_string(),
            problem: ClosedProblem::NotAValue,
        };
        OpeningError::Closed(sealed.iter().map(not_a_value).collect())
    })
}

/// Opens one value: its own text, and the comment that was sealed with it.
pub(crate) fn open(
    keys: &KeySet,
    path: &CredentialPath,
    envelope: &Result<Envelope, MalformedEnvelope>,
) -> Result<ValueText, ClosedProblem> {
    let envelope = envelope.as_ref().map_err(|error| OpenError::from(*error))?;
    let plain = keys.open(Purpose::SecretsToml, &binding(path), envelope)?;
    ValueText::parse(plain.expose()).ok_or(ClosedProblem::NotAValue)
}
