//! Clients that do not wait for their answer: what they began is finished, and nobody is locked out for it.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{EMAIL, PASSWORD, with_administrator};

#[test]
fn a_login_whose_client_hangs_up_is_finished_and_locks_nobody_out() {
    let (project, server) = with_administrator();
    let body = json!({"email": EMAIL, "password": PASSWORD}).to_string();
    for _ in 0..12 {
        let mut stream = TcpStream::connect(server.address()).expect("it listens");
        let host = server.address();
        let length = body.len();
        let request = format!(
            "POST /api/auth/login HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("written");
        // Long enough for the password to be looked at, too short for an answer.
        std::thread::sleep(Duration::from_millis(5));
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let listed = project.run(&["audit", "list", "--type", "login_success", "--json"]).success();
        let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
        if listed["events"].as_array().expect("a list").len() == 12 {
            break;
        }
        assert!(Instant::now() < deadline, "{listed}");
    }
    // Not one of them is left in the budget: four wrong ones do not lock it.
    for _ in 0..4 {
        let wrong = json!({"email": EMAIL, "password": "another horse in the stable"});
        assert_eq!(server.client().post("/api/auth/login", &wrong).status, 401);
    }
    assert_eq!(server.signed_in(EMAIL, PASSWORD).get("/api/auth/me").status, 200);
}
