//! Plain values encrypted where they stand, with comments that give them away. Keys and files are the caller's.

use std::collections::HashSet;

use dango_core::CredentialPath;
use dango_keyring::{Purpose, SealError};
use dango_secrets::Value;
use dango_secrets::document::{CommentChange, Entry, RespellError, Respelling, SecretsDocument, ValueText};
use zeroize::Zeroizing;

use super::{OWN_TABLE, Targets, binding, holds_encrypted, is_credential, is_encrypted};
use crate::closed::OpeningError;
use crate::leaks::Leaks;
use crate::sealer::{Sealer, secret};

/// What encrypting did, and what it left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncryptReport {
    /// What was encrypted.
    pub encrypted: Vec<CredentialPath>,
    /// What was encrypted already.
    pub already: Vec<CredentialPath>,
    /// What stays plain.
    pub left: Vec<LeftPlain>,
    /// The lines of the new text on which comments hold a part of an encrypted value; those directly behind a value are encrypted with it.
    pub comment_lines: Vec<usize>,
}

/// A value that was to be encrypted and stays plain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftPlain {
    /// The value.
    pub path: CredentialPath,
    /// Why.
    pub reason: LeftReason,
}

/// Why a value stays plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeftReason {
    /// It refers to a variable, and nothing encrypted is expanded.
    #[error("it refers to a variable, and encrypted values are never expanded: encrypt the variable instead")]
    Reference,
    /// It is an array of tables, which has no text of its own.
    #[error("it is an array of tables (`[[…]]`), which cannot be encrypted in place")]
    ArrayOfTables,
    /// It is a record of Dango's own.
    #[error("it is Dango's own record, which stays readable")]
    OwnRecord,
    /// It is an array with an encrypted value in it.
    #[error("it is an array that holds an encrypted value already")]
    HoldsEncrypted,
}

/// Why nothing was encrypted or decrypted.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptError {
    /// Nothing is at a path.
    #[error("there is nothing at {path}")]
    NotFound {
        /// The path.
        path: CredentialPath,
    },
    /// A value was not sealed.
    #[error("{place} was not encrypted")]
    Seal {
        /// The path, or the variable.
        place: String,
        /// Why.
        #[source]
        source: SealError,
    },
    /// A value that is to be decrypted does not open.
    #[error(transparent)]
    Closed(OpeningError),
    /// The result is not what it should be.
    #[error(transparent)]
    Respell(#[from] RespellError),
}

impl EncryptError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "edit_not_found",
            Self::Seal { source, .. } => source.code(),
            Self::Closed(error) => error.code(),
            Self::Respell(error) => error.code(),
        }
    }
}

/// Makes a document in which the targets are encrypted.
///
/// What is encrypted is the value's text exactly as it is spelled, so that decrypting gives the file back byte for byte. A
/// comment directly behind it is encrypted with it where it holds any six bytes of one of the values in some spelling.
/// Inline tables are walked, arrays encrypted whole.
///
/// # Errors
///
/// [`EncryptError`]; then nothing is encrypted.
pub fn encrypt_secrets(
    document: &SecretsDocument,
    targets: Targets<'_>,
    sealer: &mut Sealer<'_>,
) -> Result<(SecretsDocument, EncryptReport), EncryptError> {
    encrypt_with_comments(document, targets, &HashSet::new(), sealer)
}

