//! Mistakes that servers of this kind have made: one test for each, named after the kind of mistake. What concerns OAuth is not here.

use std::sync::Arc;

use dango_actions::Setup;
use dango_api::{ROUTES, Site, Stage};
use dango_identity::{IdentityKey, Role, TokenKey, UserId, kind};
use dango_store::StoreExt;
use pollster::block_on;
use serde_json::json;

use crate::moves::{is, race};
use crate::world::{OTHER, RIGHT, WRONG, World};

const ADA: &str = "ada@team.example";
const BOB: &str = "bob@team.example";
const NOBODYS_ID: &str = "0193d5a0-0000-7000-8000-000000000000";

fn login(email: &str, password: &str) -> String {
    json!({"email": email, "password": password}).to_string()
}

/// ZITADEL GHSA-7h8m-vrxx-vr4m: the count was read before the guess and written after it.
#[test]
fn parallel_guesses_do_not_pass_the_lockout() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let answers = race(100, |number| {
        let peer = format!("198.51.100.{number}:4711");
        let answer = world.send_from(&peer, "POST", "/api/auth/login", &[], Some(&login(ADA, WRONG)));
        answer.problem()
    });
    let wrong = answers.iter().filter(|answer| **answer == is(401, "invalid_credentials")).count();
    let locked = answers.iter().filter(|answer| **answer == is(423, "account_locked")).count();
    assert_eq!((wrong, locked), (5, 95));
    assert_eq!(world.browser().log_in(ADA, RIGHT).problem(), is(423, "account_locked"));
}

/// ZITADEL CVE-2023-22492, Vaultwarden CVE-2026-95814: what was issued before went on working after the account was switched off.
#[test]
fn nothing_that_was_issued_outlives_a_deactivation() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let id = world.add(BOB, Role::Editor);
    let mut admin = world.signed_in(ADA);
    let mut full = world.signed_in(BOB);
    let (_, key) = full.make_key(&[]);
    full.enrol();
    let mut partial = world.browser();
    assert_eq!(partial.log_in(BOB, RIGHT).json(), json!({"requires_2fa": true}));
    let holders = |full: &mut crate::world::Browser<'_>, partial: &mut crate::world::Browser<'_>| {
        [
            full.get("/api/auth/me").status.as_u16(),
            full.get("/api/auth/sessions").status.as_u16(),
            world.with_key(&key, "GET", "/api/auth/me", None).status.as_u16(),
            partial.post("/api/auth/2fa/verify", json!({"code": "000000"})).status.as_u16(),
        ]
    };
    assert_eq!(holders(&mut full, &mut partial)[..3], [200; 3]);
    assert_eq!(admin.post(&format!("/api/admin/users/{id}/deactivate"), json!({})).status, 200);
    assert_eq!(holders(&mut full, &mut partial), [401; 4]);
    assert_eq!(world.browser().log_in(BOB, RIGHT).problem(), is(401, "invalid_credentials"));
    // Switched on again, none of it comes back.
    assert_eq!(admin.post(&format!("/api/admin/users/{id}/reactivate"), json!({})).status, 200);
    assert_eq!(holders(&mut full, &mut partial), [401; 4]);
    assert_eq!(world.browser().log_in(BOB, RIGHT).status, 200);
}

/// Vaultwarden CVE-2026-95814: removed members, and those who were never confirmed, had access.
#[test]
fn whoever_was_removed_or_never_came_has_no_access() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let id = world.add(BOB, Role::Editor);
    let mut admin = world.signed_in(ADA);
    let mut removed = world.signed_in(BOB);
    let (_, key) = removed.make_key(&[]);
    let confirmed = json!({"confirm_email": BOB}).to_string();
    assert_eq!(
        admin.send("DELETE", &format!("/api/admin/users/{id}"), Some(&confirmed)).status,
        200
    );
    assert_eq!(removed.get("/api/auth/me").status, 401);
    assert_eq!(world.with_key(&key, "GET", "/api/auth/me", None).status, 401);
    assert_eq!(world.browser().log_in(BOB, RIGHT).problem(), is(401, "invalid_credentials"));
    world.invite("new@team.example", Role::Admin);
    for password in ["", RIGHT, "null"] {
        assert_eq!(
            world.browser().log_in("new@team.example", password).problem(),
            is(401, "invalid_credentials")
        );
    }
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

