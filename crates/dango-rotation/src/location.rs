//! Where a credential's value is: in `secrets.toml`, or in the variable of `.env` that it refers to or that dlt reads before it.

use dango_core::{CredentialPath, SecretValue, VariableName};
use dango_secrets::document::{NewValue, SecretsDocument, ValueText};
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::{Piece, References, Value, dlt};
use dango_sources::{ConfiguredSource, Presence, SourcesFile};
use dango_vault::{ValuePlace, is_encrypted, spell};

/// A project's files as they are, and as they are with everything opened.
pub struct Files<'a> {
    /// `.dlt/secrets.toml`.
    pub secrets: &'a SecretsDocument,
    /// The same, opened.
    pub opened_secrets: &'a SecretsDocument,
    /// `.env`, opened.
    pub env: &'a EnvDocument,
    /// The process environment.
    pub process: &'a dyn Fn(&str) -> Option<SecretValue>,
}

/// A value that was found. There is no `Debug`: it is a secret.
#[derive(Clone)]
pub struct Located {
    /// Where it is.
    pub place: ValuePlace,
    /// The value: of `secrets.toml` as it is spelled, of `.env` itself.
    pub value: SecretValue,
}

/// Why a credential's value is not one that can be exchanged. It names paths and variables, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocateError {
    /// Nothing is stored there.
    #[error("{path} has no value")]
    Missing {
        /// The credential.
        path: CredentialPath,
    },
    /// It is a table or a list.
    #[error("{path} is no single value")]
    NotSingle {
        /// The credential.
        path: CredentialPath,
    },
    /// The process environment decides what it is.
    #[error("{path} is read from the variable {name}, which is set in the environment of this process and not in the project's files")]
    InEnvironment {
        /// The credential.
        path: CredentialPath,
        /// The variable.
        name: String,
    },
    /// It refers to several variables.
    #[error("{path} is made of several variables: {}", names.join(", "))]
    SeveralVariables {
        /// The credential.
        path: CredentialPath,
        /// The variables.
        names: Vec<String>,
    },
    /// The variable is not in `.env`.
    #[error("the variable {name} is not in .env")]
    Unset {
        /// The variable.
        name: String,
    },
    /// The variable refers to another one.
    #[error("the variable {name} is made of other variables")]
    Refers {
        /// The variable.
        name: String,
    },
}

/// Finds the value that programs get for a credential: of the variable that dlt reads first, else of `secrets.toml`, else of the variable that
/// stands there.
///
/// # Errors
///
/// [`LocateError`].
pub fn locate(path: &CredentialPath, files: &Files<'_>) -> Result<Located, LocateError> {
    if let Ok(name) = dlt::variable_name(path) {
        if (files.process)(name.as_str()).is_some() {
            return Err(LocateError::InEnvironment {
                path: path.clone(),
                name: name.as_str().to_owned(),
            });
        }
        if files.env.bindings().any(|bound| bound.key() == name.as_str() && bound.has_value()) {
            return locate_variable(name.as_str(), files);
        }
    }
    let missing = || LocateError::Missing { path: path.clone() };
    let stored = files.secrets.value(path).ok_or_else(missing)?;
    let names = references(&stored);
    match names.as_slice() {
        [] => {}
        [name] => {
            if (files.process)(name).is_some() {
                return Err(LocateError::InEnvironment {
                    path: path.clone(),
                    name: name.clone(),
                });
            }
            return locate_variable(name, files);
        }
        _ => {
            return Err(LocateError::SeveralVariables { path: path.clone(), names });
        }
    }
    let not_single = || LocateError::NotSingle { path: path.clone() };
    let value = match is_encrypted(&stored) {
        true => {
            let opened = files.opened_secrets.value(path).ok_or_else(missing)?;
            new_value(&opened).as_ref().and_then(spell)
        }
        false if matches!(stored, Value::Table(_) | Value::Array(_)) => None,
        false => files
            .secrets
            .spelling(path)
            .and_then(|spelling| SecretValue::new(spelling.to_owned()).ok()),
    };
    Ok(Located {
        place: ValuePlace::Secret(path.clone()),
        value: value.ok_or_else(not_single)?,
    })
}

/// Finds the value of a variable of `.env`.
///
/// # Errors
///
/// [`LocateError::Unset`] and [`LocateError::Refers`].
pub fn locate_variable(name: &str, files: &Files<'_>) -> Result<Located, LocateError> {
    let unset = || LocateError::Unset { name: name.to_owned() };
    let key: VariableName = name.parse().map_err(|_| unset())?;
    let bound = files.env.bindings().rfind(|bound| bound.key() == name).ok_or_else(unset)?;
    if bound.has_reference() {
        return Err(LocateError::Refers { name: name.to_owned() });
    }
    let value = bound.expose().and_then(|text| SecretValue::new(text.to_owned()).ok());
    Ok(Located {
        place: ValuePlace::Variable(key),
        value: value.ok_or_else(unset)?,
    })
}

