//! Traces at a real collector: a span for each request, whose trace only a trusted proxy may name, and a collector that is away.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dango_tests::{Scratch, Server, dango_server, python};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde_json::json;

use super::collector::{Collector, attribute};
use super::{EMAIL, PASSWORD, claim};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn each_request_is_a_span_with_what_the_log_has_and_the_last_ones_are_sent_at_the_end() {
    let (project, collector) = (Scratch::initialised(), Collector::start());
    let server = Server::start_with(&project, &["--otlp-endpoint", &collector.url()]);
    claim(&server);
    let mut client = server.signed_in(EMAIL, PASSWORD);
    let set = client.post("/api/secrets", &json!({"key": "STRIPE_KEY", "value": "x"}));
    let unknown = client.send("DELETE", "/api/secrets/MISSING_KEY?why=asked", &[], None);
    let nothing = client.send("PATCH", "/somewhere", &[("traceparent", &format!("00-{TRACE}-{PARENT}-01"))], None);
    assert_eq!((set.status, unknown.status, nothing.status), (201, 422, 404));
    // What is in the queue is sent when the server ends.
    assert_eq!(server.stop().0, 0);
    let spans = collector.spans(5);
    assert_eq!(spans.len(), 5, "{spans:#?}");
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    let expected = [
        "POST /api/auth/claim",
        "POST /api/auth/login",
        "POST /api/secrets",
        "DELETE /api/secrets/{key}",
        "PATCH",
    ];
    assert_eq!(names, expected);
    for (span, answer) in spans[2..].iter().zip([&set, &unknown, &nothing]) {
        assert_eq!(attribute(span, "dango.request_id").as_deref(), Some(answer.header("x-request-id")));
        assert_eq!(attribute(span, "http.response.status_code"), Some(answer.status.to_string()));
        assert_eq!(attribute(span, "url.scheme").as_deref(), Some("http"));
        assert_eq!(span.kind(), SpanKind::Server);
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano && span.start_time_unix_nano > 1_700_000_000_000_000_000);
        // Nobody but a trusted proxy says to which trace a request belongs.
        assert!(hex(&span.trace_id) != TRACE && span.parent_span_id.is_empty());
    }
    assert_eq!(attribute(&spans[2], "http.route").as_deref(), Some("/api/secrets"));
    assert_eq!(attribute(&spans[2], "dango.operation").as_deref(), Some("set_variable"));
    assert_eq!(attribute(&spans[4], "http.request.method").as_deref(), Some("PATCH"));
    assert_eq!(attribute(&spans[4], "http.route"), None);
    let mut traces: Vec<_> = spans.iter().map(|span| span.trace_id.clone()).collect();
    traces.sort();
    traces.dedup();
    assert_eq!(traces.len(), 5, "each begins a trace of its own");
    assert_eq!(collector.resource("service.name").as_deref(), Some("dango-server"));
    for head in collector.heads() {
        assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
        assert!(head.to_ascii_lowercase().contains("content-type: application/x-protobuf"), "{head}");
    }
    // Names and queries that clients send are in no span, whatever they hold.
    let sent = collector.sent().concat();
    for word in ["STRIPE_KEY", "MISSING_KEY", "asked", "somewhere", EMAIL, "127.0.0.1"] {
        let body = sent.windows(word.len()).filter(|window| *window == word.as_bytes()).count();
        let in_heads = collector.heads().concat().matches(word).count();
        assert_eq!(body, in_heads, "{word}");
    }
}

