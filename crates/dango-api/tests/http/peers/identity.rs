//! Who one is: nothing in a request says it but the credential, and nobody writes one by hand.

use std::sync::Arc;

use dango_actions::Setup;
use dango_api::{ROUTES, Site, Stage};
use dango_identity::{IdentityKey, Role, TokenKey, UserId, kind};
use dango_store::StoreExt;
use pollster::block_on;
use serde_json::json;

use crate::moves::is;
use crate::world::{OTHER, RIGHT, World};

const ADA: &str = "ada@team.example";
const BOB: &str = "bob@team.example";
const NOBODYS_ID: &str = "0193d5a0-0000-7000-8000-000000000000";

fn login(email: &str, password: &str) -> String {
    json!({"email": email, "password": password}).to_string()
}

/// ZITADEL GHSA-2wmj-46rj-qm2w, CVE-2026-29067: links were made of what the request called the server.
#[test]
fn a_poisoned_host_changes_no_link() {
    let setup = Setup {
        public_url: "https://dango.example.com".parse().expect("an address"),
        ..Setup::default()
    };
    let site = Site::Public("https://dango.example.com".parse().expect("an address"));
    let world = World::at(site, setup);
    let (_, token) = world.invite(ADA, Role::Admin);
    let own = ("host", "dango.example.com");
    let accept = json!({"token": token, "password": RIGHT}).to_string();
    assert_eq!(world.send("POST", "/api/auth/accept-invite", &[own], Some(&accept)).status, 200);
    let answer = world.send("POST", "/api/auth/login", &[own], Some(&login(ADA, RIGHT)));
    let set = answer.cookies();
    let session = set
        .iter()
        .find(|line| line.starts_with("__Host-dango_session="))
        .expect("a session");
    let cookie = session.split(';').next().expect("a pair").to_owned();
    let add = json!({"email": BOB, "role": "viewer"}).to_string();
    let poisoned = [
        own,
        ("cookie", &*cookie),
        ("origin", "https://dango.example.com"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "http"),
        ("x-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=http"),
    ];
    let added = world.send("POST", "/api/admin/users", &poisoned, Some(&add));
    let url = added.json()["invite_url"].as_str().expect("a link").to_owned();
    assert!(url.starts_with("https://dango.example.com/invite/"), "{url}");
    for host in [
        "evil.example",
        "dango.example.com.evil.example",
        "dango.example.com@evil.example",
        "localhost:8800",
    ] {
        let answer = world.send("GET", "/api/health", &[("host", host)], None);
        assert_eq!(answer.problem(), is(421, "unknown_host"), "{host}");
    }
}

/// ZITADEL CVE-2026-119128: a forged cookie set the first credential of somebody who had none.
#[test]
fn nothing_but_the_invitation_gives_the_first_credential() {
    let world = World::new();
    let (id, token) = world.invite(ADA, Role::Admin);
    let (_, others) = world.invite(BOB, Role::Viewer);
    let change = json!({"current_password": "", "new_password": OTHER});
    for forged in [id.as_str(), token.as_str(), others.as_str(), "admin", ""] {
        for (method, path, body) in [
            ("POST", "/api/auth/change-password", change.clone()),
            ("POST", "/api/auth/2fa/setup", json!({"password": ""})),
            ("POST", "/api/auth/2fa/verify", json!({"code": "000000"})),
            ("POST", "/api/auth/reauthenticate", json!({"password": ""})),
            ("POST", "/api/auth/api-keys", json!({"name": "x"})),
        ] {
            assert_eq!(world.with_cookie(forged, method, path, Some(body)).status, 401, "{path} {forged}");
        }
    }
    assert_eq!(world.browser().log_in(ADA, OTHER).status, 401);
    // Another's invitation is another's account.
    let accept = |token: &str| json!({"token": token, "password": OTHER}).to_string();
    assert_eq!(
        world.send("POST", "/api/auth/accept-invite", &[], Some(&accept(&others))).status,
        200
    );
    assert_eq!(world.browser().log_in(ADA, OTHER).status, 401);
    assert_eq!(
        world.send("POST", "/api/auth/accept-invite", &[], Some(&accept(&token))).status,
        200
    );
    assert_eq!(world.browser().log_in(ADA, OTHER).status, 200);
}

/// authentik CVE-2023-36456, CVE-2024-47070: whoever wrote a header chose their address.
#[test]
fn an_address_is_not_what_a_stranger_says_it_is() {
    let forged = [
        ("x-forwarded-for", "203.0.113.66"),
        ("forwarded", "for=203.0.113.66"),
        ("x-real-ip", "203.0.113.66"),
        ("sec-fetch-site", "same-origin"),
        ("user-agent", "<img src=x onerror=alert(1)>"),
    ];
    for (proxies, expected) in [(&[][..], "192.0.2.7"), (&["192.0.2.0/24"][..], "203.0.113.66")] {
        let world = World::behind(Site::Loopback { port: 8800, tls: false }, Setup::default(), proxies);
        world.add(ADA, Role::Admin);
        let mut browser = world.browser();
        let answer = browser.send_with("POST", "/api/auth/login", &forged, Some(&login(ADA, RIGHT)));
        assert_eq!(answer.status, 200);
        let sessions = browser.get("/api/auth/sessions").json();
        assert_eq!(sessions[0]["ip_address"], expected);
        assert_eq!(sessions[0]["user_agent"], "<img src=x onerror=alert(1)>");
        let record = world
            .events()
            .into_iter()
            .find(|event| event.event == "login_success")
            .expect("recorded");
        assert_eq!(record.ip.as_deref(), Some(expected));
    }
}

