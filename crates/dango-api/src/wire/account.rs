//! Sessions and API keys as answers show them.

use dango_core::Timestamp;
use dango_identity::{ApiKeyRecord, SessionId, SessionRecord};
use serde::Serialize;

/// The object *session*.
#[derive(Debug, Serialize)]
pub(crate) struct Session {
    id: String,
    ip_address: Option<String>,
    user_agent: Option<String>,
    created_at: String,
    last_activity: String,
    is_current: bool,
}

impl Session {
    pub(crate) fn new(record: &SessionRecord, current: SessionId) -> Self {
        Self {
            id: record.id.to_string(),
            ip_address: record.client.address.map(|address| address.to_string()),
            user_agent: record.client.user_agent.as_ref().map(ToString::to_string),
            created_at: record.created_at.to_string(),
            last_activity: record.last_active.to_string(),
            is_current: record.id == current,
        }
    }
}

/// The object *api key*.
#[derive(Debug, Serialize)]
pub(crate) struct ApiKey {
    id: String,
    name: String,
    key_prefix: String,
    created_at: String,
    last_used_at: Option<String>,
    expires_at: Option<String>,
    is_expired: bool,
    scopes: Vec<&'static str>,
}

impl ApiKey {
    pub(crate) fn new(record: &ApiKeyRecord, now: Timestamp) -> Self {
        let ends = [record.expires_at, record.retiring_until].into_iter().flatten().min();
        let administers = record.scopes.administration == dango_identity::Administration::Granted;
        Self {
            id: record.id.to_string(),
            name: record.name.to_string(),
            key_prefix: record.prefix.to_string(),
            created_at: record.created_at.to_string(),
            last_used_at: record.last_used.as_ref().map(|last| last.at.to_string()),
            expires_at: ends.map(|end| end.to_string()),
            is_expired: ends.is_some_and(|end| now >= end),
            scopes: if administers { vec!["admin"] } else { Vec::new() },
        }
    }
}

/// A key that was made, with the key itself; it is shown once.
#[derive(Serialize)]
pub(crate) struct IssuedKey<'a> {
    #[serde(flatten)]
    pub(crate) record: ApiKey,
    pub(crate) key: &'a str,
}

/// What an authenticator app needs.
#[derive(Serialize)]
pub(crate) struct Enrolment<'a> {
    pub(crate) secret: &'a str,
    pub(crate) provisioning_uri: &'a str,
    pub(crate) qr_svg: &'a str,
}
