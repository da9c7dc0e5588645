//! The second factor over HTTP: set up, used once, taken away, demanded of a role.

use dango_actions::Setup;
use dango_api::{ROUTES, Site, Stage};
use dango_identity::Role;
use serde_json::{Value, json};

use crate::moves::{USER, assert_members, is, race};
use crate::world::{RIGHT, WRONG, World};

const ADA: &str = "ada@team.example";
const BOB: &str = "bob@team.example";
const NOBODYS_ID: &str = "0193d5a0-0000-7000-8000-000000000000";

fn verify(world: &World, token: &str, body: &Value) -> (u16, String) {
    let answer = world.with_cookie(token, "POST", "/api/auth/2fa/verify", Some(body.clone()));
    (answer.status.as_u16(), answer.code())
}

fn partial(world: &World) -> String {
    let mut browser = world.browser();
    let answer = browser.log_in(ADA, RIGHT);
    assert_eq!(answer.json(), json!({"requires_2fa": true}), "{}", answer.text());
    browser.token()
}

/// M1, M2, M9, M16.
#[test]
fn a_factor_is_on_after_a_right_code_and_not_before() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let none = browser.post("/api/auth/2fa/verify-setup", json!({"code": "000000"}));
    assert_eq!(none.problem(), is(409, "no_pending_setup"));
    let refused = browser.post("/api/auth/2fa/setup", json!({"password": WRONG}));
    assert_eq!(refused.problem(), is(401, "invalid_credentials"));
    let setup = browser.post("/api/auth/2fa/setup", json!({"password": RIGHT}));
    assert_eq!(setup.status, 200);
    let setup = setup.json();
    assert_members(&setup, &[("secret", "s"), ("provisioning_uri", "s"), ("qr_svg", "s")]);
    let secret = setup["secret"].as_str().expect("a secret").to_owned();
    assert_eq!(secret.len(), 32, "160 bits in base32");
    let uri = setup["provisioning_uri"].as_str().expect("an address");
    assert!(
        uri.starts_with("otpauth://totp/Dango:ada%40team.example?") && uri.contains(&secret),
        "{uri}"
    );
    let wrong = browser.post("/api/auth/2fa/verify-setup", json!({"code": world.wrong_code(&secret)}));
    assert_eq!(wrong.problem(), is(401, "invalid_code"));
    assert_eq!(world.browser().log_in(ADA, RIGHT).json()["user"]["totp_enabled"], false);
    // An enrolment that nobody finished is over after ten minutes.
    world.pass(600);
    let late = browser.post("/api/auth/2fa/verify-setup", json!({"code": world.code(&secret, 0)}));
    assert_eq!(late.problem(), is(409, "no_pending_setup"));
    let second = browser.post("/api/auth/2fa/setup", json!({"password": RIGHT})).json();
    let secret = second["secret"].as_str().expect("a secret").to_owned();
    let done = browser.post("/api/auth/2fa/verify-setup", json!({"code": world.code(&secret, 0)}));
    assert_eq!(done.status, 200);
    assert_members(&done.json(), &[("recovery_codes", "a")]);
    let codes: Vec<String> = serde_json::from_value(done.json()["recovery_codes"].clone()).expect("texts");
    assert_eq!(codes.len(), 10);
    for code in &codes {
        let groups: Vec<&str> = code.split('-').collect();
        assert!(groups.len() == 4 && groups.iter().all(|group| group.len() == 4), "{code}");
        assert!(
            code.bytes().all(|byte| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ-".contains(&byte)),
            "{code}"
        );
    }
    assert_eq!(
        browser.post("/api/auth/2fa/setup", json!({"password": RIGHT})).problem(),
        is(409, "already_enabled")
    );
    // M8: nothing shows the secret again.
    for path in ["/api/auth/me", "/api/auth/sessions", "/api/admin/users", "/api/admin/audit"] {
        let text = browser.get(path).text();
        assert!(!text.contains(&secret) && codes.iter().all(|code| !text.contains(code)), "{path}");
    }
    assert_eq!(world.browser().log_in(ADA, RIGHT).json(), json!({"requires_2fa": true}));
}

#[test]
fn who_is_logged_in_knows_that_the_factor_is_on() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    assert_eq!(browser.get("/api/auth/me").json()["totp_enabled"], false);
    browser.enrol();
    assert_eq!(browser.get("/api/auth/me").json()["totp_enabled"], true);
    assert_eq!(browser.get("/api/admin/users").json()[0]["totp_enabled"], true);
}

