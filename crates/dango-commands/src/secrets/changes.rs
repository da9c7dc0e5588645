//! Who changed a value and when, as the audit log tells it; the values themselves are not there.

use dango_actions::{Actions, AuditView, Permit};
use dango_audit::query::{Filter, Intents, PAGE_MAX, PageLimit};
use dango_audit::{AuditEvent, Event, Outcome, TargetKind};

use crate::failure::{Failure, chain};
use crate::house::{House, wait};
use crate::opened::Opened;
use crate::output::Output;

/// The events that change one value.
const EVENTS: [Event; 3] = [Event::SecretSet, Event::SecretDeleted, Event::SecretRolledBack];

/// One change of a value.
pub(crate) struct Change {
    pub(crate) at: String,
    pub(crate) actor: String,
    pub(crate) action: String,
    seq: i64,
}

impl Change {
    pub(crate) fn cells(&self) -> Vec<String> {
        vec![self.at.clone(), self.actor.clone(), self.action.clone()]
    }
}

/// Every change of a value that is recorded, the latest first. A log that cannot be read is warned of, and tells nothing.
pub(crate) fn changes(opened: &Opened, kind: TargetKind, name: &str, output: &mut Output<'_>) -> Vec<Change> {
    match read(opened, kind, name, output) {
        Ok(changes) => changes,
        Err(failure) => {
            output.warn(format!("the audit log is not shown: {}", failure.message));
            Vec::new()
        }
    }
}

fn read(opened: &Opened, kind: TargetKind, name: &str, output: &mut Output<'_>) -> Result<Vec<Change>, Failure> {
    let house = House::of(opened.project.clone());
    let Some(actions) = house.readable(output)? else {
        return Ok(Vec::new());
    };
    let permit = house.permit(&actions, output)?;
    let mut changes = Vec::new();
    for event in EVENTS {
        each_event(&actions, &permit, event, &mut |event| {
            let is_it = event
                .target
                .as_ref()
                .is_some_and(|target| target.kind == kind.as_str() && target.id.as_deref() == Some(name));
            if is_it && event.outcome == Some(Outcome::Success) {
                changes.extend(change(event));
            }
        })?;
    }
    changes.sort_by_key(|change| std::cmp::Reverse(change.seq));
    Ok(changes)
}

/// Shows every record of an event, the latest first, intents left out.
pub(crate) fn each_event(
    actions: &Actions,
    permit: &Permit<AuditView>,
    event: Event,
    visit: &mut dyn FnMut(&AuditEvent),
) -> Result<(), Failure> {
    let mut filter = Filter {
        event: Some(event),
        intents: Intents::LeftOut,
        ..Filter::default()
    };
    let size = PageLimit::new(PAGE_MAX).unwrap_or_default();
    loop {
        let page = wait(actions.list_audit(permit, filter.clone(), size)).map_err(|error| Failure::refused(chain(&error)))?;
        page.events.iter().for_each(&mut *visit);
        match page.next_cursor {
            Some(cursor) => filter.cursor = Some(cursor),
            None => return Ok(()),
        }
    }
}

/// What a record says of the value; nothing where the value stayed as it was.
fn change(event: &AuditEvent) -> Option<Change> {
    let details: serde_json::Value = serde_json::from_str(&event.details).unwrap_or_default();
    let action = match (event.event.as_str(), details["action"].as_str()) {
        ("secret_deleted", _) => "deleted",
        ("secret_rolled_back", _) => "rolled back",
        (_, Some("unchanged" | "kept")) => return None,
        (_, action) => action.unwrap_or("set"),
    };
    let named = event.actor.label.as_deref().or(event.actor.id.as_deref());
    Some(Change {
        at: event.at.to_string(),
        actor: named.unwrap_or(&event.actor.kind).to_owned(),
        action: action.to_owned(),
        seq: event.seq,
    })
}
