//! Values that are laid aside while others take their places, in `.dango/rotations`: the file and its lines. What is done with them is in `vault`.

use std::fmt;

use dango_core::{CredentialPath, SecretValue, VariableName};
use dango_keyring::{Binding, Envelope, KeyId, KeySet, OpenError, Purpose, SealError};
use dango_secrets::home::SharedFile;
use zeroize::Zeroizing;

use crate::sealer::{Sealer, secret};

const VERSION: &str = "dango:rotations:v1";

/// Where a value is stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ValuePlace {
    /// In `.dlt/secrets.toml`.
    Secret(CredentialPath),
    /// In `.env`.
    Variable(VariableName),
}

impl fmt::Display for ValuePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(path) => path.fmt(f),
            Self::Variable(key) => key.fmt(f),
        }
    }
}

impl ValuePlace {
    pub(crate) fn binding(&self) -> Binding {
        match self {
            Self::Secret(path) => Binding::path(path),
            Self::Variable(key) => Binding::variable(key),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Secret(_) => "path",
            Self::Variable(_) => "variable",
        }
    }

    fn parse(kind: &str, name: &str) -> Option<Self> {
        match kind {
            "path" => name.parse().ok().map(Self::Secret),
            "variable" => name.parse().ok().map(Self::Variable),
            _ => None,
        }
    }
}

/// Which of the values of a place it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsideRole {
    /// The one that goes.
    Old,
    /// The one that comes.
    New,
    /// One that came before that one, is stored, and was refused.
    Refused,
}

impl AsideRole {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
            Self::Refused => "refused",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "old" => Some(Self::Old),
            "new" => Some(Self::New),
            "refused" => Some(Self::Refused),
            _ => None,
        }
    }
}

/// A value that is laid aside. There is no `Debug`: it is a secret.
#[derive(Clone)]
pub struct AsideValue {
    /// Where it is, was or will be stored.
    pub place: ValuePlace,
    /// Whether it goes or comes.
    pub role: AsideRole,
    /// Of `secrets.toml` the value as it is spelled there; of `.env` the value itself.
    pub text: SecretValue,
}

/// What is laid aside under one name.
#[derive(Clone)]
pub struct Aside {
    /// The name.
    pub name: String,
    /// What its owner notes about it, on one line; no secret, it is never encrypted.
    pub note: String,
    /// The values.
    pub values: Vec<AsideValue>,
}

/// Why the values that are laid aside cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AsideError {
    /// A line that is none of the file.
    #[error("line {line} of .dango/rotations is damaged")]
    Malformed {
        /// The line, from 1.
        line: usize,
    },
    /// A name or note that is no single line.
    #[error("what is laid aside under this name cannot be noted on one line")]
    NotALine,
    /// A value does not open.
    #[error("the {} value of {place} that was laid aside does not open", role.as_str())]
    Closed {
        /// The path, or the variable.
        place: ValuePlace,
        /// Which of its two values.
        role: AsideRole,
        /// Why.
        #[source]
        source: OpenError,
    },
}

impl AsideError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "rotations-malformed",
            Self::NotALine => "rotations-not-a-line",
            Self::Closed { source, .. } => source.code(),
        }
    }
}

/// Everything that is laid aside in a project.
#[derive(Default)]
pub(crate) struct Asides {
    entries: Vec<Entry>,
}

pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) note: String,
    pub(crate) values: Vec<Stored>,
}

pub(crate) struct Stored {
    pub(crate) place: ValuePlace,
    pub(crate) role: AsideRole,
    pub(crate) held: Held,
}

pub(crate) enum Held {
    Sealed(Envelope),
    Plain(SecretValue),
}

impl Asides {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, AsideError> {
        let malformed = |line| AsideError::Malformed { line };
        let text = std::str::from_utf8(bytes).map_err(|_| malformed(1))?;
        let mut lines = text.lines().enumerate();
        match lines.next() {
            None => return Ok(Self::default()),
            Some((_, VERSION)) => {}
            Some(_) => return Err(malformed(1)),
        }
        let mut asides = Self::default();
        for (index, line) in lines {
            asides.take_line(line).ok_or(malformed(index + 1))?;
        }
        Ok(asides)
    }

