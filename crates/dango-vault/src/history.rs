//! The previous values of each key, sealed, in `.dango/history`: one line a value, the latest last. The format is in `docs/formats/vault.md`.

use dango_core::{CredentialPath, SecretValue, Timestamp, VariableName};
use dango_keyring::{Binding, Envelope, KeySet, OpenError, Purpose, SealError};
use zeroize::Zeroizing;

use crate::sealer::{Sealer, secret};

/// How many previous values of one key are kept.
const MOST: usize = 20;

const VERSION: &str = "dango:history:v1";

/// The most characters of the name of who changed a value.
const LONGEST_ACTOR: usize = 200;

/// One previous value of a key, without the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousValue {
    /// Its number: 1 is the value before the present one.
    pub number: usize,
    /// When it was replaced or removed.
    pub at: Timestamp,
    /// Who did that.
    pub actor: String,
}

/// Why the history cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// A line that is none of the history.
    #[error("line {line} of .dango/history is damaged")]
    Malformed {
        /// The line, from 1.
        line: usize,
    },
    /// There is no such previous value.
    #[error("{place} has {there} previous values kept, so there is no number {number}")]
    NoSuchNumber {
        /// The path, or the variable.
        place: String,
        /// What was asked for.
        number: usize,
        /// How many there are.
        there: usize,
    },
    /// A previous value does not open.
    #[error("previous value {number} of {place} does not open")]
    Closed {
        /// The path, or the variable.
        place: String,
        /// Its number.
        number: usize,
        /// Why.
        #[source]
        source: OpenError,
    },
}

impl HistoryError {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "history-malformed",
            Self::NoSuchNumber { .. } => "history-no-such-number",
            Self::Closed { source, .. } => source.code(),
        }
    }
}

/// All previous values of a project.
#[derive(Default)]
pub(crate) struct History {
    records: Vec<Record>,
}

pub(crate) struct Record {
    pub(crate) at: Timestamp,
    pub(crate) actor: String,
    pub(crate) binding: Binding,
    pub(crate) envelope: Envelope,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Path,
    Variable,
}

impl History {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, HistoryError> {
        let malformed = |line| HistoryError::Malformed { line };
        let text = std::str::from_utf8(bytes).map_err(|_| malformed(1))?;
        let mut lines = text.lines().enumerate();
        match lines.next() {
            None => return Ok(Self::default()),
            Some((_, VERSION)) => {}
            Some(_) => return Err(malformed(1)),
        }
        let records = lines.map(|(index, line)| Record::parse(line).ok_or(malformed(index + 1)));
        Ok(Self {
            records: records.collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut text = format!("{VERSION}\n");
        for record in &self.records {
            text.push_str(&record.to_line());
        }
        Zeroizing::new(text.into_bytes())
    }

    /// The previous values of a place, the latest first.
    pub(crate) fn list(&self, binding: &Binding) -> Vec<PreviousValue> {
        let of_place = self.of(binding).enumerate();
        of_place
            .map(|(index, record)| PreviousValue {
                number: index + 1,
                at: record.at,
                actor: record.actor.clone(),
            })
            .collect()
    }

    /// The spelling of a previous value.
    pub(crate) fn open(&self, keys: &KeySet, binding: &Binding, number: usize) -> Result<SecretValue, HistoryError> {
        let record = number.checked_sub(1).and_then(|index| self.of(binding).nth(index));
        let record = record.ok_or_else(|| HistoryError::NoSuchNumber {
            place: binding.name().to_owned(),
            number,
            there: self.of(binding).count(),
        })?;
        record.open(keys).map_err(|source| HistoryError::Closed {
            place: binding.name().to_owned(),
            number,
            source,
        })
    }

    /// Adds a value, unless it is the latest one already, and forgets the oldest of its place.
    pub(crate) fn add(
        &mut self,
        binding: &Binding,
        spelling: &str,
        at: Timestamp,
        actor: &str,
        sealer: &mut Sealer<'_>,
    ) -> Result<(), SealError> {
        let latest = self.of(binding).next().and_then(|record| record.open(sealer.keys()).ok());
        if latest.is_some_and(|latest| latest.expose() == spelling) {
            return Ok(());
        }
        let Some(kind) = kind_of(binding) else { return Ok(()) };
        let actor = printable(actor);
        let Some(plain) = plain(at, &actor, spelling) else { return Ok(()) };
        let envelope = sealer.seal(Purpose::History, binding, &plain)?;
        self.records.push(Record {
            at,
            actor,
            binding: binding.clone(),
            envelope,
            kind,
        });
        let surplus = self.of(binding).count().saturating_sub(MOST);
        let mut left = surplus;
        self.records.retain(|record| {
            let goes = left > 0 && record.binding == *binding;
            left -= usize::from(goes);
            !goes
        });
        Ok(())
    }

    /// Forgets the values of a place that a judge says so of; those that do not open stay. Answers how many went.
    pub(crate) fn forget(&mut self, keys: &KeySet, binding: &Binding, is_it: &dyn Fn(&SecretValue) -> bool) -> usize {
        let before = self.records.len();
        self.records
            .retain(|record| record.binding != *binding || !record.open(keys).is_ok_and(|spelling| is_it(&spelling)));
        before - self.records.len()
    }

    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    pub(crate) fn records_mut(&mut self) -> &mut [Record] {
        &mut self.records
    }

    fn of(&self, binding: &Binding) -> impl Iterator<Item = &Record> {
        self.records.iter().rev().filter(move |record| record.binding == *binding)
    }
}

impl Record {
    /// Opens the value; it opens only with the time and the actor that it was kept with.
    fn open(&self, keys: &KeySet) -> Result<SecretValue, OpenError> {
        let plain = keys.open(Purpose::History, &self.binding, &self.envelope)?;
        let head = head(self.at, &self.actor);
        let spelling = plain.expose().strip_prefix(&head).ok_or(OpenError::NotAuthentic)?;
        secret(spelling).ok_or(OpenError::NotAuthentic)
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        let (Some(at), Some(kind), Some(name), Some(actor), Some(envelope), None) = (
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
            fields.next(),
        ) else {
            return None;
        };
        let (kind, binding) = match kind {
            "path" => (Kind::Path, Binding::path(&name.parse::<CredentialPath>().ok()?)),
            "variable" => (Kind::Variable, Binding::variable(&name.parse::<VariableName>().ok()?)),
            _ => return None,
        };
        Some(Self {
            at: Timestamp::from_unix_micros(at.parse().ok()?),
            actor: actor.to_owned(),
            binding,
            envelope: Envelope::parse(envelope).ok()??,
            kind,
        })
    }

