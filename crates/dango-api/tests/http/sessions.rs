//! Sessions over HTTP: rotation, fixation, cookies, limits, the list.

use std::time::Duration;

use dango_actions::Setup;
use dango_api::{ROUTES, Site};
use dango_identity::{Role, SessionLimits};
use serde_json::{Value, json};

use crate::moves::{assert_members, assert_time, is};
use crate::world::{OTHER, RIGHT, World};

const ADA: &str = "ada@team.example";
const BOB: &str = "bob@team.example";
const NOBODYS_ID: &str = "0193d5a0-0000-7000-8000-000000000000";

fn alive(world: &World, token: &str) -> bool {
    world.with_cookie(token, "GET", "/api/auth/me", None).status == 200
}

/// S5.
#[test]
fn a_token_is_dead_as_soon_as_there_is_another() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let mut tokens = vec![browser.token()];
    let mut rotated = |browser: &crate::world::Browser<'_>, what: &str| {
        let now = browser.token();
        assert!(!tokens.contains(&now), "{what}: the token is an old one");
        for old in &tokens {
            let answer = world.with_cookie(old, "GET", "/api/auth/me", None);
            assert_eq!(answer.status, 401, "{what}");
        }
        tokens.push(now);
    };
    // Another login in the same browser ends what it had.
    assert_eq!(browser.log_in(ADA, RIGHT).status, 200);
    rotated(&browser, "login");
    assert_eq!(browser.post("/api/auth/reauthenticate", json!({"password": RIGHT})).status, 200);
    rotated(&browser, "reauthenticate");
    let factor = browser.enrol();
    rotated(&browser, "enrolment");
    assert_eq!(browser.log_in(ADA, RIGHT).json(), json!({"requires_2fa": true}));
    rotated(&browser, "half a login");
    world.pass(60);
    let code = json!({"code": world.code(&factor.secret, 0)});
    assert_eq!(browser.post("/api/auth/2fa/verify", code).status, 200);
    rotated(&browser, "second factor");
    let change = json!({"current_password": RIGHT, "new_password": OTHER});
    assert_eq!(browser.post("/api/auth/change-password", change).status, 200);
    assert!(tokens.iter().all(|token| !alive(&world, token)));
}

#[test]
fn a_login_that_fails_leaves_the_session_of_the_browser_alone() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    assert_eq!(browser.log_in(BOB, RIGHT).status, 401);
    assert_eq!(browser.get("/api/auth/me").status, 200);
    let (_, records) = world.recorded(|| browser.log_in(ADA, RIGHT));
    assert_eq!(records, ["logout success", "login_success success"]);
}

/// S6.
#[test]
fn a_token_that_a_client_chose_is_never_adopted() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let chosen = "A".repeat(43);
    let mut browser = world.browser();
    browser.cookies = vec![
        ("dango_session".to_owned(), chosen.clone()),
        ("dango_device".to_owned(), chosen.clone()),
    ];
    assert_eq!(browser.log_in(ADA, RIGHT).status, 200);
    assert_ne!(browser.token(), chosen);
    assert!(browser.cookies.iter().all(|(_, value)| *value != chosen));
    assert!(!alive(&world, &chosen));
}

/// S4.
#[test]
fn cookies_say_all_that_keeps_them_safe() {
    let url = "https://dango.example.com";
    let site = Site::Public(url.parse().expect("an address"));
    let world = World::at(site, Setup::default());
    let (_, token) = world.invite(ADA, Role::Admin);
    let own = [("host", "dango.example.com"), ("origin", url)];
    let post = |path: &str, body: Value, cookie: &str| {
        let mut headers = own.to_vec();
        headers.push(("cookie", cookie));
        world.send("POST", path, &headers, Some(&body.to_string()))
    };
    assert_eq!(
        post("/api/auth/accept-invite", json!({"token": token, "password": RIGHT}), "").status,
        200
    );
    let answer = post("/api/auth/login", json!({"email": ADA, "password": RIGHT}), "");
    let set = answer.cookies();
    assert_eq!(set.len(), 2);
    for (line, name) in set.iter().zip(["__Host-dango_session=", "__Host-dango_device="]) {
        assert!(line.starts_with(name) && line.len() < 4096, "{line}");
        let attributes: Vec<&str> = line.split("; ").skip(1).collect();
        for wanted in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(attributes.contains(&wanted), "{line}");
        }
        assert!(!line.contains("Domain"));
    }
    let cookie = set[0].split(';').next().expect("a pair").to_owned();
    // The plain name counts on the machine itself only.
    let plain = cookie.replace("__Host-", "");
    let me = |cookie: &str| {
        world
            .send("GET", "/api/auth/me", &[own[0], ("cookie", cookie)], None)
            .status
            .as_u16()
    };
    assert_eq!((me(&cookie), me(&plain)), (200, 401));
    let out = post("/api/auth/logout", json!({}), &cookie);
    let cleared = out.cookies();
    assert_eq!(
        cleared,
        ["__Host-dango_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"]
    );
    assert_eq!(out.header("clear-site-data"), "\"cache\", \"storage\"");
}

