//! The layer around everything: the host, the load, the request's id, the headers of every answer, and what is written down about it.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use dango_audit::Id;
use dango_core::Timestamp;
use futures_util::FutureExt;

use crate::app::App;
use crate::client::{Peer, address_of, is_trusted};
use crate::problem::{Problem, code};
use crate::query::Query;
use crate::route::{Served, refuse_stranger};
use crate::trace::{Exchange, TraceParent, method_name};
use crate::web::Reader;

/// The header that carries the request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name by which the request called the server, once it is known to be one of its names.
#[derive(Clone, Debug)]
pub(crate) struct OwnHost(pub(crate) String);

/// The request's id, for the records and the log.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) Id);

/// Lets a request in, and makes its answer one that may go out.
pub(crate) async fn gate(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let id = app.next_request_id();
    let method = request.method().clone();
    let peer = request.extensions().get::<Peer>().copied();
    let address = address_of(peer, request.headers(), app.trusted_proxies());
    let reader = Reader::of(&request);
    let trace = app.traces().map(|_| Begun::of(&app, peer, request.headers()));
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut sent_away = false;
    let mut response = match app.admit() {
        Some(_guard) => match admit(&app, &mut request) {
            Ok(()) => guarded(next.run(request)).await,
            Err(problem) => reader.render(&problem, id.as_str()),
        },
        None => {
            sent_away = true;
            let problem = Problem::new(code!(overloaded), "too many requests are being answered; try again in a moment");
            reader.render(&problem, id.as_str())
        }
    };
    if is_unknown(&response)
        && let Some(refused) = refuse_stranger(&app, address)
    {
        response = refused;
    }
    if let Some(problem) = problem_of(&mut response) {
        if problem.code() == code!(rate_limited) {
            app.metrics().count_limited();
        }
        sent_away = is_sent_away(&problem);
        response = completed(reader.render(&problem, id.as_str()), response);
    }
    finish(&app, response.headers_mut(), &id);
    let served = response.extensions().get::<Served>().copied();
    let took = begun.elapsed();
    let status = response.status().as_u16();
    app.metrics().count(served, status, took);
    if sent_away {
        write_down_one_in_a_thousand(&app, &id, served, status);
    } else {
        write_down(&id, &method, served, status, took);
    }
    if let (Some(traces), Some(begun)) = (app.traces(), trace) {
        traces.record(&begun.ended(&app, &id, &method, served, status, took));
    }
    response
}

/// A request as traces see it when it comes.
struct Begun {
    at: Timestamp,
    parent: Option<TraceParent>,
}

impl Begun {
    /// A trace that anybody could name would let strangers write into those of others, so only proxies that are believed name one.
    fn of(app: &App, peer: Option<Peer>, headers: &HeaderMap) -> Self {
        Self {
            at: app.clock().now(),
            parent: is_trusted(peer, app.trusted_proxies()).then(|| TraceParent::of(headers)).flatten(),
        }
    }

    fn ended<'a>(self, app: &App, id: &'a Id, method: &Method, served: Option<Served>, status: u16, took: Duration) -> Exchange<'a> {
        Exchange {
            request_id: id.as_str(),
            method: method_name(method),
            scheme: if app.site().is_secure() { "https" } else { "http" },
            route: served.and_then(Served::path),
            operation: served.and_then(Served::name),
            status,
            began: self.at,
            took,
            parent: self.parent,
        }
    }
}

/// Checks what every request has to get right: it knows the server's name, and carries no credential in its address.
fn admit(app: &App, request: &mut Request) -> Result<(), Problem> {
    let host = host(request)?;
    if !app.site().answers_to(&host) {
        return Err(Problem::new(
            code!(unknown_host),
            "this server does not answer to the name in `Host`; use the address that it was started with",
        ));
    }
    let query = Query::parse(request.uri().query())?;
    let extensions = request.extensions_mut();
    extensions.insert(OwnHost(host));
    extensions.insert(query);
    Ok(())
}