/// M3, M5, M17.
#[test]
fn a_code_counts_once_and_older_ones_not_at_all() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let factor = world.signed_in(ADA).enrol();
    world.pass(300);
    let tokens: Vec<String> = (0..4).map(|_| partial(&world)).collect();
    let code = json!({"code": world.code(&factor.secret, 0)});
    let answers = race(50, |number| {
        let cookie = format!("dango_session={}", tokens[number % tokens.len()]);
        let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
        let peer = format!("198.51.100.{number}:4711");
        world
            .send_from(&peer, "POST", "/api/auth/2fa/verify", &headers, Some(&code.to_string()))
            .status
            .as_u16()
    });
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1);
    world.pass(900);
    // The next step counts, the previous one does not any more; nor after the clock was set back.
    let next = json!({"code": world.code(&factor.secret, 1)});
    let now = json!({"code": world.code(&factor.secret, 0)});
    assert_eq!(verify(&world, &partial(&world), &next).0, 200);
    assert_eq!(verify(&world, &partial(&world), &now), is(401, "invalid_code"));
    world.pass(-120);
    assert_eq!(
        verify(&world, &partial(&world), &json!({"code": world.code(&factor.secret, 0)})),
        is(401, "invalid_code")
    );
    world.pass(300);
    let previous = json!({"code": world.code(&factor.secret, -1)});
    assert_eq!(verify(&world, &partial(&world), &previous).0, 200);
}

/// M4: across endpoints.
#[test]
fn a_code_that_was_used_is_used_everywhere() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let factor = browser.enrol();
    world.pass(60);
    let code = world.code(&factor.secret, 0);
    let with_code = json!({"password": RIGHT, "code": code});
    assert_eq!(browser.post("/api/auth/reauthenticate", with_code.clone()).status, 200);
    for path in [
        "/api/auth/2fa/regenerate-recovery",
        "/api/auth/reauthenticate",
        "/api/auth/2fa/disable",
    ] {
        assert_eq!(browser.post(path, with_code.clone()).problem(), is(401, "invalid_code"), "{path}");
    }
    assert_eq!(verify(&world, &partial(&world), &json!({"code": code})), is(401, "invalid_code"));
}

/// M10, M11.
#[test]
fn a_recovery_code_counts_once_and_new_ones_end_the_old() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let factor = browser.enrol();
    let tokens: Vec<String> = (0..4).map(|_| partial(&world)).collect();
    // Case and dashes do not matter.
    let typed = factor.recovery[0].replace('-', "").to_lowercase();
    let answers = race(20, |number| {
        let cookie = format!("dango_session={}", tokens[number % tokens.len()]);
        let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
        let peer = format!("198.51.100.{number}:4711");
        let body = json!({"recovery_code": typed}).to_string();
        world.send_from(&peer, "POST", "/api/auth/2fa/verify", &headers, Some(&body))
    });
    let passed: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(passed.len(), 1);
    let answer = passed[0].json();
    assert_members(
        &answer,
        &[("user", "o"), ("must_change_password", "b"), ("recovery_codes_remaining", "n")],
    );
    assert_members(&answer["user"], USER);
    assert_eq!(answer["recovery_codes_remaining"], 9);
    world.pass(900);
    let used = world.events().into_iter().filter(|event| event.event == "recovery_code_used");
    assert_eq!(used.filter(|event| event.outcome == Some(dango_audit::Outcome::Success)).count(), 1);
    // Both are needed for new ones; a recovery code does not renew them.
    let renew = |browser: &mut crate::world::Browser<'_>, password: &str, code: &str| {
        browser.post("/api/auth/2fa/regenerate-recovery", json!({"password": password, "code": code}))
    };
    let code = world.code(&factor.secret, 0);
    assert_eq!(renew(&mut browser, WRONG, &code).problem(), is(401, "invalid_credentials"));
    assert_eq!(renew(&mut browser, RIGHT, &factor.recovery[1]).problem(), is(401, "invalid_code"));
    let renewed = renew(&mut browser, RIGHT, &code);
    assert_eq!(renewed.status, 200, "{}", renewed.text());
    assert_members(&renewed.json(), &[("recovery_codes", "a")]);
    let new: Vec<String> = serde_json::from_value(renewed.json()["recovery_codes"].clone()).expect("texts");
    assert!(new.len() == 10 && new.iter().all(|code| !factor.recovery.contains(code)));
    assert_eq!(
        verify(&world, &partial(&world), &json!({"recovery_code": factor.recovery[2]})),
        is(401, "invalid_code")
    );
    assert_eq!(verify(&world, &partial(&world), &json!({"recovery_code": new[0]})).0, 200);
}

