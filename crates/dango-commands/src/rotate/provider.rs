//! The provider of a source, asked whether it takes a credential: `dango source check`, with values that are not stored yet in the place of others.

use std::fmt;

use dango_check::Outcome as CheckOutcome;
use dango_core::{CredentialPath, SecretValue};
use dango_rotation::{Change, Located, Probe, Verdict, plain_text};
use dango_secrets::environment::Variables;
use dango_secrets::{Piece, Value, dlt};
use dango_sources::ConfiguredSource;
use dango_vault::ValuePlace;

use super::taking::{ReadFiles, stored};
use crate::checking::check_source;
use crate::failure::Failure;
use crate::opened::{Opened, process_variable};
use crate::output::Output;
use crate::source::Sources;

/// What was said of a credential, for people and for records.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// A stable word: `accepted`, `refused`, `unreachable`, `unchecked`.
    word: &'static str,
    /// A stable word for the reason.
    pub(crate) code: &'static str,
    text: String,
}

impl Said {
    pub(crate) fn nothing() -> Self {
        Self::unchecked("not-asked", "nobody was asked")
    }

    pub(crate) fn nobody_to_ask() -> Self {
        Self::unchecked("no-source", "no source in sources.yml reads it")
    }

    /// The stable word for what was said.
    pub(crate) const fn word(&self) -> &'static str {
        self.word
    }

    fn unchecked(code: &'static str, text: &str) -> Self {
        Self {
            word: "unchecked",
            code,
            text: text.to_owned(),
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The way to the provider of one source, about some changes of its credentials.
pub(crate) struct Provider<'p, 'o> {
    source: &'p ConfiguredSource,
    changes: &'p [Change],
    opened: &'p Opened,
    output: &'p mut Output<'o>,
    said: Said,
}

/// A credential of the source as it is with the changes, and the places that it takes its value from.
struct Reading {
    path: CredentialPath,
    value: SecretValue,
    places: Vec<ValuePlace>,
}

impl<'p, 'o> Provider<'p, 'o> {
    pub(crate) fn new(source: &'p ConfiguredSource, changes: &'p [Change], opened: &'p Opened, output: &'p mut Output<'o>) -> Self {
        Self {
            source,
            changes,
            opened,
            output,
            said: Said::nothing(),
        }
    }

    pub(crate) fn said(&self) -> Said {
        self.said.clone()
    }

    /// What the source would read if the changes were made: each credential that is one of them, or refers to one.
    pub(crate) fn instead(&mut self) -> Result<Vec<(CredentialPath, SecretValue)>, Failure> {
        let sources = Sources::read(self.opened, self.output)?;
        let readings = self.readings(&sources)?.into_iter();
        Ok(readings.map(|reading| (reading.path, reading.value)).collect())
    }

    fn readings(&mut self, sources: &Sources) -> Result<Vec<Reading>, Failure> {
        let files = ReadFiles::read(self.opened, self.output)?;
        let new_of = |place: &ValuePlace| {
            let change = self.changes.iter().find(|change| change.place == *place)?;
            new_text(change)
        };
        let place_of = |name: &str| name.parse().ok().map(ValuePlace::Variable);
        let variable = |name: &str| new_of(&place_of(name)?);
        let process = process_variable(self.output.host);
        let lookup = |name: &str| variable(name).or_else(|| process(name));
        let variables = Variables {
            env: &files.env,
            process: &lookup,
        };
        let mut readings = Vec::new();
        let section = CredentialPath::from_parts(["sources", self.source.name().as_str()]);
        let entries = files.secrets.entries().into_iter();
        let below = entries.filter(|entry| section.as_ref().is_some_and(|section| entry.path.starts_with(section)));
        let found = stored(self.source, sources, &files, self.output).into_iter().map(|(_, path)| path);
        // What somebody has taken out meanwhile is asked about as well.
        let changed = self.changes.iter().filter_map(|change| match &change.place {
            ValuePlace::Secret(path) if section.as_ref().is_some_and(|section| path.starts_with(section)) => Some(path.clone()),
            _ => None,
        });
        let mut paths: Vec<CredentialPath> = below.map(|entry| entry.path).chain(found).chain(changed).collect();
        paths.sort();
        paths.dedup();
        for path in paths {
            let by_name = dlt::variable_name(&path).ok().and_then(|name| place_of(name.as_str()));
            let own = by_name.into_iter().chain([ValuePlace::Secret(path.clone())]);
            let direct = own.into_iter().find_map(|place| Some((new_of(&place)?, vec![place])));
            let new = match (direct, files.secrets.value(&path)) {
                (None, Some(value)) => {
                    let places: Vec<ValuePlace> = references(&value)
                        .filter(|name| variable(name).is_some())
                        .filter_map(place_of)
                        .collect();
                    let resolved = Some(&value).filter(|_| !places.is_empty());
                    let resolved = resolved.and_then(|value| value.resolve(&path, &variables).ok());
                    resolved.and_then(|value| match value {
                        Value::String(text) => Some((SecretValue::new(text.verbatim().as_str().to_owned()).ok()?, places)),
                        _ => None,
                    })
                }
                (direct, _) => direct,
            };
            readings.extend(new.map(|(value, places)| Reading { path, value, places }));
        }
        Ok(readings)
    }

    /// Whether an answer that was given for these values is about every secret that changes. What is no secret, such as a region, need
    /// not be sent.
    fn is_about_all(&mut self, used: &[(CredentialPath, SecretValue)]) -> Result<bool, Failure> {
        let sources = Sources::read(self.opened, self.output)?;
        let readings = self.readings(&sources)?;
        let fields = sources.file.found(self.source, &sources.presence(self.output)).unwrap_or_default();
        let is_no_secret = |reading: &&Reading| {
            let field = fields.iter().find(|found| found.at.as_ref() == Some(&reading.path));
            field.is_some_and(|found| !found.field.secret)
        };
        let of = |change: &Change| {
            readings
                .iter()
                .filter(|reading| reading.places.contains(&change.place))
                .collect::<Vec<_>>()
        };
        let is_used = |reading: &&Reading| {
            let used = used.iter().find(|(path, _)| *path == reading.path);
            used.is_some_and(|(_, value)| value.expose() == reading.value.expose())
        };
        let (sent, unsent): (Vec<&Change>, Vec<&Change>) = self.changes.iter().partition(|change| of(change).iter().any(is_used));
        let is_secret = |change: &Change| {
            let readings = of(change);
            readings.is_empty() || !readings.iter().all(is_no_secret)
        };
        let is_copy = |change: &Change| {
            let new = new_text(change);
            let same = |other: &SecretValue| new.as_ref().is_some_and(|new| new.expose() == other.expose());
            sent.iter().any(|sent| new_text(sent).as_ref().is_some_and(same))
        };
        let has_secrets = self.changes.iter().any(is_secret);
        Ok(unsent.iter().all(|change| is_copy(change) || (has_secrets && !is_secret(change))))
    }
}

impl Probe for Provider<'_, '_> {
    type Error = Failure;

    fn ask(&mut self, instead: &[(CredentialPath, SecretValue)]) -> Result<Verdict, Failure> {
        let (outcome, used) = check_source(self.source.name(), instead, self.opened, self.output)?;
        let (verdict, word) = match outcome {
            CheckOutcome::Accepted => (Verdict::Accepted, "accepted"),
            CheckOutcome::Refused(_) => (Verdict::Refused, "refused"),
            CheckOutcome::Unreachable(_) => (Verdict::Unreachable, "unreachable"),
            _ => (Verdict::Unchecked, "unchecked"),
        };
        if verdict != Verdict::Unchecked && !self.is_about_all(&used)? {
            self.said = Said::unchecked("not-sent", "its check does not send this credential");
            return Ok(Verdict::Unchecked);
        }
        self.said = Said {
            word,
            code: outcome.code(),
            text: outcome.to_string(),
        };
        Ok(verdict)
    }
}

/// The text that programs get of a new value.
fn new_text(change: &Change) -> Option<SecretValue> {
    plain_text(&Located {
        place: change.place.clone(),
        value: change.new.clone()?,
    })
}

/// The variables that a value refers to.
fn references(value: &Value) -> impl Iterator<Item = &str> {
    let pieces = match value {
        Value::String(text) => text.pieces(),
        _ => &[],
    };
    pieces.iter().filter_map(|piece| match piece {
        Piece::Reference(reference) => Some(reference.name.as_str()),
        _ => None,
    })
}
