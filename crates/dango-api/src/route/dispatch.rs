//! What happens to a request before its handler: origin, credential, stage, limit, body — in this order, for every route alike.

use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use dango_actions::{Caller, KeyHolder, Need, SignedIn};
use dango_identity::{Client, Obligation};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::{Due, Handler, Limit, ROUTES, Route, Served, Verb, Work};
use crate::app::App;
use crate::ask::Ask;
use crate::client::{self, Peer};
use crate::credential::{Credential, has_session_cookie};
use crate::gate::{OwnHost, RequestId};
use crate::limiter::Standing;
use crate::problem::{Problem, code};
use crate::refusal::Refusal;
use crate::{body, cross_site};

/// Who sent the request, as far as it is proven.
enum Holder {
    Session(Box<SignedIn>),
    Key(Box<KeyHolder>),
}

/// Answers a request by a route of the table.
pub(crate) async fn serve(index: usize, app: App, request: Request) -> Response {
    let route = &ROUTES[index];
    let answer = match route.limit {
        Limit::Load => answer(route, app, request).await,
        Limit::Proof => limited(route, app, request).await,
    };
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    response.extensions_mut().insert(Served(index));
    response
}

/// Answers where failures are counted: the try is charged before anything is looked at, and given back if it was none that failed.
async fn limited(route: &'static Route, app: App, request: Request) -> Result<Response, Problem> {
    let address = client_of(&app, &request).address;
    let limited = app.clone();
    let charge = limited.failures().charge(address, app.clock().now());
    let mut response = match charge {
        Ok(charge) => {
            let answer = answer(route, app, request).await;
            let failed = matches!(&answer, Err(problem) if is_failed_proof(problem));
            if !failed {
                limited.failures().refund(&charge);
            }
            answer.unwrap_or_else(IntoResponse::into_response)
        }
        Err(standing) => {
            let problem = Problem::new(code!(rate_limited), "too many failed tries from this address; try again later");
            problem.retry_after(standing.reset).into_response()
        }
    };
    let standing = limited.failures().standing(address, limited.clock().now());
    let window = limited.failures().window();
    describe(&mut response, standing, window.as_secs());
    Ok(response)
}

/// The fields that say how many tries are left (draft-ietf-httpapi-ratelimit-headers-10).
fn describe(response: &mut Response, standing: Standing, window: u64) {
    const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
    const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
    let left = standing.reset.as_secs() + u64::from(standing.reset.subsec_nanos() > 0);
    let policy = format!("\"failures\";q={};w={window}", standing.quota);
    let limit = format!("\"failures\";r={};t={left}", standing.remaining);
    for (name, text) in [(POLICY, policy), (LIMIT, limit)] {
        response
            .headers_mut()
            .insert(name, HeaderValue::try_from(text).expect("numbers are plain ASCII"));
    }
}

fn is_failed_proof(problem: &Problem) -> bool {
    matches!(
        problem.code().name,
        "invalid_credentials" | "invalid_code" | "account_locked" | "invite_invalid" | "claim_invalid"
    )
}

async fn answer(route: &'static Route, app: App, request: Request) -> Result<Response, Problem> {
    let client = client_of(&app, &request);
    let (mut parts, sent) = request.into_parts();
    let host = parts.extensions.remove::<OwnHost>().map(|host| host.0).unwrap_or_default();
    let has_cookie = has_session_cookie(&parts.headers, app.site());
    cross_site::check(route.cross_site(), has_cookie, &parts.headers, &host, app.site())?;
    let request = parts
        .extensions
        .remove::<RequestId>()
        .map_or_else(|| app.next_request_id(), |id| id.0);
    let holder = match route.handler {
        Handler::Open(_) => None,
        _ => authenticate(&app, &parts, &client).await?,
    };
    // A request whose sender is not let through is not read.
    let (caller, admitted) = admit(route.handler, holder)?;
    if let (Some(caller), Some(permission)) = (caller, route.permission) {
        let caller = caller.with_request(request.clone());
        let checked = app.actions().check(&caller, Need::Permission(permission)).await;
        checked.map_err(|denied| denied.into_problem(app.clock().now()))?;
    }
    let ask = Ask {
        query: parts.extensions.remove().unwrap_or_default(),
        parameters: parameters(&mut parts).await?,
        body: read(route, &parts, sent).await?,
        headers: parts.headers,
        request,
        client,
        app,
    };
    ask.query.check_names(route.query)?;
    admitted(ask).await
}

async fn authenticate(app: &App, parts: &Parts, client: &Client) -> Result<Option<Holder>, Problem> {
    match Credential::of(&parts.headers, app.site()) {
        Credential::Absent | Credential::Malformed => Ok(None),
        Credential::Session(token) => {
            let found = app.actions().authenticate(token, client.clone()).await;
            let found = found.map_err(|error| error.into_problem(app.clock().now()))?;
            Ok(Some(Holder::Session(Box::new(found))))
        }
        Credential::Key(key) => {
            let found = app.actions().authenticate_key(key, client.clone()).await;
            let found = found.map_err(|error| error.into_problem(app.clock().now()))?;
            Ok(Some(Holder::Key(Box::new(found))))
        }
    }
}

