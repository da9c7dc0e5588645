//! The provider of a source, asked whether it takes a credential: `dango source check`, with values that are not stored yet in the place of others.

use std::fmt;

use dango_check::Outcome as CheckOutcome;
use dango_core::{CredentialPath, SecretValue, SourceName};
use dango_rotation::{Change, Located, Probe, Verdict, plain_text};
use dango_secrets::environment::Variables;
use dango_secrets::{Value, dlt};
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

/// The way to the provider of one source.
pub(crate) struct Provider<'p, 'o> {
    name: &'p SourceName,
    opened: &'p Opened,
    output: &'p mut Output<'o>,
    said: Said,
}

impl<'p, 'o> Provider<'p, 'o> {
    pub(crate) fn new(name: &'p SourceName, opened: &'p Opened, output: &'p mut Output<'o>) -> Self {
        Self {
            name,
            opened,
            output,
            said: Said::nothing(),
        }
    }

    pub(crate) fn said(&self) -> Said {
        self.said.clone()
    }

    /// What the source would read if the changes were made: each credential that is one of them, or refers to one.
    pub(crate) fn instead(&mut self, source: &ConfiguredSource, changes: &[Change]) -> Result<Vec<(CredentialPath, SecretValue)>, Failure> {
        let files = ReadFiles::read(self.opened, self.output)?;
        let sources = Sources::read(self.opened, self.output)?;
        let new_of = |place: &ValuePlace| {
            let change = changes.iter().find(|change| change.place == *place)?;
            plain_text(&Located {
                place: place.clone(),
                value: change.new.clone()?,
            })
        };
        let variable = |name: &str| new_of(&ValuePlace::Variable(name.parse().ok()?));
        let process = process_variable(self.output.host);
        let lookup = |name: &str| variable(name).or_else(|| process(name));
        let variables = Variables {
            env: &files.env,
            process: &lookup,
        };
        let mut instead: Vec<(CredentialPath, SecretValue)> = Vec::new();
        let section = CredentialPath::from_parts(["sources", source.name().as_str()]);
        let entries = files.secrets.entries().into_iter();
        let below = entries.filter(|entry| section.as_ref().is_some_and(|section| entry.path.starts_with(section)));
        let found = stored(source, &sources, &files, self.output).into_iter().map(|(_, path)| path);
        let mut paths: Vec<CredentialPath> = below.map(|entry| entry.path).chain(found).collect();
        paths.sort();
        paths.dedup();
        for path in paths {
            let by_name = dlt::variable_name(&path).ok().and_then(|name| variable(name.as_str()));
            let new = by_name.or_else(|| new_of(&ValuePlace::Secret(path.clone())));
            let new = match (new, files.secrets.value(&path)) {
                (None, Some(value)) if refers_to(&value, &|name| variable(name).is_some()) => {
                    let resolved = value.resolve(&path, &variables).ok();
                    resolved.and_then(|value| match value {
                        Value::String(text) => SecretValue::new(text.verbatim().as_str().to_owned()).ok(),
                        _ => None,
                    })
                }
                (new, _) => new,
            };
            instead.extend(new.map(|new| (path, new)));
        }
        Ok(instead)
    }
}

impl Probe for Provider<'_, '_> {
    type Error = Failure;

    fn ask(&mut self, instead: &[(CredentialPath, SecretValue)]) -> Result<Verdict, Failure> {
        let outcome = check_source(self.name, instead, self.opened, self.output)?;
        let (verdict, word) = match outcome {
            CheckOutcome::Accepted => (Verdict::Accepted, "accepted"),
            CheckOutcome::Refused(_) => (Verdict::Refused, "refused"),
            CheckOutcome::Unreachable(_) => (Verdict::Unreachable, "unreachable"),
            _ => (Verdict::Unchecked, "unchecked"),
        };
        self.said = Said {
            word,
            code: outcome.code(),
            text: outcome.to_string(),
        };
        Ok(verdict)
    }
}

fn refers_to(value: &Value, is_one: &dyn Fn(&str) -> bool) -> bool {
    let Value::String(text) = value else { return false };
    text.pieces()
        .iter()
        .any(|piece| matches!(piece, dango_secrets::Piece::Reference(reference) if is_one(reference.name.as_str())))
}
