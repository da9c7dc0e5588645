//! `/settings/audit`: what happened, by whom and when, whether the log is as it was written, and a way to take it along.

use askama::Template;
use axum::http::StatusCode;
use dango_actions::{AuditView, Holder, Permit};
use dango_audit::export::ExportFormat;
use dango_audit::log::Page as LogPage;
use dango_audit::query::{ActorFilter, Bound, Cursor, Filter, Intents, Order, PageLimit, parse_bound};
use dango_audit::{AuditEvent, Event, Party};
use dango_core::Timestamp;
use dango_identity::Full;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Answer, Wrong};
use crate::app::Verified;
use crate::problem::Problem;
use crate::refusal::Refusal;
use crate::web::components::{Badge, Button, Colour, Moment, Weight};
use crate::web::download;
use crate::web::frame::{Frame, Person, page};
use crate::web::visit::Visit;

pub(super) const PATH: &str = "/settings/audit";

/// A verification that is older says little.
const FRESH_MICROS: i64 = 600_000_000;

/// The page.
#[derive(Template)]
#[template(path = "pages/audit.html")]
pub(crate) struct AuditPage<'a> {
    frame: Frame<'a>,
    asked: Asked,
    wrong: Wrong,
    events: &'a [AuditEvent],
    older: Option<Cursor>,
    verified: Option<Verified>,
    now: Timestamp,
}

/// What the filters say, as it was typed.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    event: String,
    actor: String,
    from: String,
    to: String,
    cursor: String,
}

impl Asked {
    fn of(value: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name| value(name).map(|text| text.trim().to_owned()).unwrap_or_default();
        Self {
            event: value("type"),
            actor: value("actor"),
            from: value("from"),
            to: value("to"),
            cursor: value("cursor"),
        }
    }

    fn is_filtered(&self) -> bool {
        [&self.event, &self.actor, &self.from, &self.to].iter().any(|text| !text.is_empty())
    }

    /// What is asked for; whatever cannot be is said beside its field.
    fn filter(&self, order: Order, intents: Intents, now: Timestamp) -> Result<Filter, Wrong> {
        let given = |text: &'_ str| (!text.is_empty()).then(|| text.to_owned());
        let bound = |name, text: &str, bound| match given(text) {
            None => Ok(None),
            Some(text) => parse_bound(&text, bound, now)
                .map(Some)
                .map_err(|_| Wrong::with_field(name, "Enter a day such as 2026-11-21, or how long ago: 24h, 7d.")),
        };
        let event = match given(&self.event) {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| Wrong::with_field("type", "There is no such event."))?),
        };
        Ok(Filter {
            since: bound("from", &self.from, Bound::Since)?,
            until: bound("to", &self.to, Bound::Until)?,
            event,
            actor: given(&self.actor).map(|text| ActorFilter::new(&text)),
            cursor: self.cursor.parse().ok(),
            order,
            intents,
        })
    }

    /// The address of the page behind a record, under the same filters.
    fn behind(&self, cursor: &Cursor) -> String {
        format!("{}cursor={cursor}", self.newest())
    }

    /// The address of the first page, under the same filters.
    fn newest(&self) -> String {
        let filters = [
            ("type", &self.event),
            ("actor", &self.actor),
            ("from", &self.from),
            ("to", &self.to),
        ];
        let given = filters.into_iter().filter(|(_, text)| !text.is_empty());
        let pairs = given.map(|(name, text)| format!("{name}={}&", utf8_percent_encode(text, NON_ALPHANUMERIC)));
        format!("?{}", pairs.collect::<String>())
    }
}

/// `GET /settings/audit`.
pub(crate) async fn show(holder: Holder<Full>, visit: Visit) -> Answer {
    let permit = permit(&holder, &visit).await?;
    let asked = Asked::of(|name| visit.asked(name).map(str::to_owned));
    let frame = Frame::of(Person::new(&holder.view()), PATH, None);
    let (listed, wrong, status) = match asked.filter(Order::NewestFirst, Intents::LeftOut, visit.now()) {
        Ok(filter) => {
            let listed = visit.actions().list_audit(&permit, filter, PageLimit::default()).await;
            let listed = listed.map_err(|fault| fault.into_problem(visit.now()))?;
            (listed, Wrong::default(), StatusCode::OK)
        }
        Err(wrong) => {
            let nothing = LogPage {
                events: Vec::new(),
                next_cursor: None,
            };
            (nothing, wrong, StatusCode::UNPROCESSABLE_ENTITY)
        }
    };
    let shown = AuditPage::new(frame, (asked, wrong), &listed, visit.app.verified(), visit.now());
    page(status, &shown)
}

