//! `dango audit list`: what happened, the newest first; reading it changes nothing.

use clap::Args;
use dango_actions::{Actions, AuditView, Permit};
use dango_audit::log::Page;
use dango_audit::query::{Cursor, Filter, Intents, Order, PAGE_MAX, PageLimit};
use dango_audit::{AuditEvent, Party};

use super::filter::FilterArguments;
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::house::{House, fault, wait};
use crate::output::Output;
use crate::server::{self, Server};

#[derive(Args, Debug)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// How many records at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// Go on behind this place: `next_cursor` of the list before
    #[arg(long, value_name = "CURSOR")]
    pub(crate) cursor: Option<String>,
}

/// The headings of the table of records.
pub(crate) const HEADING: [&str; 6] = ["TIME (UTC)", "EVENT", "OUTCOME", "BY", "ON", "DETAILS"];

pub(crate) fn run(arguments: &ListArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let mut filter = arguments.filter.filter(Order::NewestFirst, output.host.clock.now())?;
    let cursor: Option<Result<Cursor, _>> = arguments.cursor.as_deref().map(str::parse);
    filter.cursor = cursor.transpose().map_err(|error| Failure::usage(format!("--cursor: {error}")))?;
    if let Some(server) = Server::of(global, output)? {
        return server::audit_list(arguments, &server, output);
    }
    let house = House::find(global, output.host)?;
    let page = match house.readable(output)? {
        Some(actions) => {
            let permit = house.permit(&actions, output)?;
            pages(&actions, &permit, filter, arguments.limit)?
        }
        None => Page::default(),
    };
    if output.json {
        let value: serde_json::Value = serde_json::from_str(&page.to_json()).map_err(|error| Failure::caused_by(&error))?;
        return output.json(&value);
    }
    if page.events.is_empty() {
        output.say("nothing in the audit log matches");
        return Ok(());
    }
    output.table(&HEADING, &page.events.iter().map(row).collect::<Vec<_>>())?;
    if let Some(cursor) = page.next_cursor {
        output.hint(format!(
            "there are older ones: `--cursor {cursor}` goes on behind these, `--limit N` shows more at once"
        ));
    }
    Ok(())
}

/// As many records as are asked for, which may be more than one page holds.
fn pages(actions: &Actions, permit: &Permit<AuditView>, mut filter: Filter, limit: u32) -> Result<Page, Failure> {
    // Each thing is listed once, by its outcome; an intent without one is what `verify` reports.
    filter.intents = Intents::LeftOut;
    let mut listed = Page::default();
    let mut left = limit;
    while let Some(size) = PageLimit::new(left.min(PAGE_MAX)) {
        let page = wait(actions.list_audit(permit, filter.clone(), size)).map_err(|error| fault(&error))?;
        listed.events.extend(page.events);
        listed.next_cursor = page.next_cursor;
        left -= size.get();
        if page.next_cursor.is_none() {
            break;
        }
        filter.cursor = page.next_cursor;
    }
    Ok(listed)
}

fn row(event: &AuditEvent) -> Vec<String> {
    let time = event.at.to_string();
    let outcome = event.outcome.map_or("", |outcome| outcome.as_str());
    vec![
        time.get(..19).unwrap_or(&time).replacen('T', " ", 1),
        event.event.clone(),
        outcome.to_owned(),
        party(&event.actor),
        event.target.as_ref().map(party).unwrap_or_default(),
        details(&event.details),
    ]
}

/// Who or what, as short as it is clear: the label, else the id, else the kind.
fn party(party: &Party) -> String {
    let named = party.label.as_deref().or(party.id.as_deref());
    match (named, party.is_withheld) {
        (None, true) => format!("{} (erased)", party.kind),
        (None, false) => party.kind.clone(),
        (Some(name), _) if party.kind == "cli" => format!("cli {name}"),
        (Some(name), _) => name.to_owned(),
    }
}

/// The details as `name=value`, in the order of the record.
pub(crate) fn details(json: &str) -> String {
    let Ok(serde_json::Value::Object(members)) = serde_json::from_str(json) else {
        return json.to_owned();
    };
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let shown: Vec<String> = members.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_read_as_names_and_values() {
        assert_eq!(details(r#"{"role":"admin","count":3}"#), "role=admin count=3");
        assert_eq!(details("{}"), "");
        assert_eq!(details("changed by hand"), "changed by hand");
    }
}
