//! Personal data of records: kept beside them, committed to by them, so it can be erased while the chain stays whole.
//!
//! A record holds the salted hash of a small entry (label, address, user agent), not the entry. Records about the same
//! facts share one entry. To erase a person is to delete the person's entries, salts and all: what stays is a hash that
//! nobody can guess back.

use std::collections::HashMap;

use dango_core::{Entropy, EntropyError};

use crate::digest::{Digest, sha256};
use crate::encoding::push_field;
use crate::words::{Id, Label};

/// The length of a salt, in bytes.
pub const SALT_LENGTH: usize = 32;

/// Whose data an entry is; what erasing goes by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject(String);

impl Subject {
    /// An account, also where it is the owner of the API key that acted.
    pub fn user(id: &Id) -> Self {
        Self(format!("user:{id}"))
    }

    /// A user of the operating system.
    pub fn cli(uid: Option<&Id>) -> Self {
        Self(uid.map_or_else(|| "cli".to_owned(), |uid| format!("cli:{uid}")))
    }

    /// Nobody known.
    pub fn unknown() -> Self {
        Self("unknown".to_owned())
    }

    /// The subject as text, as its column holds it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose entries are erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// Everything of this subject.
    Subject(Subject),
    /// Everything under this label, whoever it belongs to.
    Label(Label),
}

/// What an entry says about a person.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PersonalFacts {
    pub(crate) subject: Subject,
    pub(crate) label: Option<String>,
    pub(crate) ip: Option<String>,
    pub(crate) user_agent: Option<String>,
}

impl PersonalFacts {
    /// Whose data it is.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The name at the time.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// The client's address.
    pub fn ip(&self) -> Option<&str> {
        self.ip.as_deref()
    }

    /// What the client said it is.
    pub fn user_agent(&self) -> Option<&str> {
        self.user_agent.as_deref()
    }

    /// What finds the entry with exactly these facts: their hash without salt, for a column with a unique index.
    ///
    /// # Security
    ///
    /// It can be guessed back, so it must be deleted with the entry.
    pub fn lookup_key(&self) -> Digest {
        commitment(&[], self.subject.as_str(), self.label(), self.ip(), self.user_agent())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.label.is_none() && self.ip.is_none() && self.user_agent.is_none()
    }
}

/// An entry as it is stored: the facts, the salt, and the salted hash that records refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Personal {
    facts: PersonalFacts,
    salt: [u8; SALT_LENGTH],
    id: Digest,
}

impl Personal {
    /// Makes an entry with a new salt.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness.
    pub fn make(facts: PersonalFacts, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut salt = [0; SALT_LENGTH];
        entropy.fill(&mut salt)?;
        let id = commitment(&salt, facts.subject.as_str(), facts.label(), facts.ip(), facts.user_agent());
        Ok(Self { facts, salt, id })
    }

    /// Takes an entry from its columns; nothing if it is not what its id says, so it was changed.
    pub fn from_row(row: PersonalRow<'_>) -> Option<Self> {
        let salt = row.salt.try_into().ok()?;
        row.is_intact().then(|| Self {
            facts: PersonalFacts {
                subject: Subject(row.subject.to_owned()),
                label: row.label.map(str::to_owned),
                ip: row.ip.map(str::to_owned),
                user_agent: row.user_agent.map(str::to_owned),
            },
            salt,
            id: Digest::from_slice(row.id).expect("it was compared with a digest"),
        })
    }

    /// What records refer to it by.
    pub fn id(&self) -> Digest {
        self.id
    }

    /// What it says.
    pub fn facts(&self) -> &PersonalFacts {
        &self.facts
    }

    /// The entry's columns.
    pub fn row(&self) -> PersonalRow<'_> {
        PersonalRow {
            id: self.id.as_bytes(),
            subject: self.facts.subject.as_str(),
            label: self.facts.label(),
            ip: self.facts.ip(),
            user_agent: self.facts.user_agent(),
            salt: &self.salt,
        }
    }
}

