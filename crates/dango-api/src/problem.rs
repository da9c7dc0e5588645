//! What went wrong, as clients get it: problem documents (RFC 9457) with a stable code. The codes and their statuses stand in one table.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

/// The media type of problem documents (RFC 9457 §6.1).
pub(crate) const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// How to prove who one is (RFC 6750 §3).
pub(crate) const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"dango\"");

/// A kind of problem: what stays the same whenever it occurs.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The stable code; `type` is a URN made of it.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// A short summary for people.
    pub title: &'static str,
}

macro_rules! codes {
    ($($name:ident = $status:literal, $title:literal;)*) => {
        /// Every kind of problem that the server answers with, in the order of their statuses.
        pub const CODES: &[Code] = &[$(Code { name: stringify!($name), status: $status, title: $title },)*];
    };
}

codes! {
    malformed_request = 400, "The request cannot be read";
    malformed_json = 400, "The body is not JSON";
    secret_in_url = 400, "A credential does not belong in a URL";
    bad_request_line = 400, "The first line of the request is malformed";
    bad_target = 400, "The target of the request is no path";
    bad_host = 400, "The request does not name exactly one host";
    ambiguous_length = 400, "The length of the body is ambiguous";
    bad_content_length = 400, "The length of the body is no number";
    bad_transfer_encoding = 400, "The transfer encoding is not known";
    bad_header_line = 400, "A header is malformed";
    authentication_required = 401, "A login or an API key is required";
    invalid_credentials = 401, "The credentials are not right";
    invalid_code = 401, "The code is not valid";
    session_expired = 401, "The session has ended";
    permission_denied = 403, "Not allowed";
    session_required = 403, "A login is required; an API key cannot do this";
    key_required = 403, "An API key is required; a login cannot do this";
    reauthentication_required = 403, "A fresh login is required";
    password_change_required = 403, "The password has to be changed first";
    mfa_enrolment_required = 403, "A second factor has to be set up first";
    local_password_refused = 403, "This account has no password here";
    cross_site = 403, "The request comes from another site";
    auth_disabled = 403, "Signing in is switched off";
    not_found = 404, "There is no such thing";
    method_not_allowed = 405, "The method is not allowed here";
    user_exists = 409, "There is such a user already";
    last_admin = 409, "The last administrator has to stay";
    last_login = 409, "Nothing else would open the account";
    own_account = 409, "Nobody does this to their own account";
    current_session = 409, "This is the current session";
    already_enabled = 409, "It is enabled already";
    not_enabled = 409, "It is not enabled";
    no_pending_setup = 409, "No enrolment is waiting for a code";
    invite_accepted = 409, "The invitation has been accepted";
    user_inactive = 409, "The account is deactivated";
    file_unparsable = 409, "A file of the project cannot be read";
    second_factor_unverifiable = 409, "The second factor cannot be checked";
    invite_invalid = 410, "The invitation is not valid";
    claim_invalid = 410, "The setup link is not valid";
    body_too_large = 413, "The body is too large";
    unsupported_media_type = 415, "The body has to be JSON";
    unknown_host = 421, "This server has another name";
    invalid_body = 422, "The body is not as described";
    invalid_parameter = 422, "A parameter is not as described";
    invalid_key = 422, "The name of the variable is not valid";
    invalid_value = 422, "The value cannot be stored";
    weak_password = 422, "The password may not be chosen";
    password_unchanged = 422, "The password is the current one";
    invalid_expiry = 422, "The expiry is not valid";
    scope_exceeds_owner = 422, "The key would be allowed more than its owner";
    confirmation_mismatch = 422, "The confirmation does not match";
    account_locked = 423, "The account is locked";
    rate_limited = 429, "Too many requests";
    head_too_large = 431, "The head of the request is too large";
    internal = 500, "Something is wrong with the server";
    provider_failed = 502, "The provider could not do its part";
    audit_unavailable = 503, "The audit log cannot be written";
    database_unavailable = 503, "The database cannot be used";
    database_damaged = 503, "The database is damaged";
    encryption_key_unavailable = 503, "The encryption key cannot be used";
    disk_full = 503, "The disk is full";
    file_read_only = 503, "The project is on a read-only file system";
    file_permission_denied = 503, "The server may not use the project's files";
    file_busy = 503, "Another program is at the project's files";
    file_not_durable = 503, "The change is made, but not sure to be on the disk";
    file_unusable = 503, "The project's files cannot be used";
    stopping = 503, "The server is stopping";
    no_randomness = 503, "The server has no randomness";
    no_memory = 503, "The server has not enough memory";
    interrupted = 503, "The work was broken off";
    busy = 503, "The server is busy";
    overloaded = 503, "The server is overloaded";
    too_many_connections = 503, "There are too many connections";
    not_ready = 503, "The server is not ready";
}

