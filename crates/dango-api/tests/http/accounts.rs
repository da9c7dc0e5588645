//! One's own account over HTTP, in the words of the contract: login, who one is, lockout, invitations, and a door that is closed.

use dango_actions::AuthManage;
use dango_api::{ROUTES, Stage};
use dango_identity::Role;
use pollster::block_on;
use serde_json::{Value, json};

use crate::moves::{USER, assert_members, assert_time, is, race};
use crate::world::{OTHER, RIGHT, WRONG, World};

const ADA: &str = "ada@team.example";
const BOB: &str = "bob@team.example";
const NOBODYS_ID: &str = "0193d5a0-0000-7000-8000-000000000000";

#[test]
fn a_login_answers_who_one_is() {
    let world = World::new();
    let id = world.add(ADA, Role::Editor);
    let mut browser = world.browser();
    let answer = browser.log_in(ADA, RIGHT);
    let document = answer.json();
    assert_members(
        &document,
        &[("user", "o"), ("must_change_password", "b"), ("requires_2fa_setup", "b")],
    );
    for user in [&document["user"], &browser.get("/api/auth/me").json()] {
        assert_members(user, USER);
        assert_eq!(
            (&user["id"], &user["email"], &user["role"]),
            (&json!(id), &json!(ADA), &json!("editor"))
        );
        assert_eq!((&user["is_active"], &user["oauth_provider"]), (&json!(true), &Value::Null));
        assert_eq!((&user["locked_until"], &user["invite_expires_at"]), (&Value::Null, &Value::Null));
        for member in ["created_at", "updated_at", "last_login"] {
            assert_time(&user[member]);
        }
    }
    assert_eq!(document["user"]["status"], "active");
    assert_eq!(answer.header("content-type"), "application/json");
    // However the address is written, and never with a member more.
    assert_eq!(world.browser().log_in("ADA@Team.Example", RIGHT).status, 200);
    for email in ["", "@", "ada", "ada@team.example\u{0}", "ada@team.example ", &"a".repeat(5000)] {
        let answer = world.browser().log_in(email, WRONG);
        assert_eq!(answer.problem(), is(401, "invalid_credentials"), "{email}");
    }
}

/// L1, L8.
#[test]
fn each_lock_is_longer_than_the_one_before_and_says_how_long() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    for minutes in [15, 60] {
        for number in 0..5 {
            assert_eq!(
                world.browser().log_in(ADA, WRONG).problem(),
                is(401, "invalid_credentials"),
                "{number}"
            );
        }
        world.pass(minutes * 60 - 1);
        let locked = world.browser().log_in(ADA, RIGHT);
        assert_eq!(locked.problem(), is(423, "account_locked"), "{minutes}");
        assert_eq!(
            (locked.header("retry-after"), &locked.json()["retry_after_seconds"]),
            ("1", &json!(1))
        );
        world.pass(1);
    }
    assert_eq!(world.browser().log_in(ADA, RIGHT).status, 200);
}

/// L2: what nobody can tell apart, while it is open and while it is locked.
#[test]
fn nobody_learns_which_accounts_there_are() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    world.invite(BOB, Role::Viewer);
    let answers = |email: &str| -> Vec<_> {
        (0..7)
            .map(|number| {
                let peer = format!("198.51.100.{number}:4711");
                let body = json!({"email": email, "password": WRONG}).to_string();
                let answer = world.send_from(&peer, "POST", "/api/auth/login", &[], Some(&body));
                let mut document = answer.json();
                document.as_object_mut().expect("an object").remove("request_id");
                let mut headers: Vec<_> = answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
                headers.retain(|line| !line.starts_with("x-request-id") && !line.starts_with("ratelimit"));
                headers.sort();
                (answer.status, document, headers)
            })
            .collect()
    };
    let known = answers(ADA);
    assert_eq!(
        known.iter().map(|answer| answer.0.as_u16()).collect::<Vec<_>>(),
        [401, 401, 401, 401, 401, 423, 423]
    );
    for email in [BOB, "nobody@team.example", "not an address"] {
        assert_eq!(answers(email), known, "{email}");
    }
}

