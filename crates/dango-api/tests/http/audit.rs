//! The audit log over HTTP: pages, filters, the verdict, and what records say about where a request came from.

use dango_identity::Role;
use serde_json::{Value, json};

use crate::moves::{assert_members, assert_time, is};
use crate::world::{RIGHT, WRONG, World};

const ADA: &str = "ada@team.example";
const BOB: &str = "bob@team.example";
const RECORD: &[(&str, &str)] = &[
    ("seq", "n"),
    ("at", "s"),
    ("event", "s"),
    ("actor", "o"),
    ("target", "o?"),
    ("outcome", "s"),
    ("origin", "o"),
    ("request_id", "s?"),
    ("details", "o"),
    ("prev_hash", "s"),
    ("hash", "s"),
];

fn page(browser: &mut crate::world::Browser<'_>, query: &str) -> (Vec<Value>, Value) {
    let answer = browser.get(&format!("/api/admin/audit?{query}"));
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let document = answer.json();
    assert_members(&document, &[("events", "a"), ("next_cursor", "s?")]);
    let events = document["events"].as_array().expect("a list").clone();
    for event in &events {
        assert_members(event, RECORD);
        assert_time(&event["at"]);
    }
    (events, document["next_cursor"].clone())
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().expect("a name")).collect()
}

#[test]
fn the_log_is_read_page_by_page_newest_first() {
    let world = World::new();
    let id = world.add(ADA, Role::Admin);
    world.add(BOB, Role::Viewer);
    world.pass(10);
    let mut browser = world.signed_in(ADA);
    world.pass(10);
    world.browser().log_in(BOB, WRONG);
    let (all, end) = page(&mut browser, "limit=500");
    assert_eq!(end, Value::Null);
    assert_eq!(names(&all)[..2], ["login_failure", "login_success"]);
    let mut walked = Vec::new();
    let mut cursor = String::new();
    loop {
        let (events, next) = page(&mut browser, &format!("limit=2{cursor}"));
        assert!(events.len() <= 2);
        walked.extend(events);
        match next.as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(walked, all);
    let (by_type, _) = page(&mut browser, "type=login_success");
    assert_eq!(names(&by_type), ["login_success"]);
    for actor in [id.as_str(), "ada%40team.example"] {
        let (by_actor, _) = page(&mut browser, &format!("actor={actor}"));
        assert_eq!(names(&by_actor), ["login_success"], "{actor}");
    }
    let (nobody, _) = page(&mut browser, "actor=nobody%40team.example");
    assert!(nobody.is_empty());
    let at = all[1]["at"].as_str().expect("a time").to_owned();
    let (since, _) = page(&mut browser, &format!("since={at}"));
    assert_eq!(since.len(), 2);
    let (between, _) = page(&mut browser, &format!("since={at}&until={at}"));
    assert!(names(&between).len() <= 1);
    for bad in [
        "since=yesterdayish",
        "until=2026-13-01",
        "type=no_such_event",
        "type=",
        "cursor=x",
        "cursor=-1",
        "limit=x",
        "order=oldest",
        "limit=1&limit=2",
        "typ=login_success",
        "since=",
    ] {
        assert_eq!(
            browser.get(&format!("/api/admin/audit?{bad}")).problem(),
            is(422, "invalid_parameter"),
            "{bad}"
        );
    }
    assert_eq!(browser.get("/api/admin/audit?actor=%ff").problem(), is(400, "malformed_request"));
}

#[test]
fn the_verdict_says_how_far_the_log_goes() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let answer = world.signed_in(ADA).get("/api/admin/audit/verify");
    assert_eq!(answer.status, 200);
    let verdict = answer.json();
    let mut members = vec![("ok", "b"), ("events", "n"), ("first_bad", "n?"), ("head", "o")];
    members.push(("open_intents", "a"));
    assert_members(&verdict, &members);
    assert_eq!((&verdict["ok"], &verdict["first_bad"]), (&json!(true), &Value::Null));
    assert_eq!(verdict["events"], verdict["head"]["seq"]);
}

/// A3: each record says who, from where, in which session, and to which answer it belongs.
#[test]
fn a_record_leads_to_the_request_the_address_and_the_session() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let bob = world.add(BOB, Role::Viewer);
    let mut browser = world.signed_in(ADA);
    browser.peer = "203.0.113.9:4711".to_owned();
    let session = browser.get("/api/auth/sessions").json()[0]["id"].clone();
    let key = browser.make_key(&["admin"]);
    let other = world.signed_in(ADA);
    drop(other);
    let doing = [
        ("POST", "/api/auth/reauthenticate".to_owned(), json!({"password": RIGHT})),
        ("POST", "/api/auth/reauthenticate".to_owned(), json!({"password": WRONG})),
        ("POST", "/api/auth/api-keys".to_owned(), json!({"name": "x"})),
        ("DELETE", format!("/api/auth/api-keys/{}", key.0), json!({})),
        ("POST", "/api/auth/2fa/setup".to_owned(), json!({"password": RIGHT})),
        ("POST", "/api/auth/2fa/verify-setup".to_owned(), json!({"code": "000000"})),
        (
            "POST",
            "/api/admin/users".to_owned(),
            json!({"email": "x@team.example", "role": "viewer"}),
        ),
        ("PUT", format!("/api/admin/users/{bob}/role"), json!({"role": "editor"})),
        ("POST", format!("/api/admin/users/{bob}/deactivate"), json!({})),
        ("POST", format!("/api/admin/users/{bob}/reactivate"), json!({})),
        ("POST", format!("/api/admin/users/{bob}/revoke-sessions"), json!({})),
        ("DELETE", "/api/auth/sessions".to_owned(), json!({})),
        ("POST", "/api/auth/logout".to_owned(), json!({})),
    ];
    for (method, path, body) in doing {
        let before = world.events()[0].seq;
        let answer = browser.send(method, &path, Some(&body.to_string()));
        let events = world.events();
        let new: Vec<_> = events.iter().filter(|event| event.seq > before).collect();
        assert_eq!(new.len(), 1, "{path}: exactly one record");
        let record = new[0];
        assert_eq!(record.request_id.as_deref(), Some(answer.header("x-request-id")), "{path}");
        assert_eq!(record.ip.as_deref(), Some("203.0.113.9"), "{path}");
        assert_eq!(record.session.as_deref(), session.as_str(), "{path}");
        assert_eq!(record.actor.label.as_deref(), Some(ADA), "{path}");
    }
}

/// A7.
#[test]
fn what_a_stranger_calls_itself_breaks_no_line() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let login = json!({"email": ADA, "password": WRONG}).to_string();
    let agent = "x\u{202e}\u{1b}[31m\u{85}y".to_owned();
    let request = axum::http::Request::post("/api/auth/login")
        .header("host", crate::world::HOST)
        .header("content-type", "application/json")
        .header(
            "user-agent",
            axum::http::HeaderValue::from_bytes(&[agent.as_bytes(), b"\xff\t"].concat())
                .unwrap_or(axum::http::HeaderValue::from_static("none")),
        );
    let answer = world.send_request("192.0.2.7:1", request.body(axum::body::Body::from(login)).expect("a request"));
    assert_eq!(answer.status, 401);
    let text = world.signed_in(ADA).get("/api/admin/audit").text();
    assert!(
        !text.contains('\u{202e}') && !text.contains('\u{1b}') && !text.contains('\u{85}') && !text.contains('\n'),
        "{text}"
    );
    assert!(!text.contains(WRONG));
}