impl Code {
    /// Finds a kind by its code.
    pub const fn find(name: &str) -> Option<&'static Self> {
        let mut index = 0;
        while index < CODES.len() {
            if same(CODES[index].name, name) {
                return Some(&CODES[index]);
            }
            index += 1;
        }
        None
    }
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    one.len() == other.len() && index == one.len()
}

/// Names a kind of problem; a name that is not in the table does not compile.
macro_rules! code {
    ($name:ident) => {
        const {
            match $crate::problem::Code::find(stringify!($name)) {
                Some(code) => code,
                None => panic!("no such code in the table"),
            }
        }
    };
}
pub(crate) use code;

/// One occurrence of a problem. It never holds a value that a client sent, a path, SQL or a backtrace.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    code: &'static Code,
    detail: Cow<'static, str>,
    members: Map<String, Value>,
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem, with a sentence for a person.
    pub(crate) fn new(code: &'static Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            members: Map::new(),
            retry_after: None,
        }
    }

    /// A problem that an action named. A code that is not in the table is a bug of ours, and is answered as one.
    pub(crate) fn named(name: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        match Code::find(name) {
            Some(code) => Self::new(code, detail),
            None => {
                tracing::error!(code = name, "an error has no place in the table of problems");
                Self::new(code!(internal), "the server made a mistake; its log says more")
            }
        }
    }

    /// Says when it is worth trying again, in whole seconds, at least one.
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// Adds a member to the document.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The sentence for a person.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) const fn code(&self) -> &'static Code {
        self.code
    }

    /// How long to wait before trying again, in seconds, where that is known.
    pub(crate) const fn wait(&self) -> Option<u64> {
        self.retry_after
    }

    /// Every reason why a password may not be chosen, as sentences.
    pub(crate) fn issues(&self) -> impl Iterator<Item = &str> {
        let issues = self.members.get("issues").and_then(Value::as_array);
        issues.into_iter().flatten().filter_map(|issue| issue["message"].as_str())
    }

    /// The answer, with the id under which the log knows the request.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        let mut document = Map::new();
        document.insert("type".to_owned(), format!("urn:dango:problem:{}", self.code.name).into());
        document.insert("title".to_owned(), self.code.title.into());
        document.insert("status".to_owned(), self.code.status.into());
        document.insert("detail".to_owned(), self.detail.clone().into());
        document.insert("code".to_owned(), self.code.name.into());
        document.insert("request_id".to_owned(), request_id.into());
        document.extend(self.members.clone());
        let text = Value::Object(document).to_string();
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        if self.code.status == 401 {
            headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
        }
        let wait = match (self.retry_after, self.code.status) {
            (None, 423 | 429 | 503) => Some(1),
            (wait, _) => wait,
        };
        if let Some(wait) = wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        response
    }
}

/// The document is written at the gate, which knows the request's id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(self.code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_once_and_the_table_is_in_order() {
        for (place, code) in CODES.iter().enumerate() {
            assert!(CODES[..place].iter().all(|earlier| earlier.name != code.name), "{}", code.name);
            assert!(CODES[..place].iter().all(|earlier| earlier.status <= code.status), "{}", code.name);
            assert!(code.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        }
    }

    #[test]
    fn a_document_has_all_members_and_whoever_has_to_wait_is_told_how_long() {
        let problem = Problem::new(code!(account_locked), "the account is locked").with("retry_after_seconds", 7);
        let response = problem.retry_after(Duration::from_millis(6001)).render("id-1");
        assert_eq!(response.status(), 423);
        assert_eq!(response.headers()[header::RETRY_AFTER], "7");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let busy = Problem::new(code!(busy), "later").render("id-2");
        assert_eq!(busy.headers()[header::RETRY_AFTER], "1");
        assert!(
            Problem::new(code!(invalid_code), "no")
                .render("id-3")
                .headers()
                .contains_key(header::WWW_AUTHENTICATE)
        );
    }

    #[test]
    fn a_code_that_nobody_knows_is_a_bug_and_not_an_answer() {
        assert_eq!(Problem::named("no_such_code", "…").code().name, "internal");
        assert_eq!(Problem::named("last_admin", "…").code().status, 409);
    }
}
