//! What holds for every answer and every request: headers, problems, hosts, bodies, methods.

use dango_api::{ROUTES, Site, Verb};
use dango_identity::Role;

use crate::world::{ORIGIN, World};

#[test]
fn every_answer_carries_an_id_and_the_headers_of_a_careful_server() {
    let world = World::new();
    for (method, path) in [
        ("GET", "/api/health"),
        ("GET", "/api/auth/me"),
        ("GET", "/nothing/here"),
        ("PATCH", "/api/health"),
    ] {
        let answer = world.send(method, path, &[], None);
        assert_eq!(answer.header("x-request-id").len(), 32, "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"));
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
        assert!(!answer.headers.contains_key("server"));
        assert!(!answer.headers.contains_key("strict-transport-security"));
    }
    let secure = World::at(Site::Public("https://d.example".parse().expect("an address")), Default::default());
    let answer = secure.send("GET", "/api/health", &[("host", "d.example")], None);
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000; includeSubDomains");
}

#[test]
fn an_error_is_a_problem_document() {
    let world = World::new();
    for (method, path, status, code) in [
        ("GET", "/api/auth/me", 401, "authentication_required"),
        ("GET", "/api/nothing", 404, "not_found"),
        ("PATCH", "/api/auth/login", 405, "method_not_allowed"),
        ("TRACE", "/api/health", 405, "method_not_allowed"),
        ("OPTIONS", "/api/health", 405, "method_not_allowed"),
        ("GET", "/api/health?token=x", 400, "secret_in_url"),
    ] {
        let answer = world.send(method, path, &[], None);
        assert_eq!(answer.problem(), (status, code.to_owned()), "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let document = answer.json();
        assert_eq!(document["type"], format!("urn:dango:problem:{code}"));
        assert_eq!(document["status"], status);
        assert_eq!(document["request_id"], answer.header("x-request-id"));
        assert!(document["title"].is_string() && document["detail"].is_string());
        assert_eq!(status == 405, answer.headers.contains_key("allow"), "{method} {path}");
        assert_eq!(status == 401, answer.headers.contains_key("www-authenticate"));
    }
}

#[test]
fn the_server_answers_to_its_own_name_only() {
    let world = World::new();
    for host in ["evil.example", "localhost:8801", "localhost.evil.example:8800", "169.254.169.254"] {
        assert_eq!(
            world.send("GET", "/api/health", &[("host", host)], None).problem(),
            (421, "unknown_host".to_owned()),
            "{host}"
        );
    }
    for host in ["localhost:8800", "127.0.0.1:8800", "[::1]:8800"] {
        assert_eq!(world.send("GET", "/api/health", &[("host", host)], None).status, 200, "{host}");
    }
    let twice = world.send("GET", "/api/health", &[("host", "localhost:8800"), ("host", "evil.example")], None);
    assert_eq!(twice.status, 400);
}

#[test]
fn what_a_page_of_another_site_sends_is_not_done() {
    let world = World::new();
    world.add("ada@team.example", Role::Admin);
    let mut browser = world.signed_in("ada@team.example");
    for route in ROUTES.iter().filter(|route| route.verb != Verb::Get) {
        let path = route.path.replace("{id}", "0193d5a0-0000-7000-8000-000000000000");
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://evil.example")],
        ] {
            let answer = browser.send_with(route.verb.name(), &path, headers, Some("{}"));
            assert_eq!(answer.problem(), (403, "cross_site".to_owned()), "{path} {headers:?}");
        }
    }
    // Without either header a cookie proves nothing.
    assert_eq!(
        browser.send_with("POST", "/api/auth/logout", &[], None).problem(),
        (403, "cross_site".to_owned())
    );
    assert_eq!(
        browser.send_with("POST", "/api/auth/logout", &[("origin", ORIGIN)], None).status,
        200
    );
}

#[test]
fn a_body_is_json_of_the_right_size_or_refused() {
    let world = World::new();
    let post = |headers: &[(&str, &str)], body: &str| world.send("POST", "/api/auth/login", headers, Some(body)).problem();
    let login = r#"{"email":"a@b.example","password":"x"}"#;
    assert_eq!(
        post(&[("content-type", "text/plain")], login),
        (415, "unsupported_media_type".to_owned())
    );
    assert_eq!(
        post(&[("content-type", "application/x-www-form-urlencoded")], "email=a"),
        (415, "unsupported_media_type".to_owned())
    );
    let large = format!(r#"{{"email":"{}","password":"x"}}"#, "a".repeat(17 * 1024));
    assert_eq!(post(&[], &large), (413, "body_too_large".to_owned()));
    assert_eq!(post(&[], "{"), (400, "malformed_json".to_owned()));
    assert_eq!(post(&[], ""), (400, "malformed_json".to_owned()));
    assert_eq!(
        post(&[], r#"{"email":"a","email":"b","password":"x"}"#),
        (400, "malformed_json".to_owned())
    );
    assert_eq!(post(&[], "[]"), (422, "invalid_body".to_owned()));
    assert_eq!(
        post(&[], r#"{"email":"a@b.example","password":"x","role":"admin"}"#),
        (422, "invalid_body".to_owned())
    );
    assert_eq!(post(&[], r#"{"email":7,"password":"x"}"#), (422, "invalid_body".to_owned()));
    assert_eq!(post(&[], login), (401, "invalid_credentials".to_owned()));
}
