//! What a caller says happened, before it has a place in the chain: who, what, to whom, from where, how it ended.

use dango_core::Timestamp;

use crate::details::{Detail, Details};
use crate::event::Event;
use crate::party::{Actor, Origin, Target};
use crate::personal::PersonalFacts;
use crate::words::{Id, Seq};

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was tried and could not be done.
    Failure,
    /// It was not allowed.
    Denied,
}

impl Outcome {
    /// The outcome's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Denied => "denied",
        }
    }

    /// Takes an outcome by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Success, Self::Failure, Self::Denied]
            .into_iter()
            .find(|outcome| outcome.as_str() == name)
    }
}

/// Where a record stands between wanting and having done.
///
/// A change in the database is one record. A change of a file is two, because the file is no part of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A file is about to be changed. The record has no outcome and `details.phase` is `intent`.
    Intent,
    /// It ended so.
    Ended(Outcome),
    /// What the record at that place intended ended so; `details.intent` is the place.
    IntentEnded(Seq, Outcome),
}

impl Stage {
    /// How it ended; nothing for an intent.
    pub const fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Intent => None,
            Self::Ended(outcome) | Self::IntentEnded(_, outcome) => Some(outcome),
        }
    }
}

/// An event with everything about it but its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub(crate) at: Timestamp,
    pub(crate) event: Event,
    pub(crate) stage: Stage,
    pub(crate) actor: Actor,
    pub(crate) target: Option<Target>,
    pub(crate) origin: Origin,
    pub(crate) request_id: Option<Id>,
    pub(crate) details: Details,
}

impl Draft {
    /// Says when what was done by whom, and how it ended.
    pub fn new(at: Timestamp, event: Event, actor: Actor, stage: Stage) -> Self {
        Self {
            at,
            event,
            stage,
            actor,
            target: None,
            origin: Origin::default(),
            request_id: None,
            details: Details::new(),
        }
    }

    /// Says what it was done to.
    #[must_use]
    pub fn on(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// Says where it came from.
    #[must_use]
    pub fn from(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// Says which request it was.
    #[must_use]
    pub fn with_request(mut self, id: Id) -> Self {
        self.request_id = Some(id);
        self
    }

    /// Says more about it.
    #[must_use]
    pub fn with_details(mut self, details: Details) -> Self {
        self.details = details;
        self
    }

    /// The same event at another stage: the outcome of what this draft intends.
    #[must_use]
    pub fn at_stage(mut self, at: Timestamp, stage: Stage) -> Self {
        (self.at, self.stage) = (at, stage);
        self
    }

    /// The same draft, saying how many it was about.
    pub(crate) fn with_count(mut self, count: u64) -> Self {
        self.details = self.details.with(Detail::Count, i64::try_from(count).unwrap_or(i64::MAX));
        self
    }

    /// What it was about.
    pub fn event(&self) -> Event {
        self.event
    }

    /// What the record says about the actor as a person, if anything.
    pub fn actor_facts(&self) -> Option<PersonalFacts> {
        self.actor.facts(&self.origin)
    }

    /// What the record says about the target as a person, if anything.
    pub fn target_facts(&self) -> Option<PersonalFacts> {
        self.target.as_ref()?.facts()
    }
}
