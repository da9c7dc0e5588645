//! Administering people over HTTP: each operation, what it answers, and what it refuses.

use dango_actions::UsersManage;
use dango_identity::Role;
use pollster::block_on;
use serde_json::{Value, json};

use crate::moves::{USER, assert_members, assert_time, is, race};
use crate::world::{Browser, RIGHT, WRONG, World};

const ADA: &str = "ada@team.example";
const BOB: &str = "bob@team.example";
const NOBODYS_ID: &str = "0193d5a0-0000-7000-8000-000000000000";

fn path(id: &str, what: &str) -> String {
    format!("/api/admin/users/{id}/{what}")
}

fn put_role(browser: &mut Browser<'_>, id: &str, role: &str) -> crate::world::Answer {
    browser.send("PUT", &path(id, "role"), Some(&json!({"role": role}).to_string()))
}

fn remove(browser: &mut Browser<'_>, id: &str, typed: &str) -> crate::world::Answer {
    let path = format!("/api/admin/users/{id}");
    browser.send("DELETE", &path, Some(&json!({"confirm_email": typed}).to_string()))
}

#[test]
fn people_are_added_by_a_link_or_a_temporary_password() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut admin = world.signed_in(ADA);
    let invited = admin.post("/api/admin/users", json!({"email": BOB, "role": "viewer"}));
    assert_eq!(invited.status, 201);
    assert_members(&invited.json(), &[("user", "o"), ("invite_url", "s")]);
    let user = invited.json()["user"].clone();
    assert_members(&user, USER);
    assert_eq!((&user["status"], &user["has_pending_invite"]), (&json!("invited"), &json!(true)));
    assert_time(&user["invite_expires_at"]);
    assert_eq!((&user["last_login"], &user["must_change_password"]), (&Value::Null, &json!(false)));
    let body = json!({"email": "tim@team.example", "role": "editor", "generate_password": true});
    let given = admin.post("/api/admin/users", body);
    assert_eq!(given.status, 201);
    assert_members(&given.json(), &[("user", "o"), ("temp_password", "s")]);
    assert_eq!(given.json()["user"]["must_change_password"], true);
    let listed = admin.get("/api/admin/users").json();
    let listed = listed.as_array().expect("a list");
    assert_eq!(listed.len(), 3);
    listed.iter().for_each(|user| assert_members(user, USER));
    for bad in [
        json!({"email": "x@team.example"}),
        json!({"email": "x@team.example", "role": "root"}),
        json!({"email": "x@team.example", "role": "Admin"}),
        json!({"email": "x", "role": "viewer"}),
        json!({"email": "x@team.example", "role": "viewer", "generate_password": "yes"}),
        json!({"email": "x@team.example", "role": "viewer", "password": RIGHT}),
        json!({"email": ["x@team.example"], "role": "viewer"}),
    ] {
        assert_eq!(
            admin.post("/api/admin/users", bad.clone()).problem(),
            is(422, "invalid_body"),
            "{bad}"
        );
    }
}

/// I10.
#[test]
fn one_person_has_one_account_however_the_address_is_written() {
    let world = World::new();
    world.add("kelvin@team.example", Role::Admin);
    let mut admin = world.signed_in("kelvin@team.example");
    for email in [
        "kelvin@team.example",
        "KELVIN@TEAM.EXAMPLE",
        " kelvin@team.example ",
        "\u{212a}elvin@team.example",
        "\u{ff4b}elvin@team.example",
        "kelvin@team.ex\u{ff41}mple",
        "k\u{435}lvin@team.example",
    ] {
        let answer = admin.post("/api/admin/users", json!({"email": email, "role": "viewer"}));
        let problem = answer.problem();
        assert!(
            problem == is(409, "user_exists") || problem == is(422, "invalid_body"),
            "{email}: {}",
            answer.text()
        );
    }
    assert_eq!(admin.get("/api/admin/users").json().as_array().map(Vec::len), Some(1));
    let added = race(20, |_| {
        let permit = world.permit::<UsersManage>();
        let email = BOB.parse().expect("an address");
        block_on(
            world
                .actions
                .add_user(&permit, email, Role::Viewer, dango_actions::FirstLogin::Invite),
        )
        .is_ok()
    });
    assert_eq!(added.iter().filter(|added| **added).count(), 1);
}