/// The one host that the request names (RFC 9112 §3.2).
fn host(request: &Request) -> Result<String, Problem> {
    let malformed = || Problem::new(code!(malformed_request), "the request does not name exactly one host");
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let header = match (hosts.next(), hosts.next()) {
        (None, _) => None,
        (Some(only), None) => Some(only.to_str().map_err(|_| malformed())?.to_owned()),
        (Some(_), Some(_)) => return Err(malformed()),
    };
    let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
    match (header, authority) {
        (Some(host), None) | (None, Some(host)) => Ok(host),
        (Some(host), Some(authority)) if host.eq_ignore_ascii_case(&authority) => Ok(host),
        _ => Err(malformed()),
    }
}

/// A panic is a bug of ours; the client learns no more than that there is one, and the server goes on.
async fn guarded(answer: impl Future<Output = Response>) -> Response {
    match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!("a handler panicked");
            axum::response::IntoResponse::into_response(Problem::new(code!(internal), "the server made a mistake; its log says more"))
        }
    }
}

/// Whether the router knows no such path, or not this method of it.
fn is_unknown(response: &Response) -> bool {
    let is_nobodys = response.extensions().get::<Served>().is_none() && response.extensions().get::<Problem>().is_none();
    is_nobodys && matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
}

/// What the answer is to say, if it is an error; paths and methods that nobody knows have only a status so far.
fn problem_of(response: &mut Response) -> Option<Problem> {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    if response.headers().contains_key(header::CONTENT_TYPE) {
        return None;
    }
    match response.status() {
        StatusCode::NOT_FOUND => Some(Problem::new(code!(not_found), "there is nothing at this address")),
        StatusCode::METHOD_NOT_ALLOWED => Some(Problem::new(
            code!(method_not_allowed),
            "this address does not know the method; `Allow` says which it knows",
        )),
        _ => None,
    }
}

/// What is said of a problem, with the headers and marks that the answer has already.
fn completed(mut response: Response, answered: Response) -> Response {
    let (parts, _) = answered.into_parts();
    for (name, value) in &parts.headers {
        if *name != header::CONTENT_LENGTH {
            response.headers_mut().append(name, value.clone());
        }
    }
    *response.extensions_mut() = parts.extensions;
    response
}

/// Headers that every answer has (OWASP Secure Headers; ASVS 3.4). A handler's own stand.
fn finish(app: &App, headers: &mut HeaderMap, id: &Id) {
    const ALWAYS: [(HeaderName, HeaderValue); 7] = [
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            HeaderValue::from_static("same-origin"),
        ),
        (
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(value);
    }
    if app.site().is_secure() {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(year);
    }
    let id = HeaderValue::from_str(id.as_str()).expect("an id is plain ASCII");
    headers.insert(REQUEST_ID, id);
}

/// Whether the answer is that too much is asked.
fn is_sent_away(problem: &Problem) -> bool {
    matches!(problem.code().name, "busy" | "overloaded")
}

/// Those who are sent away are the more the less time there is to write, so only one in a thousand is written down, and how many there were.
fn write_down_one_in_a_thousand(app: &App, id: &Id, served: Option<Served>, status: u16) {
    let number = app.metrics().count_sent_away();
    if number % 1000 == 1 {
        tracing::warn!(
            request_id = id.as_str(),
            operation = operation(served),
            status,
            number,
            "sent away because too much is asked"
        );
    } else {
        tracing::debug!(
            request_id = id.as_str(),
            operation = operation(served),
            status,
            "sent away because too much is asked"
        );
    }
}

/// One line a request: words of the program's text and numbers alone, no address, no header, no query.
fn write_down(id: &Id, method: &Method, served: Option<Served>, status: u16, took: Duration) {
    let operation = operation(served);
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if status >= 500 {
        tracing::error!(request_id = id.as_str(), operation, status, micros, "answered");
    } else if (method.is_safe() && status < 400) || status == 429 {
        // Whoever is sent away for asking too often does not fill the log with it.
        tracing::debug!(request_id = id.as_str(), operation, status, micros, "answered");
    } else {
        tracing::info!(request_id = id.as_str(), operation, status, micros, "answered");
    }
}

fn operation(served: Option<Served>) -> &'static str {
    served.and_then(Served::name).unwrap_or("none")
}
