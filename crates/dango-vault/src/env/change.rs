//! Many changes of one `.env`, made one after another in memory; the file is saved by whoever asked.

use dango_core::{SecretValue, VariableName};
use dango_secrets::References;
use dango_secrets::dotenv::EnvDocument;

use super::{EnvSetReport, set_env, unset_env};
use crate::edition::Edition;
use crate::error::VaultError;
use crate::secrets::Protection;

/// A change of a variable, and who makes it, as the history will say.
#[derive(Clone, Copy)]
pub struct EnvChange<'c> {
    /// What is to happen.
    pub edit: EnvEdit<'c>,
    /// Who wants it.
    pub by: &'c str,
}

/// What is to happen to a variable.
#[derive(Clone, Copy)]
pub enum EnvEdit<'c> {
    /// It gets a literal value, encrypted where that is the habit of the file.
    Set {
        /// The variable.
        key: &'c VariableName,
        /// The value.
        value: &'c SecretValue,
    },
    /// It goes, with every duplicate. Any key that is in the file can, one that no variable may have, too.
    Unset {
        /// The key.
        key: &'c str,
    },
}

/// What became of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvChanged {
    /// It has the value.
    Set(EnvSetReport),
    /// It is gone.
    Unset {
        /// How many lines went.
        lines: usize,
    },
}

/// Makes a document with all changes that can be made, and says of each what became of it.
pub(crate) fn change_env(
    document: &EnvDocument,
    changes: &[EnvChange<'_>],
    edition: &mut Edition<'_>,
) -> (EnvDocument, Vec<Result<EnvChanged, VaultError>>) {
    let mut edited = document.clone();
    let mut answers = Vec::with_capacity(changes.len());
    for change in changes {
        edition.act_as(change.by);
        let made = change.edit.make(&edited, edition).map(|(now, changed)| {
            edited = now;
            changed
        });
        answers.push(made);
    }
    (edited, answers)
}

impl EnvEdit<'_> {
    fn make(self, document: &EnvDocument, edition: &mut Edition<'_>) -> Result<(EnvDocument, EnvChanged), VaultError> {
        match self {
            Self::Set { key, value } => {
                let (now, report) = set_env(document, key, value, References::Literal, Protection::Habit, edition)?;
                Ok((now, EnvChanged::Set(report)))
            }
            Self::Unset { key } => {
                let (now, lines) = unset_env(document, key, edition)?;
                Ok((now, EnvChanged::Unset { lines }))
            }
        }
    }
}