#[test]
fn what_is_done_to_an_account_is_answered_as_the_contract_says() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let id = world.add(BOB, Role::Viewer);
    let mut admin = world.signed_in(ADA);
    let mut bob = world.signed_in(BOB);
    let user = |answer: &crate::world::Answer, member: &str| {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_members(&answer.json(), USER);
        answer.json()[member].clone()
    };
    assert_eq!(user(&put_role(&mut admin, &id, "editor"), "role"), "editor");
    assert_eq!(put_role(&mut admin, &id, "owner").problem(), is(422, "invalid_body"));
    let revoked = admin.post(&path(&id, "revoke-sessions"), json!({}));
    assert_members(&revoked.json(), &[("revoked", "n")]);
    assert_eq!(bob.get("/api/auth/me").status, 401);
    for _ in 0..5 {
        world.browser().log_in(BOB, WRONG);
    }
    let locked = admin.get("/api/admin/users").json();
    let locked = locked
        .as_array()
        .expect("a list")
        .iter()
        .find(|user| user["id"] == *id)
        .expect("is there")
        .clone();
    assert_eq!(locked["status"], "locked");
    assert_time(&locked["locked_until"]);
    assert_eq!(user(&admin.post(&path(&id, "unlock"), json!({})), "status"), "active");
    assert_eq!(user(&admin.send("POST", &path(&id, "deactivate"), None), "status"), "inactive");
    assert_eq!(user(&admin.post(&path(&id, "deactivate"), json!({})), "is_active"), false);
    assert_eq!(user(&admin.post(&path(&id, "reactivate"), json!({})), "status"), "active");
    let reset = admin.post(&path(&id, "reset-password"), json!({}));
    assert_eq!(reset.status, 200);
    assert_members(&reset.json(), &[("user", "o"), ("temp_password", "s")]);
    assert_members(&reset.json()["user"], USER);
    assert_eq!(reset.json()["user"]["must_change_password"], true);
    let password = reset.json()["temp_password"].as_str().expect("a password").to_owned();
    assert_eq!(world.browser().log_in(BOB, &password).json()["must_change_password"], true);
    assert_eq!(world.browser().log_in(BOB, RIGHT).status, 401);
    assert_eq!(admin.post(&path(&id, "reinvite"), json!({})).problem(), is(409, "invite_accepted"));
    assert_eq!(admin.post(&path(&id, "reset-2fa"), json!({})).json(), json!({"success": true}));
    for typed in ["ada@team.example", "", "bob"] {
        assert_eq!(
            remove(&mut admin, &id, typed).problem(),
            is(422, "confirmation_mismatch"),
            "{typed}"
        );
    }
    assert_eq!(admin.delete(&format!("/api/admin/users/{id}")).problem(), is(400, "malformed_json"));
    let removed = remove(&mut admin, &id, "Bob@Team.example");
    assert_eq!((removed.status.as_u16(), removed.json()), (200, json!({"success": true})));
    assert_eq!(remove(&mut admin, &id, BOB).problem(), is(404, "not_found"));
}

#[test]
fn nobody_there_is_not_found_whatever_is_to_be_done() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut admin = world.signed_in(ADA);
    for id in [
        NOBODYS_ID,
        "1",
        "..",
        "%2e%2e",
        "%00",
        "'%20OR%201=1--",
        "0193D5A0-0000-7000-8000-000000000000x",
    ] {
        for what in [
            "reinvite",
            "reset-password",
            "reset-2fa",
            "deactivate",
            "reactivate",
            "unlock",
            "revoke-sessions",
        ] {
            let answer = admin.post(&path(id, what), json!({}));
            assert_eq!(answer.problem(), is(404, "not_found"), "{id} {what}");
        }
        assert_eq!(put_role(&mut admin, id, "viewer").problem(), is(404, "not_found"), "{id}");
        assert_eq!(remove(&mut admin, id, ADA).problem(), is(404, "not_found"), "{id}");
    }
}

/// I9.
#[test]
fn the_last_administrator_stays_and_nobody_ends_their_own_account() {
    let world = World::new();
    let ada = world.add(ADA, Role::Admin);
    let mut admin = world.signed_in(ADA);
    assert_eq!(put_role(&mut admin, &ada, "viewer").problem(), is(409, "last_admin"));
    assert_eq!(admin.post(&path(&ada, "deactivate"), json!({})).problem(), is(409, "own_account"));
    assert_eq!(remove(&mut admin, &ada, ADA).problem(), is(409, "own_account"));
    let bob = world.add(BOB, Role::Admin);
    assert_eq!(admin.post(&path(&ada, "deactivate"), json!({})).problem(), is(409, "own_account"));
    // Two who take each other's role away at once: one of them stays.
    let tokens = [admin.token(), world.signed_in(BOB).token()];
    for _ in 0..5 {
        let answers = race(2, |number| {
            let other = if number == 0 { &bob } else { &ada };
            let role = json!({"role": "viewer"});
            world
                .with_cookie(&tokens[number], "PUT", &path(other, "role"), Some(role))
                .status
                .as_u16()
        });
        assert!(
            answers.contains(&200) || answers.iter().all(|status| [401, 403, 409].contains(status)),
            "{answers:?}"
        );
        assert!(!answers.iter().all(|status| *status == 200), "{answers:?}");
    }
    let users = block_on(world.actions.list_users(&world.permit::<dango_actions::UsersView>())).expect("listed");
    assert_eq!(users.iter().filter(|view| view.user.role == Role::Admin).count(), 1);
}