/// L4, L12.
#[test]
fn strangers_lock_each_other_out_and_nobody_who_was_there_before() {
    let world = World::new();
    let id = world.add(ADA, Role::Viewer);
    world.add(BOB, Role::Admin);
    let mut known = world.signed_in(ADA);
    assert_eq!(known.send("POST", "/api/auth/logout", None).status, 200);
    for _ in 0..5 {
        assert_eq!(world.browser().log_in(ADA, WRONG).status, 401);
    }
    assert_eq!(world.browser().log_in(ADA, RIGHT).status, 423);
    assert_eq!(known.log_in(ADA, RIGHT).status, 200);
    // Its own budget is its own.
    for _ in 0..5 {
        assert_eq!(known.post("/api/auth/reauthenticate", json!({"password": WRONG})).status, 401);
    }
    assert_eq!(known.post("/api/auth/reauthenticate", json!({"password": RIGHT})).status, 423);
    let mut admin = world.signed_in(BOB);
    let (unlocked, records) = world.recorded(|| admin.post(&format!("/api/admin/users/{id}/unlock"), json!({})));
    assert_eq!((unlocked.status.as_u16(), &unlocked.json()["status"]), (200, &json!("active")));
    assert_eq!(records, ["account_unlocked success"]);
    assert_eq!(world.browser().log_in(ADA, RIGHT).status, 200);
    assert_eq!(known.post("/api/auth/reauthenticate", json!({"password": RIGHT})).status, 200);
}

/// L7.
#[test]
fn one_password_for_many_accounts_is_stopped_at_the_address() {
    let world = World::new();
    let mut refused = 0;
    for number in 0..70 {
        // Another address of the same network each time.
        let peer = format!("[2001:db8:0:7::{number:x}]:4711");
        let body = json!({"email": format!("user{number}@team.example"), "password": WRONG}).to_string();
        let answer = world.send_from(&peer, "POST", "/api/auth/login", &[], Some(&body));
        assert!(
            answer.header("ratelimit").starts_with("\"failures\";r="),
            "{}",
            answer.header("ratelimit")
        );
        if answer.status == 429 {
            assert_eq!(answer.code(), "rate_limited");
            refused += 1;
        }
    }
    assert_eq!(refused, 10);
}

/// The limit is one of failures: whoever logs in rightly is not refused because others of the address do so at the same time.
#[test]
fn many_who_log_in_at_once_from_one_address_all_get_in() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let address = |number: usize| format!("user{number}@team.example");
    (0..20).for_each(|number| drop(world.add(&address(number), Role::Viewer)));
    let answers = race(80, |number| world.browser().log_in(&address(number % 20), RIGHT).status.as_u16());
    assert!(answers.iter().all(|status| *status == 200), "{answers:?}");
    let after = world.browser().log_in(ADA, WRONG);
    assert_eq!(after.header("ratelimit"), "\"failures\";r=59;t=60");
}

#[test]
fn an_invitation_that_is_no_longer_one_says_no_more_than_that() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let (id, old) = world.invite(BOB, Role::Viewer);
    let mut admin = world.signed_in(ADA);
    let again = admin.post(&format!("/api/admin/users/{id}/reinvite"), json!({}));
    assert_members(&again.json(), &[("invite_url", "s")]);
    let url = again.json()["invite_url"].as_str().expect("a link").to_owned();
    let new = url.rsplit('/').next().expect("a token").to_owned();
    let accept = |token: &str| {
        let body = json!({"token": token, "password": RIGHT}).to_string();
        let answer = world.send("POST", "/api/auth/accept-invite", &[], Some(&body));
        let mut document = answer.json();
        document.as_object_mut().expect("an object").remove("request_id");
        (answer.status.as_u16(), document)
    };
    let superseded = accept(&old);
    assert_eq!((superseded.0, &superseded.1["code"]), (410, &json!("invite_invalid")));
    assert_eq!(accept(&new), (200, json!({"success": true})));
    for token in [new.as_str(), &"A".repeat(43), "", "x", "ü", &"A".repeat(5000)] {
        assert_eq!(accept(token), superseded, "{token}");
    }
    // Accepting logs nobody in.
    let (_, token) = world.invite("new@team.example", Role::Viewer);
    let body = json!({"token": token, "password": RIGHT}).to_string();
    assert!(world.send("POST", "/api/auth/accept-invite", &[], Some(&body)).cookies().is_empty());
}

