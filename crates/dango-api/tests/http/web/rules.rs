//! What holds for every page: headers, errors, what is loaded, nothing inline.

use dango_actions::Setup;
use dango_api::{Limits, PAGES, Site, Verb};
use dango_identity::Role;

use super::{ACCEPT, shape};
use crate::world::{Answer, RIGHT, World};

const ADA: &str = "ada@team.example";

/// Ends the test if something of a page is not as it is for all.
fn check(path: &str, answer: &Answer) {
    let text = answer.text();
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
    let policy = answer.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{path}: {part}");
    }
    assert!(!policy.contains("unsafe"), "{path}");
    assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    for name in [
        "cross-origin-opener-policy",
        "permissions-policy",
        "x-content-type-options",
        "x-request-id",
        "referrer-policy",
    ] {
        assert!(!answer.header(name).is_empty(), "{path}: {name}");
    }
    shape::check(path, &text);
    assert!(
        text.contains("<html lang=\"en\">") && text.contains("<a class=\"skip\" href=\"#main\">") && text.contains("<main id=\"main\"")
    );
    assert!(
        !text.contains("http://") && !text.contains("https://"),
        "{path}: something of another origin"
    );
}

#[test]
fn every_page_has_the_headers_and_nothing_inline() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let (_, token) = world.invite("bob@team.example", Role::Viewer);
    for mut browser in [world.browser(), world.signed_in(ADA)] {
        for page in PAGES.iter().filter(|page| page.verb == Verb::Get) {
            let path = page.path.replace("{token}", &token);
            let answer = browser.open(&path);
            if answer.status != 303 {
                check(&path, &answer);
            }
        }
    }
}

#[test]
fn what_goes_wrong_is_a_page_for_people_and_a_document_for_programs() {
    let world = World::new();
    world.add(ADA, Role::Viewer);
    let mut browser = world.signed_in(ADA);
    for (method, path, status, title) in [
        ("GET", "/nothing", 404, "There is no such page"),
        ("POST", "/settings/account", 405, "This does not work here"),
        ("GET", "/login?token=x", 400, "A credential does not belong in a URL"),
        ("POST", "/logout", 403, "This came from another site"),
    ] {
        let answer = browser.send_with(method, path, &[ACCEPT], None);
        assert_eq!(answer.status, status, "{path}");
        check(path, &answer);
        assert!(answer.text().contains(title), "{path}");
        assert!(answer.text().contains(answer.header("x-request-id")));
        if status == 405 {
            assert!(answer.header("allow").contains("GET"));
        }
        let program = browser.send_with(method, path, &[("accept", "application/json")], None);
        assert_eq!(
            (program.status.as_u16(), program.header("content-type")),
            (status, "application/problem+json"),
            "{path}"
        );
    }
    // Below /api/ there are programs alone, whatever they say.
    let answer = browser.send_with("GET", "/api/nothing", &[ACCEPT], None);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    // A program without a login is told so, and not led anywhere.
    let nobody = world.send("GET", "/settings/account", &[("accept", "application/json")], None);
    assert_eq!((nobody.status.as_u16(), nobody.code().as_str()), (401, "authentication_required"));
    // An API key is for operations.
    let (_, key) = browser.make_key(&[]);
    assert_eq!(world.with_key(&key, "GET", "/settings/account", None).status, 401);
}

#[test]
fn what_pages_load_is_small_and_is_kept() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.browser();
    let page = browser.open("/login");
    let loaded = assets(&page.text());
    assert_eq!(loaded.len(), 3, "{loaded:?}");
    let mut bytes = page.body.len();
    for path in &loaded {
        let asset = world.send("GET", path, &[], None);
        assert_eq!(asset.status, 200, "{path}");
        assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(asset.header("x-content-type-options"), "nosniff");
        bytes += asset.body.len();
    }
    assert!(bytes < 60 * 1024, "{bytes} bytes");
    browser.fill("/login", &[("email", ADA), ("password", RIGHT)]);
    let account = browser.open("/settings/account").text();
    for path in assets(&account) {
        assert_eq!(world.send("GET", &path, &[], None).status, 200, "{path}");
    }
    assert_eq!(world.send("GET", "/assets/dango.0000000000000000.css", &[], None).status, 404);
    assert_eq!(world.send("GET", "/assets/..%2f..%2fCargo.toml", &[], None).status, 404);
}

/// What a page loads, each once.
fn assets(html: &str) -> Vec<String> {
    let mut found: Vec<String> = html
        .split('"')
        .filter(|part| part.starts_with("/assets/"))
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn strangers_are_counted_at_pages_too_and_nobody_who_is_signed_in() {
    let limits = Limits {
        requests_a_minute_by_strangers: 3,
        ..Limits::default()
    };
    let site = Site::Loopback { port: 8800, tls: false };
    let world = World::with_limits(site, Setup::default(), &[], limits);
    world.add(ADA, Role::Viewer);
    let mut browser = world.browser();
    for path in ["/login", "/settings/account", "/invite/x"] {
        assert_ne!(browser.open(path).status, 429, "{path}");
    }
    for path in ["/login", "/settings/account", "/invite/x", "/setup/x"] {
        let refused = browser.open(path);
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "20"), "{path}");
        assert!(refused.text().contains("Too many tries"), "{path}");
    }
    // A try to log in has a limit of its own, and what pages load none.
    assert_eq!(browser.fill("/login", &[("email", ADA), ("password", RIGHT)]).status, 303);
    for _ in 0..10 {
        assert_eq!(browser.open("/settings/account").status, 200);
        assert_eq!(browser.open("/assets/x").status, 404);
    }
}
