//! Values set, encrypted where they are to be: because it was asked for, because the old value was, or because the file's are.

use std::collections::HashSet;

use dango_core::CredentialPath;
use dango_keyring::Purpose;
use dango_secrets::document::{EditError, NewValue, SecretsDocument};
use dango_secrets::{SetOutcome, Value};

use super::encrypt::{EncryptError, LeftPlain, LeftReason, encrypt_with_comments};
use super::open::open;
use super::{Targets, binding, decrypt_secrets, envelope, is_credential, is_encrypted, sealed};
use crate::edition::{Edition, Kept};
use crate::error::VaultError;
use crate::sealer::is_envelope;

/// Whether a value that is set is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protection {
    /// Whatever the file does.
    Encrypt,
    /// Whatever the file does.
    Plain,
    /// Encrypted where the value that it replaces is, or where the file's habit is so.
    #[default]
    Habit,
}

/// An envelope that was encrypted elsewhere opens here no more than any other text, and would be a value that stops every command.
fn refuse_envelopes(path: &CredentialPath, value: &NewValue) -> Result<(), VaultError> {
    match value {
        NewValue::String { text, .. } if is_envelope(text) => Err(VaultError::IsEnvelope { place: path.to_string() }),
        NewValue::Array(items) => items.iter().try_for_each(|item| refuse_envelopes(path, item)),
        NewValue::Table(entries) => entries.iter().try_for_each(|(_, item)| refuse_envelopes(path, item)),
        _ => Ok(()),
    }
}

/// What may be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// A single value, and no table.
    Value,
    /// A value, or a table with all that is in it.
    ValueOrTable,
}

/// What setting values did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetReport {
    /// What happened to each value, in their order.
    pub outcomes: Vec<SetOutcome>,
    /// What is now encrypted of what was set.
    pub encrypted: Vec<CredentialPath>,
    /// What was to be encrypted by habit and stays plain.
    pub left: Vec<LeftPlain>,
}

/// Why a value was not set.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetError {
    /// The path does not fit what the file holds.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// It is a table, and only a value was to be removed.
    #[error("{path} is a table; nothing was changed")]
    IsTable {
        /// The path.
        path: CredentialPath,
    },
    /// It is to be encrypted, and was not.
    #[error(transparent)]
    Encrypt(#[from] EncryptError),
    /// It is to be encrypted, and cannot be.
    #[error("{path} cannot be encrypted: {reason}")]
    Left {
        /// The value.
        path: CredentialPath,
        /// Why.
        reason: LeftReason,
    },
}

impl SetError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Edit(error) => error.code(),
            Self::IsTable { .. } => "is-table",
            Self::Encrypt(error) => error.code(),
            Self::Left { .. } => "not-encryptable",
        }
    }
}

/// Whether new credentials of a document are encrypted by habit: at least one is, and no string that could be is not.
///
/// Counted are the strings under `sources` and `destination`; those with references stay plain anyway.
pub fn secrets_habit(document: &SecretsDocument) -> bool {
    let mut habit = false;
    for entry in document.entries().into_iter().filter(|entry| is_credential(&entry.path)) {
        match &entry.value {
            value if is_encrypted(value) => habit = true,
            Value::String(text) if !text.has_reference() => return false,
            _ => {}
        }
    }
    habit
}

