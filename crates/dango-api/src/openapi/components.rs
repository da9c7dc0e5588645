//! What operations refer to besides schemas: header fields, and the ways to say who one is.

use dango_identity::PermissionSet;
use serde_json::{Value, json};

use crate::credential::CookieName;
use crate::route::{Route, Stage};

/// A field of an answer's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    RequestId,
    CacheControl,
    Authenticate,
    RetryAfter,
    RateLimit,
    RateLimitPolicy,
    SetCookie,
    ClearSiteData,
}

impl Field {
    const ALL: [Self; 8] = [
        Self::RequestId,
        Self::CacheControl,
        Self::Authenticate,
        Self::RetryAfter,
        Self::RateLimit,
        Self::RateLimitPolicy,
        Self::SetCookie,
        Self::ClearSiteData,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::RequestId => "X-Request-Id",
            Self::CacheControl => "Cache-Control",
            Self::Authenticate => "WWW-Authenticate",
            Self::RetryAfter => "Retry-After",
            Self::RateLimit => "RateLimit",
            Self::RateLimitPolicy => "RateLimit-Policy",
            Self::SetCookie => "Set-Cookie",
            Self::ClearSiteData => "Clear-Site-Data",
        }
    }

    fn described(self) -> Value {
        let (is_always_there, about, schema) = match self {
            Self::RequestId => (
                true,
                "The name of the request in the log and the audit log.",
                json!({"type": "string"}),
            ),
            Self::CacheControl => (true, "Nothing is kept.", json!({"const": "no-store"})),
            Self::Authenticate => (true, "How to say who one is.", json!({"const": "Bearer realm=\"dango\""})),
            Self::RetryAfter => (
                true,
                "After how many seconds to try again.",
                json!({"type": "integer", "minimum": 1}),
            ),
            Self::RateLimit => (
                false,
                "How much of a limit is left, and in how many seconds there is more (draft-ietf-httpapi-ratelimit-headers-10); a line for each limit: \
                 `failures` of proofs from one address, requests of an API `key`, `anonymous` requests from one address.",
                json!({"type": "string", "pattern": "^\"(failures|key|anonymous)\";r=[0-9]+;t=[0-9]+$"}),
            ),
            Self::RateLimitPolicy => (
                false,
                "How much each limit allows in a window of seconds.",
                json!({"type": "string", "pattern": "^\"(failures|key|anonymous)\";q=[0-9]+;w=[0-9]+$"}),
            ),
            Self::SetCookie => (true, "The session, and the browser's mark.", json!({"type": "string"})),
            Self::ClearSiteData => (true, "What the browser is to forget.", json!({"const": "\"cache\", \"storage\""})),
        };
        json!({"description": about, "required": is_always_there, "schema": schema})
    }

    pub(super) fn reference(self) -> Value {
        json!({"$ref": format!("#/components/headers/{}", self.name())})
    }
}

/// The header fields by name.
pub(super) fn headers() -> Value {
    let fields = Field::ALL.into_iter();
    Value::Object(fields.map(|field| (field.name().to_owned(), field.described())).collect())
}

const SESSION: &str = "session";
const PARTIAL_SESSION: &str = "partial_session";
const API_KEY: &str = "api_key";

/// The ways to say who one is.
pub(super) fn security_schemes(is_secure: bool) -> Value {
    let cookie = |about: &str| {
        let name = CookieName::Session.of(is_secure);
        json!({"type": "apiKey", "in": "cookie", "name": name, "description": about})
    };
    json!({
        SESSION: cookie("The cookie that a login gives."),
        PARTIAL_SESSION: cookie("The cookie that a login gives which waits for its second factor; it is good for five minutes."),
        API_KEY: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "dak_…",
            "description": "An API key. With this header the cookie is not looked at.",
        },
    })
}

/// What an operation at a stage takes; one of them is enough.
pub(super) fn security(route: &Route) -> Value {
    let is_of_keys_alone = |permission| PermissionSet::OF_KEYS_ALONE.contains(permission);
    let ways: &[&str] = match route.stage() {
        _ if route.permission.is_some_and(is_of_keys_alone) => &[API_KEY],
        Stage::Key => &[API_KEY],
        Stage::Open => &[],
        Stage::Partial => &[PARTIAL_SESSION],
        Stage::AnySession => &[SESSION, PARTIAL_SESSION],
        Stage::Known | Stage::SessionOrKey => &[SESSION, API_KEY],
        Stage::PasswordChange | Stage::Enrolment | Stage::Session => &[SESSION],
    };
    let ways = ways.iter().map(|way| json!({*way: []}));
    Value::Array(ways.collect())
}
