//! A record as people and programs read it: the columns of a row with the personal data put in. Whether it is genuine is not asked here.

use std::collections::HashMap;

use dango_core::Timestamp;
use data_encoding::HEXLOWER;
use serde_json::Value;

use crate::chain::personal_of;
use crate::digest::{DIGEST_LENGTH, Digest};
use crate::draft::Outcome;
use crate::encoding::Row;
use crate::json;
use crate::personal::PersonalFacts;
use crate::words::{NAME_MAX, harmless, is_dangerous};

/// An actor or a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The kind's name.
    pub kind: String,
    /// The public id, or the name of a thing.
    pub id: Option<String>,
    /// How the person or thing was called; nothing if it had no label or the label is gone.
    pub label: Option<String>,
    /// Whether the record had personal data that is gone: erased, or changed so that nobody should believe it.
    pub is_withheld: bool,
    personal: Option<Digest>,
}

/// A record for reading: listed, shown, exported.
///
/// Columns that somebody changed are shown as far as they can be, so a damaged log can still be read; [`Verifier`](crate::Verifier) says which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// The place in the chain.
    pub seq: i64,
    /// When, in microseconds since the epoch.
    pub at: Timestamp,
    /// The event's name; one that this version does not know is possible.
    pub event: String,
    /// Who did it.
    pub actor: Party,
    /// What it was done to.
    pub target: Option<Party>,
    /// How it ended; nothing for an intent.
    pub outcome: Option<Outcome>,
    /// The client's address.
    pub ip: Option<String>,
    /// What the client said it is.
    pub user_agent: Option<String>,
    /// The session's public id.
    pub session: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// The details, a JSON object of one line.
    pub details: String,
    /// The hash of the record before, in hexadecimal digits.
    pub prev_hash: String,
    /// The hash of this record, in hexadecimal digits.
    pub hash: String,
}

impl AuditEvent {
    /// Reads a row; the personal data is put in with [`AuditEvent::resolve`].
    pub fn from_row(row: &Row<'_>) -> Self {
        let origin = serde_json::from_str::<Value>(row.origin).unwrap_or(Value::Null);
        Self {
            seq: row.seq,
            at: Timestamp::from_unix_micros(row.at),
            event: harmless(row.event, NAME_MAX),
            actor: party(row.actor),
            target: row.target.map(party),
            outcome: row.outcome.and_then(Outcome::from_name),
            ip: None,
            user_agent: None,
            session: text_of(&origin, "session"),
            request_id: row.request_id.map(|id| harmless(id, NAME_MAX)),
            details: details(row.details),
            prev_hash: hex(row.prev_hash),
            hash: hex(row.hash),
        }
    }

    /// The entries of personal data that the record refers to.
    pub fn personal(&self) -> impl Iterator<Item = Digest> {
        let target = self.target.as_ref().and_then(|target| target.personal);
        self.actor.personal.into_iter().chain(target)
    }

    /// Puts in the personal data that was found; what was not found is withheld.
    pub fn resolve(&mut self, found: &HashMap<Digest, PersonalFacts>) {
        let find = |party: &mut Party| {
            let facts = found.get(&party.personal?);
            party.is_withheld = facts.is_none();
            party.label = facts.and_then(|facts| facts.label().map(str::to_owned));
            facts
        };
        if let Some(facts) = find(&mut self.actor) {
            self.ip = facts.ip().map(str::to_owned);
            self.user_agent = facts.user_agent().map(str::to_owned);
        }
        self.target.as_mut().and_then(find);
    }

    /// The time as RFC 3339 in UTC with microseconds.
    pub fn time(&self) -> String {
        let seconds = self.at.to_string();
        match seconds.strip_suffix('Z') {
            Some(seconds) => format!("{seconds}.{:06}Z", self.at.unix_micros().rem_euclid(1_000_000)),
            None => seconds,
        }
    }