/// A handler that has whoever it needs.
type Admitted = Box<dyn FnOnce(Ask) -> Work + Send>;

/// The handler with whoever it needs, or why the sender does not get to it.
fn admit(handler: Handler, holder: Option<Holder>) -> Result<(Option<Caller>, Admitted), Problem> {
    let nobody = || Problem::new(code!(authentication_required), "log in, or send an API key");
    let holder = match (handler, holder) {
        (Handler::Open(handler), _) => return Ok((None, Box::new(handler))),
        (_, None) => return Err(nobody()),
        (_, Some(holder)) => holder,
    };
    let session = match (handler, holder) {
        (Handler::SessionOrKey(handler), Holder::Key(holder)) => {
            let caller = holder.caller.clone();
            return Ok((Some(holder.caller), Box::new(move |ask| handler(tagged(&caller, &ask), ask))));
        }
        (Handler::Known(handler), Holder::Key(holder)) => return Ok((None, Box::new(move |ask| handler(holder.view(), ask)))),
        (_, Holder::Key(_)) => {
            return Err(Problem::new(
                code!(session_required),
                "an API key cannot make or change credentials; log in to do this",
            ));
        }
        (_, Holder::Session(session)) => *session,
    };
    match (handler, session) {
        (Handler::AnySession(handler), session) => Ok((None, Box::new(move |ask| handler(session, ask)))),
        (Handler::Partial(handler), SignedIn::Partial(holder)) => Ok((None, Box::new(move |ask| handler(holder, ask)))),
        (Handler::Partial(_), _) | (_, SignedIn::Partial(_)) => Err(nobody()),
        (Handler::Known(handler), session) => Ok((None, Box::new(move |ask| handler(session.view(), ask)))),
        (Handler::PasswordChange(handler) | Handler::Enrolment(handler), SignedIn::Full(holder)) => {
            Ok((None, Box::new(move |ask| handler(Due::Full(holder), ask))))
        }
        (Handler::PasswordChange(handler), SignedIn::Restricted(holder, Obligation::PasswordChange))
        | (Handler::Enrolment(handler), SignedIn::Restricted(holder, Obligation::Enrolment)) => {
            Ok((None, Box::new(move |ask| handler(Due::Restricted(holder), ask))))
        }
        (_, SignedIn::Restricted(_, Obligation::PasswordChange)) => Err(Problem::new(
            code!(password_change_required),
            "choose a password of your own first: POST /api/auth/change-password",
        )),
        (_, SignedIn::Restricted(_, Obligation::Enrolment)) => Err(Problem::new(
            code!(mfa_enrolment_required),
            "set up a second factor first: POST /api/auth/2fa/setup",
        )),
        (Handler::Session(handler), SignedIn::Full(holder)) => Ok((None, Box::new(move |ask| handler(holder, ask)))),
        (Handler::SessionOrKey(handler), SignedIn::Full(holder)) => {
            let caller = holder.caller().clone();
            let known = caller.clone();
            Ok((Some(known), Box::new(move |ask| handler(tagged(&caller, &ask), ask))))
        }
        // An obligation that this program does not know yet lets nobody do anything.
        (_, SignedIn::Restricted(..)) => Err(Problem::new(code!(permission_denied), "something else has to be done first")),
        (Handler::Open(_), _) => Err(nobody()),
    }
}

fn tagged(caller: &Caller, ask: &Ask) -> Caller {
    caller.clone().with_request(ask.request.clone())
}

fn client_of(app: &App, request: &Request) -> Client {
    let peer = request.extensions().get::<Peer>().copied();
    client::client(peer, request.headers(), app.trusted_proxies())
}

async fn parameters(parts: &mut Parts) -> Result<Vec<(String, String)>, Problem> {
    let found = RawPathParams::from_request_parts(parts, &()).await;
    let found = found.map_err(|_| Problem::new(code!(malformed_request), "the path is not UTF-8"))?;
    Ok(found.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Reads the body, and no more of it than the route takes.
async fn read(route: &Route, parts: &Parts, sent: axum::body::Body) -> Result<Bytes, Problem> {
    if route.verb == Verb::Get {
        return Ok(Bytes::new());
    }
    let largest = route.largest_body();
    let too_large = || Problem::new(code!(body_too_large), format!("the body may have at most {largest} bytes"));
    let announced = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > largest as u64) {
        return Err(too_large());
    }
    let is_typed = parts.headers.contains_key(header::CONTENT_TYPE);
    if is_typed {
        body::check_media_type(&parts.headers)?;
    }
    let read = Limited::new(sent, largest).collect().await.map_err(|error| {
        if error.downcast_ref::<LengthLimitError>().is_some() {
            too_large()
        } else {
            Problem::new(code!(malformed_request), "the body did not arrive whole")
        }
    });
    let read = read?.to_bytes();
    match (route.takes, read.is_empty()) {
        (Some(_), false) => {
            body::check_media_type(&parts.headers)?;
            Ok(read)
        }
        (Some(_), true) | (None, true) => Ok(read),
        // An empty object is what some clients send for nothing.
        (None, false) => {
            body::check_media_type(&parts.headers)?;
            body::parse::<Nothing>(&read)?;
            Ok(Bytes::new())
        }
    }
}

/// A body without members.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}
