//! How old credentials are: when each was stored, as the audit log tells it. What the log does not know, nobody knows.

use std::collections::{HashMap, HashSet};

use dango_audit::{AuditEvent, Event, Outcome, TargetKind};
use dango_core::{CredentialPath, SourceName, Timestamp};
use dango_rotation::{Due, Files, locate};
use dango_sources::{ConfiguredSource, RotateEvery};
use dango_vault::ValuePlace;

use super::taking::{ReadFiles, stored};
use crate::failure::Failure;
use crate::house::House;
use crate::opened::Opened;
use crate::output::Output;
use crate::source::Sources;

/// The events that store a value.
const STORING: [Event; 2] = [Event::SecretSet, Event::SecretRolledBack];

/// A kind of target and its name.
type Place = (String, String);

/// When every value was stored last, and every source's credentials were rotated last.
#[derive(Default)]
pub(crate) struct Ages {
    stored: HashMap<Place, Timestamp>,
    rotated: HashMap<String, Timestamp>,
    /// What rotations have stored. Whether it stayed, the end of each says.
    exchanged: HashSet<Place>,
}

impl Ages {
    /// Reads them from the audit log; a project without one knows nothing.
    pub(crate) fn read(opened: &Opened, output: &mut Output<'_>) -> Result<Self, Failure> {
        let mut ages = Self::default();
        let house = House::of(opened.project.clone());
        let Some(actions) = house.readable(output)? else { return Ok(ages) };
        let permit = house.permit(&actions, output)?;
        for event in STORING {
            crate::secrets::changes::each_event(&actions, &permit, event, &mut |event| ages.take_stored(event))?;
        }
        crate::secrets::changes::each_event(&actions, &permit, Event::CredentialRotated, &mut |event| ages.take_rotated(event))?;
        Ok(ages)
    }

    fn take_stored(&mut self, event: &AuditEvent) {
        let details: serde_json::Value = serde_json::from_str(&event.details).unwrap_or_default();
        let is_change = !matches!(details["action"].as_str(), Some("unchanged" | "kept"));
        let Some(target) = event
            .target
            .as_ref()
            .filter(|_| is_change && event.outcome == Some(Outcome::Success))
        else {
            return;
        };
        if let Some(id) = &target.id {
            let place = (target.kind.clone(), id.clone());
            match details["via"].as_str() {
                // A value that was refused or given up is gone again, and the one before is as old as it was.
                Some("rotation") => drop(self.exchanged.insert(place)),
                _ => self.note(place, event.at),
            }
        }
    }

    /// A rotation has ended well: what it stored is there to stay.
    fn take_rotated(&mut self, event: &AuditEvent) {
        let Some(target) = event.target.as_ref().filter(|_| event.outcome == Some(Outcome::Success)) else {
            return;
        };
        let Some(id) = &target.id else { return };
        match target.kind == TargetKind::Source.as_str() {
            true => later(self.rotated.entry(id.clone()).or_insert(event.at), event.at),
            false => self.note((target.kind.clone(), id.clone()), event.at),
        }
        let details: serde_json::Value = serde_json::from_str(&event.details).unwrap_or_default();
        for path in details["paths"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(serde_json::Value::as_str)
        {
            // A name alone may be that of a variable, or of a value at the top of `secrets.toml`: what was stored there says which.
            for kind in [TargetKind::Secret, TargetKind::Variable] {
                let place = (kind.as_str().to_owned(), path.to_owned());
                if self.exchanged.contains(&place) {
                    self.note(place, event.at);
                }
            }
        }
    }

    fn note(&mut self, place: Place, at: Timestamp) {
        later(self.stored.entry(place).or_insert(at), at);
    }

    /// When the credentials of a source were rotated last.
    pub(crate) fn rotated(&self, name: &SourceName) -> Option<Timestamp> {
        self.rotated.get(name.as_str()).copied()
    }

    /// When the oldest secret of a source was stored: `None` where it has none, `Some(None)` where that is not known of one.
    pub(crate) fn since(
        &self,
        source: &ConfiguredSource,
        sources: &Sources,
        files: &ReadFiles,
        output: &Output<'_>,
    ) -> Option<Option<Timestamp>> {
        let paths = stored(source, sources, files, output);
        let times: Vec<Option<Timestamp>> = paths
            .iter()
            .map(|(_, path)| files.with(output, |files| self.at(path, files)))
            .collect();
        match times.is_empty() {
            true => None,
            false => Some(
                times
                    .into_iter()
                    .collect::<Option<Vec<_>>>()
                    .and_then(|times| times.into_iter().min()),
            ),
        }
    }

    /// The sources whose credentials are due, each with its policy and why.
    pub(crate) fn overdue(&self, sources: &Sources, files: &ReadFiles, output: &Output<'_>) -> Vec<(SourceName, RotateEvery, Due)> {
        let since = |name: &SourceName| self.since(sources.file.find(name)?, sources, files, output);
        dango_rotation::overdue(&sources.file, &since, output.host.clock.now())
    }

    fn at(&self, path: &CredentialPath, files: &Files<'_>) -> Option<Timestamp> {
        let (kind, name) = match locate(path, files).ok()?.place {
            ValuePlace::Secret(path) => (TargetKind::Secret, path.to_string()),
            ValuePlace::Variable(key) => (TargetKind::Variable, key.to_string()),
        };
        self.stored.get(&(kind.as_str().to_owned(), name)).copied()
    }
}

fn later(known: &mut Timestamp, at: Timestamp) {
    *known = (*known).max(at);
}