/// ZITADEL CVE-2025-64102: codes could be guessed without end.
#[test]
fn codes_cannot_be_guessed_without_end() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let factor = world.signed_in(ADA).enrol();
    world.pass(60);
    let wrong = world.wrong_code(&factor.secret);
    let mut browser = world.browser();
    assert_eq!(browser.log_in(ADA, RIGHT).status, 200);
    for _ in 0..5 {
        let answer = browser.post("/api/auth/2fa/verify", json!({"code": wrong}));
        assert_eq!(answer.problem(), is(401, "invalid_code"));
    }
    let right = json!({"code": world.code(&factor.secret, 0)});
    let sixth = browser.post("/api/auth/2fa/verify", right.clone());
    assert!([401, 423].contains(&sixth.status.as_u16()), "{}", sixth.text());
    // Nor does another login give five more.
    assert_eq!(world.browser().log_in(ADA, RIGHT).problem(), is(423, "account_locked"));
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

/// authentik CVE-2022-23555: one invitation made many accounts.
#[test]
fn an_invitation_is_accepted_once_however_many_try() {
    let world = World::new();
    let (_, token) = world.invite(ADA, Role::Editor);
    let accept = json!({"token": token, "password": RIGHT}).to_string();
    let answers = race(50, |number| {
        let peer = format!("198.51.100.{number}:4711");
        world
            .send_from(&peer, "POST", "/api/auth/accept-invite", &[], Some(&accept))
            .status
            .as_u16()
    });
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|status| **status == 410).count(), 49);
    let accepted = world.events();
    let accepted = accepted.iter().filter(|event| event.event == "invite_accepted");
    assert_eq!(
        accepted
            .filter(|event| event.outcome == Some(dango_audit::Outcome::Success))
            .count(),
        1
    );
}

/// authentik GO-2025-4136: an invitation outlived its end until a job came by.
#[test]
fn an_invitation_ends_to_the_second() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let (late, late_token) = world.invite("late@team.example", Role::Viewer);
    let (_, early_token) = world.invite("early@team.example", Role::Viewer);
    let accept = |token: &str| {
        let body = json!({"token": token, "password": RIGHT}).to_string();
        world.send("POST", "/api/auth/accept-invite", &[], Some(&body)).status.as_u16()
    };
    world.pass(72 * 3600 - 1);
    assert_eq!(accept(&early_token), 200);
    let mut admin = world.signed_in(ADA);
    let status = |admin: &mut crate::world::Browser<'_>| {
        let users = admin.get("/api/admin/users").json();
        let found = users
            .as_array()
            .expect("a list")
            .iter()
            .find(|user| user["id"] == *late)
            .expect("is there");
        found["status"].as_str().expect("a word").to_owned()
    };
    assert_eq!(status(&mut admin), "invited");
    world.pass(1);
    assert_eq!(status(&mut admin), "invite_expired");
    assert_eq!(accept(&late_token), 410);
}

/// authentik GO-2025-4137: a key went on after its owner was switched off.
#[test]
fn a_key_is_worth_nothing_without_its_owner() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let id = world.add(BOB, Role::Admin);
    let (_, key) = world.signed_in(BOB).make_key(&["admin"]);
    assert_eq!(world.with_key(&key, "GET", "/api/admin/users", None).status, 200);
    assert_eq!(
        world
            .signed_in(ADA)
            .post(&format!("/api/admin/users/{id}/deactivate"), json!({}))
            .status,
        200
    );
    for path in ["/api/admin/users", "/api/admin/audit", "/api/auth/me"] {
        let answer = world.with_key(&key, "GET", path, None);
        assert_eq!(answer.problem(), is(401, "authentication_required"), "{path}");
    }
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

