//! A listener with a router of its own, spoken to byte by byte.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::to_bytes;
use axum::extract::Request;
use axum::routing::{any, get};
use dango_core::OsEntropy;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::*;

/// What the requests of a test found.
#[derive(Default)]
struct Seen {
    requests: AtomicUsize,
    begun: Notify,
    release: Notify,
}

struct Listening {
    runtime: Runtime,
    address: SocketAddr,
    ending: watch::Sender<bool>,
    served: Option<tokio::task::JoinHandle<usize>>,
    seen: Arc<Seen>,
}

/// Times that no test reaches.
fn patient() -> Limits {
    let hour = Duration::from_secs(3600);
    Limits {
        header: hour,
        body: hour,
        exchange: hour,
        idle: hour,
        linger: Duration::from_millis(200),
        ..Limits::default()
    }
}

const SOON: Duration = Duration::from_millis(50);

fn listen(limits: Limits) -> Listening {
    let seen = Arc::new(Seen::default());
    let (echoes, slow) = (Arc::clone(&seen), Arc::clone(&seen));
    let echo = async move |request: Request| {
        echoes.requests.fetch_add(1, Ordering::Relaxed);
        let path = request.uri().path().to_owned();
        match to_bytes(request.into_body(), 1 << 20).await {
            Ok(body) => (http::StatusCode::OK, format!("{path} {}", body.len())),
            Err(error) => (http::StatusCode::REQUEST_TIMEOUT, error.to_string()),
        }
    };
    let wait = async move || {
        slow.begun.notify_one();
        slow.release.notified().await;
        "done"
    };
    let router = Router::new()
        .route("/slow", get(wait))
        .route("/large", get(async || "x".repeat(64 << 20)))
        .fallback(any(echo));
    let runtime = Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let listener = bind("127.0.0.1:0".parse().expect("an address")).expect("a socket");
    let address = listener.local_addr().expect("its own");
    let (ending, ends) = watch::channel(false);
    let plan = DoorPlan {
        router,
        tls: None,
        limits,
        trusted_proxies: Vec::new(),
        traffic: Traffic::default(),
        entropy: Arc::new(OsEntropy),
    };
    let served = Some(runtime.spawn(Door::new(listener, plan).serve(ends)));
    drop(_inside);
    Listening {
        runtime,
        address,
        ending,
        served,
        seen,
    }
}

impl Listening {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        // Longer than any test; one that waits for nothing fails.
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        stream
    }

    /// Everything that is answered to some bytes until the connection ends.
    fn answers(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).expect("written");
        rest(&mut stream)
    }
}

fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).expect("an end");
    String::from_utf8_lossy(&all).into_owned()
}

fn until(stream: &mut TcpStream, end: &str) -> String {
    let (mut all, mut byte) = (String::new(), [0]);
    while !all.ends_with(end) && stream.read(&mut byte).expect("more") > 0 {
        all.push(byte[0].into());
    }
    all
}

const HOST: &str = "Host: a\r\n";

#[test]
fn requests_on_one_connection_are_answered_in_their_order_however_their_bytes_arrive() {
    let listening = listen(patient());
    let requests = format!(
        "GET /1 HTTP/1.1\r\n{HOST}\r\nPOST /2 HTTP/1.1\r\n{HOST}Content-Length: 5\r\n\r\nhello\r\nPOST /3 HTTP/1.1\r\n{HOST}Content-Length: 0\r\n\r\n\
         POST /4 HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /5 HTTP/1.1\r\n{HOST}\r\n"
    );
    for step in [1, 7, 100_000] {
        let mut stream = listening.connect();
        stream.set_nodelay(true).expect("set");
        for part in requests.as_bytes().chunks(step) {
            // Behind the chunked body the connection is closed.
            if stream.write_all(part).is_err() {
                break;
            }
        }
        let answers = rest(&mut stream);
        let bodies: Vec<&str> = answers
            .split("HTTP/1.1 ")
            .filter_map(|answer| answer.split("\r\n\r\n").nth(1))
            .collect();
        assert_eq!(bodies, ["/1 0", "/2 5", "/3 0", "/4 3"], "{step}: {answers}");
        assert!(answers.ends_with("connection: close\r\n\r\n/4 3") || answers.contains("connection: close"));
    }
}

