//! Setting and unsetting one value: where it goes, and the proof that nothing else changed. Files are not touched.

use dango_core::CredentialPath;
use zeroize::Zeroizing;

use super::error::DocumentError;
use super::insertion::Style;
use super::layout::{self, Splice};
use super::new_value::NewValue;
use super::sameness::is_same;
use super::spelling::{self, Lines};
use super::tree::{Found, Kind, NodeId};
use super::{SecretsDocument, inline, proof, read, removal};
use crate::SetOutcome;

/// Why a document was not edited.
///
/// # Security
///
/// It names paths, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// Nothing is at the path.
    #[error("there is nothing at {path}")]
    NotFound {
        /// The path.
        path: CredentialPath,
    },
    /// A table is at the path.
    #[error("{path} is a table: unset it first, or set the values in it one by one")]
    IsTable {
        /// The path.
        path: CredentialPath,
    },
    /// The path leads through something that is no table.
    #[error("{path} cannot be set, because {at} is a value and no table")]
    ThroughValue {
        /// The path.
        path: CredentialPath,
        /// The part of it that has a value.
        at: CredentialPath,
    },
    /// The file, edited, would be one that dlt cannot read.
    #[error("{path} cannot be edited in this file: dlt could not read the result")]
    Unreadable {
        /// The path.
        path: CredentialPath,
        /// What would be wrong; line and column are those of the result.
        #[source]
        source: DocumentError,
    },
    /// Another parser does not see the wanted change, or sees more; a bug, caught before anything was written.
    #[error("{path} was not edited: the result did not prove to be the same file with only this change")]
    Unproven {
        /// The path.
        path: CredentialPath,
    },
}

impl EditError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "edit_not_found",
            Self::IsTable { .. } => "edit_is_table",
            Self::ThroughValue { .. } => "edit_through_value",
            Self::Unreadable { .. } => "edit_unreadable",
            Self::Unproven { .. } => "edit_unproven",
        }
    }
}

impl SecretsDocument {
    /// Makes a document in which `path` has this value; every byte outside the value stays.
    ///
    /// A new key goes where its neighbours are, in their manner. An object becomes standard tables. A table over a
    /// single value replaces it; a value over a table is refused.
    ///
    /// # Errors
    ///
    /// - [`EditError::IsTable`], [`EditError::ThroughValue`] where the path does not fit what the file holds;
    /// - [`EditError::Unreadable`], [`EditError::Unproven`] where the result is not what it should be.
    pub fn set(&self, path: &CredentialPath, value: &NewValue) -> Result<(Self, SetOutcome), EditError> {
        let unreadable = |source| EditError::Unreadable {
            path: path.clone(),
            source,
        };
        let (text, outcome) = match self.tree.find(&self.text, path.parts()) {
            Found::Blocked { by } => {
                let at = self.tree.path(&self.text, by).unwrap_or_else(|| path.clone());
                return Err(EditError::ThroughValue { path: path.clone(), at });
            }
            Found::Missing { table, known } => (self.with_new(path, table, known, value, self.style()), SetOutcome::Created),
            Found::Node(id) => {
                if is_same(&self.written().value(id), value) {
                    return Ok((Self::from_text(self.text.clone()).map_err(unreadable)?, SetOutcome::Unchanged));
                }
                if self.tree.children(id).is_some() {
                    return Err(EditError::IsTable { path: path.clone() });
                }
                let text = match self.with_replaced(id, value) {
                    Some(text) => text,
                    None => {
                        let rest = Self::from_text(self.without(id)).map_err(unreadable)?;
                        rest.with_anew(path, value, self.style())
                    }
                };
                (text, SetOutcome::Replaced)
            }
        };
        Ok((self.proven(text, path, Some(value))?, outcome))
    }

    /// Makes a document without the value or the table at `path`, and says how many values went.
    ///
    /// A comment behind a value goes with it; those above it stay. The header of a table that becomes empty stays.
    ///
    /// # Errors
    ///
    /// [`EditError::NotFound`] where nothing is there, else as for [`SecretsDocument::set`].
    pub fn unset(&self, path: &CredentialPath) -> Result<(Self, usize), EditError> {
        let Found::Node(id) = self.tree.find(&self.text, path.parts()) else {
            return Err(EditError::NotFound { path: path.clone() });
        };
        let count = read::count(&self.tree, id);
        Ok((self.proven(self.without(id), path, None)?, count))
    }

    pub(super) fn proven(&self, text: Zeroizing<String>, path: &CredentialPath, wanted: Option<&NewValue>) -> Result<Self, EditError> {
        let edited = Self::from_text(text).map_err(|source| EditError::Unreadable {
            path: path.clone(),
            source,
        })?;
        let reads_back = match (edited.value(path), wanted) {
            (Some(value), Some(wanted)) => is_same(&value, wanted),
            (None, None) => true,
            _ => false,
        };
        if reads_back && proof::holds(&self.text, &edited.text, path, wanted) {
            Ok(edited)
        } else {
            Err(EditError::Unproven { path: path.clone() })
        }
    }

    fn without(&self, id: NodeId) -> Zeroizing<String> {
        layout::without(&self.text, removal::ranges(&self.text, &self.tree, id))
    }

    /// The text with the span of a value replaced, or nothing where its line has to go instead.
    fn with_replaced(&self, id: NodeId, value: &NewValue) -> Option<Zeroizing<String>> {
        let (Kind::Scalar { span, .. } | Kind::Array { span, .. }) = self.tree.node(id).kind else {
            return None;
        };
        let in_braces = inline::enclosing(&self.tree, id).is_some();
        if matches!(value, NewValue::Table(_)) && !in_braces {
            return None;
        }
        let lines = if in_braces { Lines::One } else { self.style().lines };
        Some(layout::splice(
            &self.text,
            vec![Splice {
                range: span.range(),
                insert: spelling::value(value, lines),
            }],
        ))
    }

    /// The text with a key that was there before its line went, in the style the file had then.
    fn with_anew(&self, path: &CredentialPath, value: &NewValue, style: Style) -> Zeroizing<String> {
        match self.tree.find(&self.text, path.parts()) {
            Found::Missing { table, known } => self.with_new(path, table, known, value, style),
            _ => self.text.clone(),
        }
    }
}
