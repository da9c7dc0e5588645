//! Who changed or used a credential, as the audit log tells it.

use dango_audit::query::{Cursor, Filter, Intents, PAGE_MAX, PageLimit};
use dango_audit::{AuditEvent, Event, TargetKind};
use dango_core::Timestamp;
use dango_rotation::{Rotation, Trace};
use dango_sources::ConfiguredSource;
use dango_vault::ValuePlace;

use crate::failure::{Failure, chain};
use crate::house::{House, wait};
use crate::opened::Opened;
use crate::output::Output;

/// As many records as a person reads.
const MOST: usize = 1_000;

/// What takes values out of the project, whatever its target is.
const LEAVING: [Event; 5] = [
    Event::SecretRevealed,
    Event::SecretsExported,
    Event::SecretsUsed,
    Event::SecretsDecrypted,
    Event::SecretRolledBack,
];

/// The records that have to do with the places of a rotation or with its source, the latest first; nothing where the log cannot be read.
pub(super) fn read(
    rotation: &Rotation,
    source: Option<&ConfiguredSource>,
    since: Option<Timestamp>,
    opened: &Opened,
    output: &mut Output<'_>,
) -> Option<Vec<Trace>> {
    let sought = Sought {
        places: rotation
            .changes()
            .iter()
            .map(|change| match &change.place {
                ValuePlace::Secret(path) => (TargetKind::Secret.as_str(), path.to_string()),
                ValuePlace::Variable(key) => (TargetKind::Variable.as_str(), key.to_string()),
            })
            .collect(),
        source: source.map(|source| source.name().to_string()),
    };
    match sought.collect(since, opened, output) {
        Ok(traces) => Some(traces),
        Err(failure) => {
            output.warn(format!("the audit log is not shown: {}", failure.message));
            None
        }
    }
}

struct Sought {
    places: Vec<(&'static str, String)>,
    source: Option<String>,
}

impl Sought {
    fn collect(&self, since: Option<Timestamp>, opened: &Opened, output: &mut Output<'_>) -> Result<Vec<Trace>, Failure> {
        let house = House::of(opened.project.clone());
        let Some(actions) = house.readable(output)? else {
            return Ok(Vec::new());
        };
        let permit = house.permit(&actions, output)?;
        let mut filter = Filter {
            since,
            intents: Intents::LeftOut,
            ..Filter::default()
        };
        let size = PageLimit::new(PAGE_MAX).unwrap_or_default();
        let mut traces = Vec::new();
        loop {
            let page = wait(actions.list_audit(&permit, filter.clone(), size)).map_err(|error| Failure::refused(chain(&error)))?;
            traces.extend(page.events.iter().filter(|event| self.is_one(event)).map(trace));
            let next: Option<Cursor> = page.next_cursor.filter(|_| traces.len() < MOST);
            match next {
                Some(cursor) => filter.cursor = Some(cursor),
                None => break,
            }
        }
        traces.truncate(MOST);
        Ok(traces)
    }

    fn is_one(&self, event: &AuditEvent) -> bool {
        if LEAVING.iter().any(|leaving| leaving.as_str() == event.event) && event.target.as_ref().is_none_or(|target| target.id.is_none()) {
            return true;
        }
        let details: serde_json::Value = serde_json::from_str(&event.details).unwrap_or_default();
        let is_place = |text: &str| self.places.iter().any(|(_, place)| place == text);
        let named = ["path", "key"].iter().filter_map(|key| details[*key].as_str()).any(is_place);
        let target = event.target.as_ref().is_some_and(|target| {
            let id = target.id.as_deref();
            let is_ours = self
                .places
                .iter()
                .any(|(kind, place)| target.kind == *kind && id == Some(place.as_str()));
            let is_whole_file = target.kind == TargetKind::File.as_str();
            let is_source =
                matches!(target.kind.as_str(), "source" | "connection") && self.source.is_some() && id == self.source.as_deref();
            is_ours || is_source || is_whole_file
        });
        named || target
    }
}

fn trace(event: &AuditEvent) -> Trace {
    let who = event
        .actor
        .label
        .as_deref()
        .or(event.actor.id.as_deref())
        .unwrap_or(&event.actor.kind);
    Trace {
        at: event.at.to_string(),
        who: who.to_owned(),
        event: event.event.clone(),
        outcome: event.outcome.map(|outcome| outcome.as_str().to_owned()).unwrap_or_default(),
        origin: event.ip.clone().unwrap_or_default(),
    }
}
