//! `.env` values encrypted and decrypted where they stand; keys and files are the caller's.

use std::collections::HashSet;

use dango_core::VariableName;
use dango_keyring::{KeySet, Purpose, SealError};
use dango_secrets::dotenv::{EnvDocument, EnvRespellError, EnvRespelling};
use zeroize::Zeroizing;

use super::plain::EnvPlain;
use super::{binding, envelope, open, sealed};
use crate::closed::{ClosedProblem, ClosedValue, OpeningError};
use crate::leaks::Leaks;
use crate::sealer::Sealer;

/// Which variables are meant.
#[derive(Clone, Copy, Debug)]
pub enum EnvTargets<'a> {
    /// All.
    All,
    /// These.
    Keys(&'a [VariableName]),
}

impl EnvTargets<'_> {
    fn holds(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::Keys(keys) => keys.iter().any(|name| name.as_str() == key),
        }
    }
}

/// What encrypting did, and what it left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvEncryptReport {
    /// What was encrypted; a duplicate stands here again.
    pub encrypted: Vec<VariableName>,
    /// What was encrypted already.
    pub already: Vec<VariableName>,
    /// What stays plain.
    pub left: Vec<EnvLeft>,
    /// The lines on which comments, or lines that make no sense, hold a part of an encrypted value.
    pub comment_lines: Vec<usize>,
}

/// A value that was to be encrypted and stays plain; a key that is no name may be a secret, so only the line is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvLeft {
    /// The variable, where the key is a variable's name.
    pub name: Option<VariableName>,
    /// The line, from 1.
    pub line: usize,
    /// Why.
    pub reason: EnvLeftReason,
}

/// Why a value stays plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvLeftReason {
    /// It refers to a variable, and nothing encrypted is expanded.
    #[error("it refers to a variable, and encrypted values are never expanded: encrypt that variable instead")]
    Reference,
    /// Its key is no name that a variable can have.
    #[error("its key is no variable name")]
    NoName,
    /// It has no `=`.
    #[error("it has no value")]
    NoValue,
}

/// Why nothing was encrypted or decrypted.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvEncryptError {
    /// There is no such variable.
    #[error("{key} is not in the file")]
    NotFound {
        /// The variable.
        key: VariableName,
    },
    /// A value was not sealed.
    #[error("{key} was not encrypted")]
    Seal {
        /// The variable.
        key: VariableName,
        /// Why.
        #[source]
        source: SealError,
    },
    /// A value that is to be decrypted does not open.
    #[error(transparent)]
    Closed(OpeningError),
    /// Another line would read differently.
    #[error(transparent)]
    Respell(#[from] EnvRespellError),
}

impl EnvEncryptError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "env_key_not_found",
            Self::Seal { source, .. } => source.code(),
            Self::Closed(error) => error.code(),
            Self::Respell(error) => error.code(),
        }
    }
}

