//! `.env` as a document with encrypted values; no file is touched here.

mod change;
mod encrypt;
mod plain;
mod set;

use dango_core::{SecretValue, VariableName};
use dango_keyring::{Binding, Envelope, MalformedEnvelope, OpenError, Opener, Purpose};
use dango_secrets::dotenv::{self, EnvDocument};

use crate::closed::{ClosedProblem, ClosedValue, OpeningError};
use crate::keys::Keys;

pub(crate) use change::change_env;
pub use change::{EnvChange, EnvChanged, EnvEdit};
pub use encrypt::{EnvEncryptError, EnvEncryptReport, EnvLeft, EnvLeftReason, EnvTargets, decrypt_env, encrypt_env};
pub(crate) use plain::EnvPlain;
pub(crate) use set::unset_env;
pub use set::{EnvSetError, EnvSetReport, env_habit, set_env};

/// The envelope that a value is; `None` for plain values and for a key without one.
pub(crate) fn envelope(binding: &dotenv::Binding) -> Option<Result<Envelope, MalformedEnvelope>> {
    Envelope::parse(binding.expose()?).transpose()
}

/// Whether a variable's value is an encrypted one, a damaged one included.
pub fn is_encrypted_binding(binding: &dotenv::Binding) -> bool {
    envelope(binding).is_some()
}

/// Every encrypted value: its place among the bindings, its key and its envelope.
pub(crate) fn sealed(document: &EnvDocument) -> Vec<(usize, String, Result<Envelope, MalformedEnvelope>)> {
    let bindings = document.bindings().enumerate();
    bindings
        .filter_map(|(index, binding)| Some((index, binding.key().to_owned(), envelope(binding)?)))
        .collect()
}

pub(crate) fn binding(name: &VariableName) -> Binding {
    Binding::variable(name)
}

/// Opens all values of a document; the result is for reading: its text, and every edit of it, is that of the file.
///
/// Opened values are literal, and references of plain values to them see what was opened. Without an encrypted value no key is asked for.
///
/// # Errors
///
/// [`OpeningError`]: all values that do not open, each with its variable; then nothing is opened.
pub fn open_env(document: &EnvDocument, keys: &Keys<'_>) -> Result<EnvDocument, OpeningError> {
    let mut closed = Vec::new();
    let mut opener = None;
    let opened = document.opened(|bound| {
        let Some(envelope) = envelope(bound) else { return Ok(None) };
        let opener = match &mut opener {
            Some(opener) => opener,
            none => none.insert(fetch_opener(keys, bound.key())?),
        };
        match open(opener, bound.key(), &envelope) {
            Ok(plain) => Ok(Some(plain.value())),
            Err(problem) => {
                closed.push(ClosedValue {
                    place: bound.key().to_owned(),
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

fn fetch_opener(keys: &Keys<'_>, first: &str) -> Result<Opener, OpeningError> {
    let keys = keys.fetch().map_err(|source| OpeningError::Keys {
        place: first.to_owned(),
        source,
    })?;
    Ok(keys.opener(Purpose::DotEnv))
}

/// Opens one value.
pub(crate) fn open(opener: &Opener, key: &str, envelope: &Result<Envelope, MalformedEnvelope>) -> Result<EnvPlain, ClosedProblem> {
    let envelope = envelope.as_ref().map_err(|error| OpenError::from(*error))?;
    let name: VariableName = key.parse().map_err(|_| ClosedProblem::NoName)?;
    let plain: SecretValue = opener.open(&binding(&name), envelope)?;
    EnvPlain::parse(&plain).ok_or(ClosedProblem::NotAValue)
}
