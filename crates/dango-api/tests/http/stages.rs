//! How far a session has come and what it reaches: half a login, a proof that has grown old, another role.

use dango_api::{ROUTES, Stage};
use dango_identity::Role;
use serde_json::json;

use crate::moves::is;
use crate::world::{RIGHT, World};

const ADA: &str = "ada@team.example";
const BOB: &str = "bob@team.example";
const NOBODYS_ID: &str = "0193d5a0-0000-7000-8000-000000000000";

/// S14.
#[test]
fn half_a_login_reaches_the_second_factor_and_the_way_out() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let factor = world.signed_in(ADA).enrol();
    let mut browser = world.browser();
    let answer = browser.log_in(ADA, RIGHT);
    assert_eq!(answer.json(), json!({"requires_2fa": true}));
    let cookies = answer.cookies();
    assert!(cookies.len() == 1 && cookies[0].contains("Max-Age=300"), "{cookies:?}");
    for route in ROUTES.iter() {
        let path = route.path.replace("{id}", NOBODYS_ID);
        if matches!(route.stage(), Stage::Open | Stage::Partial | Stage::AnySession) {
            continue;
        }
        let answer = browser.send(route.verb.name(), &path, Some("{}"));
        assert_eq!(answer.problem(), is(401, "authentication_required"), "{path}");
    }
    // It is not among the sessions that the list shows.
    world.pass(60);
    let code = json!({"recovery_code": factor.recovery[0]});
    let mut full = world.browser();
    full.log_in(ADA, RIGHT);
    assert_eq!(full.post("/api/auth/2fa/verify", code).status, 200);
    let listed = full.get("/api/auth/sessions").json();
    // The one that enrolled, and this one.
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    // Five minutes, and used once.
    world.pass(240);
    let token = browser.token();
    let code = json!({"code": world.code(&factor.secret, 0)});
    assert_eq!(browser.post("/api/auth/2fa/verify", code).problem(), is(401, "session_expired"));
    let mut again = world.browser();
    again.log_in(ADA, RIGHT);
    let (partial, code) = (again.token(), json!({"code": world.code(&factor.secret, 0)}));
    assert_eq!(again.post("/api/auth/2fa/verify", code.clone()).status, 200);
    for dead in [token, partial] {
        let answer = world.with_cookie(&dead, "POST", "/api/auth/2fa/verify", Some(code.clone()));
        assert_eq!(answer.problem(), is(401, "session_expired"));
    }
    // Nor with no session, or one that is past it.
    assert_eq!(
        world.send("POST", "/api/auth/2fa/verify", &[], Some("{}")).problem(),
        is(401, "session_expired")
    );
    assert_eq!(again.post("/api/auth/2fa/verify", code).problem(), is(401, "session_expired"));
}

/// S20.
#[test]
fn ten_minutes_after_a_proof_it_is_asked_for_again() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let bob = world.add(BOB, Role::Viewer);
    let mut browser = world.signed_in(ADA);
    let sensitive = |browser: &mut crate::world::Browser<'_>| {
        let role = json!({"role": "viewer"}).to_string();
        [
            browser.post("/api/auth/api-keys", json!({"name": "ci"})).code(),
            browser.send("PUT", &format!("/api/admin/users/{bob}/role"), Some(&role)).code(),
            browser.post(&format!("/api/admin/users/{bob}/unlock"), json!({})).code(),
        ]
    };
    world.pass(599);
    assert_eq!(sensitive(&mut browser), ["", "", ""]);
    world.pass(2);
    assert_eq!(sensitive(&mut browser), ["reauthentication_required"; 3]);
    // What only reads does not ask.
    assert_eq!(browser.get("/api/admin/users").status, 200);
    let again = browser.post("/api/auth/reauthenticate", json!({"password": RIGHT}));
    assert_eq!((again.status.as_u16(), again.json()), (200, json!({"success": true})));
    assert_eq!(sensitive(&mut browser), ["", "", ""]);
}

/// S10, K3.
#[test]
fn another_role_holds_for_the_next_request() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let bob = world.add(BOB, Role::Admin);
    let mut second = world.signed_in(BOB);
    let (_, key) = second.make_key(&["admin"]);
    assert_eq!(second.get("/api/admin/users").status, 200);
    let role = json!({"role": "editor"}).to_string();
    assert_eq!(
        world
            .signed_in(ADA)
            .send("PUT", &format!("/api/admin/users/{bob}/role"), Some(&role))
            .status,
        200
    );
    let denied = second.get("/api/admin/users");
    // A change of the role may also end the sessions; in neither case it goes on.
    assert!([401, 403].contains(&denied.status.as_u16()), "{}", denied.text());
    assert_eq!(
        world.with_key(&key, "GET", "/api/admin/users", None).problem(),
        is(403, "permission_denied")
    );
}
