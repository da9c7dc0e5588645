//! An identity store in memory: for programs that embed the crate in their tests, and the model that other stores are compared with.

mod account;
mod api_key;
mod attempt;
mod factor;
mod invite;
mod link;
mod oauth_flow;
mod session;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bootstrap::BootstrapClaim;
use crate::epoch::SecurityEpoch;
use crate::id::UserId;
use crate::linking::Link;
use crate::oauth_flow::OauthFlowRecord;

/// Every store of this crate, in memory. Clones share their rows.
///
/// Each method happens wholly or not at all, whatever other threads do. Nothing is kept when the last clone is dropped.
#[derive(Clone, Default)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
}

/// The rows, one field per table.
#[derive(Clone, Default)]
struct Tables {
    epochs: HashMap<UserId, SecurityEpoch>,
    /// The epoch of everybody who is not in `epochs`.
    epoch_floor: SecurityEpoch,
    sessions: session::SessionRows,
    factors: factor::FactorRows,
    users: account::UserRows,
    invites: invite::InviteRows,
    claim: Option<BootstrapClaim>,
    attempts: attempt::AttemptRows,
    links: Vec<Link>,
    oauth_flows: Vec<OauthFlowRecord>,
    api_keys: api_key::ApiKeyRows,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A store of its own with the same rows: a transaction that can be thrown away, or put in the place of this one.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            tables: Arc::new(Mutex::new(self.tables().clone())),
        }
    }

    /// The rows, for one method. No method panics between two changes, so a poisoned lock guards whole rows.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
