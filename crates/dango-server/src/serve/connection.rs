//! One connection from its first byte to its last: HTTP/1 or HTTP/2 by hyper, and the clock beside it.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use dango_api::Peer;
use dango_core::Entropy;
use http::header::{CONNECTION, HOST};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tower_service::Service as _;

use super::body::{Answer, Timed};
use super::head::{BadHead, Framing};
use super::talk::{Patience, Talk};
use super::traffic::Traffic;
use super::wire::Wire;
use crate::limits::Limits;

/// How long a connection may take to end well once its time is over.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// How long one waits at least who is sent away for the load. Whoever comes back at once, as many programs do, would else take the
/// very time from the work that is being done.
const HESITATION: Duration = Duration::from_millis(10);

/// At which beat they are let go, all at once: waking up for each of them takes more time than answering. A second is a number of beats.
const BEAT_MILLIS: u64 = 4;

/// What every connection of a listener has in common.
pub(super) struct Common {
    pub(super) router: Router,
    pub(super) limits: Limits,
    pub(super) traffic: Traffic,
    pub(super) entropy: Arc<dyn Entropy>,
    /// When the listener began, from which its beats are counted.
    pub(super) begun: Instant,
}

/// Serves HTTP/1 until either side has had enough, or the server ends.
pub(super) async fn serve_http1<S>(stream: S, peer: SocketAddr, common: Arc<Common>, ending: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let talk = Talk::begin();
    let limits = common.limits;
    let io = TokioIo::new(Wire::new(stream, Arc::clone(&talk), limits));
    let desk = Desk::new(peer, Arc::clone(&talk), common, Protocol::Http1);
    let connection = http1::Builder::new()
        .max_headers(limits.headers)
        // What is refused by length was refused before.
        .max_buf_size(limits.head_bytes * 4)
        .serve_connection(io, desk);
    let mut connection = pin!(connection);
    watched(&talk, limits, ending, connection.as_mut(), |connection| {
        connection.graceful_shutdown()
    })
    .await;
}

/// The same for HTTP/2, which only TLS brings here.
pub(super) async fn serve_http2<S>(stream: S, peer: SocketAddr, common: Arc<Common>, ending: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let talk = Talk::begin();
    let limits = common.limits;
    let desk = Desk::new(peer, Arc::clone(&talk), common, Protocol::Http2);
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(256 * 1024)
        .max_send_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), desk);
    let mut connection = pin!(connection);
    watched(&talk, limits, ending, connection.as_mut(), |connection| {
        connection.graceful_shutdown()
    })
    .await;
}

