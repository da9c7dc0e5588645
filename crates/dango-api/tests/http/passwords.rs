//! Passwords over HTTP: which may be chosen, that they are taken as they are, and those that are for one use.

use dango_actions::Setup;
use dango_api::{ROUTES, Site, Stage};
use dango_identity::{PasswordProfile, Role};
use serde_json::{Value, json};

use crate::moves::is;
use crate::world::{OTHER, RIGHT, World};

const ADA: &str = "ada@team.example";
const NOBODYS_ID: &str = "0193d5a0-0000-7000-8000-000000000000";

/// The codes of what is wrong with a password for an invitation; none if it was taken.
fn issues(world: &World, token: &str, password: &str) -> Vec<String> {
    let body = json!({"token": token, "password": password}).to_string();
    let answer = world.send("POST", "/api/auth/accept-invite", &[], Some(&body));
    if answer.status == 200 {
        assert_eq!(answer.json(), json!({"success": true}));
        return Vec::new();
    }
    assert_eq!(answer.problem(), is(422, "weak_password"), "{password}");
    let document = answer.json();
    let issues = document["issues"].as_array().expect("issues").clone();
    let code = |issue: &Value| {
        assert!(
            issue["message"]
                .as_str()
                .is_some_and(|message| password.is_empty() || !message.contains(password))
        );
        issue["code"].as_str().expect("a code").to_owned()
    };
    issues.iter().map(code).collect()
}

/// P1, P6, P7.
#[test]
fn a_password_that_is_guessed_first_is_refused_with_its_reasons() {
    let world = World::new();
    let (_, token) = world.invite(ADA, Role::Admin);
    for (password, issue) in [
        ("", "password-too-short"),
        ("h7$kQz!", "password-too-short"),
        ("äöüßñçø", "password-too-short"),
        ("password1", "password-common"),
        ("qwertyuiop", "password-common"),
        ("iloveyou", "password-common"),
        ("dangodangodango1", "password-context"),
        ("ada2026ada2026", "password-context"),
        ("aaaaaaaaaaaaaaa", "password-repetitive"),
    ] {
        let found = issues(&world, &token, password);
        assert!(found.iter().any(|code| code == issue), "{password}: {found:?}");
    }
    assert_eq!(issues(&world, &token, "h7$kQz!w"), [""; 0]);
    let nist = Setup {
        password_profile: PasswordProfile::Nist,
        ..Setup::default()
    };
    let world = World::at(Site::Loopback { port: 8800, tls: false }, nist);
    let (_, token) = world.invite(ADA, Role::Admin);
    assert_eq!(issues(&world, &token, "h7$kQz!wP3+nRe"), ["password-too-short"]);
    assert_eq!(issues(&world, &token, "h7$kQz!wP3+nRex"), [""; 0]);
}

/// P2, P3, P4, P5.
#[test]
fn a_password_is_taken_as_it_is() {
    let world = World::new();
    let long: String = ('!'..='~')
        .cycle()
        .take(1024)
        .filter(|letter| *letter != 'x')
        .chain("yy".chars().cycle())
        .take(1024)
        .collect();
    let hundred: String = long.chars().take(100).collect();
    let emoji = "🐙🦀🍡🌊🔑🧵🪐🎻🧭🪁🧂🪴🛶🧊🎏";
    // Composed and decomposed are one text; a ligature and its letters are two.
    let chosen = [
        long.as_str(),
        hundred.as_str(),
        emoji,
        " spaces around it ",
        "caf\u{e9} by the old harbour",
        "\u{fb01}ne weather today",
    ];
    for (number, password) in chosen.iter().enumerate() {
        let address = format!("user{number}@team.example");
        let (_, token) = world.invite(&address, Role::Viewer);
        assert_eq!(issues(&world, &token, password), [""; 0], "{number}");
        assert_eq!(world.browser().log_in(&address, password).status, 200, "{number}");
    }
    let last_changed = format!("{}~", &hundred[..99]);
    assert_ne!(last_changed, hundred);
    for (number, password, status) in [
        (1, last_changed.as_str(), 401),
        (1, &hundred.to_uppercase(), 401),
        (3, "spaces around it", 401),
        (3, " spaces around it  ", 401),
        (4, "cafe\u{301} by the old harbour", 200),
        (5, "fine weather today", 401),
    ] {
        let answer = world.browser().log_in(&format!("user{number}@team.example"), password);
        assert_eq!(answer.status, status, "{number}");
    }
    let (_, token) = world.invite(ADA, Role::Viewer);
    assert_eq!(issues(&world, &token, &format!("{long}z")), ["password-too-long"]);
    // At a login a password that is too long is a wrong one.
    assert_eq!(
        world.browser().log_in("user0@team.example", &format!("{long}z")).problem(),
        is(401, "invalid_credentials")
    );
}

/// P8.
#[test]
fn an_old_password_is_a_password() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    world.pass(400 * 86_400);
    let answer = world.browser().log_in(ADA, RIGHT);
    assert_eq!(
        (answer.status.as_u16(), &answer.json()["must_change_password"]),
        (200, &json!(false))
    );
}

/// P16.
#[test]
fn a_temporary_password_is_good_for_choosing_another() {
    let world = World::new();
    let (_, temporary) = world.with_temporary_password(ADA, Role::Admin);
    let mut browser = world.browser();
    let answer = browser.log_in(ADA, &temporary).json();
    assert_eq!(
        (&answer["must_change_password"], &answer["requires_2fa_setup"]),
        (&json!(true), &json!(false))
    );
    for route in ROUTES.iter() {
        let path = route.path.replace("{id}", NOBODYS_ID);
        if matches!(
            route.stage(),
            Stage::Open | Stage::Partial | Stage::AnySession | Stage::Known | Stage::PasswordChange
        ) {
            continue;
        }
        let (answer, records) = world.recorded(|| browser.send(route.verb.name(), &path, Some("{}")));
        assert_eq!(answer.problem(), is(403, "password_change_required"), "{path}");
        assert!(records.len() <= 1, "{records:?}");
    }
    assert_eq!(browser.get("/api/auth/me").status, 200);
    let change = |new: &str| json!({"current_password": temporary, "new_password": new});
    assert_eq!(
        browser.post("/api/auth/change-password", change(&temporary)).problem(),
        is(422, "password_unchanged")
    );
    assert_eq!(browser.post("/api/auth/change-password", change(OTHER)).status, 200);
    assert_eq!(world.browser().log_in(ADA, &temporary).status, 401);
    assert_eq!(world.signed_in_with(ADA, OTHER).get("/api/admin/users").status, 200);
    // A day later it is none.
    let (_, late) = world.with_temporary_password("late@team.example", Role::Viewer);
    world.pass(86_400);
    assert_eq!(
        world.browser().log_in("late@team.example", &late).problem(),
        is(401, "invalid_credentials")
    );
}
