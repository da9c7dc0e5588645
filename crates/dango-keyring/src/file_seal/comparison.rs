//! What checking a file's seal finds, and which values have changed since the file was seen last.

use super::seen::SeenState;
use crate::fingerprint::Fingerprint;
use crate::key::KeyId;

/// What a file's seal says about its encrypted values.
///
/// Anything but [`SealState::Intact`] is a warning, not an error: people edit the file by hand and check out older versions.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealState {
    /// The file is as it was sealed.
    Intact {
        /// The state to keep, where the file is newer than what was seen here last, or nothing was.
        newer: Option<SeenState>,
    },
    /// There are or were encrypted values, and there is no seal that can be read.
    Missing {
        /// What has changed, where a state was kept to compare with.
        changes: Option<SealChanges>,
    },
    /// The encrypted values are not those that were sealed, or not those that were seen with the same counter.
    Changed {
        /// What has changed, where a state was kept to compare with.
        changes: Option<SealChanges>,
    },
    /// The file is as it was sealed once, but newer ones have been seen.
    RolledBack {
        /// The counter that was seen last.
        seen: u64,
        /// The counter of the file.
        found: u64,
        /// What has changed.
        changes: Option<SealChanges>,
    },
    /// The seal was made with a key that is not at hand.
    UnknownKey {
        /// The key.
        id: KeyId,
    },
}

/// The encrypted values that differ from what was seen last, by their places, each list in the order of its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealChanges {
    /// Gone, or no longer encrypted.
    pub removed: Vec<String>,
    /// Another ciphertext than the one that was seen last: for one that opens, an older one, or one that was sealed elsewhere.
    pub replaced: Vec<String>,
    /// Not there before.
    pub added: Vec<String>,
}

impl SealChanges {
    /// Whether every value is the one that was seen last.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.replaced.is_empty() && self.added.is_empty()
    }

    /// Compares two lists that are sorted by name; a name may stand several times in each.
    pub(super) fn between(seen: &SeenState, now: &[(String, Fingerprint)]) -> Self {
        let mut changes = Self::default();
        let mut before = seen.values().chunk_by(same_name).peekable();
        let mut after = now.chunk_by(same_name).peekable();
        loop {
            let order = match (before.peek(), after.peek()) {
                (None, None) => return changes,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(one), Some(other)) => name(one).cmp(name(other)),
            };
            let one = if order.is_le() { before.next() } else { None };
            let other = if order.is_ge() { after.next() } else { None };
            match (one, other) {
                (Some(gone), None) => changes.removed.push(name(gone).to_owned()),
                (None, Some(new)) => changes.added.push(name(new).to_owned()),
                (Some(one), Some(other)) if one != other => changes.replaced.push(name(one).to_owned()),
                _ => {}
            }
        }
    }
}

fn same_name(one: &(String, Fingerprint), other: &(String, Fingerprint)) -> bool {
    one.0 == other.0
}

/// The name of a group, which is never empty.
fn name(group: &[(String, Fingerprint)]) -> &str {
    group.first().map_or("", |(name, _)| name.as_str())
}
