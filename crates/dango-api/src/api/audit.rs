//! The audit log: a page of it, and whether it is intact.

use axum::http::StatusCode;
use dango_actions::{AuditView, Caller};
use dango_audit::Event;
use dango_audit::query::{ActorFilter, Bound, Filter, Intents, Order, PAGE_MAX, PageLimit, parse_bound};
use serde_json::Value;

use super::Answer;
use crate::app::Verified;
use crate::ask::Ask;
use crate::problem::{Problem, code};
use crate::refusal::Refusal;
use crate::reply;
use crate::route::Parameter;
use crate::schema::Schema;
use crate::wire;

/// The parameters of a page.
pub(crate) const PARAMETERS: &[Parameter] = &[
    Parameter::new("since", "Not before this time, this day in UTC, or so long ago.", bound),
    Parameter::new("until", "Not after this time, this day in UTC, or so long ago.", bound),
    Parameter::new("type", "Only this event.", event),
    Parameter::new(
        "actor",
        "Only what was done by this id or name, in the spelling of the time.",
        Schema::text,
    ),
    Parameter::new("limit", "How many events at most.", limit),
    Parameter::new("cursor", "Where to go on: `next_cursor` of the page before.", cursor),
];

/// `GET /api/admin/audit`.
pub(crate) async fn list(caller: Caller, ask: Ask) -> Answer {
    let permit = ask.actions().permit::<AuditView>(&caller).await;
    let permit = permit.map_err(|denied| denied.into_problem(ask.now()))?;
    let (filter, limit) = filter(&ask)?;
    let page = ask.actions().list_audit(&permit, filter, limit).await;
    let page = page.map_err(|fault| fault.into_problem(ask.now()))?;
    Ok(reply::text_of(StatusCode::OK, page.to_json()))
}

/// `GET /api/admin/audit/verify`.
pub(crate) async fn verify(caller: Caller, ask: Ask) -> Answer {
    let permit = ask.actions().permit::<AuditView>(&caller).await;
    let permit = permit.map_err(|denied| denied.into_problem(ask.now()))?;
    let notes = ask.app.machine().checkpoints().map_err(|error| {
        tracing::error!(%error, "the checkpoints cannot be read");
        Problem::new(code!(audit_unavailable), "the checkpoints of the audit log cannot be read")
    })?;
    let report = ask.actions().verify_audit(&permit, &notes).await;
    let report = report.map_err(|error| error.into_problem(ask.now()))?;
    ask.app.note_verified(Verified {
        at: ask.now(),
        events: report.events,
        first_bad: report.first_bad.map(|bad| bad.seq.get()),
        is_intact: report.is_ok(),
    });
    let (seq, hash) = report.last_good;
    let answer = wire::AuditVerdict {
        ok: report.is_ok(),
        events: report.events,
        first_bad: report.first_bad.map(|bad| bad.seq.get()),
        head: wire::AuditHead {
            seq: seq.get(),
            hash: hash.to_string(),
        },
        open_intents: report.open_intents.iter().map(|seq| seq.get()).collect(),
    };
    reply::json(StatusCode::OK, &answer)
}

fn filter(ask: &Ask) -> Result<(Filter, PageLimit), Problem> {
    let invalid = |detail: String| Problem::new(code!(invalid_parameter), detail);
    let value = |name| ask.query.value(name);
    let bound = |name, bound| match value(name)? {
        Some(text) => parse_bound(text, bound, ask.now())
            .map(Some)
            .map_err(|error| invalid(format!("`{name}` is {error}"))),
        None => Ok(None),
    };
    let event = match value("type")? {
        Some(text) => Some(
            text.parse()
                .map_err(|_| invalid("`type` is no event of the audit log".to_owned()))?,
        ),
        None => None,
    };
    let cursor = match value("cursor")? {
        Some(text) => Some(text.parse().map_err(|error| invalid(format!("`cursor` is {error}")))?),
        None => None,
    };
    let limit = match value("limit")? {
        Some(text) => text
            .parse()
            .ok()
            .and_then(PageLimit::new)
            .ok_or_else(|| invalid(format!("`limit` is 1 to {PAGE_MAX}")))?,
        None => PageLimit::default(),
    };
    let filter = Filter {
        since: bound("since", Bound::Since)?,
        until: bound("until", Bound::Until)?,
        event,
        actor: value("actor")?.map(ActorFilter::new),
        cursor,
        order: Order::NewestFirst,
        intents: Intents::LeftOut,
    };
    Ok((filter, limit))
}

/// A time, a day, or an age: seconds, minutes, hours, days or weeks.
fn bound() -> Schema {
    let age = Schema::default().with("pattern", "^[0-9]{1,6}[smhdw]$");
    let forms = ["date-time", "date"].map(|format| Schema::default().with("format", format));
    let forms: Vec<Value> = forms.into_iter().chain([age]).map(Schema::into_value).collect();
    let text = Schema::text().with("anyOf", forms);
    text.with("examples", vec!["2026-11-21T21:34:00Z", "2026-11-21", "7d"])
}

fn event() -> Schema {
    Schema::word(Event::ALL.iter().map(|event| event.as_str()))
}

fn limit() -> Schema {
    Schema::of("integer")
        .between(1, PAGE_MAX.into())
        .with("default", PageLimit::default().get())
}

fn cursor() -> Schema {
    Schema::text().pattern("^[1-9][0-9]{0,18}$")
}
