//! What is known to stand in the way of connections, in memory: a provider is asked again after a start. A connection that was made or
//! renewed since is another one.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use dango_actions::BrokenCause;
use dango_core::Timestamp;
use dango_oauth::Cause;
use dango_vault::Connection;

/// How many are remembered: more than a project has sources, and no way to fill the memory.
const MOST: usize = 10_000;

/// Which state of a record something was found out about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edition {
    connected_at: Option<Timestamp>,
    refreshed_at: Option<Timestamp>,
}

impl Edition {
    pub(super) const fn new(connected_at: Option<Timestamp>, refreshed_at: Option<Timestamp>) -> Self {
        Self {
            connected_at,
            refreshed_at,
        }
    }

    pub(super) const fn of(connection: &Connection) -> Self {
        Self::new(connection.connected_at, connection.refreshed_at)
    }
}

/// The connections that are known to be broken, by their names.
#[derive(Default)]
pub(super) struct Troubles(RwLock<HashMap<String, (Edition, BrokenCause)>>);

impl Troubles {
    pub(super) fn note(&self, name: &str, edition: Edition, cause: BrokenCause) {
        let mut broken = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if broken.len() < MOST || broken.contains_key(name) {
            broken.insert(name.to_owned(), (edition, cause));
        }
    }

    pub(super) fn forget(&self, name: &str) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    pub(super) fn of(&self, name: &str, edition: Edition) -> Option<BrokenCause> {
        let broken = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (noted, cause) = broken.get(name)?;
        (*noted == edition).then_some(*cause)
    }
}

/// A cause in the words of the port.
pub(super) const fn broken_cause(cause: Cause) -> BrokenCause {
    match cause {
        Cause::Ended => BrokenCause::Ended,
        Cause::TestingPhase { days } => BrokenCause::TestingPhase { days },
        _ => BrokenCause::Revoked,
    }
}