/// Drives a connection, ends it well when its time is over or the server ends, and drops it where that does not help.
async fn watched<C, E>(
    talk: &Talk,
    limits: Limits,
    mut ending: watch::Receiver<bool>,
    mut connection: Pin<&mut C>,
    end_well: impl Fn(Pin<&mut C>),
) where
    C: Future<Output = Result<(), E>>,
{
    let mut is_ending = false;
    while let Patience::Left(left) = talk.patience(&limits) {
        // What the connection does changes all the time, and with it the limit that holds; nobody sets the clock again for that.
        let wait = left.min(limits.look_every());
        tokio::select! {
            biased;
            // Whatever went wrong on the way, there is nobody left to tell.
            _ = connection.as_mut() => return,
            _ = ending.wait_for(|is_ending| *is_ending), if !is_ending => {
                is_ending = true;
                end_well(connection.as_mut());
            }
            () = tokio::time::sleep(wait) => {}
        }
    }
    end_well(connection.as_mut());
    let _ = tokio::time::timeout(LAST_MOMENT, connection).await;
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

/// Where the requests of one connection are taken to the router.
struct Desk {
    peer: SocketAddr,
    talk: Arc<Talk>,
    common: Arc<Common>,
    protocol: Protocol,
}

impl Desk {
    const fn new(peer: SocketAddr, talk: Arc<Talk>, common: Arc<Common>, protocol: Protocol) -> Self {
        Self {
            peer,
            talk,
            common,
            protocol,
        }
    }

    /// What was found out about this request, and whether it is the connection's last.
    fn verdict(&self, request: &mut Request<Incoming>) -> Result<Framing, BadHead> {
        match self.protocol {
            // A head that was not looked at is none that the wire has passed on.
            Protocol::Http1 => self.talk.next_verdict().unwrap_or(Err(BadHead::Framing)),
            Protocol::Http2 => one_host(request).map(|()| Framing::Length(0)),
        }
    }
}

/// Puts the authority of HTTP/2 where the router looks for the host; two that differ are none (RFC 9113 §8.3.1).
fn one_host(request: &mut Request<Incoming>) -> Result<(), BadHead> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (host, more) = (hosts.next().cloned(), hosts.next().is_some());
    let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
    match (authority, host) {
        _ if more => Err(BadHead::Host),
        (Some(authority), Some(host)) if !authority.as_bytes().eq_ignore_ascii_case(host.as_bytes()) => Err(BadHead::Host),
        (None, None) => Err(BadHead::Host),
        (Some(authority), None) => {
            let host = HeaderValue::from_str(&authority).map_err(|_| BadHead::Host)?;
            request.headers_mut().insert(HOST, host);
            Ok(())
        }
        (_, Some(_)) => Ok(()),
    }
}

fn answered(answer: Result<Response<Body>, Infallible>) -> Response<Body> {
    match answer {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

/// How long it is until those are let go who are sent away so long after the listener began.
fn until_beat(since: Duration) -> Duration {
    let beyond = u64::from(since.subsec_millis()) % BEAT_MILLIS;
    HESITATION + Duration::from_millis(BEAT_MILLIS - beyond)
}

/// A task that broke off: a panic that the router did not catch, or the end of the runtime.
fn broken_off() -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    answer
}

impl Service<Request<Incoming>> for Desk {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let exchange = self.talk.begin_request();
        let framing = match self.verdict(&mut request) {
            Ok(framing) => framing,
            Err(why) => {
                self.common.traffic.refuse_request(why.code());
                let mut answer = why.answer(&*self.common.entropy);
                if self.protocol == Protocol::Http2 {
                    // A stream is refused there and not a connection.
                    answer.headers_mut().remove(CONNECTION);
                }
                return Box::pin(std::future::ready(Ok(answer.map(|body| Answer::new(body, exchange)))));
            }
        };
        let limit = self.common.limits.body;
        let mut request = request.map(|body| {
            if body.is_end_stream() {
                Body::empty()
            } else {
                Body::new(Timed::new(body, limit))
            }
        });
        request.extensions_mut().insert(Peer(self.peer));
        // A router is ready at any time.
        let is_safe = request.method().is_safe();
        let begun = self.common.begun;
        let answering = self.common.router.clone().call(request);
        Box::pin(async move {
            let mut answer = match is_safe {
                true => answered(answering.await),
                // What changes something is finished, and a proof settled, whoever hangs up meanwhile.
                false => match tokio::spawn(answering).await {
                    Ok(answer) => answered(answer),
                    Err(_) => broken_off(),
                },
            };
            if matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
                tokio::time::sleep(until_beat(begun.elapsed())).await;
            }
            if framing == Framing::Chunked {
                // Nobody looks for the end of these bodies, so nothing is read behind them.
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(answer.map(|body| Answer::new(body, exchange)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_sent_away_is_let_go_at_one_beat_with_the_others_and_in_time() {
        let moments = (0..5_000).map(Duration::from_millis);
        let let_go: std::collections::BTreeSet<Duration> = moments
            .map(|since| {
                let wait = until_beat(since);
                assert!((HESITATION..Duration::from_millis(15)).contains(&wait), "{since:?}: {wait:?}");
                since + wait
            })
            .collect();
        assert_eq!(let_go.len(), 1250);
    }
}