/// Where else the same value is stored: a value of `secrets.toml` or a variable that is equal to it as a whole.
pub fn copies(located: &Located, files: &Files<'_>) -> Vec<Located> {
    let Some(text) = plain_text(located) else { return Vec::new() };
    if text.expose().is_empty() {
        return Vec::new();
    }
    let entries = files.opened_secrets.entries().into_iter();
    let paths = entries
        .filter(|entry| !entry.value.has_reference() && entry.path.parts().first().is_some_and(|first| first != "dango"))
        .filter_map(|entry| {
            let place = ValuePlace::Secret(entry.path.clone());
            let copy = Located {
                place,
                value: spell(&new_value(&entry.value)?)?,
            };
            Some(copy)
        });
    let mut names: Vec<&str> = files.env.keys();
    names.dedup();
    let variables = names.into_iter().filter_map(|name| locate_variable(name, files).ok());
    let mut found: Vec<Located> = paths
        .chain(variables)
        .filter(|copy| copy.place != located.place)
        .filter(|copy| plain_text(copy).is_some_and(|copy| copy.expose() == text.expose()))
        .collect();
    found.sort_by(|one, other| one.place.cmp(&other.place));
    found.dedup_by(|one, other| one.place == other.place);
    found
}

/// Whether a place has this very value, however it is spelled there.
pub fn is_there(located: &Located, files: &Files<'_>) -> bool {
    let stored = match &located.place {
        ValuePlace::Secret(path) => files
            .opened_secrets
            .value(path)
            .and_then(|value| spell(&new_value(&value)?))
            .map(|value| Located {
                place: located.place.clone(),
                value,
            }),
        ValuePlace::Variable(key) => locate_variable(key.as_str(), files).ok(),
    };
    let (stored, expected) = (stored.as_ref().and_then(plain_text), plain_text(located));
    matches!((stored, expected), (Some(stored), Some(expected)) if stored.expose() == expected.expose())
}

/// The text that programs get; `None` where it is no single value.
pub fn plain_text(located: &Located) -> Option<SecretValue> {
    let text = match &located.place {
        ValuePlace::Variable(_) => return Some(located.value.clone()),
        ValuePlace::Secret(_) => match ValueText::parse(located.value.expose())?.literal_value() {
            Value::String(text) => text.verbatim(),
            Value::Integer { text, .. } | Value::Float { text, .. } | Value::Datetime(text) => text,
            _ => return None,
        },
    };
    SecretValue::new(text.as_str().to_owned()).ok()
}

/// The secret credentials of a source that have a value, each where it is read: a field of its type, or for a type that nobody knows every text
/// in its section.
pub fn credential_paths(
    file: &SourcesFile,
    source: &ConfiguredSource,
    secrets: &SecretsDocument,
    presence: &dyn Fn(&CredentialPath) -> Presence,
) -> Vec<(String, CredentialPath)> {
    let Some((spec, state)) = source.spec().zip(file.state(source, presence)) else {
        let section = CredentialPath::from_parts(["sources", source.name().as_str()]);
        let entries = secrets.entries().into_iter().filter(|entry| {
            let is_below = section.as_ref().is_some_and(|section| entry.path.starts_with(section));
            is_below && matches!(entry.value, Value::String(_))
        });
        return entries
            .map(|entry| (entry.path.parts().last().cloned().unwrap_or_default(), entry.path))
            .collect();
    };
    let secret = spec.fields.iter().filter(|field| field.secret);
    let found = secret.filter_map(|field| {
        let own = spec.path(source.name(), field)?;
        let elsewhere = state.elsewhere.iter().find(|elsewhere| elsewhere.field == field.name);
        let at = match elsewhere.and_then(|elsewhere| elsewhere.found.clone()) {
            Some(found) => found,
            None if presence(&own) == Presence::Present => own,
            None => return None,
        };
        Some((field.name.to_owned(), at))
    });
    found.collect()
}

/// The variables that a text refers to, each once.
fn references(value: &Value) -> Vec<String> {
    let Value::String(text) = value else { return Vec::new() };
    let mut names: Vec<String> = Vec::new();
    for piece in text.pieces() {
        if let Piece::Reference(reference) = piece {
            let name = reference.name.to_string();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

fn new_value(value: &Value) -> Option<NewValue> {
    match value {
        Value::String(text) => Some(NewValue::String {
            text: SecretValue::new(text.verbatim().as_str().to_owned()).ok()?,
            references: References::Literal,
        }),
        Value::Integer { value, .. } => Some(NewValue::Integer(*value)),
        Value::Float { value, .. } => Some(NewValue::Float(*value)),
        _ => None,
    }
}