/// M12.
#[test]
fn the_factor_goes_with_the_password_and_a_proof_of_itself() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let disable = "/api/auth/2fa/disable";
    assert_eq!(browser.post(disable, json!({"password": RIGHT})).problem(), is(409, "not_enabled"));
    let regenerate = json!({"password": RIGHT, "code": "123456"});
    assert_eq!(
        browser.post("/api/auth/2fa/regenerate-recovery", regenerate).problem(),
        is(409, "not_enabled")
    );
    let factor = browser.enrol();
    let mut other = world.browser();
    other.log_in(ADA, RIGHT);
    let recovery = json!({"recovery_code": factor.recovery[0]});
    assert_eq!(other.post("/api/auth/2fa/verify", recovery).status, 200);
    world.pass(601);
    assert_eq!(
        browser.post(disable, json!({"password": RIGHT})).problem(),
        is(403, "reauthentication_required")
    );
    // A proof of the password alone does not stand for the factor.
    assert_eq!(browser.post("/api/auth/reauthenticate", json!({"password": RIGHT})).status, 200);
    assert_eq!(
        browser.post(disable, json!({"password": RIGHT})).problem(),
        is(403, "reauthentication_required")
    );
    let wrong = json!({"password": RIGHT, "code": world.wrong_code(&factor.secret)});
    assert_eq!(browser.post(disable, wrong).problem(), is(401, "invalid_code"));
    let right = json!({"password": RIGHT, "code": world.code(&factor.secret, 0)});
    let disabled = browser.post(disable, right);
    assert_eq!((disabled.status.as_u16(), disabled.json()), (200, json!({"success": true})));
    assert_eq!(other.get("/api/auth/me").status, 401);
    assert_eq!(browser.get("/api/auth/me").status, 200);
    assert_eq!(world.browser().log_in(ADA, RIGHT).json()["user"]["totp_enabled"], false);
}

#[test]
fn minutes_after_the_factor_was_proven_the_password_is_enough_to_take_it_away() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    browser.enrol();
    world.pass(599);
    assert_eq!(browser.post("/api/auth/2fa/disable", json!({"password": RIGHT})).status, 200);
}

/// M13.
#[test]
fn an_administrator_takes_a_factor_away_and_sees_nothing_of_it() {
    let world = World::new();
    let id = world.add(ADA, Role::Viewer);
    world.add(BOB, Role::Admin);
    let mut browser = world.signed_in(ADA);
    browser.enrol();
    let mut admin = world.signed_in(BOB);
    let reset = admin.post(&format!("/api/admin/users/{id}/reset-2fa"), json!({}));
    assert_eq!((reset.status.as_u16(), reset.json()), (200, json!({"success": true})));
    assert_eq!(browser.get("/api/auth/me").status, 401);
    assert_eq!(world.browser().log_in(ADA, RIGHT).json()["user"]["totp_enabled"], false);
}

/// M14.
#[test]
fn whoever_must_have_a_factor_reaches_its_setup_alone() {
    let setup = Setup {
        second_factor_roles: vec![Role::Admin],
        ..Setup::default()
    };
    let world = World::at(Site::Loopback { port: 8800, tls: false }, setup);
    world.add(ADA, Role::Admin);
    let mut browser = world.browser();
    let answer = browser.log_in(ADA, RIGHT).json();
    assert_eq!(
        (&answer["requires_2fa_setup"], &answer["must_change_password"]),
        (&json!(true), &json!(false))
    );
    for route in ROUTES.iter() {
        let path = route.path.replace("{id}", NOBODYS_ID);
        if matches!(
            route.stage(),
            Stage::Open | Stage::Partial | Stage::AnySession | Stage::Known | Stage::Enrolment
        ) {
            continue;
        }
        let answer = browser.send(route.verb.name(), &path, Some("{}"));
        assert_eq!(answer.problem(), is(403, "mfa_enrolment_required"), "{path}");
    }
    assert_eq!(browser.get("/api/auth/me").status, 200);
    browser.enrol();
    assert_eq!(browser.get("/api/admin/users").status, 200);
    // Whose role need not have one is asked for none.
    world.add(BOB, Role::Viewer);
    assert_eq!(world.signed_in(BOB).get("/api/auth/sessions").status, 200);
}

/// M15.
#[test]
fn a_temporary_password_skips_no_factor() {
    let world = World::new();
    let id = world.add(ADA, Role::Viewer);
    world.add(BOB, Role::Admin);
    world.signed_in(ADA).enrol();
    let reset = world
        .signed_in(BOB)
        .post(&format!("/api/admin/users/{id}/reset-password"), json!({}));
    let password = reset.json()["temp_password"].as_str().expect("a password").to_owned();
    assert_eq!(world.browser().log_in(ADA, &password).json(), json!({"requires_2fa": true}));
}
