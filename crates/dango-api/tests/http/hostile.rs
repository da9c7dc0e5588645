//! Requests that no client means: whatever is sent, the answer is one that the contract knows.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Request};
use dango_api::{ROUTES, Stage, Verb};
use dango_identity::{Permission, Role};
use serde_json::json;

use crate::moves::is;
use crate::world::{Answer, HOST, World};

const ADA: &str = "ada@team.example";

/// What every answer is, whatever was asked.
pub(crate) fn assert_sound(answer: &Answer, what: &str) {
    let status = answer.status.as_u16();
    assert!(status < 500, "{what}: {status} {}", answer.text());
    assert_eq!(answer.header("x-request-id").len(), 32, "{what}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    if status >= 400 && !what.starts_with("HEAD ") {
        assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
        let document = answer.json();
        assert_eq!(document["status"], status, "{what}");
        assert_eq!(document["request_id"], answer.header("x-request-id"), "{what}");
        let code = document["code"].as_str().expect("a code");
        assert!(
            dango_api::CODES.iter().any(|known| known.name == code && known.status == status),
            "{what}: {code}"
        );
        assert_eq!(document["type"], format!("urn:dango:problem:{code}"), "{what}");
    }
}

/// Z7.
#[test]
fn a_method_that_is_not_listed_is_not_allowed_and_the_answer_says_which_are() {
    let world = World::new();
    for route in ROUTES.iter() {
        let path = route.path.replace("{id}", "x");
        let listed: Vec<&str> = ROUTES
            .iter()
            .filter(|other| other.path == route.path)
            .map(|other| other.verb.name())
            .collect();
        for method in [
            "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get",
        ] {
            if listed.contains(&method) {
                continue;
            }
            let answer = world.send(method, &path, &[], None);
            assert_eq!(answer.problem(), is(405, "method_not_allowed"), "{method} {path}");
            let allow: Vec<&str> = answer
                .header("allow")
                .split(',')
                .map(str::trim)
                .filter(|name| *name != "HEAD")
                .collect();
            let mut expected = listed.clone();
            let mut allow = allow;
            expected.sort_unstable();
            allow.sort_unstable();
            assert_eq!(allow, expected, "{method} {path}");
        }
    }
}

#[test]
fn head_answers_as_get_does_without_a_body() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    for route in ROUTES.iter().filter(|route| route.verb == Verb::Get) {
        let (get, head) = (browser.get(route.path), browser.send("HEAD", route.path, None));
        assert_eq!((get.status, head.body.len()), (head.status, 0), "{}", route.path);
        assert_eq!(get.header("content-type"), head.header("content-type"), "{}", route.path);
    }
    // What is an error has its headers, too; the listener leaves the body out.
    for (path, status) in [("/api/nothing", 404), ("/api/auth/me", 401)] {
        let head = world.send("HEAD", path, &[], None);
        assert_eq!((head.status.as_u16(), head.header("x-request-id").len()), (status, 32), "{path}");
        assert_eq!(head.header("content-type"), "application/problem+json");
    }
    assert_eq!(world.send("HEAD", "/api/auth/login", &[], None).status, 405);
}

#[test]
fn a_path_is_only_what_it_says() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    for path in [
        "/api/auth/me/",
        "//api/auth/me",
        "/api//auth/me",
        "/api/auth/%6de",
        "/api/auth/me%00",
        "/api/auth/me;a=b",
        "/api/auth/./me",
        "/api/auth/../auth/me",
        "/api/auth/%2e%2e/auth/me",
        "/API/auth/me",
        "/api/auth\\me",
        "/api/admin/users/x/../../../auth/me",
        "/api",
        "/metrics",
        "/debug",
        "/.env",
        "/.dango/server.toml",
        "/api/auth/sessions/",
    ] {
        assert_eq!(browser.get(path).problem(), is(404, "not_found"), "{path}");
    }
    assert_eq!(
        browser
            .send("PUT", "/api/admin/users//role", Some("{\"role\":\"viewer\"}"))
            .problem(),
        is(404, "not_found")
    );
    assert_eq!(browser.delete("/api/auth/sessions/%ff").problem(), is(400, "malformed_request"));
    assert_eq!(browser.delete("/api/auth/sessions/..%2f..%2fme").problem(), is(404, "not_found"));
}

#[test]
fn a_body_counts_by_what_arrives() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let chunked = |path: &str, chunks: usize, size: usize| {
        let chunks = (0..chunks).map(move |_| Ok::<_, Infallible>(Bytes::from(vec![b' '; size])));
        let body = Body::from_stream(futures_util::stream::iter(chunks));
        let request = Request::post(path).header("host", HOST).header("content-type", "application/json");
        world.send_request("192.0.2.7:1", request.body(body).expect("a request")).problem()
    };
    assert_eq!(chunked("/api/auth/login", 16, 1024), is(400, "malformed_json"));
    assert_eq!(chunked("/api/auth/login", 17, 1024), is(413, "body_too_large"));
    assert_eq!(chunked("/api/auth/login", 1_000_000, 1024), is(413, "body_too_large"));
    let announced = |length: &str| {
        let request = Request::post("/api/auth/login")
            .header("host", HOST)
            .header("content-length", length);
        world
            .send_request("192.0.2.7:1", request.body(Body::empty()).expect("a request"))
            .problem()
    };
    assert_eq!(announced("16385"), is(413, "body_too_large"));
    let mut browser = world.signed_in(ADA);
    let large = format!("{{\"email\":\"{}\"}}", "a".repeat(65 * 1024));
    assert_eq!(
        browser.send("POST", "/api/admin/users", Some(&large)).problem(),
        is(413, "body_too_large")
    );
    let fits = format!("{{\"email\":\"{}\",\"role\":\"viewer\"}}", "a".repeat(60 * 1024));
    assert_eq!(
        browser.send("POST", "/api/admin/users", Some(&fits)).problem(),
        is(422, "invalid_body")
    );
    // Somebody without a credential is not read at all.
    assert_eq!(
        world.send("POST", "/api/admin/users", &[], Some(&large)).problem(),
        is(401, "authentication_required")
    );
}

