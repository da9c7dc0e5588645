//! What is in no log, however much is logged: anything that a request brings.

use std::io::{Read, Write};

use rustix::process::Signal;

use crate::process::Place;

const CANARY: &str = "canary-d41d8cd98f00b204";

#[test]
fn nothing_of_a_request_is_in_the_log_whatever_the_level_and_format() {
    for format in ["human", "json"] {
        let place = Place::new();
        let server = place.start(&["--log-level", "trace", "--log-format", format]);
        for request in [
            format!(
                "GET /{CANARY}?token={CANARY} HTTP/1.1\r\nHost: {CANARY}\r\nCookie: a={CANARY}\r\nAuthorization: Bearer {CANARY}\r\n\r\n"
            ),
            format!("POST /api/health HTTP/1.1\r\nHost: a\r\nContent-Length: 23\r\n\r\n{CANARY}"),
            format!("GET http://{CANARY}/ HTTP/1.1\r\nHost: a\r\n\r\n"),
            format!("{CANARY} / HTTP/1.1\r\nHost: a\r\nHost: {CANARY}\r\n\r\n"),
            format!("{CANARY}\u{1b}[2J\r\n\r\n"),
        ] {
            let mut stream = server.connect();
            stream.write_all(request.as_bytes()).expect("written");
            stream.shutdown(std::net::Shutdown::Write).expect("ended");
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer);
            assert!(!String::from_utf8_lossy(&answer).contains(CANARY));
        }
        server.signal(Signal::TERM);
        let (status, log) = server.ended();
        assert!(status.success() && !log.contains("canary"), "{log}");
        assert!(log.contains("listening on") && !log.contains('\u{1b}'), "{log}");
        let is_json = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line["level"].is_string());
        assert_eq!(log.lines().all(is_json), format == "json", "{log}");
    }
}
