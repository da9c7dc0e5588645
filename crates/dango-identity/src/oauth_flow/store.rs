//! Flows that wait, as a store has them: each is given out once.

use async_trait::async_trait;
use dango_core::Timestamp;

use super::OauthFlowRecord;
use crate::store::StoreError;
use crate::token::{TokenDigest, kind};

/// How many flows may wait at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OauthFlowRoom {
    /// Of one session or browser: a further one takes the place of the oldest.
    pub per_starter: u32,
    /// Of all browsers in which nobody is logged in: a further one is not begun, so that a stranger fills no disk and
    /// takes nobody's place.
    pub browsers: u32,
}

impl Default for OauthFlowRoom {
    fn default() -> Self {
        Self {
            per_starter: 8,
            browsers: 10_000,
        }
    }
}

/// What became of a new flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum InsertOauthFlow {
    /// It waits.
    Inserted,
    /// Too many wait already, or one with this `state` does.
    Crowded,
}

/// Flows that wait for their answer. Every method is one whole intent, and happens wholly or not at all, whatever else
/// happens at once.
#[async_trait]
pub trait OauthFlowStore: Send {
    /// Keeps a flow until it is taken or too old; those that are too old now go.
    async fn insert_oauth_flow(
        &mut self,
        flow: &OauthFlowRecord,
        room: OauthFlowRoom,
        now: Timestamp,
    ) -> Result<InsertOauthFlow, StoreError>;

    /// Removes the flow with this `state` and gives it out, whoever asks and however old it is: to one caller, however many
    /// try at once.
    async fn take_oauth_flow(&mut self, state: &TokenDigest<kind::OauthState>) -> Result<Option<OauthFlowRecord>, StoreError>;
}
