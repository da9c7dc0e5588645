//! What was issued and ends: sessions, keys, invitations, the claim.

use dango_api::ROUTES;
use dango_identity::Role;
use pollster::block_on;
use serde_json::json;

use crate::moves::{is, race};
use crate::world::{OTHER, RIGHT, WRONG, World};

const ADA: &str = "ada@team.example";
const BOB: &str = "bob@team.example";
const NOBODYS_ID: &str = "0193d5a0-0000-7000-8000-000000000000";

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
