//! OAuth flows in memory, in the order in which they began.

use async_trait::async_trait;
use dango_core::Timestamp;

use super::MemoryStore;
use crate::oauth_flow::{InsertOauthFlow, OauthFlowRecord, OauthFlowRoom, OauthFlowStore, OauthStarter};
use crate::store::StoreError;
use crate::token::{TokenDigest, kind};

#[async_trait]
impl OauthFlowStore for MemoryStore {
    async fn insert_oauth_flow(
        &mut self,
        flow: &OauthFlowRecord,
        room: OauthFlowRoom,
        now: Timestamp,
    ) -> Result<InsertOauthFlow, StoreError> {
        let flows = &mut self.tables().oauth_flows;
        flows.retain(|waiting| now < waiting.expires_at);
        if flows.iter().any(|waiting| waiting.state == flow.state) {
            return Ok(InsertOauthFlow::Crowded);
        }
        let of_starter = |waiting: &OauthFlowRecord| waiting.starter == flow.starter;
        let surplus = (flows.iter().filter(|waiting| of_starter(waiting)).count() + 1).saturating_sub(room.per_starter as usize);
        let mut left = surplus;
        let kept = |waiting: &OauthFlowRecord| {
            let goes = left > 0 && of_starter(waiting);
            left -= usize::from(goes);
            !goes
        };
        let in_browsers = |flows: &[OauthFlowRecord]| {
            let browsers = flows.iter().filter(|waiting| matches!(waiting.starter, OauthStarter::Browser(_)));
            browsers.count()
        };
        if matches!(flow.starter, OauthStarter::Browser(_)) && in_browsers(flows).saturating_sub(surplus) >= room.browsers as usize {
            return Ok(InsertOauthFlow::Crowded);
        }
        flows.retain(kept);
        flows.push(flow.clone());
        Ok(InsertOauthFlow::Inserted)
    }

    async fn take_oauth_flow(&mut self, state: &TokenDigest<kind::OauthState>) -> Result<Option<OauthFlowRecord>, StoreError> {
        let flows = &mut self.tables().oauth_flows;
        let place = flows.iter().position(|waiting| waiting.state == *state);
        Ok(place.map(|place| flows.remove(place)))
    }
}