/// authentik CVE-2024-42490: endpoints that asked nobody who they were.
#[test]
fn every_endpoint_asks_who_it_is() {
    let world = World::new();
    for route in ROUTES.iter().filter(|route| route.stage() != Stage::Open) {
        let path = route.path.replace("{id}", NOBODYS_ID);
        for body in [None, Some("{}"), Some("not even JSON")] {
            let answer = world.send(route.verb.name(), &path, &[], body);
            assert_eq!(answer.status, 401, "{} {path}: {}", route.verb.name(), answer.text());
            assert!(answer.headers.contains_key("www-authenticate"));
        }
    }
}

/// better-auth CVE-2025-61928: the body said for whom a key was made.
#[test]
fn nobody_says_in_a_body_who_they_are() {
    let world = World::new();
    let id = world.add(ADA, Role::Admin);
    world.add(BOB, Role::Viewer);
    let mut browser = world.signed_in(BOB);
    for member in ["userId", "user_id", "owner", "owner_id", "role", "id", "is_admin"] {
        let key = json!({"name": "x", member: id});
        assert_eq!(
            browser.post("/api/auth/api-keys", key.clone()).problem(),
            is(422, "invalid_body"),
            "{member}"
        );
        let anonymous = world.send("POST", "/api/auth/api-keys", &[], Some(&key.to_string()));
        assert_eq!(anonymous.problem(), is(401, "authentication_required"));
        let change = json!({"current_password": RIGHT, "new_password": OTHER, member: id});
        assert_eq!(
            browser.post("/api/auth/change-password", change).problem(),
            is(422, "invalid_body"),
            "{member}"
        );
        let setup = json!({"password": RIGHT, member: id});
        assert_eq!(
            browser.post("/api/auth/2fa/setup", setup).problem(),
            is(422, "invalid_body"),
            "{member}"
        );
    }
    // Nor does an invitation.
    let (_, token) = world.invite("new@team.example", Role::Viewer);
    let accept = json!({"token": token, "password": RIGHT, "role": "admin"}).to_string();
    assert_eq!(
        world.send("POST", "/api/auth/accept-invite", &[], Some(&accept)).problem(),
        is(422, "invalid_body")
    );
    assert_eq!(browser.get("/api/auth/api-keys").json(), json!([]));
}

/// Grafana CVE-2023-1387: a token in an address went wherever addresses go.
#[test]
fn a_credential_in_an_address_is_refused_everywhere() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let (_, key) = browser.make_key(&[]);
    for route in ROUTES.iter() {
        for name in ["token", "api_key", "access_token", "key", "TOKEN", "%6bey", "api%5fkey"] {
            let path = format!("{}?limit=1&{name}={key}", route.path.replace("{id}", NOBODYS_ID));
            let answer = world.send(route.verb.name(), &path, &[], None);
            assert_eq!(answer.problem(), is(400, "secret_in_url"), "{path}");
            assert!(!answer.text().contains(&key));
        }
    }
}

/// Metabase 2026: rows written into the table of sessions were sessions.
#[test]
fn a_row_written_into_the_table_is_no_session() {
    let world = World::new();
    let ada: UserId = world.add(ADA, Role::Admin).parse().expect("an id");
    world.add(BOB, Role::Viewer);
    let browser = world.signed_in(BOB);
    // As whoever can write the database, but has not the key; to know the digest of a token is more than they do.
    let key = IdentityKey::parse(&dango_core::SecretValue::new("07".repeat(32)).expect("hex")).expect("a key");
    let tokens = TokenKey::derive(&key);
    let own = dango_identity::PlainToken::<kind::Session>::parse(&browser.token()).expect("a token");
    let digest = Arc::new(own.digest(&tokens));
    let of_own = Arc::clone(&digest);
    let stored = block_on(world.store.read(move |tx| Box::pin(async move { tx.find_session(&of_own).await })));
    let stored = stored.expect("read").expect("is there").record;
    // Another's row under a token of my choice.
    let chosen = dango_identity::PlainToken::<kind::Session>::make(&dango_core::OsEntropy).expect("random");
    let mut injected = stored.clone();
    injected.id = dango_identity::SessionId::make(dango_core::Clock::now(&*world.clock), &dango_core::OsEntropy).expect("random");
    injected.digest = chosen.digest(&tokens);
    injected.user = ada;
    // And my own row with another's name.
    let mut changed = stored;
    changed.user = ada;
    let wrote = block_on(world.store.write(move |tx| {
        Box::pin(async move {
            let inserted = tx.insert_session(&injected, 20).await?;
            let rotated = tx.rotate_session(&digest, &changed, 20).await?;
            Ok::<_, dango_identity::StoreError>((inserted, rotated))
        })
    }));
    let (inserted, rotated) = wrote.expect("written");
    for written in [inserted, rotated] {
        assert!(matches!(written, dango_identity::SessionWrite::Written { .. }), "{written:?}");
    }
    for token in [chosen.expose(), browser.token().as_str()] {
        let (answer, records) = world.recorded(|| world.with_cookie(token, "GET", "/api/auth/me", None));
        assert_eq!(answer.problem(), is(401, "authentication_required"));
        assert_eq!(records, ["session_row_invalid denied"]);
        assert_eq!(world.events()[0].request_id.as_deref(), Some(answer.header("x-request-id")));
    }
}

/// rauthy RAUTHY-007: an image of a user was a program. There are no images of users; the drawing of the code holds nothing active.
#[test]
fn no_drawing_runs_anything() {
    let world = World::new();
    world.add(ADA, Role::Viewer);
    let mut browser = world.signed_in(ADA);
    let begun = browser.post("/api/auth/2fa/setup", json!({"password": RIGHT})).json();
    let svg = begun["qr_svg"].as_str().expect("a drawing");
    assert!(svg.contains("<svg") && !svg.contains("<script") && !svg.contains("href") && !svg.contains(" on"));
}
