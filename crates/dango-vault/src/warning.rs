//! What is wrong with a file's seal, in words; what to do about it is said at the edge.

use std::fmt;

use dango_keyring::{ParseSeenError, SealChanges, SealState};

/// A warning about the encrypted values of a file; they may be used all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealWarning {
    /// The file.
    pub file: &'static str,
    /// What was found.
    pub state: SealState,
    /// Why the state that was seen last is not known, where there is one.
    pub unreadable: Option<ParseSeenError>,
}

impl SealWarning {
    pub(crate) fn new(file: &'static str, state: SealState, unreadable: Option<ParseSeenError>) -> Self {
        Self { file, state, unreadable }
    }

    /// The encrypted values that differ from what was seen last, where that is known.
    pub fn changes(&self) -> Option<&SealChanges> {
        match &self.state {
            SealState::Missing { changes } | SealState::Changed { changes } | SealState::RolledBack { changes, .. } => changes.as_ref(),
            _ => None,
        }
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match &self.state {
            SealState::Missing { .. } => "seal-missing",
            SealState::RolledBack { .. } => "seal-rolled-back",
            SealState::UnknownKey { .. } => "seal-unknown-key",
            SealState::Intact { .. } => self.unreadable.as_ref().map_or("seal-intact", ParseSeenError::code),
            _ => "seal-changed",
        }
    }
}

impl fmt::Display for SealWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file;
        match &self.state {
            SealState::Missing { .. } => write!(f, "the seal of {file} is missing or cannot be read")?,
            SealState::RolledBack { seen, found, .. } => {
                write!(f, "{file} is an older version of itself (seal {found}, seen before: {seen})")?;
            }
            SealState::UnknownKey { id } => write!(f, "the seal of {file} was made with the key {id}, which is not at hand")?,
            SealState::Intact { .. } => write!(f, "the seal of {file} holds, but what was seen last is not known")?,
            _ => write!(f, "the encrypted values of {file} are not those that were sealed")?,
        }
        if let Some(changes) = self.changes() {
            let kinds = [
                ("removed", &changes.removed),
                ("replaced", &changes.replaced),
                ("added", &changes.added),
            ];
            for (word, names) in kinds.into_iter().filter(|(_, names)| !names.is_empty()) {
                write!(f, "; {word}: {}", names.join(", "))?;
            }
        }
        match &self.unreadable {
            Some(error) => write!(f, "; {error}"),
            None => Ok(()),
        }
    }
}
