//! What is between the two machines: nobody there, somebody else there, silence, and certificates.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use dango_tests::{Scratch, Server};

use super::Team;
use crate::answers::Answer;
use crate::server::{EMAIL, PASSWORD};

/// Answers every request with these bytes, and counts them.
fn answering(answer: &'static str) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for mut stream in listener.incoming().filter_map(Result::ok) {
            counted.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (address, count)
}

/// A machine that has a key, whatever it is worth.
fn machine(address: SocketAddr) -> Scratch {
    let mut here = Scratch::new();
    here.give("DANGO_SERVER_URL", format!("http://{address}"));
    here.give("DANGO_SERVER_KEY", "dak_0000000000000000000000000000000000000000000000");
    here
}

const STARTED: [&str; 4] = ["run", "--", "touch", "started"];

#[test]
fn whatever_answers_that_is_no_dango_server_starts_nothing() {
    for (answer, words) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi",
            "not that of a Dango server",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
            "not that of a Dango server",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n[1,2,3",
            "broke off",
        ),
        (
            "HTTP/1.1 401 No\r\nContent-Type: application/problem+json\r\nContent-Length: 99\r\n\r\n{",
            "does not take this key",
        ),
        ("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", "not that of a Dango server"),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n",
            "too large",
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n", "no server of this kind"),
        ("", "no server of this kind"),
    ] {
        let (address, _) = answering(answer);
        let here = machine(address);
        let _ = here.run(&STARTED).fails(1, &[words]);
        // Something answered, so no copy takes the place of what it might have said.
        let kept = here.run(&KEPT).fails(1, &[words]);
        assert!(!kept.stderr.contains("offline copy"), "{answer}: {}", kept.stderr);
        assert!(!here.path().join("started").exists(), "{answer}");
    }
}

const KEPT: [&str; 6] = ["run", "--offline-cache", "1h", "--", "touch", "started"];

#[test]
fn a_gateway_without_a_server_behind_it_is_told_as_such_and_counts_as_nobody() {
    for answer in [
        "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi",
        "HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 9\r\n\r\n",
    ] {
        let (address, _) = answering(answer);
        let here = machine(address);
        let _ = here.run(&STARTED).fails(1, &["the server behind it does not answer"]);
        let _ = here.run(&KEPT).fails(1, &["does not answer", "there is no offline copy"]);
    }
    // What a Dango server says of itself is its own word.
    let busy = "HTTP/1.1 503 No\r\nContent-Type: application/problem+json\r\nContent-Length: 34\r\n\r\n\
                {\"code\":\"busy\",\"detail\":\"is busy\"}";
    let (address, _) = answering(busy);
    let kept = machine(address).run(&KEPT).fails(1, &["is busy"]);
    assert!(!kept.stderr.contains("offline copy"), "{}", kept.stderr);
}

/// An answer with this JSON.
fn json_answer(text: &str) -> &'static str {
    let length = text.len();
    format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{text}").leak()
}