#[test]
fn bodies_where_none_belong_are_ignored_refused_or_empty() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let headers = [("sec-fetch-site", "same-origin"), ("content-type", "text/plain")];
    assert_eq!(browser.send_with("GET", "/api/auth/me", &headers, Some("anything")).status, 200);
    let path = "/api/auth/sessions/0193d5a0-0000-7000-8000-000000000000";
    assert_eq!(browser.send("DELETE", path, Some("{}")).problem(), is(404, "not_found"));
    assert_eq!(browser.send("DELETE", path, None).problem(), is(404, "not_found"));
    assert_eq!(
        browser.send("DELETE", path, Some("{\"user\":1}")).problem(),
        is(422, "invalid_body")
    );
    assert_eq!(browser.send("DELETE", path, Some("[")).problem(), is(400, "malformed_json"));
    assert_eq!(
        browser.send_with("DELETE", path, &headers, Some("x")).problem(),
        is(415, "unsupported_media_type")
    );
    assert_eq!(browser.get("/api/auth/me?verbose=1").problem(), is(422, "invalid_parameter"));
}

#[test]
fn headers_may_be_large_or_strange() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let token = world.signed_in(ADA).token();
    let large = "x".repeat(60_000);
    let me = |name: &str, value: &[u8]| {
        let request = Request::get("/api/auth/me")
            .header("host", HOST)
            .header("cookie", format!("dango_session={token}"))
            .header(name, HeaderValue::from_bytes(value).expect("a header"));
        let answer = world.send_request("192.0.2.7:1", request.body(Body::empty()).expect("a request"));
        assert_sound(&answer, name);
        answer.status.as_u16()
    };
    for name in ["user-agent", "x-forwarded-for", "accept", "origin", "if-none-match", "x-request-id"] {
        assert_eq!(me(name, large.as_bytes()), 200, "{name}");
        assert_eq!(me(name, b"\xff\xfe"), 200, "{name}");
    }
    assert_eq!(me("authorization", large.as_bytes()), 401);
    assert_eq!(me("authorization", b"Bearer \xff"), 401);
    assert_eq!(me("cookie", "a=ü; b".as_bytes()), 200);
    let cookies = "a=b; ".repeat(10_000);
    assert_eq!(me("cookie", cookies.as_bytes()), 200);
    // Nobody chooses the id of a request.
    let answer = world.send("GET", "/api/health", &[("x-request-id", "chosen")], None);
    assert_ne!(answer.header("x-request-id"), "chosen");
}

/// W1, over HTTP: what is refused because of its origin stands in the log, and no page of another site may read an answer.
#[test]
fn a_page_of_another_site_changes_nothing_reads_nothing_and_is_noticed() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let headers = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
    let (answer, records) = world.recorded(|| browser.send_with("DELETE", "/api/auth/sessions", &headers, None));
    assert_eq!(answer.problem(), is(403, "cross_site"));
    assert_eq!(records, ["permission_denied denied cross_site"]);
    for (method, headers) in [
        (
            "OPTIONS",
            &[("origin", "https://evil.example"), ("access-control-request-method", "DELETE")][..],
        ),
        ("GET", &headers[..]),
        ("GET", &[("origin", "null")][..]),
    ] {
        let answer = browser.send_with(method, "/api/auth/me", headers, None);
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")));
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
    }
    // A key is no cookie: no browser sends it by itself.
    let (_, key) = browser.make_key(&["admin"]);
    let bearer = format!("Bearer {key}");
    let from_elsewhere = [("authorization", bearer.as_str()), ("sec-fetch-site", "same-origin")];
    assert_eq!(world.send("GET", "/api/admin/users", &from_elsewhere, None).status, 200);
    let headerless = [("authorization", bearer.as_str())];
    let added = json!({"email": "x@team.example", "role": "viewer"}).to_string();
    assert_eq!(world.send("POST", "/api/admin/users", &headerless, Some(&added)).status, 201);
}

/// W2.
#[test]
fn what_only_reads_records_nothing() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let (_, key) = browser.make_key(&["source.view_credentials"]);
    let bearer = format!("Bearer {key}");
    for route in ROUTES.iter().filter(|route| route.verb == Verb::Get) {
        let is_for_keys = route.stage() == Stage::Key || route.permission == Some(Permission::SourceViewCredentials);
        for method in ["GET", "HEAD"] {
            let (answer, records) = world.recorded(|| match is_for_keys {
                true => world.send(method, route.path, &[("authorization", &bearer)], None),
                false => browser.send(method, route.path, None),
            });
            assert_eq!((answer.status.as_u16(), records.len()), (200, 0), "{}", route.path);
            assert!(answer.cookies().is_empty());
        }
    }
}
