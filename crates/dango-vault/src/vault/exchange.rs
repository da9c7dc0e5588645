//! Values that take the places of others, where the others still are: whatever somebody else has stored meanwhile is left alone.

use dango_core::{CredentialPath, SecretValue, VariableName};
use dango_secrets::document::{NewValue, SecretsDocument, ValueText};
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::{References, Value};

use super::Vault;
use crate::aside::ValuePlace;
use crate::env::{EnvSetReport, open_env, set_env};
use crate::error::VaultError;
use crate::secrets::{Protection, Selection, SetReport, open_secrets, set_secrets};

/// One value that takes the place of another. There is no `Debug`: both are secrets.
#[derive(Clone)]
pub struct Exchange<P> {
    /// Where.
    pub place: P,
    /// The value that is there; of `secrets.toml` as it is spelled, of `.env` itself.
    pub from: SecretValue,
    /// The value that comes, in the same form.
    pub to: SecretValue,
}

impl Vault<'_> {
    /// Exchanges values of `.dlt/secrets.toml` in one save, encrypted where the ones that go are. A place that has its new value is passed over.
    ///
    /// # Errors
    ///
    /// [`VaultError::Changed`] where a place has neither of its two values, and others; the file is then as it was.
    pub fn exchange_secrets(&self, exchanges: &[Exchange<CredentialPath>]) -> Result<SetReport, VaultError> {
        self.update(|document: &SecretsDocument, edition| {
            let mut due = Vec::with_capacity(exchanges.len());
            for exchange in exchanges {
                let path = &exchange.place;
                let opened = open_secrets(document, Selection::Below(path), self.keys)?;
                let stored = opened
                    .value(path)
                    .filter(|value| !value.has_reference())
                    .and_then(|value| text_of(&value));
                let place = || ValuePlace::Secret(path.clone());
                if is_due(stored, text_of_spelling(&exchange.from), text_of_spelling(&exchange.to), place)? {
                    let value = ValueText::parse(exchange.to.expose()).and_then(|text| text.to_new_value());
                    due.push((path.clone(), literal(value.ok_or(VaultError::Nul)?)));
                }
            }
            set_secrets(document, &due, Protection::Habit, edition)
        })
    }

    /// Exchanges values of `.env`, as [`Vault::exchange_secrets`] does; answers for those that were not passed over.
    ///
    /// # Errors
    ///
    /// As [`Vault::exchange_secrets`].
    pub fn exchange_env(&self, exchanges: &[Exchange<VariableName>]) -> Result<Vec<(VariableName, EnvSetReport)>, VaultError> {
        self.update(|document: &EnvDocument, edition| {
            let mut edited = document.clone();
            let mut reports = Vec::with_capacity(exchanges.len());
            for exchange in exchanges {
                let key = &exchange.place;
                let opened = open_env(&edited, self.keys)?;
                let bound = opened.bindings().rfind(|bound| bound.key() == key.as_str());
                let stored = bound.filter(|bound| !bound.has_reference()).and_then(|bound| bound.expose());
                let stored = stored.and_then(|text| SecretValue::new(text.to_owned()).ok());
                let place = || ValuePlace::Variable(key.clone());
                if is_due(stored, Some(exchange.from.clone()), Some(exchange.to.clone()), place)? {
                    let (now, report) = set_env(&edited, key, &exchange.to, References::Literal, Protection::Habit, edition)?;
                    edited = now;
                    reports.push((key.clone(), report));
                }
            }
            Ok((edited, reports))
        })
    }
}

/// A value as `secrets.toml` would spell it; `None` for what it cannot hold.
pub fn spell(value: &NewValue) -> Option<SecretValue> {
    let path = CredentialPath::from_parts(["v"])?;
    let (document, _) = SecretsDocument::parse(b"").ok()?.set_all(&[(path.clone(), value.clone())]).ok()?;
    SecretValue::new(document.spelling(&path)?.to_owned()).ok()
}

/// The text that a spelled value hands to a program; `None` for tables and arrays.
pub(super) fn text_of_spelling(spelling: &SecretValue) -> Option<SecretValue> {
    text_of(&ValueText::parse(spelling.expose())?.literal_value())
}

/// The text of a single value.
fn text_of(value: &Value) -> Option<SecretValue> {
    let text = match value {
        Value::String(text) => text.verbatim(),
        Value::Integer { text, .. } | Value::Float { text, .. } | Value::Datetime(text) => text.clone(),
        Value::Boolean(flag) => zeroize::Zeroizing::new(flag.to_string()),
        _ => return None,
    };
    SecretValue::new(text.as_str().to_owned()).ok()
}

/// What was laid aside was opened or plain text, so nothing in it refers to a variable.
fn literal(value: NewValue) -> NewValue {
    match value {
        NewValue::String { text, .. } => NewValue::String {
            text,
            references: References::Literal,
        },
        value => value,
    }
}

fn is_due(
    stored: Option<SecretValue>,
    from: Option<SecretValue>,
    to: Option<SecretValue>,
    place: impl FnOnce() -> ValuePlace,
) -> Result<bool, VaultError> {
    let is = |other: &Option<SecretValue>| matches!((&stored, other), (Some(stored), Some(other)) if stored.expose() == other.expose());
    match (is(&to), is(&from)) {
        (true, _) => Ok(false),
        (_, true) => Ok(true),
        _ => Err(VaultError::Changed { place: place() }),
    }
}
