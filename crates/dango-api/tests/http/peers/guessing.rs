//! Guessing: what counts the tries, and what a guess must never skip.

use dango_identity::Role;
use serde_json::json;

use crate::moves::{is, race};
use crate::world::{OTHER, RIGHT, WRONG, World};

const ADA: &str = "ada@team.example";

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
