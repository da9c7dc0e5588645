//! What happens to a request before its handler: origin, credential, stage, limit, body — in this order, for every route alike.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use dango_actions::{AuthenticateError, Caller, KeyHolder, Need, SignedIn};
use dango_audit::Id;
use dango_identity::{Client, Obligation};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::allowance::Allowance;
use super::{CrossSite, Due, Handler, Limit, ROUTES, Route, Served, Verb, Work};
use crate::app::App;
use crate::ask::Ask;
use crate::client::{self, Peer};
use crate::credential::{Credential, has_session_cookie};
use crate::gate::{OwnHost, RequestId};
use crate::limiter::NotCharged;
use crate::problem::{Problem, code};
use crate::refusal::Refusal;
use crate::{body, cross_site};

/// Who sent the request, as far as it is proven.
enum Holder {
    Session(Box<SignedIn>),
    Key(Box<KeyHolder>),
}

impl Holder {
    /// Who asks, for permissions and records.
    fn caller(&self) -> Caller {
        match self {
            Self::Session(session) => session.caller().clone(),
            Self::Key(key) => key.caller.clone(),
        }
    }
}

/// Answers a request by a route of the table.
pub(crate) async fn serve(index: usize, app: App, request: Request) -> Response {
    let route = &ROUTES[index];
    let address = client_of(&app, &request).address;
    let mut allowance = None;
    let answer = answer(route, app.clone(), request, &mut allowance).await;
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    if route.limit == Limit::Proof {
        Allowance::of_failures(&app, address).describe(&mut response);
    }
    if let Some(allowance) = allowance {
        allowance.describe(&mut response);
    }
    response.extensions_mut().insert(Served::Operation(index));
    response
}

/// Tries a proof: the try is charged before anything is looked at, and given back if it was none that failed.
pub(crate) async fn limited<T>(app: App, address: Option<IpAddr>, work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let charge = app.failures().charge(address, app.clock()).await;
    let charge = charge.map_err(|not_charged| match not_charged {
        NotCharged::Spent(standing) => {
            let problem = Problem::new(code!(rate_limited), "too many failed tries from this address; try again later");
            problem.retry_after(standing.reset)
        }
        NotCharged::Crowded => Problem::new(
            code!(busy),
            "too many logins from this address are being checked; try again in a moment",
        ),
    })?;
    let answer = work.await;
    if !matches!(&answer, Err(problem) if is_failed_proof(problem)) {
        charge.refund();
    }
    answer
}

fn is_failed_proof(problem: &Problem) -> bool {
    matches!(
        problem.code().name,
        "invalid_credentials" | "invalid_code" | "account_locked" | "invite_invalid" | "claim_invalid"
    )
}

/// A request of which is known where it came from, and that no page of another site has sent it.
pub(crate) struct Arrived {
    pub(crate) client: Client,
    pub(crate) request: Id,
    /// The host that it was sent to, by the names that the server answers to.
    pub(crate) host: String,
    pub(crate) parts: Parts,
    pub(crate) sent: axum::body::Body,
}

/// Takes a request in: what operations and pages do alike before they ask who has sent it.
pub(crate) async fn arrive(app: &App, class: CrossSite, request: Request) -> Result<Arrived, Problem> {
    let client = client_of(app, &request);
    let (mut parts, sent) = request.into_parts();
    let host = parts.extensions.remove::<OwnHost>().map(|host| host.0).unwrap_or_default();
    let request = parts
        .extensions
        .remove::<RequestId>()
        .map_or_else(|| app.next_request_id(), |id| id.0);
    let has_cookie = has_session_cookie(&parts.headers, app.site());
    if let Err(problem) = cross_site::check(class, has_cookie, &parts.headers, &host, app.site()) {
        let caller = Caller::anonymous(client).with_request(request);
        record_denial(app, &caller, &problem).await;
        return Err(problem);
    }
    Ok(Arrived {
        client,
        request,
        host,
        parts,
        sent,
    })
}

