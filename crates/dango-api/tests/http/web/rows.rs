//! Tables with many rows, and the audit log: searched, sorted, filtered, paged and exported.

use axum::body::Body;
use axum::http::{Request, header};
use dango_api::Peer;
use dango_identity::Role;
use pollster::block_on;
use serde_json::json;
use tower::ServiceExt;

use super::states::{ADA, admin, seen};
use crate::world::{HOST, World};

#[test]
fn many_rows_are_searched_sorted_and_paged() {
    let world = World::new();
    let mut browser = admin(&world);
    {
        let mut variables = world.files.variables.lock().expect("not poisoned");
        variables.extend((0..1000).map(|number| (format!("VARIABLE_{number:04}"), "x".to_owned())));
    }
    let first = seen(
        "first",
        &browser.open("/settings/secrets"),
        &["1–50 of 1000", "VARIABLE_0049", "Search variables", "rel=\"next\""],
    );
    assert!(!first.contains("VARIABLE_0050"));
    seen(
        "last",
        &browser.open("/settings/secrets?page=20"),
        &["951–1000 of 1000", "VARIABLE_0999", "rel=\"prev\""],
    );
    seen(
        "found",
        &browser.open("/settings/secrets?q=e_099"),
        &["1–10 of 10 found among 1000", "VARIABLE_0990"],
    );
    seen(
        "backwards",
        &browser.open("/settings/secrets?sort=name&dir=desc"),
        &["VARIABLE_0999", "aria-sort=\"descending\""],
    );
    seen(
        "nothing",
        &browser.open("/settings/secrets?q=zzz"),
        &["No variable has this in its key."],
    );
    // However long a render takes here, unoptimised: a page of a thousand rows is not a thousand times that of one.
    let began = std::time::Instant::now();
    for _ in 0..20 {
        browser.open("/settings/secrets");
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn the_audit_log_is_filtered_paged_verified_and_exported() {
    let world = World::new();
    let mut browser = admin(&world);
    let fresh = seen(
        "unverified",
        &browser.open("/settings/audit"),
        &[
            "Audit Log",
            ">Type<",
            ">Actor<",
            ">From<",
            ">To<",
            "Export",
            "login_success",
            "data-verifies",
            "Verify Now",
        ],
    );
    assert!(fresh.contains("The log has not been verified since the server started."));
    browser.get("/api/admin/audit/verify");
    let verified = seen("verified", &browser.open("/settings/audit"), &["The log is intact: all "]);
    assert!(!verified.contains("data-verifies"));
    for number in 0..60 {
        browser.post("/api/secrets", json!({"key": format!("KEY_{number}"), "value": "canary"}));
    }
    let page = seen(
        "first page",
        &browser.open("/settings/audit?type=secret_set"),
        &["rel=\"next\"", "50 a page"],
    );
    assert!(!page.contains("canary"));
    let next = page
        .split("href=\"?type=secret%5Fset&#38;cursor=")
        .nth(1)
        .expect("a link")
        .split('"')
        .next()
        .expect("an end");
    seen(
        "second page",
        &browser.open(&format!("/settings/audit?type=secret_set&cursor={next}")),
        &["KEY_0", ">Newest<"],
    );
    seen(
        "by actor",
        &browser.open("/settings/audit?actor=ADA%40team.example&from=2026-01-01&to=7d"),
        &["Nothing that happened fits"],
    );
    for (query, said) in [
        ("type=evilword", "There is no such event."),
        ("from=evilword", "Enter a day"),
        ("to=2026-13-01", "Enter a day"),
    ] {
        let wrong = browser.open(&format!("/settings/audit?{query}"));
        assert_eq!(wrong.status, 422, "{query}");
        seen(query, &wrong, &[said, "role=\"alert\""]);
    }
    let filters = [
        ("format", "jsonl"),
        ("type", "secret_set"),
        ("actor", ADA),
        ("from", ""),
        ("to", ""),
    ];
    let (jsonl, recorded) = world.recorded(|| browser.fill("/settings/audit/export", &filters));
    assert_eq!(jsonl.status, 200);
    assert_eq!(jsonl.header("content-type"), "application/jsonl; charset=utf-8");
    assert!(
        jsonl
            .header("content-disposition")
            .starts_with("attachment; filename=\"dango-audit-2026-")
    );
    let lines: Vec<serde_json::Value> = jsonl.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.len() >= 60 && lines.iter().all(|line| line["event"] == "secret_set"));
    assert!(recorded.iter().any(|event| event == "audit_exported success"), "{recorded:?}");
    let csv = browser.fill("/settings/audit/export", &[("format", "csv")]);
    assert!(csv.text().starts_with("seq,at,event,") && csv.text().lines().count() > 60);
    assert_eq!(browser.fill("/settings/audit/export", &[("from", "never")]).status, 422);
    // Looking is no exporting: nothing that a link opens is recorded.
    let (_, recorded) = world.recorded(|| browser.open("/settings/audit/export"));
    assert!(recorded.is_empty());
    world.add("bob@team.example", Role::Viewer);
    assert_eq!(
        world.signed_in("bob@team.example").fill("/settings/audit/export", &filters).status,
        403
    );
}

#[test]
fn whoever_hangs_up_during_an_export_ends_it_and_the_log_says_so() {
    let world = World::new();
    let mut browser = admin(&world);
    // More than may wait for a reader.
    for number in 0..500 {
        browser.post("/api/secrets", json!({"key": format!("KEY_{number}"), "value": "x"}));
    }
    let begin = || {
        let request = Request::post("/settings/audit/export")
            .header(header::HOST, HOST)
            .header(header::COOKIE, browser.cookie())
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .extension(Peer("192.0.2.7:4711".parse().expect("an address")))
            .body(Body::from("format=jsonl"));
        block_on(world.router.clone().oneshot(request.expect("a request"))).expect("infallible")
    };
    let (first, second) = (begin(), begin());
    assert_eq!((first.status().as_u16(), second.status().as_u16()), (200, 200));
    // Each has a thread, so there are only so many.
    assert_eq!(begin().status(), 503);
    drop((first, second));
    let ended = |event: &dango_audit::AuditEvent| event.event == "audit_exported" && event.details.contains("write_failed");
    while world.events().iter().filter(|event| ended(event)).count() < 2 {
        std::thread::yield_now();
    }
    assert_eq!(browser.fill("/settings/audit/export", &[("type", "login_success")]).status, 200);
}
