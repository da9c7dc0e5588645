//! The audit log as answers show it: the page is written by `dango-audit`, whose members are described here.

use dango_audit::{Detail, Event};

use super::answers;
use crate::schema::{Described, Named, Presence, Schema};

answers! {
    /// Whether the log is as it was written.
    AuditVerdict {
        ok: bool,
        /// How many records there are.
        events: u64,
        /// The place of the first record that is not as it was written.
        first_bad: Option<u64>,
        /// The last record that is.
        head: AuditHead,
        /// Changes of files that were begun and of which no end is recorded, by their place.
        open_intents: Vec<u64>,
    }
    /// A record by its place and hash.
    AuditHead {
        /// 0 where there is no record.
        seq: u64,
        hash: String = hash(),
    }
}

/// A page of the log, as `Page::to_json` writes it.
pub(crate) struct AuditPage;

impl Described for AuditPage {
    fn schema(named: &mut Named) -> Schema {
        named.refer("AuditPage", |named| {
            let events = Schema::list(record(named)).about("The newest first.");
            let cursor = Schema::text().pattern("^[1-9][0-9]{0,18}$").or_null();
            let cursor = cursor.about("The parameter `cursor` of the next page; `null` on the last one.");
            let page = Schema::object().member("events", events, Presence::Required);
            page.member("next_cursor", cursor, Presence::Required)
        })
    }
}

/// One record. A row that somebody damaged is shown as far as it can be read, so words and places are not checked here.
fn record(named: &mut Named) -> Schema {
    named.refer("AuditEvent", |named| {
        let events = Event::ALL.iter().map(|event| event.as_str()).collect::<Vec<_>>();
        let members = [
            ("seq", Schema::of("integer").about("The place in the log, from 1 without gaps.")),
            ("at", Schema::time().about("With microseconds.")),
            ("event", Schema::text().with("examples", events)),
            ("actor", party(named)),
            ("target", party(named).or_null()),
            ("outcome", Schema::word(["success", "failure", "denied"]).or_null()),
            ("origin", origin(named)),
            ("request_id", Schema::text().or_null().about("As in the header `X-Request-Id`.")),
            ("details", details(named)),
            ("prev_hash", Schema::text().pattern("^[0-9a-f]*$")),
            ("hash", Schema::text().pattern("^[0-9a-f]*$")),
        ];
        object_of(members)
    })
}

fn party(named: &mut Named) -> Schema {
    named.refer("AuditParty", |_| {
        object_of([
            ("kind", Schema::text()),
            ("id", Schema::text().or_null()),
            (
                "label",
                Schema::text().or_null().about("`null` where there is none, or it was erased."),
            ),
        ])
    })
}

fn origin(named: &mut Named) -> Schema {
    named.refer("AuditOrigin", |_| {
        object_of(["ip", "user_agent", "session"].map(|name| (name, Schema::text().or_null())))
    })
}

/// What is said about a record beyond its members: texts, numbers, flags and lists of texts, never a secret.
fn details(named: &mut Named) -> Schema {
    named.refer("AuditDetails", |_| {
        let value = Schema::either([
            Schema::text(),
            Schema::of("integer"),
            Schema::of("boolean"),
            Schema::list(Schema::text()),
        ]);
        let known = Detail::ALL.iter().map(|detail| detail.as_str()).collect::<Vec<_>>();
        Schema::of("object")
            .with("additionalProperties", value.into_value())
            .about(&format!("Known members: {}.", known.join(", ")))
    })
}

fn hash() -> Schema {
    Schema::text().pattern("^[0-9a-f]{64}$")
}

fn object_of<const N: usize>(members: [(&str, Schema); N]) -> Schema {
    let members = members.into_iter();
    members.fold(Schema::object(), |object, (name, schema)| {
        object.member(name, schema, Presence::Required)
    })
}
