//! API keys over HTTP: made, shown once, listed, ended, and what they may do.

use dango_api::{ROUTES, Stage};
use dango_core::Clock;
use dango_identity::Role;
use serde_json::{Value, json};

use crate::moves::{assert_members, assert_time, is};
use crate::world::{RIGHT, World};

const ADA: &str = "ada@team.example";
const BOB: &str = "bob@team.example";
const NOBODYS_ID: &str = "0193d5a0-0000-7000-8000-000000000000";
const KEY: &[(&str, &str)] = &[
    ("id", "s"),
    ("name", "s"),
    ("key_prefix", "s"),
    ("created_at", "s"),
    ("last_used_at", "s?"),
    ("expires_at", "s?"),
    ("is_expired", "b"),
    ("scopes", "a"),
];

/// K1, K2, K5.
#[test]
fn a_key_is_shown_whole_once_and_by_its_beginning_ever_after() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let made = browser.post("/api/auth/api-keys", json!({"name": "ci"}));
    assert_eq!(made.status, 201);
    let made = made.json();
    let mut shown = KEY.to_vec();
    shown.push(("key", "s"));
    assert_members(&made, &shown);
    let key = made["key"].as_str().expect("a key").to_owned();
    assert!(key.len() == 50 && key.starts_with("dak_"), "{}", key.len());
    assert!(key[4..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!(made["key_prefix"], key[..8]);
    assert_eq!((&made["last_used_at"], &made["expires_at"]), (&Value::Null, &Value::Null));
    let listed = browser.get("/api/auth/api-keys");
    assert!(!listed.text().contains(&key));
    let listed = listed.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_members(&listed[0], KEY);
    assert_time(&listed[0]["created_at"]);
    world.pass(61);
    assert_eq!(world.with_key(&key, "GET", "/api/auth/me", None).json()["email"], ADA);
    let used = browser.get("/api/auth/api-keys").json()[0]["last_used_at"].clone();
    assert_eq!(used, world.clock.now().to_string());
}

/// K4.
#[test]
fn an_end_is_in_the_future_and_within_a_year_and_shows_when_it_has_come() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let now = world.clock.now();
    let at = |seconds: i64| dango_core::Timestamp::from_unix_micros(now.unix_micros() + seconds * 1_000_000).to_string();
    let mut make = |body: Value| browser.post("/api/auth/api-keys", body);
    for bad in [
        json!({"name": "x", "expires_in_days": 0}),
        json!({"name": "x", "expires_in_days": -1}),
        json!({"name": "x", "expires_in_days": 366}),
        json!({"name": "x", "expires_in_days": i64::MAX}),
        json!({"name": "x", "expires_in_days": i64::MIN}),
        json!({"name": "x", "expires_at": at(0)}),
        json!({"name": "x", "expires_at": at(-1)}),
        json!({"name": "x", "expires_at": at(366 * 86_400)}),
        json!({"name": "x", "expires_at": "tomorrow"}),
        json!({"name": "x", "expires_at": ""}),
        json!({"name": "x", "expires_at": at(60), "expires_in_days": 1}),
    ] {
        assert_eq!(make(bad.clone()).problem(), is(422, "invalid_expiry"), "{bad}");
    }
    for bad in [
        json!({}),
        json!({"name": ""}),
        json!({"name": "x".repeat(129)}),
        json!({"name": "a\u{0}b"}),
        json!({"name": "a\nb"}),
        json!({"name": 7}),
        json!({"name": "x", "expires_in_days": "1"}),
        json!({"name": "x", "expires_in_days": 1.5}),
        json!({"name": "x", "scopes": ["root"]}),
        json!({"name": "x", "scopes": "admin"}),
    ] {
        assert_eq!(make(bad.clone()).problem(), is(422, "invalid_body"), "{bad}");
    }
    assert_eq!(make(json!({"name": "x".repeat(128), "expires_in_days": 365})).status, 201);
    assert_eq!(make(json!({"name": "ключ 🔑", "expires_at": null})).status, 201);
    let key = make(json!({"name": "short", "expires_at": at(3600)}));
    assert_eq!((key.status.as_u16(), &key.json()["expires_at"]), (201, &json!(at(3600))));
    let key = key.json()["key"].as_str().expect("a key").to_owned();
    world.pass(3599);
    assert_eq!(world.with_key(&key, "GET", "/api/auth/me", None).status, 200);
    world.pass(1);
    let (answer, records) = world.recorded(|| world.with_key(&key, "GET", "/api/auth/me", None));
    assert_eq!(answer.problem(), is(401, "authentication_required"));
    assert_eq!(records.len(), 1, "{records:?}");
    assert!(records[0].starts_with("api_key_refused denied"), "{records:?}");
    assert_eq!(world.events()[0].request_id.as_deref(), Some(answer.header("x-request-id")));
    let listed = browser.get("/api/auth/api-keys").json();
    let expired: Vec<&Value> = listed
        .as_array()
        .expect("a list")
        .iter()
        .filter(|key| key["is_expired"] == true)
        .collect();
    assert_eq!(expired.len(), 1);
    assert_eq!(expired[0]["name"], "short");
}