/// Makes a document in which the targets are encrypted, all duplicates of a key.
///
/// What is encrypted is what stands behind the `=`, so that decrypting gives the file back byte for byte; a comment behind
/// it is encrypted with it where it holds any six bytes of one of the values in some spelling.
///
/// # Errors
///
/// [`EnvEncryptError`]; then nothing is encrypted.
pub fn encrypt_env(
    document: &EnvDocument,
    targets: EnvTargets<'_>,
    sealer: &mut Sealer<'_>,
) -> Result<(EnvDocument, EnvEncryptReport), EnvEncryptError> {
    check_targets(document, targets)?;
    let mut report = EnvEncryptReport::default();
    let mut chosen = Vec::new();
    for (index, spelled) in document.spelled().into_iter().enumerate() {
        let bound = spelled.binding;
        if !targets.holds(bound.key()) {
            continue;
        }
        let name: Option<VariableName> = bound.key().parse().ok();
        let left = |name, reason| EnvLeft {
            name,
            line: bound.line(),
            reason,
        };
        match (name, spelled.spelling) {
            (Some(name), Some(_)) if envelope(bound).is_some() => report.already.push(name),
            (Some(name), Some(_)) if bound.has_reference() => report.left.push(left(Some(name), EnvLeftReason::Reference)),
            (Some(name), Some(spelling)) => chosen.push((index, name, spelling, spelled)),
            (None, Some(_)) => report.left.push(left(None, EnvLeftReason::NoName)),
            (name, None) => report.left.push(left(name, EnvLeftReason::NoValue)),
        }
    }
    let values: Vec<&str> = chosen.iter().filter_map(|(.., spelled)| spelled.binding.expose()).collect();
    let leaks = leaks_in(chosen.iter().map(|(.., spelled)| spelled.comment), &values);
    let mut sealed = Vec::with_capacity(chosen.len());
    for (number, (index, name, spelling, spelled)) in chosen.iter().enumerate() {
        let with_comment = leaks.is_found(number);
        let comment = if with_comment { spelled.comment } else { "" };
        let text = Zeroizing::new([spelling, comment].concat());
        let plain = EnvPlain::parse_spelling(&text).and_then(|plain| plain.to_secret());
        let line = spelled.binding.line();
        let plain = plain.ok_or(EnvRespellError::OtherLine { line })?;
        let envelope = sealer
            .seal(Purpose::DotEnv, &binding(name), &plain)
            .map_err(|source| EnvEncryptError::Seal { key: name.clone(), source })?;
        sealed.push((*index, envelope.to_string(), with_comment));
    }
    let changes: Vec<_> = sealed
        .iter()
        .map(|(index, spelling, with_comment)| EnvRespelling {
            index: *index,
            spelling,
            with_comment: *with_comment,
        })
        .collect();
    let edited = document.respell(&changes)?;
    let rest = edited.comments();
    let leaks = leaks_in(rest.iter().map(|comment| comment.text), &values);
    let leaking = rest.iter().enumerate().filter(|(index, _)| leaks.is_found(*index));
    report.comment_lines = leaking.map(|(_, comment)| comment.line).collect();
    report.encrypted = chosen.into_iter().map(|(_, name, ..)| name).collect();
    Ok((edited, report))
}

/// Makes a document in which the targets are plain, and says which were not before.
///
/// # Errors
///
/// [`EnvEncryptError::NotFound`] and [`EnvEncryptError::Closed`] with every value that does not open or that no
/// spelling holds; then nothing is decrypted.
pub fn decrypt_env(
    document: &EnvDocument,
    targets: EnvTargets<'_>,
    keys: &KeySet,
) -> Result<(EnvDocument, Vec<VariableName>), EnvEncryptError> {
    check_targets(document, targets)?;
    let opener = keys.opener(Purpose::DotEnv);
    let mut closed = Vec::new();
    let mut opened = Vec::new();
    let mut names = Vec::new();
    for (index, key, envelope) in sealed(document).into_iter().filter(|(_, key, _)| targets.holds(key)) {
        match open(&opener, &key, &envelope) {
            Ok(plain) if plain.spelling().is_some() => {
                opened.push((index, plain));
                names.extend(key.parse().ok());
            }
            Ok(_) => closed.push(ClosedValue {
                place: key,
                problem: ClosedProblem::NoSpelling,
            }),
            Err(problem) => closed.push(ClosedValue { place: key, problem }),
        }
    }
    if !closed.is_empty() {
        return Err(EnvEncryptError::Closed(OpeningError::Closed(closed)));
    }
    let changes: Vec<_> = opened
        .iter()
        .map(|(index, plain)| EnvRespelling {
            index: *index,
            spelling: plain.spelling().unwrap_or_default(),
            with_comment: false,
        })
        .collect();
    Ok((document.respell(&changes)?, names))
}

fn check_targets(document: &EnvDocument, targets: EnvTargets<'_>) -> Result<(), EnvEncryptError> {
    let EnvTargets::Keys(keys) = targets else { return Ok(()) };
    let there: HashSet<&str> = document.keys().into_iter().collect();
    match keys.iter().find(|key| !there.contains(key.as_str())) {
        Some(key) => Err(EnvEncryptError::NotFound { key: key.clone() }),
        None => Ok(()),
    }
}

fn leaks_in<'t>(texts: impl IntoIterator<Item = &'t str>, values: &[&str]) -> Leaks {
    let mut leaks = Leaks::within(texts);
    values.iter().for_each(|value| leaks.look_for(value));
    leaks
}