/// authentik CVE-2026-49448: a request without content was taken for one that had passed.
#[test]
fn an_empty_request_skips_no_stage() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    world.signed_in(ADA).enrol();
    let mut browser = world.browser();
    assert_eq!(browser.log_in(ADA, RIGHT).json(), json!({"requires_2fa": true}));
    for body in [
        None,
        Some("{}"),
        Some("null"),
        Some("[]"),
        Some(r#"{"code":null}"#),
        Some(r#"{"code":""}"#),
        Some(r#"{"code":"","recovery_code":""}"#),
        Some(r#"{"recovery_code":""}"#),
        Some(r#"{"code":true}"#),
    ] {
        let answer = browser.send("POST", "/api/auth/2fa/verify", body);
        assert!(
            answer.status.is_client_error() && answer.cookies().is_empty(),
            "{body:?}: {}",
            answer.text()
        );
        assert_eq!(browser.get("/api/auth/me").status, 401, "{body:?}");
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

/// Metabase: whoever came first could read the token of the first administrator.
#[test]
fn the_claim_of_the_first_administrator_is_never_served_and_good_once() {
    let world = World::new();
    let link = block_on(world.actions.offer_claim(&world.permit::<dango_actions::Machine>())).expect("offered");
    let token = link.url().expose().rsplit('/').next().expect("a token").to_owned();
    for route in ROUTES.iter() {
        let path = route.path.replace("{id}", NOBODYS_ID);
        for body in [None, Some("{}")] {
            let answer = world.send(route.verb.name(), &path, &[], body);
            let headers = format!("{:?}", answer.headers);
            assert!(!answer.text().contains(&token) && !headers.contains(&token), "{path}");
        }
    }
    let answers = race(50, |number| {
        let peer = format!("198.51.100.{number}:4711");
        let claim = json!({"token": token, "email": format!("admin{number}@team.example"), "password": RIGHT}).to_string();
        world.send_from(&peer, "POST", "/api/auth/claim", &[], Some(&claim)).status.as_u16()
    });
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 1);
    assert_eq!(answers.iter().filter(|status| **status == 410).count(), 49);
    let first = answers.iter().position(|status| *status == 201).expect("one");
    let mut admin = world.signed_in(&format!("admin{first}@team.example"));
    let users = admin.get("/api/admin/users").json();
    assert_eq!(users.as_array().map(Vec::len), Some(1));
    assert_eq!(users[0]["role"], "admin");
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
    }
}

/// Vaultwarden CVE-2026-43914, CVE-2026-27801: side doors asked for the password and counted nothing.
#[test]
fn all_places_that_ask_for_the_password_have_one_budget() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let wrong = json!({"password": WRONG});
    let asking = [
        (
            "/api/auth/change-password",
            json!({"current_password": WRONG, "new_password": OTHER}),
        ),
        ("/api/auth/2fa/setup", wrong.clone()),
        ("/api/auth/2fa/disable", wrong.clone()),
        ("/api/auth/2fa/regenerate-recovery", json!({"password": WRONG, "code": "000000"})),
        ("/api/auth/reauthenticate", wrong),
    ];
    for (path, body) in asking.clone() {
        assert_eq!(browser.post(path, body).problem(), is(401, "invalid_credentials"), "{path}");
    }
    let right = |body: &serde_json::Value| serde_json::from_str(&body.to_string().replace(WRONG, RIGHT)).expect("JSON");
    for (path, body) in asking {
        let answer = browser.post(path, right(&body));
        assert_eq!(answer.problem(), is(423, "account_locked"), "{path}");
        assert_eq!(answer.header("retry-after"), "900");
        assert_eq!(answer.json()["retry_after_seconds"], 900);
    }
    // The lock is this browser's; those that nobody knows have a budget of their own.
    assert_eq!(browser.log_in(ADA, RIGHT).problem(), is(423, "account_locked"));
    world.pass(900);
    assert_eq!(browser.post("/api/auth/reauthenticate", json!({"password": RIGHT})).status, 200);
}

/// Vaultwarden CVE-2026-43911: tokens survived the change of what they stood for.
#[test]
fn nothing_survives_a_change_of_the_password_but_keys() {
    let world = World::new();
    let id = world.add(ADA, Role::Admin);
    world.add(BOB, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let (_, key) = browser.make_key(&[]);
    browser.enrol();
    let mut partial = world.browser();
    partial.log_in(ADA, RIGHT);
    let (mut device, before) = (world.browser(), browser.cookies.clone());
    let known = before
        .iter()
        .filter(|(name, _)| name == "dango_device")
        .cloned()
        .collect::<Vec<_>>();
    assert_eq!(known.len(), 1);
    let change = json!({"current_password": RIGHT, "new_password": OTHER});
    let answer = browser.post("/api/auth/change-password", change);
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"success": true})));
    browser.cookies = before;
    assert_eq!(browser.get("/api/auth/me").status, 401);
    assert_eq!(
        partial.post("/api/auth/2fa/verify", json!({"code": "000000"})).problem(),
        is(401, "session_expired")
    );
    // A browser of before the change is a stranger again.
    for _ in 0..5 {
        assert_eq!(world.browser().log_in(ADA, WRONG).status, 401);
    }
    device.cookies = known;
    assert_eq!(device.log_in(ADA, OTHER).problem(), is(423, "account_locked"));
    assert_eq!(world.with_key(&key, "GET", "/api/auth/me", None).status, 200);
    // An administrator's reset ends the keys, too.
    let reset = world
        .signed_in(BOB)
        .post(&format!("/api/admin/users/{id}/reset-password"), json!({}));
    assert_eq!(reset.status, 200);
    assert_eq!(world.with_key(&key, "GET", "/api/auth/me", None).status, 401);
}

