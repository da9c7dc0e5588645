//! What the tests of the log share: a chain of every kind of record, made in memory, and a way to wait for what never waits.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use dango_audit::{
    Actor, AuditStore, ChainKey, Detail, Details, Draft, Event, Id, Label, MemoryStore, Origin, Outcome, Row, Seq, Stage, Target,
    TargetKind, UserAgent, Word, log,
};
use dango_core::{Entropy, EntropyError, Timestamp};

/// Runs a future that is ready at once, as those over memory are.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing to wait for in memory"),
    }
}

/// Numbers instead of randomness, never twice the same.
pub(crate) struct Counting(pub(crate) AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in buffer.chunks_mut(8) {
            let number = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
        Ok(())
    }
}

pub(crate) fn entropy() -> Counting {
    Counting(AtomicU64::new(1))
}

pub(crate) fn key() -> ChainKey {
    ChainKey::from_derived(&[7; 32])
}

pub(crate) fn id(number: u8) -> Id {
    format!("0192f3a4-7c1e-7abc-8def-0000000000{number:02x}").parse().expect("an id")
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_micros(1_700_000_000_000_000 + second * 1_000_000)
}

pub(crate) fn alice() -> Actor {
    Actor::user(id(1), Label::new("alice@example.com"))
}

pub(crate) fn from_browser() -> Origin {
    Origin {
        ip: Some("192.0.2.7".parse().expect("an address")),
        user_agent: Some(UserAgent::new("Mozilla/5.0 (X11; Linux x86_64)")),
        session: Some(id(9)),
    }
}

/// Six records: a login, a refused one, an intent with its outcome, a change by a key, something of the system.
pub(crate) fn drafts() -> Vec<Draft> {
    let ended = Stage::Ended(Outcome::Success);
    let variable = "STRIPE_API_KEY".parse::<dango_core::VariableName>().expect("a name");
    let set = Draft::new(
        at(2),
        Event::SecretSet,
        Actor::cli(Some("1000".parse().expect("an id")), Some(Label::new("alice"))),
        Stage::Intent,
    )
    .on(Target::new(TargetKind::Variable, &variable))
    .with_details(
        Details::new()
            .with(Detail::Key, &variable)
            .with(Detail::Action, Word::new("created")),
    );
    vec![
        Draft::new(at(0), Event::LoginSuccess, alice(), ended)
            .on(Target::user(&id(1), Label::new("alice@example.com")))
            .from(from_browser())
            .with_request(id(8)),
        Draft::new(at(1), Event::LoginFailure, Actor::unknown(), Stage::Ended(Outcome::Denied)).from(from_browser()),
        set.clone(),
        set.at_stage(at(3), Stage::IntentEnded(Seq::new(3), Outcome::Success)),
        Draft::new(
            at(4),
            Event::RoleChanged,
            Actor::api_key(id(5), Label::new("deploy"), &id(1)),
            ended,
        )
        .on(Target::user(&id(2), Label::new("bob@example.com")))
        .with_details(
            Details::new()
                .with(Detail::OldRole, Word::new("viewer"))
                .with(Detail::NewRole, Word::new("editor")),
        ),
        Draft::new(at(5), Event::ServerStopped, Actor::system(), ended),
    ]
}

pub(crate) fn store_of(drafts: &[Draft]) -> MemoryStore {
    let (mut store, entropy) = (MemoryStore::new(), entropy());
    for draft in drafts {
        now(log::record(&mut store, &key(), &entropy, draft)).expect("memory");
    }
    store
}

/// A row that can be tampered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) event: String,
    pub(crate) actor: String,
    pub(crate) target: Option<String>,
    pub(crate) outcome: Option<String>,
    pub(crate) origin: String,
    pub(crate) request_id: Option<String>,
    pub(crate) details: String,
    pub(crate) prev_hash: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

impl Columns {
    pub(crate) fn of(row: &Row<'_>) -> Self {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            seq: row.seq,
            at: row.at,
            event: row.event.to_owned(),
            actor: row.actor.to_owned(),
            target: owned(row.target),
            outcome: owned(row.outcome),
            origin: row.origin.to_owned(),
            request_id: owned(row.request_id),
            details: row.details.to_owned(),
            prev_hash: row.prev_hash.to_vec(),
            hash: row.hash.to_vec(),
        }
    }

    pub(crate) fn row(&self) -> Row<'_> {
        Row {
            seq: self.seq,
            at: self.at,
            event: &self.event,
            actor: &self.actor,
            target: self.target.as_deref(),
            outcome: self.outcome.as_deref(),
            origin: &self.origin,
            request_id: self.request_id.as_deref(),
            details: &self.details,
            prev_hash: &self.prev_hash,
            hash: &self.hash,
        }
    }
}

pub(crate) fn rows(store: &mut MemoryStore) -> Vec<Columns> {
    let mut rows = Vec::new();
    let visit = &mut |row: &Row<'_>| {
        rows.push(Columns::of(row));
        std::ops::ControlFlow::Continue(())
    };
    now(store.scan(None, visit)).expect("memory");
    rows
}
