//! Several values set at once: what goes into one new table is written as that table, so that many are not proven one by one.

use std::collections::HashMap;

use dango_core::CredentialPath;

use super::SecretsDocument;
use super::edit::EditError;
use super::new_value::NewValue;
use super::sameness::is_same;
use super::tree::Found;
use crate::SetOutcome;

impl SecretsDocument {
    /// Makes a document in which each path has its value, as [`SecretsDocument::set`] one after the other would.
    ///
    /// The outcomes are in the order of the values.
    ///
    /// # Errors
    ///
    /// That of the first value that cannot be set; there is no document then.
    pub fn set_all(&self, values: &[(CredentialPath, NewValue)]) -> Result<(Self, Vec<SetOutcome>), EditError> {
        let mut document = self.clone();
        let mut outcomes = vec![SetOutcome::Created; values.len()];
        for group in self.groups(values) {
            let outcome = match group {
                Group::One(index) => {
                    let (path, value) = &values[index];
                    // Setting it would read the whole document again; a file imported twice has thousands of these.
                    if document.has(path, value) {
                        outcomes[index] = SetOutcome::Unchanged;
                        continue;
                    }
                    let (next, outcome) = document.set(path, value)?;
                    document = next;
                    Some((index, outcome))
                }
                Group::Table { path, entries } => {
                    (document, _) = document.set(&path, &NewValue::Table(entries))?;
                    None
                }
            };
            if let Some((index, outcome)) = outcome {
                outcomes[index] = outcome;
            }
        }
        Ok((document, outcomes))
    }

    /// Whether a path has exactly this value already.
    pub fn has(&self, path: &CredentialPath, value: &NewValue) -> bool {
        match self.tree.find(&self.text, path.parts()) {
            Found::Node(id) => is_same(&self.written().value(id), value),
            _ => false,
        }
    }

    /// The values in the order in which they are to be set; those below the same missing table are one.
    fn groups(&self, values: &[(CredentialPath, NewValue)]) -> Vec<Group> {
        let mut groups = Vec::new();
        let mut tables: HashMap<CredentialPath, usize> = HashMap::new();
        for (index, (path, value)) in values.iter().enumerate() {
            let parts = path.parts();
            let missing = match self.tree.find(&self.text, parts) {
                Found::Missing { known, .. } if known + 1 < parts.len() => CredentialPath::from_parts(parts[..=known].iter().cloned()),
                _ => None,
            };
            let Some(missing) = missing else {
                groups.push(Group::One(index));
                continue;
            };
            let below = &parts[missing.parts().len()..];
            let at = *tables.entry(missing.clone()).or_insert_with(|| {
                groups.push(Group::Table {
                    path: missing,
                    entries: Vec::new(),
                });
                groups.len() - 1
            });
            let taken = match &mut groups[at] {
                Group::Table { entries, .. } => insert(entries, below, value),
                Group::One(_) => false,
            };
            if !taken {
                // Two values of which one lies below the other: setting it by itself says so.
                groups.push(Group::One(index));
            }
        }
        groups
    }
}

enum Group {
    /// The value of this index.
    One(usize),
    /// A table that is not there yet.
    Table {
        path: CredentialPath,
        entries: Vec<(String, NewValue)>,
    },
}

/// Puts a value where its keys lead, or answers `false` where something is in the way.
fn insert(entries: &mut Vec<(String, NewValue)>, keys: &[String], value: &NewValue) -> bool {
    let Some((first, rest)) = keys.split_first() else { return false };
    // Files list what belongs together side by side, so the last entry is the likely one.
    let known = entries.iter().rposition(|(key, _)| key == first);
    match (known, rest) {
        (Some(_), []) => false,
        (Some(at), rest) => match &mut entries[at].1 {
            NewValue::Table(entries) => insert(entries, rest, value),
            _ => false,
        },
        (None, []) => {
            entries.push((first.clone(), value.clone()));
            true
        }
        (None, rest) => {
            let mut below = Vec::new();
            let inserted = insert(&mut below, rest, value);
            entries.push((first.clone(), NewValue::Table(below)));
            inserted
        }
    }
}