async fn answer(route: &'static Route, app: App, request: Request, allowance: &mut Option<Allowance>) -> Result<Response, Problem> {
    let Arrived {
        client,
        request,
        host,
        mut parts,
        sent,
    } = arrive(&app, route.cross_site(), request).await?;
    let holder = match route.handler {
        Handler::Open(_) => None,
        _ => {
            let holder = authenticate(&app, &parts, &client, &request).await?;
            let charged;
            (*allowance, charged) = charge(&app, holder.as_ref(), client.address);
            charged?;
            holder
        }
    };
    // A request whose sender is not let through is not read.
    let known = route.permission.zip(holder.as_ref().map(Holder::caller));
    let admitted = match admit(route, holder) {
        Ok(admitted) => admitted,
        Err(not_admitted) => {
            let NotAdmitted { problem, denied } = *not_admitted;
            if let Some(caller) = denied {
                record_denial(&app, &caller, &problem).await;
            }
            return Err(problem);
        }
    };
    if let Some((permission, caller)) = known {
        let checked = app.actions().check(&caller, Need::Permission(permission)).await;
        checked.map_err(|denied| denied.into_problem(app.clock().now()))?;
    }
    let address = client.address;
    let ask = Ask {
        query: parts.extensions.remove().unwrap_or_default(),
        parameters: parameters(&mut parts).await?,
        body: read(route, &parts, sent).await?,
        headers: parts.headers,
        request,
        client,
        host,
        app: app.clone(),
    };
    ask.query.check_names(route.query)?;
    match route.limit {
        Limit::Load => admitted(ask).await,
        Limit::Proof => limited(app, address, admitted(ask)).await,
    }
}

/// Counts the request where its sender has a limit: a key, or whoever is nobody. Sessions have none, since each was a login.
fn charge(app: &App, holder: Option<&Holder>, address: Option<IpAddr>) -> (Option<Allowance>, Result<(), Problem>) {
    match holder {
        Some(Holder::Session(_)) => (None, Ok(())),
        Some(Holder::Key(holder)) => Allowance::charge_key(app, holder.key.id()),
        None => Allowance::charge_stranger(app, address),
    }
}

/// A denial that cannot be recorded is one all the same.
async fn record_denial(app: &App, caller: &Caller, problem: &Problem) {
    if let Err(fault) = app.actions().record_denial(caller, problem.code().name).await {
        tracing::error!(code = fault.code(), "a denial could not be recorded");
    }
}

async fn authenticate(app: &App, parts: &Parts, client: &Client, request: &Id) -> Result<Option<Holder>, Problem> {
    let visitor = || Caller::anonymous(client.clone()).with_request(request.clone());
    let found = match Credential::of(&parts.headers, app.site()) {
        Credential::Absent | Credential::Malformed => return Ok(None),
        Credential::Session(token) => {
            let found = app.actions().authenticate(token, visitor()).await;
            found.map(|found| Holder::Session(Box::new(found)))
        }
        Credential::Key(key) => {
            let found = app.actions().authenticate_key(key, visitor()).await;
            found.map(|found| Holder::Key(Box::new(found)))
        }
    };
    match found {
        Ok(holder) => Ok(Some(holder)),
        Err(AuthenticateError::Unauthenticated) => Ok(None),
        Err(error) => Err(error.into_problem(app.clock().now())),
    }
}

/// Why a request does not get to its handler.
struct NotAdmitted {
    problem: Problem,
    /// Who may not, which is recorded; nothing where it is nobody.
    denied: Option<Caller>,
}