/// As [`encrypt_secrets`], the comments behind some values being encrypted with them whatever they say.
pub(super) fn encrypt_with_comments(
    document: &SecretsDocument,
    targets: Targets<'_>,
    commented: &HashSet<CredentialPath>,
    sealer: &mut Sealer<'_>,
) -> Result<(SecretsDocument, EncryptReport), EncryptError> {
    check_targets(document, targets)?;
    let mut report = EncryptReport::default();
    let mut chosen = Vec::new();
    for entry in document.entries() {
        let is_meant = match targets {
            Targets::All => is_credential(&entry.path),
            Targets::Paths(_) => is_at(targets, &entry.path),
        };
        if !is_meant {
            continue;
        }
        if is_encrypted(&entry.value) {
            report.already.push(entry.path);
            continue;
        }
        match reason_to_leave(document, &entry) {
            Some(reason) => report.left.push(LeftPlain { path: entry.path, reason }),
            None => chosen.push(entry),
        }
    }
    let comments: Vec<&str> = chosen
        .iter()
        .map(|entry| document.comment_behind(&entry.path).unwrap_or_default())
        .collect();
    let leaks = leaks_in(comments.iter().copied(), &chosen);
    let mut sealed = Vec::with_capacity(chosen.len());
    let mut taken = HashSet::new();
    for (index, entry) in chosen.iter().enumerate() {
        let spelling = document.spelling(&entry.path).unwrap_or_default();
        // Several values of one inline table share the comment behind it; the first takes it along.
        let is_hidden = leaks.is_found(index) || commented.contains(&entry.path);
        let comment = if is_hidden && taken.insert(comments[index].as_ptr()) {
            comments[index]
        } else {
            ""
        };
        let plain = Zeroizing::new([spelling, comment].concat());
        let whole = ValueText::parse(&plain).filter(|read| read.spelling() == spelling);
        let plain = whole.and_then(|_| secret(&plain)).ok_or(RespellError::Unproven)?;
        let envelope = sealer
            .seal(Purpose::SecretsToml, &binding(&entry.path), &plain)
            .map_err(|source| EncryptError::Seal {
                place: entry.path.to_string(),
                source,
            })?;
        sealed.push((&entry.path, format!("\"{envelope}\""), !comment.is_empty()));
    }
    let changes: Vec<_> = sealed
        .iter()
        .map(|(path, spelling, with_comment)| Respelling {
            path,
            spelling,
            comment: if *with_comment { CommentChange::Take } else { CommentChange::Keep },
        })
        .collect();
    let edited = document.respell(&changes)?;
    let rest = edited.comments();
    let leaks = leaks_in(rest.iter().map(|comment| comment.text), &chosen);
    let leaking = rest.iter().enumerate().filter(|(index, _)| leaks.is_found(*index));
    report.comment_lines = leaking.map(|(_, comment)| comment.line).collect();
    report.encrypted = chosen.into_iter().map(|entry| entry.path).collect();
    Ok((edited, report))
}

/// Whether a path is one of the targets or lies below one; of what is encrypted, all are targets of [`Targets::All`].
pub(super) fn is_at(targets: Targets<'_>, path: &CredentialPath) -> bool {
    match targets {
        Targets::All => true,
        Targets::Paths(paths) => paths.iter().any(|target| path.starts_with(target)),
    }
}

/// Refuses paths that lead nowhere.
pub(super) fn check_targets(document: &SecretsDocument, targets: Targets<'_>) -> Result<(), EncryptError> {
    let Targets::Paths(paths) = targets else { return Ok(()) };
    match paths.iter().find(|path| document.value(path).is_none()) {
        Some(path) => Err(EncryptError::NotFound { path: path.clone() }),
        None => Ok(()),
    }
}

fn reason_to_leave(document: &SecretsDocument, entry: &Entry) -> Option<LeftReason> {
    if entry.path.parts().first().is_some_and(|first| first == OWN_TABLE) {
        Some(LeftReason::OwnRecord)
    } else if document.spelling(&entry.path).is_none() {
        Some(LeftReason::ArrayOfTables)
    } else if entry.value.has_reference() {
        Some(LeftReason::Reference)
    } else if matches!(entry.value, Value::Array(_)) && holds_encrypted(&entry.value) {
        Some(LeftReason::HoldsEncrypted)
    } else {
        None
    }
}

fn leaks_in<'t>(texts: impl IntoIterator<Item = &'t str>, values: &[Entry]) -> Leaks {
    let mut leaks = Leaks::within(texts);
    values.iter().for_each(|entry| leaks.look_for_value(&entry.value));
    leaks
}