/// `POST /settings/audit/export`: it is recorded, so it is no page that a link could open.
pub(crate) async fn export(holder: Holder<Full>, visit: Visit) -> Answer {
    let permit = permit(&holder, &visit).await?;
    let asked = Asked::of(|name| visit.form.filled(name).map(str::to_owned));
    let filter = asked.filter(Order::OldestFirst, Intents::Included, visit.now());
    let format = match visit.form.value("format") {
        Some("csv") => ExportFormat::Csv,
        _ => ExportFormat::Jsonl,
    };
    match filter {
        Ok(filter) => download::audit(&visit, permit, Filter { cursor: None, ..filter }, format),
        Err(wrong) => {
            let frame = Frame::of(Person::new(&holder.view()), PATH, None);
            let nothing = LogPage {
                events: Vec::new(),
                next_cursor: None,
            };
            let shown = AuditPage::new(frame, (asked, wrong), &nothing, visit.app.verified(), visit.now());
            page(StatusCode::UNPROCESSABLE_ENTITY, &shown)
        }
    }
}

async fn permit(holder: &Holder<Full>, visit: &Visit) -> Result<Permit<AuditView>, Problem> {
    let permit = visit.actions().permit::<AuditView>(holder.caller()).await;
    permit.map_err(|denied| denied.into_problem(visit.now()))
}

impl<'a> AuditPage<'a> {
    pub(super) fn new(
        frame: Frame<'a>,
        (asked, wrong): (Asked, Wrong),
        listed: &'a LogPage,
        verified: Option<Verified>,
        now: Timestamp,
    ) -> Self {
        Self {
            frame,
            asked,
            wrong,
            events: &listed.events,
            older: listed.next_cursor,
            verified,
            now,
        }
    }

    fn kinds(&self) -> impl Iterator<Item = &'static str> {
        Event::ALL.iter().map(|event| event.as_str())
    }

    fn at(&self, event: &AuditEvent) -> Moment {
        Moment::time(event.at)
    }

    fn outcome(&self, event: &AuditEvent) -> Badge {
        match event.outcome.map(dango_audit::Outcome::as_str) {
            Some("success") => Badge::new(Colour::Green, "Success"),
            Some("failure") => Badge::new(Colour::Amber, "Failure"),
            Some(_) => Badge::new(Colour::Red, "Denied"),
            None => Badge::new(Colour::Gray, "Begun"),
        }
    }

    fn details(&self, event: &AuditEvent) -> String {
        let members = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&event.details);
        let members = members.unwrap_or_default().into_iter().map(|(name, value)| match value {
            serde_json::Value::String(text) => format!("{name}: {text}"),
            serde_json::Value::Array(list) => {
                let texts = list.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned));
                format!("{name}: {}", texts.collect::<Vec<_>>().join(", "))
            }
            other => format!("{name}: {other}"),
        });
        members.collect::<Vec<_>>().join(" · ")
    }

    fn party<'b>(&self, party: &'b Party) -> &'b str {
        let label = party.label.as_deref().filter(|label| !label.is_empty());
        let nameless = match (party.is_withheld, party.kind.as_str()) {
            (true, _) => "Erased",
            (false, "user") => "Unknown",
            (false, kind) => kind,
        };
        label.or(party.id.as_deref()).unwrap_or(nameless)
    }

    fn target<'b>(&self, event: &'b AuditEvent) -> &'b str {
        event.target.as_ref().map_or("–", |target| self.party(target))
    }

    fn verify(&self) -> Button<'static> {
        Button::sending("Verify Now", Weight::Usual, "GET /api/admin/audit/verify", "The log was verified.")
    }

    /// Whether nobody has looked lately whether the log is intact.
    fn is_unverified(&self) -> bool {
        let age = |verified: Verified| self.now.unix_micros().saturating_sub(verified.at.unix_micros());
        self.verified.is_none_or(|verified| age(verified) > FRESH_MICROS)
    }

    fn verified_at(&self, verified: &Verified) -> Moment {
        Moment::time(verified.at)
    }
}
