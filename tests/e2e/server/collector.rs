//! A collector of OTLP over HTTP: it takes what is sent to it, keeps it, and reads the spans out of it. No test lives here.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// Far beyond what a batch needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running collector. It ends with the process of the tests.
pub(crate) struct Collector {
    address: SocketAddr,
    taken: Arc<Taken>,
}

#[derive(Default)]
struct Taken {
    /// The head and the body of each request.
    requests: Mutex<Vec<(String, Vec<u8>)>>,
    more: Condvar,
}

impl Collector {
    pub(crate) fn start() -> Self {
        Self::start_with(200)
    }

    /// Starts one that answers with a status.
    pub(crate) fn start_with(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let taken = Arc::new(Taken::default());
        let keeps = Arc::clone(&taken);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(request) = take(stream, status) {
                    keeps.requests.lock().expect("not poisoned").push(request);
                    keeps.more.notify_all();
                }
            }
        });
        Self { address, taken }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that was sent so far, heads and bodies.
    pub(crate) fn sent(&self) -> Vec<Vec<u8>> {
        let requests = self.taken.requests.lock().expect("not poisoned");
        requests.iter().map(|(head, body)| [head.as_bytes(), body].concat()).collect()
    }

    /// The heads of the requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.taken
            .requests
            .lock()
            .expect("not poisoned")
            .iter()
            .map(|(head, _)| head.clone())
            .collect()
    }

    /// Waits until there are so many spans, and reads them.
    #[track_caller]
    pub(crate) fn spans(&self, count: usize) -> Vec<Span> {
        let deadline = Instant::now() + PATIENCE;
        let mut requests = self.taken.requests.lock().expect("not poisoned");
        loop {
            let spans: Vec<Span> = requests.iter().flat_map(|(_, body)| spans_of(body)).collect();
            if spans.len() >= count {
                return spans;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} spans came of {count}", spans.len());
            requests = self.taken.more.wait_timeout(requests, left).expect("not poisoned").0;
        }
    }

    /// The attributes of whoever sent, as text.
    pub(crate) fn resource(&self, name: &str) -> Option<String> {
        let requests = self.taken.requests.lock().expect("not poisoned");
        let sent = requests.iter().flat_map(|(_, body)| decoded(body).resource_spans);
        let resources = sent.filter_map(|spans| spans.resource).flat_map(|resource| resource.attributes);
        resources
            .into_iter()
            .find_map(|attribute| (attribute.key == name).then(|| text(&attribute)))
    }
}

/// An attribute of a span, as text.
pub(crate) fn attribute(span: &Span, name: &str) -> Option<String> {
    span.attributes.iter().find(|attribute| attribute.key == name).map(text)
}

fn text(attribute: &KeyValue) -> String {
    match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{}: neither text nor number: {other:?}", attribute.key),
    }
}

fn decoded(body: &[u8]) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(body).expect("OTLP in protobuf")
}

fn spans_of(body: &[u8]) -> Vec<Span> {
    let sent = decoded(body).resource_spans.into_iter();
    sent.flat_map(|spans| spans.scope_spans).flat_map(|spans| spans.spans).collect()
}

/// Reads one request and answers it; nothing where none comes.
fn take(mut stream: TcpStream, status: u16) -> Option<(String, Vec<u8>)> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("a head is ASCII");
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.expect("the length is told")];
    stream.read_exact(&mut body).ok()?;
    write!(
        stream,
        "HTTP/1.1 {status} X\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n"
    )
    .ok()?;
    let _ = stream.shutdown(Shutdown::Write);
    Some((head, body))
}