#[test]
fn what_could_be_understood_in_two_ways_is_answered_400_and_never_routed() {
    let listening = listen(patient());
    for (lines, code) in [
        (
            format!("POST / HTTP/1.1\r\n{HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
            "ambiguous_length",
        ),
        (
            format!("POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"),
            "ambiguous_length",
        ),
        (
            format!("POST / HTTP/1.1\r\n{HOST}Content-Length: 4\r\nContent-Length: 4\r\n"),
            "ambiguous_length",
        ),
        (format!("GET / HTTP/1.1\r\n{HOST}Host: b\r\n"), "bad_host"),
        ("GET / HTTP/1.1\r\n".to_owned(), "bad_host"),
        (format!("GET http://a/ HTTP/1.1\r\n{HOST}"), "bad_target"),
        (format!("CONNECT a:443 HTTP/1.1\r\n{HOST}"), "bad_target"),
        (format!("GET / HTTP/1.1\r\n{HOST}X: a\nY: b\r\n"), "bad_header_line"),
        (format!("GET / HTTP/1.1\r\n{HOST}X : a\r\n"), "bad_header_line"),
        ("\x16\x03\x01\x02\r\n".to_owned(), "bad_request_line"),
    ] {
        let smuggled = format!("{lines}\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n{HOST}\r\n");
        let answer = listening.answers(smuggled.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 400 "), "{lines:?}: {answer}");
        assert!(
            answer.contains("application/problem+json") && answer.contains("x-request-id: "),
            "{answer}"
        );
        assert!(answer.contains(&format!("\"code\":\"{code}\"")), "{lines:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
    assert_eq!(listening.seen.requests.load(Ordering::Relaxed), 0);
}

#[test]
fn a_good_request_before_a_bad_one_is_answered_first() {
    let listening = listen(patient());
    let answers = listening.answers(format!("GET /1 HTTP/1.1\r\n{HOST}\r\nGET /2 HTTP/1.1\r\n{HOST}{HOST}\r\n").as_bytes());
    let statuses: Vec<&str> = answers
        .match_indices("HTTP/1.1 ")
        .map(|(at, _)| &answers[at + 9..at + 12])
        .collect();
    assert_eq!(statuses[..2], ["200", "400"], "{answers}");
}

#[test]
fn a_head_that_is_too_large_is_answered_431_and_the_answer_arrives() {
    let listening = listen(patient());
    let long = format!("GET / HTTP/1.1\r\n{HOST}X: {}\r\n\r\n", "a".repeat(200_000));
    let many = format!("GET / HTTP/1.1\r\n{HOST}{}\r\n", "X: a\r\n".repeat(101));
    for request in [long, many] {
        let answer = listening.answers(request.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 431 ") && answer.contains("head_too_large"), "{answer}");
    }
}

#[test]
fn who_sends_a_head_too_slowly_or_nothing_at_all_is_let_go() {
    let listening = listen(Limits { header: SOON, ..patient() });
    assert_eq!(listening.answers(b""), "");
    assert_eq!(listening.answers(b"GET / HTTP/1.1\r\nHost: a\r\nX-"), "");
    // One answered request buys no more time for the next head.
    let mut stream = listening.connect();
    stream
        .write_all(format!("GET /1 HTTP/1.1\r\n{HOST}\r\n").as_bytes())
        .expect("written");
    assert!(until(&mut stream, "/1 0").starts_with("HTTP/1.1 200"));
    stream.write_all(b"GET").expect("written");
    assert_eq!(rest(&mut stream), "");
}

#[test]
fn who_sends_nothing_more_is_let_go_after_a_while() {
    let listening = listen(Limits { idle: SOON, ..patient() });
    let answers = listening.answers(format!("GET /1 HTTP/1.1\r\n{HOST}\r\n").as_bytes());
    assert!(answers.ends_with("/1 0"), "{answers}");
}

#[test]
fn a_body_that_does_not_come_ends_the_wait_for_it() {
    let listening = listen(Limits { body: SOON, ..patient() });
    let answer = listening.answers(format!("POST / HTTP/1.1\r\n{HOST}Content-Length: 10\r\nConnection: close\r\n\r\nabc").as_bytes());
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.ends_with("in time"), "{answer}");
}

#[test]
fn who_takes_an_answer_too_slowly_is_let_go() {
    let listening = listen(Limits {
        exchange: Duration::from_millis(300),
        ..patient()
    });
    let mut stream = listening.connect();
    stream
        .write_all(format!("GET /large HTTP/1.1\r\n{HOST}\r\n").as_bytes())
        .expect("written");
    assert!(until(&mut stream, "\r\n\r\n").contains("content-length: 67108864"));
    // Told to end, it waits for this one, and for no longer than that one has.
    listening.ending.send(true).expect("heard");
    let mut listening = listening;
    let served = listening.served.take().expect("serving");
    let waited = listening
        .runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(20), served).await });
    assert_eq!(waited.expect("in time").expect("no panic"), 1);
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    assert!(all.len() < 64 << 20);
}

#[test]
fn told_to_end_it_answers_what_is_in_flight_and_takes_nothing_more() {
    let mut listening = listen(patient());
    let mut slow = listening.connect();
    slow.write_all(format!("GET /slow HTTP/1.1\r\n{HOST}\r\n").as_bytes())
        .expect("written");
    let mut idle = listening.connect();
    idle.write_all(format!("GET /1 HTTP/1.1\r\n{HOST}\r\n").as_bytes())
        .expect("written");
    until(&mut idle, "/1 0");
    listening.runtime.block_on(listening.seen.begun.notified());
    listening.ending.send(true).expect("heard");
    assert_eq!(rest(&mut idle), "", "who asks for nothing is let go at once");
    let served = listening.served.take().expect("serving");
    assert!(!served.is_finished());
    // The port is closed before the last answer is given.
    while TcpStream::connect(listening.address).is_ok() {
        std::thread::yield_now();
    }
    listening.seen.release.notify_one();
    let answer = rest(&mut slow);
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("done") && answer.contains("connection: close"),
        "{answer}"
    );
    assert_eq!(listening.runtime.block_on(served).expect("no panic"), 2);
}

#[test]
fn a_connection_too_many_is_answered_503_and_the_others_go_on() {
    let number = |number| NonZeroUsize::new(number).expect("not zero");
    for (all, by_address) in [(2, 10), (10, 2)] {
        let listening = listen(Limits {
            connections: number(all),
            connections_per_address: number(by_address),
            ..patient()
        });
        let mut held: Vec<TcpStream> = (0..2).map(|_| listening.connect()).collect();
        for stream in &mut held {
            stream
                .write_all(format!("GET /1 HTTP/1.1\r\n{HOST}\r\n").as_bytes())
                .expect("written");
            until(stream, "/1 0");
        }
        let answer = listening.answers(format!("GET /2 HTTP/1.1\r\n{HOST}\r\n").as_bytes());
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: 1"), "{answer}");
        held[0].shutdown(Shutdown::Both).expect("closed");
        // The place is free as soon as the server has seen it.
        let request = format!("GET /3 HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n");
        while !listening.answers(request.as_bytes()).ends_with("/3 0") {}
        assert_eq!(listening.seen.requests.load(Ordering::Relaxed), 3);
    }
}
