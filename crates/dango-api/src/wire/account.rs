//! Sessions, API keys and second factors as answers show them.

use dango_core::Timestamp;
use dango_identity::{ApiKeyRecord, KeyScopes, Permission, PermissionSet, SessionId, SessionRecord};
use serde::Serialize;

use super::{SCOPE_ADMIN, answers};
use crate::schema::{Described, Named, Presence, Schema};

answers! {
    /// The object *session*.
    Session {
        id: String = Schema::id(),
        ip_address: Option<String>,
        user_agent: Option<String>,
        created_at: String = Schema::time(),
        last_activity: String = Schema::time(),
        /// Whether the request was sent in it.
        is_current: bool,
    }
    /// The object *api key*.
    ApiKey {
        id: String = Schema::id(),
        name: String,
        /// What the key begins with.
        key_prefix: String,
        created_at: String = Schema::time(),
        last_used_at: Option<String> = Schema::time(),
        expires_at: Option<String> = Schema::time(),
        is_expired: bool,
        /// `admin`, and the permissions that it names; without any it has all of its owner's that need not be named.
        scopes: Vec<&'static str> = Schema::list(scope()),
    }
    /// A login provider, and whether an account there opens one's own.
    LoginWay<'a> {
        /// The name that requests have for it.
        provider: &'a str,
        title: &'a str,
        linked_at: Option<String> = Schema::time(),
        /// Whether it can be logged in with: a link may outlive the settings of the server.
        is_configured: bool,
    }
    /// Where the browser has to go.
    BegunLink<'a> {
        /// It is good for ten minutes, in this session.
        url: &'a str = Schema::text().pattern("^https?://"),
    }
    /// What an authenticator app needs; it is shown once.
    Enrolment<'a> {
        /// In base32.
        secret: &'a str = Schema::text().pattern("^[A-Z2-7]+$"),
        provisioning_uri: &'a str = Schema::text().pattern("^otpauth://totp/"),
        /// A drawing of the URI.
        qr_svg: &'a str = Schema::text().with("contentMediaType", "image/svg+xml"),
    }
    /// Codes for whoever loses the second factor, each good for once; they are shown once.
    RecoveryCodes {
        recovery_codes: Vec<String> = Schema::list(Schema::text().pattern("^[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}$")),
    }
}

/// What a key may be allowed.
pub(super) fn scope() -> Schema {
    Schema::word(std::iter::once(SCOPE_ADMIN).chain(Permission::ALL.iter().map(|permission| permission.name())))
}

/// What a key may be asked for: administering people stands for its permissions.
pub(super) fn requested_scope() -> Schema {
    let named = Permission::ALL
        .iter()
        .filter(|permission| !KeyScopes::ADMINISTRATION.contains(**permission));
    Schema::word(std::iter::once(SCOPE_ADMIN).chain(named.map(|permission| permission.name())))
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

impl<'a> From<&'a dango_actions::LoginWay> for LoginWay<'a> {
    fn from(way: &'a dango_actions::LoginWay) -> Self {
        Self {
            provider: &way.name,
            title: &way.title,
            linked_at: way.linked_at.map(|at| at.to_string()),
            is_configured: way.is_configured,
        }
    }
}

impl ApiKey {
    pub(crate) fn new(record: &ApiKeyRecord, now: Timestamp) -> Self {
        let ends = [record.expires_at, record.retiring_until].into_iter().flatten().min();
        let administers = record.scopes.administration == dango_identity::Administration::Granted;
        let named = record.scopes.permissions.unwrap_or(PermissionSet::EMPTY);
        let mut scopes: Vec<&'static str> = named.iter().map(Permission::name).collect();
        scopes.extend(administers.then_some(SCOPE_ADMIN));
        Self {
            id: record.id.to_string(),
            name: record.name.to_string(),
            key_prefix: record.prefix.to_string(),
            created_at: record.created_at.to_string(),
            last_used_at: record.last_used.as_ref().map(|last| last.at.to_string()),
            expires_at: ends.map(|end| end.to_string()),
            is_expired: ends.is_some_and(|end| now >= end),
            scopes,
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

impl Described for IssuedKey<'_> {
    fn schema(named: &mut Named) -> Schema {
        named.refer("IssuedKey", |named| {
            ApiKey::schema(named);
            let record = named.find("ApiKey").cloned().unwrap_or_default();
            let key = Schema::text().pattern("^dak_[0-9A-Za-z]{46}$");
            record.member(
                "key",
                key.about("The key itself: this is the only time that it is shown."),
                Presence::Required,
            )
        })
    }
}