    /// The record as a JSON object of one line, its members in the order of the contract.
    pub fn to_json(&self) -> String {
        let mut out = String::with_capacity(768);
        out.push_str("{\"seq\":");
        out.push_str(&self.seq.to_string());
        json::push_member(&mut out, "at", Some(&self.time()));
        json::push_member(&mut out, "event", Some(&self.event));
        json::push_name(&mut out, "actor");
        push_party(&mut out, Some(&self.actor));
        json::push_name(&mut out, "target");
        push_party(&mut out, self.target.as_ref());
        json::push_member(&mut out, "outcome", self.outcome.map(Outcome::as_str));
        json::push_name(&mut out, "origin");
        out.push('{');
        json::push_member(&mut out, "ip", self.ip.as_deref());
        json::push_member(&mut out, "user_agent", self.user_agent.as_deref());
        json::push_member(&mut out, "session", self.session.as_deref());
        out.push('}');
        json::push_member(&mut out, "request_id", self.request_id.as_deref());
        json::push_name(&mut out, "details");
        out.push_str(&self.details);
        json::push_member(&mut out, "prev_hash", Some(&self.prev_hash));
        json::push_member(&mut out, "hash", Some(&self.hash));
        out.push('}');
        out
    }
}

fn push_party(out: &mut String, party: Option<&Party>) {
    let Some(party) = party else {
        return out.push_str("null");
    };
    out.push('{');
    json::push_member(out, "kind", Some(&party.kind));
    json::push_member(out, "id", party.id.as_deref());
    json::push_member(out, "label", party.label.as_deref());
    out.push('}');
}

fn party(stored: &str) -> Party {
    let value = serde_json::from_str::<Value>(stored).unwrap_or(Value::Null);
    Party {
        kind: text_of(&value, "kind").unwrap_or_else(|| "unreadable".to_owned()),
        id: text_of(&value, "id"),
        label: None,
        is_withheld: false,
        personal: personal_of(stored),
    }
}

fn text_of(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(|text| harmless(text, NAME_MAX))
}

/// The stored text if it is an object of one harmless line, so it can stand inside another.
fn details(stored: &str) -> String {
    let is_object = serde_json::from_str::<Value>(stored).is_ok_and(|value| value.is_object());
    if is_object && !stored.chars().any(is_dangerous) {
        stored.to_owned()
    } else {
        "{\"unreadable\":true}".to_owned()
    }
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&bytes[..bytes.len().min(DIGEST_LENGTH)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_that_somebody_damaged_are_still_one_line_of_json() {
        let row = Row {
            seq: -5,
            at: i64::MAX,
            event: "a\nb\u{202e}",
            actor: "not json",
            target: Some("[1]"),
            outcome: Some("fine"),
            origin: "{\"session\":\"\u{1b}[31m\"}",
            request_id: Some("\u{2028}"),
            details: "{}},\"seq\":1,\"x\":{",
            prev_hash: b"short",
            hash: &[0; 1000],
        };
        let json = AuditEvent::from_row(&row).to_json();
        let value: Value = serde_json::from_str(&json).expect("JSON");
        assert!(!json.chars().any(is_dangerous), "{json}");
        assert_eq!(
            (&value["seq"], &value["details"]["unreadable"]),
            (&Value::from(-5), &Value::Bool(true))
        );
        assert_eq!(value["outcome"], Value::Null);
    }

    proptest! {
        #[test]
        fn whatever_stands_in_the_columns_is_one_object_with_one_of_each_member(texts in proptest::collection::vec(".{0,40}", 5), nested in "[{}\\[\\]\",:a]{0,20}") {
            let row = Row {
                seq: 1,
                at: 0,
                event: &texts[0],
                actor: &nested,
                target: Some(&texts[1]),
                outcome: Some(&texts[2]),
                origin: &texts[3],
                request_id: Some(&texts[4]),
                details: &nested,
                prev_hash: &[],
                hash: &[],
            };
            let json = AuditEvent::from_row(&row).to_json();
            prop_assert!(!json.chars().any(is_dangerous));
            let value: Value = serde_json::from_str(&json).expect("JSON");
            prop_assert_eq!(value.as_object().map(serde_json::Map::len), Some(11));
            prop_assert!(value["details"].is_object());
        }
    }
}