/// Bitwarden CVE-2026-43640: a session of yesterday made keys for tomorrow.
#[test]
fn a_key_is_made_after_a_fresh_login_only() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    world.pass(600 + 1);
    let refused = browser.post("/api/auth/api-keys", json!({"name": "ci"}));
    assert_eq!(refused.problem(), is(403, "reauthentication_required"));
    assert_eq!(browser.post("/api/auth/reauthenticate", json!({"password": RIGHT})).status, 200);
    let (_, key) = browser.make_key(&[]);
    let minted = world.with_key(&key, "POST", "/api/auth/api-keys", Some(json!({"name": "more"})));
    assert_eq!(minted.problem(), is(403, "session_required"));
}

/// Keycloak #26180, GHSA-85v8-vx4w-q684: guessing went on after the lock, and wrong codes did not count.
#[test]
fn wrong_codes_count_across_logins_and_a_lock_ends_the_half_login() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let factor = world.signed_in(ADA).enrol();
    world.pass(60);
    let wrong = json!({"code": world.wrong_code(&factor.secret)});
    let mut last = world.browser();
    for number in 0..5 {
        last = world.browser();
        assert_eq!(last.log_in(ADA, RIGHT).status, 200, "the password alone resets nothing: {number}");
        assert_eq!(last.post("/api/auth/2fa/verify", wrong.clone()).problem(), is(401, "invalid_code"));
    }
    let token = last.token();
    assert_eq!(world.browser().log_in(ADA, RIGHT).problem(), is(423, "account_locked"));
    let while_locked = last.post("/api/auth/2fa/verify", json!({"code": world.code(&factor.secret, 0)}));
    assert!([401, 423].contains(&while_locked.status.as_u16()), "{}", while_locked.text());
    world.pass(900);
    let code = json!({"code": world.code(&factor.secret, 0)});
    let after = world.with_cookie(&token, "POST", "/api/auth/2fa/verify", Some(code));
    assert_eq!(after.problem(), is(401, "session_expired"));
}

/// hanko PR #2723: the code that switched the second factor on was good for a login, too.
#[test]
fn the_code_of_the_enrolment_is_used() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let factor = world.signed_in(ADA).enrol();
    let mut browser = world.browser();
    browser.log_in(ADA, RIGHT);
    for step in [0, -1] {
        let code = json!({"code": world.code(&factor.secret, step)});
        assert_eq!(
            browser.post("/api/auth/2fa/verify", code).problem(),
            is(401, "invalid_code"),
            "{step}"
        );
    }
    let next = json!({"code": world.code(&factor.secret, 1)});
    assert_eq!(browser.post("/api/auth/2fa/verify", next).status, 200);
}

/// rauthy RAUTHY-004, RAUTHY-006: a page of no rows, or of all that a number can count, was a crash.
#[test]
fn a_page_has_a_size_that_makes_sense() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    for limit in [
        "0",
        "-1",
        "501",
        "2147483648",
        "18446744073709551616",
        "1e3",
        "",
        "x",
        "1.0",
        "%00",
        "٣",
    ] {
        let answer = browser.get(&format!("/api/admin/audit?limit={limit}"));
        assert_eq!(answer.problem(), is(422, "invalid_parameter"), "{limit}");
    }
    for limit in ["1", "500"] {
        assert_eq!(browser.get(&format!("/api/admin/audit?limit={limit}")).status, 200, "{limit}");
    }
}

/// rauthy RAUTHY-005: a key was compared letter by letter.
#[test]
fn a_key_is_shown_once_and_one_wrong_letter_is_no_key() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let (_, key) = browser.make_key(&[]);
    assert_eq!(world.with_key(&key, "GET", "/api/auth/me", None).status, 200);
    for place in 0..key.len() {
        let letter = if key.as_bytes()[place] == b'a' { "b" } else { "a" };
        let mut other = key.clone();
        other.replace_range(place..=place, letter);
        assert_eq!(world.with_key(&other, "GET", "/api/auth/me", None).status, 401, "{place}");
    }
    let listed = browser.get("/api/auth/api-keys").text();
    assert!(!listed.contains(&key) && listed.contains(&key[..8]));
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