#[test]
fn a_trusted_proxy_says_to_which_trace_a_request_belongs_and_whether_it_is_kept() {
    let (mut project, collector) = (Scratch::initialised(), Collector::start());
    // The variables that every program with OpenTelemetry knows, with a credential for the collector.
    project.give("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    project.give("OTEL_EXPORTER_OTLP_HEADERS", "x-collector-key=opensesame");
    project.give("OTEL_SERVICE_NAME", "vault of team a");
    let server = Server::start_with(&project, &["--trusted-proxy", "127.0.0.0/8"]);
    let ask = |parent: &str| server.client().send("GET", "/api/health", &[("traceparent", parent)], None);
    ask(&format!("00-{TRACE}-{PARENT}-01"));
    ask(&format!("00-{TRACE}-{PARENT}-00"));
    ask(&format!("00-{}-{PARENT}-01", "0".repeat(32)));
    let (status, log) = server.stop();
    assert_eq!(status, 0, "{log}");
    assert!(!log.contains("opensesame"), "{log}");
    let spans = collector.spans(2);
    // What the proxy does not keep is not kept here.
    assert_eq!(spans.len(), 2, "{spans:#?}");
    assert_eq!(
        (hex(&spans[0].trace_id).as_str(), hex(&spans[0].parent_span_id).as_str()),
        (TRACE, PARENT)
    );
    assert!(hex(&spans[1].trace_id) != TRACE && spans[1].parent_span_id.is_empty());
    assert_eq!(spans[0].status.as_ref().map(|status| status.code()), Some(StatusCode::Unset));
    assert_eq!(collector.resource("service.name").as_deref(), Some("vault of team a"));
    assert!(collector.heads().iter().all(|head| head.contains("x-collector-key: opensesame")));
}

#[test]
fn a_collector_that_is_away_refuses_or_says_nothing_holds_up_nobody_and_is_told_of_once() {
    let project = Scratch::initialised();
    let refusing = Collector::start_with(403);
    // A collector that waits for the end of a head that never comes: what it is sent is no HTTP.
    let silent = Collector::start();
    for (url, said) in [
        (format!("http://127.0.0.1:{}", free_port()), "traces are lost"),
        (refusing.url(), "traces are lost"),
        (silent.url().replace("http:", "https:"), "the last traces could not be sent"),
    ] {
        let server = Server::start_with(&project, &["--otlp-endpoint", &url]);
        let mut client = server.client();
        for _ in 0..3000 {
            assert_eq!(client.get("/api/health").status, 200);
        }
        let asked = Instant::now();
        let (status, log) = server.stop();
        assert_eq!(status, 0, "{url}: {log}");
        assert_eq!(log.matches(said).count(), 1, "{url}: {log}");
        assert!(asked.elapsed() < Duration::from_secs(15), "{url}: the end has a bound");
    }
}

/// A collector behind TLS, which writes what it is sent into a file.
const BEHIND_TLS: &str = "
import http.server, ssl
class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        with open('sent', 'ab') as sent:
            sent.write(self.rfile.read(int(self.headers['content-length'])))
        self.send_response(200)
        self.send_header('content-length', '0')
        self.end_headers()
server = http.server.HTTPServer(('127.0.0.1', 0), Collector)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain('cert.pem', 'key.pem')
server.socket = tls.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
";

#[test]
fn a_collector_behind_tls_gets_traces_where_the_system_trusts_it_and_nowhere_else() {
    let mut project = Scratch::initialised();
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    project.write("cert.pem", own.cert.pem());
    project.write("key.pem", own.signing_key.serialize_pem());
    let mut collector = Command::new(python());
    let collector = collector
        .args(["-c", BEHIND_TLS])
        .current_dir(project.path())
        .env_clear()
        .envs(project.environment());
    let mut collector = collector
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("python starts");
    let mut port = String::new();
    BufReader::new(collector.stdout.take().expect("it was asked for"))
        .read_line(&mut port)
        .expect("it says its port");
    let url = format!("https://localhost:{}", port.trim());
    let log_of = |project: &Scratch| {
        let server = Server::start_with(project, &["--otlp-endpoint", &url]);
        assert_eq!(server.client().get("/api/health").status, 200);
        let (status, log) = server.stop();
        assert_eq!(status, 0, "{log}");
        log
    };
    let log = log_of(&project);
    assert!(log.contains("traces are lost") && log.contains("certificate"), "{log}");
    assert!(!project.path().join("sent").exists());
    project.give("SSL_CERT_FILE", project.path().join("cert.pem"));
    let log = log_of(&project);
    assert!(!log.contains("lost"), "{log}");
    let sent = project.read_bytes("sent");
    assert!(sent.windows(15).any(|window| window == b"GET /api/health"), "the span's name");
    collector.kill().expect("ours");
    collector.wait().expect("ours");
}

/// A port at which nobody listens.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}

#[test]
fn without_a_collector_nothing_is_sent_and_a_wrong_address_starts_nothing() {
    let (mut project, collector) = (Scratch::initialised(), Collector::start());
    project.give("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    project.give("OTEL_SDK_DISABLED", "true");
    let server = Server::start(&project);
    assert_eq!(server.client().get("/api/health").status, 200);
    assert_eq!(server.stop().0, 0);
    assert!(collector.sent().is_empty());
    project.give("OTEL_SDK_DISABLED", "false");
    project.give("OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:canary@localhost:4318");
    let refused = project.command(dango_server(), &["--listen", "127.0.0.1:0"]).run();
    assert_eq!(refused.status, 1, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("OTEL_EXPORTER_OTLP_ENDPOINT") && !refused.stderr.contains("canary"),
        "{}",
        refused.stderr
    );
}