/// K6, Z4.
#[test]
fn a_key_makes_and_changes_no_credentials() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let (_, key) = world.signed_in(ADA).make_key(&["admin"]);
    let credentials = ROUTES
        .iter()
        .filter(|route| !matches!(route.stage(), Stage::Open | Stage::Known | Stage::SessionOrKey | Stage::Key));
    let mut walked = 0;
    for route in credentials {
        let path = route.path.replace("{id}", NOBODYS_ID);
        let (answer, records) = world.recorded(|| world.with_key(&key, route.verb.name(), &path, Some(json!({}))));
        assert_eq!(answer.problem(), is(403, "session_required"), "{path}");
        assert_eq!(records, ["permission_denied denied session_required"], "{path}");
        walked += 1;
    }
    assert!(walked >= 14, "{walked}");
    let denied = &world.events()[0];
    assert_eq!(denied.actor.kind, "api_key");
    assert!(denied.request_id.is_some() && denied.ip.as_deref() == Some("192.0.2.7"));
}

/// K3, K8, Z2.
#[test]
fn a_key_is_its_owners_and_no_more_than_its_owner() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    world.add(BOB, Role::Viewer);
    let (mut ada, mut bob) = (world.signed_in(ADA), world.signed_in(BOB));
    let scoped = bob.post("/api/auth/api-keys", json!({"name": "x", "scopes": ["admin"]}));
    assert_eq!(scoped.problem(), is(422, "scope_exceeds_owner"));
    let (_, viewers) = bob.make_key(&[]);
    assert_eq!(
        world.with_key(&viewers, "GET", "/api/admin/users", None).problem(),
        is(403, "permission_denied")
    );
    let (id, plain) = ada.make_key(&[]);
    let (_, admins) = ada.make_key(&["admin"]);
    // Administering has to be asked for when the key is made.
    let add = |key: &str, email: &str| {
        let body = json!({"email": email, "role": "viewer"});
        world.with_key(key, "POST", "/api/admin/users", Some(body))
    };
    assert_eq!(add(&plain, "x@team.example").problem(), is(403, "permission_denied"));
    // A key proves itself with each request, however old it is.
    world.pass(86_400);
    assert_eq!(add(&admins, "x@team.example").status, 201);
    let mut bob = world.signed_in(BOB);
    let path = format!("/api/auth/api-keys/{id}");
    let foreign = bob.delete(&path);
    let unknown = bob.delete(&format!("/api/auth/api-keys/{NOBODYS_ID}"));
    assert_eq!(foreign.problem(), is(404, "not_found"));
    assert_eq!(foreign.json()["detail"], unknown.json()["detail"]);
    assert_eq!(bob.delete("/api/auth/api-keys/x").problem(), is(404, "not_found"));
    let mut ada = world.signed_in(ADA);
    let revoked = ada.delete(&path);
    assert_eq!((revoked.status.as_u16(), revoked.json()), (200, json!({"success": true})));
    assert_eq!(world.with_key(&plain, "GET", "/api/auth/me", None).status, 401);
    assert_eq!(ada.get("/api/auth/api-keys").json().as_array().map(Vec::len), Some(1));
    assert_eq!(ada.delete(&path).problem(), is(404, "not_found"));
    assert_eq!(world.browser().log_in(ADA, RIGHT).status, 200);
}

/// M14: what the owner has to do first, no key gets around.
#[test]
fn a_key_waits_until_its_owner_has_the_second_factor_that_the_role_must_have() {
    let setup = dango_actions::Setup {
        second_factor_roles: vec![Role::Admin],
        ..dango_actions::Setup::default()
    };
    let world = World::at(dango_api::Site::Loopback { port: 8800, tls: false }, setup);
    let id = world.add(BOB, Role::Viewer);
    let (_, key) = world.signed_in(BOB).make_key(&[]);
    assert_eq!(world.with_key(&key, "GET", "/api/auth/me", None).status, 200);
    let permit = world.permit::<dango_actions::UsersManage>();
    let id: dango_identity::UserId = id.parse().expect("an id");
    pollster::block_on(world.actions.change_role(&permit, id, Role::Admin)).expect("promoted");
    for path in ["/api/admin/users", "/api/secrets", "/api/admin/audit"] {
        assert_eq!(
            world.with_key(&key, "GET", path, None).problem(),
            is(403, "mfa_enrolment_required"),
            "{path}"
        );
    }
    assert_eq!(world.with_key(&key, "GET", "/api/auth/me", None).json()["role"], "admin");
}