#[test]
fn a_claim_makes_one_administrator_with_a_password_of_their_own() {
    let world = World::new();
    let link = block_on(world.actions.offer_claim(&world.permit::<dango_actions::Machine>())).expect("offered");
    let token = link.url().expose().rsplit('/').next().expect("a token").to_owned();
    let claim = |token: &str, email: &str, password: &str| {
        let body = json!({"token": token, "email": email, "password": password}).to_string();
        world.send("POST", "/api/auth/claim", &[], Some(&body))
    };
    assert_eq!(claim(&token, ADA, "short").problem(), is(422, "weak_password"));
    assert_eq!(claim(&token, "nobody", RIGHT).problem(), is(422, "invalid_body"));
    assert_eq!(claim("x", ADA, RIGHT).problem(), is(410, "claim_invalid"));
    assert_eq!(claim(&"A".repeat(43), ADA, RIGHT).problem(), is(410, "claim_invalid"));
    let made = claim(&token, ADA, RIGHT);
    assert_eq!((made.status.as_u16(), made.json()), (201, json!({"success": true})));
    assert_eq!(claim(&token, BOB, RIGHT).problem(), is(410, "claim_invalid"));
    assert_eq!(world.signed_in(ADA).get("/api/auth/me").json()["role"], "admin");
}

#[test]
fn a_changed_password_is_answered_as_the_contract_says() {
    let world = World::new();
    world.add(ADA, Role::Viewer);
    let mut browser = world.signed_in(ADA);
    let mut change = |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        browser.post("/api/auth/change-password", body)
    };
    assert_eq!(change(WRONG, OTHER).problem(), is(401, "invalid_credentials"));
    assert_eq!(change(RIGHT, "password1").problem(), is(422, "weak_password"));
    assert_eq!(change(RIGHT, RIGHT).problem(), is(422, "password_unchanged"));
    let done = change(RIGHT, OTHER);
    assert_eq!((done.status.as_u16(), done.json()), (200, json!({"success": true})));
    assert!(done.cookies()[0].starts_with("dango_session=; ") && done.headers.contains_key("clear-site-data"));
}

#[test]
fn a_closed_door_lets_nobody_in_by_any_credential() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let (_, key) = browser.make_key(&["admin"]);
    block_on(world.actions.disable(&world.permit::<AuthManage>())).expect("closed");
    for route in ROUTES.iter().filter(|route| route.stage() != Stage::Open) {
        let path = route.path.replace("{id}", NOBODYS_ID);
        let (method, body) = (route.verb.name(), Some(json!({})));
        let by_session = browser.send(method, &path, Some("{}"));
        assert_eq!(by_session.problem(), is(403, "auth_disabled"), "{path}");
        assert_eq!(
            world.with_key(&key, method, &path, body).problem(),
            is(403, "auth_disabled"),
            "{path}"
        );
        assert_eq!(world.send(method, &path, &[], Some("{}")).status, 401, "{path}");
    }
    for password in [RIGHT, WRONG] {
        assert_eq!(world.browser().log_in(ADA, password).problem(), is(403, "auth_disabled"));
    }
    assert_eq!(world.send("GET", "/api/health", &[], None).json(), json!({"status": "ok"}));
    block_on(world.actions.enable(&world.permit::<AuthManage>())).expect("open");
    assert_eq!(world.browser().log_in(ADA, RIGHT).status, 200);
}