/// The handler with whoever it needs, or why the sender does not get to it.
fn admit(route: &Route, holder: Option<Holder>) -> Result<Box<dyn FnOnce(Ask) -> Work + Send>, Box<NotAdmitted>> {
    let handler = route.handler;
    let nobody = || {
        let problem = match handler {
            // Five minutes later the browser has forgotten the cookie: no session is the same as one that has ended.
            Handler::Partial(_) => Problem::new(code!(session_expired), "the login has taken too long or was ended; log in again"),
            _ => Problem::new(code!(authentication_required), "log in, or send an API key"),
        };
        Box::new(NotAdmitted { problem, denied: None })
    };
    let denied = |caller: &Caller, problem| {
        let denied = Some(caller.clone());
        Err(Box::new(NotAdmitted { problem, denied }))
    };
    let holder = match (handler, holder) {
        (Handler::Open(handler), _) => return Ok(Box::new(handler)),
        (_, None) => return Err(nobody()),
        (_, Some(holder)) => holder,
    };
    let session = match (handler, holder) {
        (Handler::SessionOrKey(handler), Holder::Key(holder)) => match holder.obligation {
            None => return Ok(Box::new(move |ask| handler(holder.caller, ask))),
            Some(obligation) => return denied(&holder.caller, obliged(obligation)),
        },
        (Handler::Key(handler), Holder::Key(holder)) => match holder.obligation {
            // To say what the key is, and to end it, is always allowed.
            Some(obligation) if route.permission.is_some() => return denied(&holder.caller, obliged(obligation)),
            _ => return Ok(Box::new(move |ask| handler(*holder, ask))),
        },
        (Handler::Known(handler), Holder::Key(holder)) => return Ok(Box::new(move |ask| handler(holder.view(), ask))),
        (_, Holder::Key(holder)) => {
            let problem = Problem::new(
                code!(session_required),
                "an API key cannot make or change credentials; log in to do this",
            );
            return denied(&holder.caller, problem);
        }
        (_, Holder::Session(session)) => *session,
    };
    match (handler, session) {
        (Handler::AnySession(handler), session) => Ok(Box::new(move |ask| handler(session, ask))),
        (Handler::Partial(handler), SignedIn::Partial(holder)) => Ok(Box::new(move |ask| handler(holder, ask))),
        (Handler::Partial(_) | Handler::Open(_), _) | (_, SignedIn::Partial(_)) => Err(nobody()),
        (Handler::Known(handler), session) => Ok(Box::new(move |ask| handler(session.view(), ask))),
        (Handler::PasswordChange(handler) | Handler::Enrolment(handler), SignedIn::Full(holder)) => {
            Ok(Box::new(move |ask| handler(Due::Full(holder), ask)))
        }
        (Handler::PasswordChange(handler), SignedIn::Restricted(holder, Obligation::PasswordChange))
        | (Handler::Enrolment(handler), SignedIn::Restricted(holder, Obligation::Enrolment)) => {
            Ok(Box::new(move |ask| handler(Due::Restricted(holder), ask)))
        }
        (Handler::Key(_), SignedIn::Full(holder)) => {
            let problem = Problem::new(code!(key_required), "this is for programs with an API key of their own; send one");
            denied(holder.caller(), problem)
        }
        (Handler::Session(handler), SignedIn::Full(holder)) => Ok(Box::new(move |ask| handler(holder, ask))),
        (Handler::SessionOrKey(handler), SignedIn::Full(holder)) => {
            let caller = holder.caller().clone();
            Ok(Box::new(move |ask| handler(caller, ask)))
        }
        (_, SignedIn::Restricted(holder, obligation)) => denied(holder.caller(), obliged(obligation)),
    }
}

/// What has to be done before anything else.
fn obliged(obligation: Obligation) -> Problem {
    match obligation {
        Obligation::PasswordChange => Problem::new(
            code!(password_change_required),
            "choose a password of your own first: POST /api/auth/change-password",
        ),
        Obligation::Enrolment => Problem::new(
            code!(mfa_enrolment_required),
            "set up a second factor first: POST /api/auth/2fa/setup",
        ),
        // An obligation that this program does not know yet lets nobody do anything.
        _ => Problem::new(code!(permission_denied), "something else has to be done first"),
    }
}

fn client_of(app: &App, request: &Request) -> Client {
    let peer = request.extensions().get::<Peer>().copied();
    client::client(peer, request.headers(), app.trusted_proxies())
}

pub(crate) async fn parameters(parts: &mut Parts) -> Result<Vec<(String, String)>, Problem> {
    let found = RawPathParams::from_request_parts(parts, &()).await;
    let found = found.map_err(|_| Problem::new(code!(malformed_request), "the path is not UTF-8"))?;
    Ok(found.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Reads the body, and no more of it than the route takes.
async fn read(route: &Route, parts: &Parts, sent: axum::body::Body) -> Result<Bytes, Problem> {
    if route.verb == Verb::Get {
        return Ok(Bytes::new());
    }
    if parts.headers.contains_key(header::CONTENT_TYPE) {
        body::check_media_type(&parts.headers)?;
    }
    let read = collect(route.largest_body(), parts, sent).await?;
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

/// Collects a body of at most so many bytes; one that announces more is not waited for.
pub(crate) async fn collect(largest: usize, parts: &Parts, sent: axum::body::Body) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(code!(body_too_large), format!("the body may have at most {largest} bytes"));
    let announced = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > largest as u64) {
        return Err(too_large());
    }
    let read = Limited::new(sent, largest).collect().await.map_err(|error| {
        if error.downcast_ref::<LengthLimitError>().is_some() {
            too_large()
        } else {
            Problem::new(code!(malformed_request), "the body did not arrive whole")
        }
    });
    Ok(read?.to_bytes())
}

/// A body without members.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}