/// S7.
#[test]
fn a_session_ends_when_it_is_not_used_and_in_any_case() {
    let limits = SessionLimits {
        idle: Duration::from_secs(3600),
        absolute: Duration::from_secs(3 * 3600),
        ..SessionLimits::default()
    };
    let setup = Setup {
        session_limits: limits,
        ..Setup::default()
    };
    let world = World::at(Site::Loopback { port: 8800, tls: false }, setup);
    world.add(ADA, Role::Admin);
    let mut idle = world.signed_in(ADA);
    world.pass(3599);
    assert_eq!(idle.get("/api/auth/me").status, 200);
    world.pass(3600);
    assert_eq!(idle.get("/api/auth/me").problem(), is(401, "authentication_required"));
    let mut used = world.signed_in(ADA);
    for _ in 0..6 {
        assert_eq!(used.get("/api/auth/me").status, 200);
        world.pass(1800);
    }
    assert_eq!(used.get("/api/auth/me").status, 401);
}

/// S8.
#[test]
fn a_logout_is_the_end_at_every_stage() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut full = world.signed_in(ADA);
    let token = full.token();
    full.enrol();
    assert!(!alive(&world, &token));
    let mut partial = world.browser();
    partial.log_in(ADA, RIGHT);
    for browser in [&mut full, &mut partial] {
        let token = browser.token();
        assert_eq!(browser.send("POST", "/api/auth/logout", None).status, 200);
        let again = world.with_cookie(&token, "POST", "/api/auth/logout", None);
        assert_eq!(again.problem(), is(401, "authentication_required"));
    }
}

/// S11, S12, Z2.
#[test]
fn the_list_shows_ones_own_sessions_and_ends_them() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    world.add(BOB, Role::Viewer);
    let mut browser = world.browser();
    browser.peer = "[2001:db8::7]:4711".to_owned();
    let agent = format!("Firefox\u{202e}\t<img onerror=1> {}", "x".repeat(1000));
    let login = json!({"email": ADA, "password": RIGHT}).to_string();
    let headers = [("sec-fetch-site", "same-origin"), ("user-agent", agent.as_str())];
    assert_eq!(browser.send_with("POST", "/api/auth/login", &headers, Some(&login)).status, 200);
    let mut other = world.signed_in(ADA);
    let mut bob = world.signed_in(BOB);
    let listed = browser.get("/api/auth/sessions").json();
    let sessions = listed.as_array().expect("a list");
    assert_eq!(sessions.len(), 2);
    for session in sessions {
        assert_members(
            session,
            &[
                ("id", "s"),
                ("ip_address", "s?"),
                ("user_agent", "s?"),
                ("created_at", "s"),
                ("last_activity", "s"),
                ("is_current", "b"),
            ],
        );
        assert_time(&session["created_at"]);
        assert_time(&session["last_activity"]);
    }
    let of = |current: bool| sessions.iter().find(|session| session["is_current"] == current).expect("is there");
    assert_eq!(of(true)["ip_address"], "2001:db8::7");
    let shown = of(true)["user_agent"].as_str().expect("a text");
    assert!(
        shown.chars().count() <= 256 && !shown.contains('\u{202e}') && !shown.contains('\t'),
        "{shown}"
    );
    let id = |session: &Value| session["id"].as_str().expect("an id").to_owned();
    let (mine, others) = (id(of(true)), id(of(false)));
    // An id is no token.
    assert!(!alive(&world, &mine));
    let path = |id: &str| format!("/api/auth/sessions/{id}");
    assert_eq!(browser.delete(&path(&mine)).problem(), is(409, "current_session"));
    let foreign = bob.delete(&path(&others));
    let unknown = bob.delete(&path(NOBODYS_ID));
    assert_eq!(foreign.problem(), is(404, "not_found"));
    assert_eq!(foreign.json()["detail"], unknown.json()["detail"]);
    assert_eq!(browser.delete(&path("not-an-id")).problem(), is(404, "not_found"));
    let ended = browser.delete(&path(&others));
    assert_eq!((ended.status.as_u16(), ended.json()), (200, json!({"success": true})));
    assert_eq!(other.get("/api/auth/me").status, 401);
    assert_eq!(browser.delete(&path(&others)).problem(), is(404, "not_found"));
    let (mut second, mut third) = (world.signed_in(ADA), world.signed_in(ADA));
    assert_eq!(browser.delete("/api/auth/sessions").json(), json!({"revoked": 2}));
    assert_eq!(
        (
            second.get("/api/auth/me").status.as_u16(),
            third.get("/api/auth/me").status.as_u16()
        ),
        (401, 401)
    );
    assert_eq!(browser.get("/api/auth/me").status, 200);
    assert_eq!(bob.get("/api/auth/me").status, 200);
}