/// An entry's columns as they stand in a database, whoever wrote them.
#[derive(Clone, Copy, Debug)]
pub struct PersonalRow<'a> {
    /// The salted hash.
    pub id: &'a [u8],
    /// Whose data it is.
    pub subject: &'a str,
    /// The name at the time.
    pub label: Option<&'a str>,
    /// The client's address.
    pub ip: Option<&'a str>,
    /// What the client said it is.
    pub user_agent: Option<&'a str>,
    /// The salt.
    pub salt: &'a [u8],
}

impl PersonalRow<'_> {
    fn is_intact(&self) -> bool {
        let id = commitment(self.salt, self.subject, self.label, self.ip, self.user_agent);
        self.salt.len() == SALT_LENGTH && self.id == id.as_bytes()
    }
}

/// Which entries there are and which of them were changed; what a verification holds records against.
#[derive(Debug, Default)]
pub struct PersonalIndex(HashMap<Digest, Entry>);

/// What is known of an entry that a record refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Intact,
    Altered,
    Missing,
}

impl PersonalIndex {
    /// Makes an index without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes an entry. One whose id is no digest is not noted: no record can refer to it.
    pub fn add(&mut self, row: PersonalRow<'_>) {
        if let Some(id) = Digest::from_slice(row.id) {
            let entry = if row.is_intact() { Entry::Intact } else { Entry::Altered };
            self.0.insert(id, entry);
        }
    }

    pub(crate) fn entry(&self, id: &Digest) -> Entry {
        self.0.get(id).copied().unwrap_or(Entry::Missing)
    }
}

/// `docs/formats/audit.md`, "Personal data".
fn commitment(salt: &[u8], subject: &str, label: Option<&str>, ip: Option<&str>, user_agent: Option<&str>) -> Digest {
    let mut encoded = Vec::with_capacity(256);
    push_field(&mut encoded, Some(b"dango:audit:v1:personal"));
    push_field(&mut encoded, Some(salt));
    push_field(&mut encoded, Some(subject.as_bytes()));
    for fact in [label, ip, user_agent] {
        push_field(&mut encoded, fact.map(str::as_bytes));
    }
    sha256(&[&encoded])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives 1, 2, 3, … so salts differ.
    struct Counting(std::sync::atomic::AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
            buffer.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
            Ok(())
        }
    }

    fn facts() -> PersonalFacts {
        PersonalFacts {
            subject: Subject::user(&"00".parse().expect("an id")),
            label: Some("a@example.com".to_owned()),
            ip: Some("192.0.2.1".to_owned()),
            user_agent: None,
        }
    }

    #[test]
    fn the_same_facts_under_another_salt_have_another_id() {
        let entropy = Counting(1.into());
        let one = Personal::make(facts(), &entropy).expect("randomness");
        let other = Personal::make(facts(), &entropy).expect("randomness");
        assert_ne!(one.id(), other.id());
        assert_eq!(one.facts().lookup_key(), other.facts().lookup_key());
        assert_eq!(Personal::from_row(one.row()), Some(one));
    }

    #[test]
    fn every_changed_column_of_an_entry_is_noticed() {
        let entry = Personal::make(facts(), &Counting(1.into())).expect("randomness");
        let row = entry.row();
        let changed = [
            PersonalRow { subject: "user:01", ..row },
            PersonalRow {
                label: Some("b@example.com"),
                ..row
            },
            PersonalRow { label: None, ..row },
            PersonalRow {
                ip: row.label,
                label: row.ip,
                ..row
            },
            PersonalRow {
                ip: None,
                user_agent: row.ip,
                ..row
            },
            PersonalRow {
                user_agent: Some(""),
                ..row
            },
            PersonalRow { salt: &[9; 32], ..row },
            PersonalRow { salt: &[], ..row },
            PersonalRow { id: &[9; 32], ..row },
        ];
        for row in changed {
            assert_eq!(Personal::from_row(row), None, "{row:?}");
        }
        let mut index = PersonalIndex::new();
        index.add(changed[0]);
        assert_eq!(index.entry(&entry.id()), Entry::Altered);
        index.add(row);
        assert_eq!(index.entry(&entry.id()), Entry::Intact);
    }
}
