//! Answers of handlers that were done: JSON, with the cookies that go with it.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use dango_core::Timestamp;
use dango_identity::{AnySession, DeviceToken, IssuedSession, OAUTH_FLOW_TTL, PlainToken, SessionRecord, kind};
use serde::Serialize;

use crate::credential::CookieName;
use crate::problem::{Problem, code};
use crate::site::Site;
use crate::wire::Success;

/// How long a browser keeps its mark, in seconds: as long as it counts.
const DEVICE_SECONDS: u64 = DeviceToken::TTL.as_secs();

/// An answer with a JSON body.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Result<Response, Problem> {
    let text = serde_json::to_vec(body).map_err(|_| Problem::new(code!(internal), "the answer cannot be written"))?;
    Ok(text_of(status, text))
}

/// An answer whose JSON is written already.
pub(crate) fn text_of(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// `{"success":true}`.
pub(crate) fn success() -> Result<Response, Problem> {
    json(StatusCode::OK, &Success { success: true })
}

/// Gives the browser a session.
pub(crate) fn set_session(response: &mut Response, issued: &IssuedSession, now: Timestamp, site: &Site) {
    let record = record(&issued.session);
    let left = record.expires_at.unix_micros().saturating_sub(now.unix_micros()) / 1_000_000;
    let seconds = u64::try_from(left).unwrap_or(0).max(1);
    append(response, CookieName::Session.set(issued.token.expose(), seconds, site));
}

/// Gives the browser the mark by which the account knows it again.
pub(crate) fn set_device(response: &mut Response, device: &DeviceToken, site: &Site) {
    append(response, CookieName::Device.set(device.expose(), DEVICE_SECONDS, site));
}

/// Gives the browser what it shows again when it comes back from a login provider.
pub(crate) fn set_flow_browser(response: &mut Response, browser: &PlainToken<kind::OauthBrowser>, site: &Site) {
    append(response, CookieName::Flow.set(browser.expose(), OAUTH_FLOW_TTL.as_secs(), site));
}

/// Takes it away: the browser is back.
pub(crate) fn clear_flow_browser(response: &mut Response, site: &Site) {
    append(response, CookieName::Flow.set("", 0, site));
}

/// Takes the session away, and everything else that the browser keeps of this origin, but for its mark, which is no credential.
pub(crate) fn clear_session(response: &mut Response, site: &Site) {
    append(response, CookieName::Session.set("", 0, site));
    let all = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert("clear-site-data", all);
}

fn append(response: &mut Response, cookie: HeaderValue) {
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

fn record(session: &AnySession) -> &SessionRecord {
    session.record()
}
