//! Logging in and out over HTTP: cookies, stages, second factors, limits.

use dango_identity::Role;
use serde_json::json;

use crate::world::{OTHER, RIGHT, WRONG, World};

#[test]
fn a_login_gives_a_session_and_a_logout_ends_it() {
    let world = World::new();
    world.add("ada@team.example", Role::Admin);
    let mut browser = world.browser();
    let answer = browser.log_in("ada@team.example", RIGHT);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["user"]["email"], "ada@team.example");
    assert_eq!(answer.json()["must_change_password"], false);
    assert_eq!(answer.json()["requires_2fa_setup"], false);
    assert_eq!(browser.get("/api/auth/me").json()["role"], "admin");
    let kept = browser.cookies.clone();
    let out = browser.send("POST", "/api/auth/logout", None);
    assert_eq!((out.status.as_u16(), out.json()), (200, json!({"success": true})));
    assert!(out.headers.contains_key("clear-site-data"));
    assert_eq!(browser.session(), None);
    browser.cookies = kept;
    assert_eq!(browser.get("/api/auth/me").problem(), (401, "authentication_required".to_owned()));
    let events: Vec<String> = world.events().into_iter().map(|event| event.event).collect();
    assert_eq!(events[..2], ["logout", "login_success"]);
}

#[test]
fn unknown_inactive_and_wrong_are_one_answer() {
    let world = World::new();
    world.add("ada@team.example", Role::Admin);
    let id = world.add("bob@team.example", Role::Viewer);
    let mut admin = world.signed_in("ada@team.example");
    assert_eq!(admin.post(&format!("/api/admin/users/{id}/deactivate"), json!({})).status, 200);
    let mut answers = Vec::new();
    for (email, password) in [
        ("nobody@team.example", RIGHT),
        ("bob@team.example", RIGHT),
        ("ada@team.example", WRONG),
    ] {
        let answer = world.browser().log_in(email, password);
        let mut document = answer.json();
        document.as_object_mut().expect("an object").remove("request_id");
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        answers.push((answer.status, document, names));
    }
    assert_eq!(answers[0].1["code"], "invalid_credentials");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

#[test]
fn five_failures_lock_the_account_and_say_for_how_long() {
    let world = World::new();
    world.add("ada@team.example", Role::Admin);
    for _ in 0..5 {
        assert_eq!(
            world.browser().log_in("ada@team.example", WRONG).problem(),
            (401, "invalid_credentials".to_owned())
        );
    }
    let locked = world.browser().log_in("ada@team.example", RIGHT);
    assert_eq!(locked.problem(), (423, "account_locked".to_owned()));
    assert_eq!(locked.json()["retry_after_seconds"], 900);
    assert_eq!(locked.header("retry-after"), "900");
    world.pass(900);
    assert_eq!(world.browser().log_in("ada@team.example", RIGHT).status, 200);
}

#[test]
fn an_address_may_fail_sixty_times_a_minute_whatever_the_account() {
    let world = World::new();
    world.add("ada@team.example", Role::Admin);
    for number in 0..60 {
        let answer = world.browser().log_in(&format!("user{number}@team.example"), WRONG);
        assert_eq!(answer.status, 401, "{number}");
        assert_eq!(answer.header("ratelimit-policy"), "\"failures\";q=60;w=60");
    }
    let limited = world.browser().log_in("ada@team.example", RIGHT);
    assert_eq!(limited.problem(), (429, "rate_limited".to_owned()));
    assert_eq!(limited.header("retry-after"), "60");
    // Nobody believes a header about the address.
    let body = json!({"email": "ada@team.example", "password": RIGHT}).to_string();
    let forwarded = world.send("POST", "/api/auth/login", &[("x-forwarded-for", "198.51.100.1")], Some(&body));
    assert_eq!(forwarded.status, 429);
    assert_eq!(
        world
            .send_from("198.51.100.1:1", "POST", "/api/auth/login", &[], Some(&body))
            .status,
        200
    );
    world.pass(60);
    assert_eq!(world.browser().log_in("ada@team.example", RIGHT).status, 200);
}

#[test]
fn a_changed_password_ends_every_session() {
    let world = World::new();
    world.add("ada@team.example", Role::Admin);
    let (mut one, mut other) = (world.signed_in("ada@team.example"), world.signed_in("ada@team.example"));
    let change = json!({"current_password": RIGHT, "new_password": OTHER});
    assert_eq!(one.post("/api/auth/change-password", change).status, 200);
    assert_eq!(one.session(), None);
    assert_eq!(other.get("/api/auth/me").status, 401);
    assert_eq!(world.browser().log_in("ada@team.example", RIGHT).status, 401);
    assert_eq!(world.browser().log_in("ada@team.example", OTHER).status, 200);
}

#[test]
fn a_weak_password_is_refused_with_its_reasons() {
    let world = World::new();
    world.add("ada@team.example", Role::Admin);
    let mut browser = world.signed_in("ada@team.example");
    let weak = browser.post(
        "/api/auth/change-password",
        json!({"current_password": RIGHT, "new_password": "short"}),
    );
    assert_eq!(weak.problem(), (422, "weak_password".to_owned()));
    assert_eq!(weak.json()["issues"][0]["code"], "password-too-short");
    let long = browser.post(
        "/api/auth/change-password",
        json!({"current_password": RIGHT, "new_password": "x".repeat(1025)}),
    );
    assert_eq!(long.problem(), (422, "weak_password".to_owned()));
    let same = browser.post(
        "/api/auth/change-password",
        json!({"current_password": RIGHT, "new_password": RIGHT}),
    );
    assert_eq!(same.problem(), (422, "password_unchanged".to_owned()));
}