    /// A line begins an entry, or is a value of the entry that was begun last.
    fn take_line(&mut self, line: &str) -> Option<()> {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            ["entry", name, note] => self.entries.push(Entry {
                name: (*name).to_owned(),
                note: (*note).to_owned(),
                values: Vec::new(),
            }),
            [held, role, kind, place, text] => {
                let held = match *held {
                    "sealed" => Held::Sealed(Envelope::parse(text).ok()??),
                    "plain" => Held::Plain(unescape(text)?),
                    _ => return None,
                };
                self.entries.last_mut()?.values.push(Stored {
                    place: ValuePlace::parse(kind, place)?,
                    role: AsideRole::parse(role)?,
                    held,
                });
            }
            _ => return None,
        }
        Some(())
    }

    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut text = Zeroizing::new(format!("{VERSION}\n"));
        for entry in &self.entries {
            text.push_str(&format!("entry\t{}\t{}\n", entry.name, entry.note));
            for value in &entry.values {
                let (role, kind, place) = (value.role.as_str(), value.place.kind(), &value.place);
                match &value.held {
                    Held::Sealed(envelope) => text.push_str(&format!("sealed\t{role}\t{kind}\t{place}\t{envelope}\n")),
                    Held::Plain(plain) => {
                        text.push_str(&format!("plain\t{role}\t{kind}\t{place}\t"));
                        escape(plain.expose(), &mut text);
                        text.push('\n');
                    }
                }
            }
        }
        Zeroizing::new(text.as_bytes().to_vec())
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn entries_mut(&mut self) -> &mut [Entry] {
        &mut self.entries
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// Puts an entry in the place of the one with its name.
    pub(crate) fn put(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|there| there.name == entry.name) {
            Some(there) => *there = entry,
            None => self.entries.push(entry),
        }
    }

    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.name != name);
        self.entries.len() < before
    }

    /// The keys that sealed values need.
    pub(crate) fn key_ids(&self) -> impl Iterator<Item = KeyId> {
        let values = self.entries.iter().flat_map(|entry| &entry.values);
        values.filter_map(|value| match &value.held {
            Held::Sealed(envelope) => Some(envelope.key_id()),
            Held::Plain(_) => None,
        })
    }
}

impl Entry {
    /// Whether there is a value that needs a key.
    pub(crate) fn is_sealed(&self) -> bool {
        self.values.iter().any(|value| matches!(value.held, Held::Sealed(_)))
    }
}

impl Stored {
    pub(crate) fn seal(name: &str, value: &AsideValue, sealer: &mut Sealer<'_>) -> Result<Self, SealError> {
        let plain = Zeroizing::new([head(name, value.role).as_str(), value.text.expose()].concat());
        let plain = secret(&plain).expect("a name has no control characters, and a secret no NUL");
        let envelope = sealer.seal(Purpose::Rotation, &value.place.binding(), &plain)?;
        Ok(Self {
            place: value.place.clone(),
            role: value.role,
            held: Held::Sealed(envelope),
        })
    }

    pub(crate) fn plain(value: &AsideValue) -> Self {
        Self {
            place: value.place.clone(),
            role: value.role,
            held: Held::Plain(value.text.clone()),
        }
    }

    /// Whether the value stands there as it is.
    pub(crate) const fn is_plain(&self) -> bool {
        matches!(self.held, Held::Plain(_))
    }

    pub(crate) fn is_at(&self, place: &ValuePlace) -> bool {
        self.place == *place
    }

    /// Whether its place is in the file.
    pub(crate) fn is_in(&self, file: SharedFile) -> bool {
        match self.place {
            ValuePlace::Secret(_) => file == SharedFile::Secrets,
            ValuePlace::Variable(_) => file == SharedFile::Env,
        }
    }

    /// The value; a sealed one opens only under the name and the role that it was laid aside with.
    pub(crate) fn open(&self, name: &str, keys: Option<&KeySet>) -> Result<AsideValue, AsideError> {
        let text = match (&self.held, keys) {
            (Held::Plain(text), _) => Ok(text.clone()),
            (Held::Sealed(envelope), Some(keys)) => self.unseal(name, envelope, keys),
            (Held::Sealed(envelope), None) => Err(OpenError::UnknownKey { id: envelope.key_id() }),
        };
        let text = text.map_err(|source| AsideError::Closed {
            place: self.place.clone(),
            role: self.role,
            source,
        })?;
        Ok(AsideValue {
            place: self.place.clone(),
            role: self.role,
            text,
        })
    }

    fn unseal(&self, name: &str, envelope: &Envelope, keys: &KeySet) -> Result<SecretValue, OpenError> {
        let plain = keys.open(Purpose::Rotation, &self.place.binding(), envelope)?;
        let text = plain.expose().strip_prefix(&head(name, self.role)).ok_or(OpenError::NotAuthentic)?;
        secret(text).ok_or(OpenError::NotAuthentic)
    }
}

/// Whether a text fits in a field of a line.
pub(crate) fn is_field(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

fn head(name: &str, role: AsideRole) -> String {
    format!("{name}\t{}\n", role.as_str())
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
}

fn unescape(text: &str) -> Option<SecretValue> {
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        plain.push(match c {
            '\\' => match characters.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                _ => return None,
            },
            c => c,
        });
    }
    secret(&plain)
}

#[cfg(test)]
mod tests;