/// S15.
#[test]
fn the_oldest_session_makes_room() {
    let limits = SessionLimits {
        parallel: 2,
        ..SessionLimits::default()
    };
    let setup = Setup {
        session_limits: limits,
        ..Setup::default()
    };
    let world = World::at(Site::Loopback { port: 8800, tls: false }, setup);
    world.add(ADA, Role::Admin);
    let tokens: Vec<String> = (0..3)
        .map(|_| {
            world.pass(1);
            world.signed_in(ADA).token()
        })
        .collect();
    let alive: Vec<bool> = tokens.iter().map(|token| alive(&world, token)).collect();
    assert_eq!(alive, [false, true, true]);
}

/// S17.
#[test]
fn nothing_that_somebody_signed_in_sees_is_kept_by_a_cache() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    for route in ROUTES.iter().filter(|route| route.verb == dango_api::Verb::Get) {
        assert_eq!(browser.get(route.path).header("cache-control"), "no-store", "{}", route.path);
    }
}

/// S18.
#[test]
fn a_token_is_no_key_a_key_no_cookie_and_the_header_comes_first() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let (_, key) = browser.make_key(&[]);
    let token = browser.token();
    assert_eq!(world.with_key(&token, "GET", "/api/auth/me", None).status, 401);
    assert_eq!(world.with_cookie(&key, "GET", "/api/auth/me", None).status, 401);
    let both = |authorization: &str| {
        let headers = [("authorization", authorization)];
        browser.world.send_from(
            "192.0.2.7:1",
            "GET",
            "/api/auth/me",
            &[headers[0], ("cookie", &format!("dango_session={token}"))],
            None,
        )
    };
    for wrong in ["Bearer x", "Bearer", "Basic YTpi", "bearer  ", "Digest a=b", key.as_str(), " "] {
        assert_eq!(both(wrong).problem(), is(401, "authentication_required"), "{wrong}");
    }
    for right in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(both(&format!("{right} {key}")).status, 200);
    }
    // An empty header is one, too; two are none that counts.
    let request = |values: &[&str]| {
        let mut request = axum::http::Request::get("/api/auth/me").header("host", crate::world::HOST);
        for value in values {
            request = request.header("authorization", *value);
        }
        let cookie = format!("dango_session={token}");
        let request = request.header("cookie", cookie).body(axum::body::Body::empty()).expect("a request");
        world.send_request("192.0.2.7:1", request).status.as_u16()
    };
    let good = format!("Bearer {key}");
    assert_eq!(
        [request(&[]), request(&[""]), request(&[&good, &good]), request(&[&good, ""])],
        [200, 401, 401, 401]
    );
}