/// Makes a document in which each path has its value, and what is to be encrypted is.
///
/// Where a value replaces an encrypted one, the comment that was encrypted with it stays with it. Values that go are kept
/// for the history where the file has encrypted values.
///
/// # Errors
///
/// [`VaultError::Set`], and [`VaultError::Keys`] where a key is needed and not to be had.
pub fn set_secrets(
    document: &SecretsDocument,
    values: &[(CredentialPath, NewValue)],
    protection: Protection,
    edition: &mut Edition<'_>,
) -> Result<(SecretsDocument, SetReport), VaultError> {
    for (path, value) in values {
        refuse_envelopes(path, value)?;
    }
    let before = sealed(document);
    let habit = secrets_habit(document);
    let replaced: Vec<&CredentialPath> = before
        .iter()
        .map(|(path, _)| path)
        .filter(|path| values.iter().any(|(target, _)| path.starts_with(target)))
        .collect();
    // What does not open is overwritten as it is: its owner may set it anew for just that reason.
    let mut opened = document.clone();
    let mut commented = HashSet::new();
    if !replaced.is_empty() {
        let keys = edition.keys()?;
        let opener = keys.opener(Purpose::SecretsToml);
        let mut openable = Vec::new();
        for (path, envelope) in before.iter().filter(|(path, _)| replaced.contains(&path)) {
            if let Ok(text) = open(&opener, path, envelope) {
                openable.push(path.clone());
                // It gave the old value away, perhaps, so it is not shown beside the new one.
                commented.extend((!text.comment().is_empty()).then(|| path.clone()));
            }
        }
        if !openable.is_empty() {
            (opened, _) = decrypt_secrets(document, Targets::Paths(&openable), keys).map_err(SetError::from)?;
        }
    }
    let (edited, outcomes) = opened.set_all(values).map_err(SetError::from)?;
    let mut wanted: Vec<CredentialPath> = Vec::new();
    for (path, _) in values {
        let was_encrypted = replaced.iter().any(|old| old.starts_with(path));
        let by_habit = was_encrypted || (habit && is_credential(path));
        if protection == Protection::Encrypt || (protection == Protection::Habit && by_habit) {
            wanted.push(path.clone());
        }
    }
    let is_unchanged = outcomes.iter().all(|outcome| *outcome == SetOutcome::Unchanged);
    let now_encrypted = |path: &CredentialPath| replaced.contains(&path);
    if is_unchanged && wanted.iter().all(now_encrypted) && wanted.len() == replaced.len() {
        let report = SetReport {
            outcomes,
            encrypted: wanted,
            left: Vec::new(),
        };
        return Ok((document.clone(), report));
    }
    let mut left = Vec::new();
    let mut encrypted = Vec::new();
    let mut result = edited;
    if !wanted.is_empty() {
        let (sealed, report) =
            encrypt_with_comments(&result, Targets::Paths(&wanted), &commented, edition.sealer()?).map_err(SetError::from)?;
        if let (Protection::Encrypt, Some(LeftPlain { path, reason })) = (protection, report.left.first()) {
            let error = SetError::Left {
                path: path.clone(),
                reason: *reason,
            };
            return Err(error.into());
        }
        (result, left, encrypted) = (sealed, report.left, report.encrypted);
    }
    if !before.is_empty() || !encrypted.is_empty() {
        let gone = values
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| **outcome == SetOutcome::Replaced)
            .map(|((path, _), _)| path);
        keep(&opened, gone, edition);
    }
    Ok((result, SetReport { outcomes, encrypted, left }))
}

/// Makes a document without the values and tables at several paths, of which some may not be there.
pub(crate) fn unset_secrets(
    document: &SecretsDocument,
    paths: &[CredentialPath],
    edition: &mut Edition<'_>,
) -> Result<(SecretsDocument, usize), VaultError> {
    let mut edited = document.clone();
    let mut removed = 0;
    for path in paths {
        match unset_secret(&edited, path, edition) {
            Ok((next, count)) => {
                edited = next;
                removed += count;
            }
            Err(VaultError::Set(SetError::Edit(EditError::NotFound { .. }))) => {}
            Err(error) => return Err(error),
        }
    }
    Ok((edited, removed))
}

/// Makes a document without the value or table at a path; what goes is kept for the history where the file has encrypted values.
pub(crate) fn unset_secret(
    document: &SecretsDocument,
    path: &CredentialPath,
    edition: &mut Edition<'_>,
) -> Result<(SecretsDocument, usize), VaultError> {
    let (edited, count) = document.unset(path).map_err(SetError::from)?;
    let sealed = sealed(document);
    if !sealed.is_empty() {
        let keys = edition.keys()?;
        let opener = keys.opener(Purpose::SecretsToml);
        let openable: Vec<CredentialPath> = sealed
            .iter()
            .filter(|(at, envelope)| at.starts_with(path) && open(&opener, at, envelope).is_ok())
            .map(|(at, _)| at.clone())
            .collect();
        let (opened, _) = decrypt_secrets(document, Targets::Paths(&openable), keys).map_err(SetError::from)?;
        keep(&opened, [path], edition);
    }
    Ok((edited, count))
}

/// Keeps the values at and below some paths of an opened document for the history.
fn keep<'p>(opened: &SecretsDocument, paths: impl IntoIterator<Item = &'p CredentialPath>, edition: &mut Edition<'_>) {
    let entries = opened.entries();
    for path in paths {
        for entry in entries
            .iter()
            .filter(|entry| entry.path.starts_with(path) && envelope(&entry.value).is_none())
        {
            if let Some(spelling) = opened.spelling(&entry.path) {
                edition.keep(Kept::new(binding(&entry.path), spelling));
            }
        }
    }
}
