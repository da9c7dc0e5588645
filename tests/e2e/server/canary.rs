//! A secret sent in every place that a request has, right and wrong ones: it is in no answer, no log line, no metric, no trace, no audit record and no file but `.env`.

use std::path::PathBuf;

use dango_tests::{Canary, Client, Scratch, Server};
use serde_json::json;

use super::collector::Collector;
use super::{EMAIL, PASSWORD, claim};

/// What is sent to the server, and everything that comes back.
struct Wire<'a> {
    canary: &'a Canary,
    client: Client,
}

impl Wire<'_> {
    /// Sends a request; the canary comes back in nothing. Whether the request is right does not matter.
    #[track_caller]
    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> u16 {
        match self.client.try_send(method, path, headers, body) {
            Ok(answer) => {
                assert!(!self.canary.is_in(&answer.text), "{method} {path} answers with it: {}", answer.text);
                for (name, value) in &answer.headers {
                    assert!(!self.canary.is_in(value.as_bytes()), "{method} {path}: it is in {name}");
                }
                answer.status
            }
            // What the client itself does not send was not sent.
            Err(_) => 0,
        }
    }
}

#[test]
fn what_is_sent_comes_back_in_nothing_and_stays_nowhere_but_in_the_file_that_it_is_for() {
    let canary = Canary::new("server");
    let project = Scratch::initialised();
    let collector = Collector::start();
    let options = [
        "--log-level",
        "trace",
        "--operations-listen",
        "127.0.0.1:0",
        "--otlp-endpoint",
        &collector.url(),
    ];
    let server = Server::start_with(&project, &options);
    claim(&server);
    let mut wire = Wire {
        canary: &canary,
        client: server.signed_in(EMAIL, PASSWORD),
    };
    let value = canary.value();
    let encoded = value.replace('%', "%25");

    // Where it belongs: a stored value, in both ways.
    let stored = json!({"key": "STORED", "value": value}).to_string();
    assert_eq!(wire.send("POST", "/api/secrets", &[], Some(&stored)), 201);
    assert_eq!(wire.send("POST", "/api/secrets", &[], Some(&stored)), 200);
    let unspellable = json!({"key": "STORED", "value": format!("{value}${{X}}")}).to_string();
    assert_eq!(wire.send("POST", "/api/secrets", &[], Some(&unspellable)), 422);
    assert_eq!(wire.send("GET", "/api/secrets", &[], None), 200);

    // Where it does not: in every member of every request, in paths, queries, headers and what is no request at all.
    for path in [
        "/api/secrets",
        "/api/auth/login",
        "/api/auth/2fa/verify",
        "/api/auth/change-password",
        "/api/auth/reauthenticate",
        "/api/auth/accept-invite",
        "/api/auth/claim",
        "/api/auth/2fa/setup",
        "/api/auth/2fa/verify-setup",
        "/api/auth/2fa/disable",
        "/api/auth/2fa/regenerate-recovery",
        "/api/auth/api-keys",
        "/api/admin/users",
    ] {
        for member in [
            "email",
            "password",
            "code",
            "recovery_code",
            "current_password",
            "new_password",
            "token",
            "name",
            "expires_at",
            "scopes",
            "role",
            "key",
            "value",
            "confirm_email",
            value,
        ] {
            let alone = json!({member: value}).to_string();
            // What its owner calls a key is kept on purpose.
            if (path, member) != ("/api/auth/api-keys", "name") {
                wire.send("POST", path, &[], Some(&alone));
            }
            let nested = json!({member: {value: [value]}}).to_string();
            wire.send("POST", path, &[], Some(&nested));
        }
        let all = json!({
            "email": format!("{value}@x.example"), "password": value, "code": value, "current_password": value, "new_password": value,
            "token": value, "key": value, "value": value, "role": value, "name": value,
        });
        wire.send("POST", path, &[], Some(&all.to_string()));
        wire.send("POST", path, &[], Some(value));
        wire.send("POST", path, &[("content-type", value)], Some("{}"));
        wire.send("POST", path, &[], Some(&format!("{{\"{value}")));
    }
    for right in [
        ("/api/auth/login", json!({"email": EMAIL, "password": value})),
        ("/api/auth/reauthenticate", json!({"password": value})),
        (
            "/api/auth/change-password",
            json!({"current_password": PASSWORD, "new_password": "short"}),
        ),
        ("/api/auth/accept-invite", json!({"token": value, "password": value})),
        ("/api/auth/claim", json!({"token": value, "email": EMAIL, "password": value})),
    ] {
        wire.send("POST", right.0, &[], Some(&right.1.to_string()));
    }
    for path in [
        format!("/api/secrets/{encoded}"),
        format!("/api/auth/sessions/{encoded}"),
        format!("/api/admin/users/{encoded}/role"),
        format!("/setup/{encoded}"),
        format!("/{encoded}"),
        format!("/api/admin/audit?actor={encoded}&since={encoded}&{encoded}=1"),
        format!("/api/auth/me?token={encoded}"),
        format!("/api/auth/me?{encoded}"),
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
            wire.send(method, &path, &[], (method != "GET").then_some("{}"));
        }
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    wire.send(
        "POST",
        "/setup/x",
        &form,
        Some(&format!("email={encoded}&password={encoded}&confirm_password={encoded}")),
    );
    // What a browser calls itself is kept on purpose, too, so it is not among these.
    for header in [
        "authorization",
        "cookie",
        "origin",
        "referer",
        "x-forwarded-for",
        "x-request-id",
        "sec-fetch-site",
        "x-any",
        "traceparent",
        "tracestate",
        "baggage",
    ] {
        wire.send("GET", "/api/auth/me", &[(header, value)], None);
        wire.send("POST", "/api/auth/logout", &[(header, value)], None);
        wire.send("GET", "/api/auth/me", &[(header, &format!("Bearer {value}"))], None);
    }

    // What others read: metrics, traces, the audit log by both doors, the server's log at its most talkative.
    let operations = server.operations().expect("it was asked for");
    for path in ["/metrics", "/ready"] {
        assert!(!canary.is_in(Client::of(&operations).get(path).text), "{path}");
    }
    let (_, log) = server.stop();
    assert!(!canary.is_in(&log), "it is in the log");
    let sent = collector.sent();
    assert!(collector.spans(1).len() > 300, "the requests were traced");
    assert!(sent.iter().all(|batch| !canary.is_in(batch)), "it is in the traces");
    for words in [
        &["audit", "list", "--limit", "500", "--json"][..],
        &["audit", "export", "--format", "jsonl"],
        &["audit", "verify"],
    ] {
        canary.assert_absent_from(&project.run(words));
    }
    let strays: Vec<PathBuf> = canary.files_below(project.everything());
    assert_eq!(strays, [project.path().join(".env")]);
}