    fn to_line(&self) -> String {
        let kind = match self.kind {
            Kind::Path => "path",
            Kind::Variable => "variable",
        };
        let (name, envelope) = (self.binding.name(), &self.envelope);
        format!("{}\t{kind}\t{name}\t{}\t{envelope}\n", self.at.unix_micros(), self.actor)
    }
}

/// What kind of place a binding is; its name alone does not say.
fn kind_of(binding: &Binding) -> Option<Kind> {
    if binding.name().parse().is_ok_and(|path| Binding::path(&path) == *binding) {
        Some(Kind::Path)
    } else if binding.name().parse().is_ok_and(|name| Binding::variable(&name) == *binding) {
        Some(Kind::Variable)
    } else {
        None
    }
}

fn head(at: Timestamp, actor: &str) -> String {
    format!("{}\t{actor}\n", at.unix_micros())
}

fn plain(at: Timestamp, actor: &str, spelling: &str) -> Option<SecretValue> {
    secret(&Zeroizing::new([head(at, actor).as_str(), spelling].concat()))
}

/// A name that fits on a line of fields.
fn printable(actor: &str) -> String {
    let characters = actor.chars().take(LONGEST_ACTOR);
    characters
        .map(|c| {
            if c.is_control() || c == '\u{2028}' || c == '\u{2029}' {
                '?'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;
    use dango_keyring::MasterKey;

    use super::*;

    #[test]
    fn the_last_twenty_values_of_each_place_are_kept_and_open_only_as_they_were_kept() {
        let keys = KeySet::new(MasterKey::make(&OsEntropy).expect("random"), None);
        let mut sealer = Sealer::new(&keys, &OsEntropy);
        let path = Binding::path(&"A".parse().expect("a path"));
        let variable = Binding::variable(&"A".parse().expect("a name"));
        let mut history = History::default();
        for number in 0..30 {
            let at = Timestamp::from_unix_micros(number);
            history
                .add(&path, &format!("\"old{number}\""), at, "ana\tx\n", &mut sealer)
                .expect("sealed");
        }
        history
            .add(&variable, "v", Timestamp::from_unix_micros(7), "ben", &mut sealer)
            .expect("sealed");
        history
            .add(&variable, "v", Timestamp::from_unix_micros(8), "ben", &mut sealer)
            .expect("sealed");
        let bytes = history.to_bytes();
        let history = History::parse(&bytes).expect("what was written");
        let listed = history.list(&path);
        assert_eq!(listed.len(), 20);
        assert_eq!(
            (listed[0].number, listed[0].at.unix_micros(), listed[0].actor.as_str()),
            (1, 29, "ana?x?")
        );
        assert_eq!(history.list(&variable).len(), 1);
        let open = |number| history.open(&keys, &path, number).map(|value| value.expose().to_owned());
        assert_eq!(open(1).as_deref(), Ok("\"old29\""));
        assert_eq!(open(20).as_deref(), Ok("\"old10\""));
        assert!(matches!(open(0), Err(HistoryError::NoSuchNumber { there: 20, .. })));
        assert!(matches!(open(21), Err(HistoryError::NoSuchNumber { .. })));
        let text = String::from_utf8(bytes.to_vec()).expect("text").replace("ana?", "eve?");
        let forged = History::parse(text.as_bytes()).expect("well-formed");
        assert!(matches!(forged.open(&keys, &path, 1), Err(HistoryError::Closed { .. })));
    }

    #[test]
    fn a_damaged_line_is_named() {
        for (text, line) in [
            ("x", 1),
            ("dango:history:v1\nx\n", 2),
            ("dango:history:v1\n1\tpath\ta\tb\tplain\n", 2),
        ] {
            assert_eq!(History::parse(text.as_bytes()).err(), Some(HistoryError::Malformed { line }));
        }
        assert!(History::parse(b"").is_ok_and(|history| history.records().is_empty()));
    }
}