#[test]
fn an_answer_without_what_is_shown_once_is_none() {
    let user = r#"[{"id":"1","email":"eve@team.example","role":"viewer","status":"active","last_login":null,"created_at":"2026-01-01T00:00:00Z"}]"#;
    for (answer, arguments) in [
        (r#"{"success":true}"#, &["auth", "add-user", "eve@team.example"][..]),
        (r#"{"invite_url":""}"#, &["auth", "add-user", "eve@team.example", "--json"]),
        (
            r#"{"invite_url":"https://x.example"}"#,
            &["auth", "add-user", "eve@team.example", "--password"],
        ),
        (user, &["auth", "reset-password", "eve@team.example"]),
    ] {
        let (address, _) = answering(json_answer(answer));
        let failed = machine(address).run(arguments);
        let failed = failed.fails(1, &["not that of a Dango server", "not known whether this was done"]);
        assert_eq!(failed.stdout, "", "{arguments:?}");
    }
}

#[test]
fn a_name_with_a_value_behind_it_is_not_sent() {
    let (address, asked) = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let here = machine(address);
    for arguments in [
        &["env", "unset", "TOKEN=sk_live_mistyped"][..],
        &["env", "get", "TOKEN=sk_live_mistyped"],
        &["env", "get", "--reveal", "TOKEN=sk_live_mistyped"],
        &["env", "set", "TOKEN=sk_live_mistyped"],
        &["secrets", "get", "--reveal", "sources.x.y=sk_live_mistyped"],
        &["secrets", "set", "sources.x.y=sk_live_mistyped"],
        &["secrets", "unset", "sources.x.y=sk_live_mistyped"],
        &["run", "--only", "sources.x.y=sk_live_mistyped", "--", "true"],
    ] {
        let _ = here.run(arguments).fails(2, &["alone"]).hides(&["sk_live_mistyped"]);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_variable_that_is_not_there_is_no_part_of_an_address() {
    let (address, asked) = answering(json_answer(r#"{"env_vars":[],"source_credentials":[]}"#));
    let failed = machine(address).run(&["env", "unset", "sk_live_mistyped"]);
    let _ = failed.fails(1, &["there is no such variable"]).hides(&["sk_live_mistyped"]);
    assert_eq!(asked.load(Ordering::SeqCst), 1, "the list alone was asked for");
}

#[test]
fn a_redirection_is_not_followed_and_the_key_goes_nowhere_else() {
    let (elsewhere, asked) = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    thread::spawn(move || {
        for mut stream in listener.incoming().filter_map(Result::ok) {
            let _ = stream.read(&mut [0; 4096]);
            let _ = write!(
                stream,
                "HTTP/1.1 307 Elsewhere\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\n\r\n"
            );
        }
    });
    let _ = machine(address).run(&STARTED).fails(1, &["redirection", "not followed"]);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn where_nobody_is_the_error_is_plain() {
    let address = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port");
    let here = machine(address);
    let _ = here.run(&STARTED).fails(1, &["cannot be reached", &address.to_string()]);
    let _ = here.run(&KEPT).fails(1, &["cannot be reached", "there is no offline copy"]);
    assert!(!here.path().join("started").exists());
}

#[test]
fn whoever_waits_for_a_server_that_says_nothing_can_end_it_and_else_it_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let here = machine(listener.local_addr().expect("bound"));
    let mut command = here.dango(&STARTED).into_command();
    let mut waiting = command.spawn().expect("starts");
    let (_silent, _) = listener.accept().expect("it calls");
    let sent = std::process::Command::new("kill")
        .args(["-s", "INT", &waiting.id().to_string()])
        .status();
    assert!(sent.expect("kill").success());
    let status = waiting.wait().expect("it ends");
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(status.signal().map_or(status.code(), |signal| Some(128 + signal)), Some(130));
    let _ = here.run(&STARTED).fails(1, &["did not answer within 30 seconds"]);
    assert!(!here.path().join("started").exists());
}

#[test]
fn a_certificate_that_is_not_trusted_is_refused_until_its_authority_is_given() {
    let team = Team::logged_in("tls", "run");
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    team.project.write("cert.pem", certified.cert.pem());
    team.project.write("key.pem", certified.signing_key.serialize_pem());
    let set = team.project.command("chmod", &["600", "key.pem"]).run();
    let _ = set.success();
    let project = &team.project;
    let file = |name: &str| project.path().join(name).display().to_string();
    let (cert, key) = (file("cert.pem"), file("key.pem"));
    let secure = Server::start_with(project, &["--tls-cert", &cert, "--tls-key", &key]);
    let url = format!("https://localhost:{}", secure.address().port());
    let login = ["--server", &url, "login", "--email", EMAIL, "--holder", "file", "--scope", "run"];
    let _ = team
        .here
        .dango(&login)
        .stdin(PASSWORD)
        .run()
        .fails(1, &["certificate is not trusted", "--server-ca"]);
    let trusting = [&["--server-ca", cert.as_str()][..], &login].concat();
    let _ = team.here.dango(&trusting).stdin(PASSWORD).run().success();
    let run = ["--server", &url, "run", "--", "printenv", "SOURCES__STRIPE__API_KEY"];
    let ran = team.here.dango(&run).env("DANGO_SERVER_CA", &cert).run().success();
    assert_eq!(ran.stdout.trim_end(), team.canary.value());
    // The right authority, another name.
    let other = format!("https://127.0.0.1:{}", secure.address().port());
    let run = [
        "--server",
        &other,
        "--server-ca",
        &cert,
        "login",
        "--email",
        EMAIL,
        "--holder",
        "file",
    ];
    let _ = team
        .here
        .dango(&run)
        .stdin(PASSWORD)
        .run()
        .fails(1, &["certificate is not trusted"]);
}