/// I8: all that can be true of an account at once, and the one state that is shown.
#[test]
fn of_all_that_is_true_of_an_account_one_state_is_shown() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut people = Vec::new();
    for number in 0..4 {
        let address = format!("user{number}@team.example");
        let accepted = number % 2 == 0;
        let id = if accepted {
            world.add(&address, Role::Viewer)
        } else {
            world.invite(&address, Role::Viewer).0
        };
        people.push((id, address, accepted));
    }
    let mut seen = Vec::new();
    for expired in [false, true] {
        if expired {
            world.pass(72 * 3600);
        }
        for (id, address, accepted) in &people[..2] {
            let mut admin = world.signed_in(ADA);
            let mut status = |admin: &mut Browser<'_>| {
                let users = admin.get("/api/admin/users").json();
                let found = users
                    .as_array()
                    .expect("a list")
                    .iter()
                    .find(|user| user["id"] == **id)
                    .expect("is there")
                    .clone();
                seen.push((expired, *accepted, found["status"].as_str().expect("a word").to_owned()));
            };
            status(&mut admin);
            for number in 0..5 {
                let peer = format!("198.51.100.{number}:1");
                let body = json!({"email": address, "password": WRONG}).to_string();
                world.send_from(&peer, "POST", "/api/auth/login", &[], Some(&body));
            }
            status(&mut admin);
            assert_eq!(admin.post(&path(id, "deactivate"), json!({})).status, 200);
            status(&mut admin);
            assert_eq!(admin.post(&path(id, "unlock"), json!({})).status, 200);
            status(&mut admin);
            assert_eq!(admin.post(&path(id, "reactivate"), json!({})).status, 200);
        }
    }
    let of = |expired: bool, accepted: bool| {
        let seen = seen.iter().filter(|(e, a, _)| (*e, *a) == (expired, accepted));
        seen.map(|(_, _, status)| status.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of(false, true), ["active", "locked", "inactive", "inactive"]);
    assert_eq!(of(true, true), ["active", "locked", "inactive", "inactive"]);
    let (open, over) = (of(false, false), of(true, false));
    assert_eq!(open[..3], ["invited", "locked", "inactive"]);
    // Whether a deactivation ends an invitation, the state says so.
    assert!(["invite_expired", "inactive", "active"].contains(&over[0]), "{over:?}");
    assert_eq!(over[1..3], ["locked", "inactive"]);
}

/// I12, I11.
#[test]
fn accounts_are_switched_off_and_on_and_not_edited() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let bob = world.add(BOB, Role::Viewer);
    let mut admin = world.signed_in(ADA);
    let (_, token) = world.invite("new@team.example", Role::Viewer);
    for method in ["PATCH", "PUT"] {
        let answer = admin.send(method, "/api/auth/me", Some("{\"email\":\"x@team.example\"}"));
        assert_eq!(answer.problem(), is(405, "method_not_allowed"));
        assert!(answer.header("allow").contains("GET"));
        let answer = admin.send(method, &format!("/api/admin/users/{bob}"), Some("{}"));
        assert_eq!(
            (answer.problem(), answer.header("allow")),
            (is(405, "method_not_allowed"), "DELETE")
        );
    }
    // The invitation of somebody who is switched off is good for nothing.
    let users = admin.get("/api/admin/users").json();
    let new = users
        .as_array()
        .expect("a list")
        .iter()
        .find(|user| user["email"] == "new@team.example")
        .expect("is there");
    let id = new["id"].as_str().expect("an id").to_owned();
    assert_eq!(admin.post(&path(&id, "deactivate"), json!({})).status, 200);
    let accept = json!({"token": token, "password": RIGHT}).to_string();
    assert_eq!(
        world.send("POST", "/api/auth/accept-invite", &[], Some(&accept)).problem(),
        is(410, "invite_invalid")
    );
    assert_eq!(admin.post(&path(&id, "reinvite"), json!({})).problem(), is(409, "user_inactive"));
}

/// Z4, Z5.
#[test]
fn whoever_may_not_is_told_which_permission_is_missing_and_stands_in_the_log() {
    let world = World::new();
    world.add(ADA, Role::Editor);
    let mut browser = world.signed_in(ADA);
    for (method, path, permission) in [
        ("GET", "/api/admin/users".to_owned(), "users.view"),
        ("POST", "/api/admin/users".to_owned(), "users.manage"),
        ("GET", "/api/admin/audit".to_owned(), "audit.view"),
        ("GET", "/api/admin/audit/verify".to_owned(), "audit.view"),
        ("DELETE", format!("/api/admin/users/{NOBODYS_ID}"), "users.manage"),
    ] {
        let (answer, records) = world.recorded(|| browser.send(method, &path, Some("not even JSON")));
        assert_eq!(answer.problem(), is(403, "permission_denied"), "{path}");
        assert_eq!(answer.json()["permission"], permission, "{path}");
        assert_eq!(records, ["permission_denied denied permission_denied"]);
        let record = &world.events()[0];
        assert!(
            record.details.contains(permission) && record.actor.label.as_deref() == Some(ADA),
            "{}",
            record.details
        );
        assert_eq!(record.request_id.as_deref(), Some(answer.header("x-request-id")));
    }
    // A flood of denials does not fill the log.
    for _ in 0..100 {
        browser.get("/api/admin/users");
    }
    let denials = world
        .events()
        .into_iter()
        .filter(|event| event.event == "permission_denied")
        .count();
    assert_eq!(denials, 60);
}
