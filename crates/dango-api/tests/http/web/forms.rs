//! The forms that work without script: login, second factor, invitation, first password, logout.

use dango_identity::Role;

use super::{ACCEPT, FORM};
use crate::world::{OTHER, RIGHT, WRONG, World};

const ADA: &str = "ada@team.example";

#[test]
fn a_login_leads_to_where_somebody_wanted_to_go() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.browser();
    let sent_away = browser.open("/settings/account?a=1&b=2");
    assert_eq!(sent_away.way(), (303, "/login?next=/settings/account%3Fa%3D1%26b%3D2"));
    let login = sent_away.header("location").to_owned();
    let shown = browser.open(&login);
    assert_eq!(shown.status, 200);
    for part in ["Sign in to your account", ">Email<", ">Password<", ">Sign In<"] {
        assert!(shown.text().contains(part), "{part}");
    }
    assert!(!shown.text().contains("b=2") && !shown.text().contains("action="));
    let wrong = browser.fill(&login, &[("email", ADA), ("password", WRONG)]);
    assert_eq!(
        (wrong.status.as_u16(), wrong.header("www-authenticate")),
        (401, "Bearer realm=\"dango\"")
    );
    assert!(wrong.text().contains("role=\"alert\">The email or the password is not right."));
    assert!(
        wrong
            .text()
            .contains("aria-invalid=\"true\" aria-describedby=\"form-notice password-error\"")
    );
    assert!(!wrong.text().contains(WRONG) && wrong.text().contains(&format!("value=\"{ADA}\"")));
    let right = browser.fill(&login, &[("email", ADA), ("password", RIGHT)]);
    assert_eq!(right.way(), (303, "/settings/account?a=1&b=2"));
    assert_eq!(browser.open("/settings/account?a=1&b=2").status, 200);
    // Who is signed in has no business there.
    assert_eq!(browser.open("/login").way(), (303, "/"));
    assert_eq!(browser.open("/").way(), (303, "/settings/secrets"));
}

#[test]
fn an_address_of_somebody_else_is_not_followed_and_not_shown() {
    let world = World::new();
    world.add(ADA, Role::Viewer);
    for next in [
        "//evil.example",
        "https://evil.example",
        "/%5Cevil.example",
        "%2F%09%2Fevil.example",
        "evil",
    ] {
        let login = format!("/login?next={next}&error=evil.example&message=evil.example");
        let mut browser = world.browser();
        assert!(!browser.open(&login).text().contains("evil"), "{next}");
        let wrong = browser.fill(&login, &[("email", ADA), ("password", WRONG)]);
        assert!(!wrong.text().contains("evil"), "{next}");
        assert_eq!(
            browser.fill(&login, &[("email", ADA), ("password", RIGHT)]).way(),
            (303, "/"),
            "{next}"
        );
    }
}

#[test]
fn a_password_in_the_wrong_field_does_not_come_back() {
    let world = World::new();
    let mut browser = world.browser();
    let answer = browser.fill("/login", &[("email", RIGHT), ("password", RIGHT)]);
    assert_eq!(answer.status, 401);
    assert!(!answer.text().contains(RIGHT));
    let empty = browser.fill("/login", &[("email", ADA), ("password", "")]);
    assert_eq!(empty.status, 422);
    assert!(
        empty.text().contains("aria-describedby=\"password-error\"") && empty.text().contains("id=\"password-error\">Fill in this field.")
    );
}

#[test]
fn a_locked_account_says_until_when() {
    let world = World::new();
    world.add(ADA, Role::Viewer);
    let mut browser = world.browser();
    let sent = [("email", ADA), ("password", WRONG)];
    for _ in 0..5 {
        assert_eq!(browser.fill("/login", &sent).status, 401);
    }
    let locked = browser.fill("/login", &[("email", ADA), ("password", RIGHT)]);
    assert_eq!((locked.status.as_u16(), locked.header("retry-after")), (423, "900"));
    let text = locked.text();
    assert!(
        text.contains("data-countdown=\"900\"") && text.contains("role=\"timer\">15:00<"),
        "{text}"
    );
    assert!(!text.contains("aria-invalid"), "what was typed may be right");
    assert!(text.contains("locked for a while") && text.contains("<time datetime="));
}

#[test]
fn the_second_factor_is_a_code_of_the_app_or_a_recovery_code() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let factor = world.signed_in(ADA).enrol();
    world.pass(60);
    let code = world.code(&factor.secret, 0);
    for (field, value) in [("code", code.as_str()), ("recovery_code", factor.recovery[0].as_str())] {
        let mut browser = world.browser();
        let login = "/login?next=/settings/audit";
        let first = browser.fill(login, &[("email", ADA), ("password", RIGHT)]);
        assert_eq!(first.way(), (303, "/login/verify?next=/settings/audit"));
        let second = first.header("location").to_owned();
        let shown = browser.open(&second).text();
        for part in [
            ">Authentication code<",
            "inputmode=\"numeric\" autocomplete=\"one-time-code\"",
            ">Verify<",
            ">Use a recovery code instead</a>",
            ">Recovery code<",
        ] {
            assert!(shown.contains(part), "{part}");
        }
        let wrong = browser.fill(&second, &[(field, "000000")]);
        assert_eq!(wrong.status, 401);
        assert!(wrong.text().contains(&format!("id=\"{field}-error\">This ")), "{}", wrong.text());
        // Half a login shows nothing else.
        assert_eq!(browser.open("/settings/account").status, 303);
        assert_eq!(browser.fill(&second, &[(field, value)]).way(), (303, "/settings/audit"));
        assert_eq!(browser.open("/settings/account").status, 200);
    }
}

#[test]
fn a_second_step_without_a_first_leads_back_to_it() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    world.signed_in(ADA).enrol();
    let mut nobody = world.browser();
    assert_eq!(nobody.open("/login/verify").way().0, 303);
    assert_eq!(nobody.fill("/login/verify", &[("code", "123456")]).way(), (303, "/login"));
    let mut late = world.browser();
    late.fill("/login", &[("email", ADA), ("password", RIGHT)]);
    world.pass(301);
    assert_eq!(late.fill("/login/verify", &[("code", "123456")]).way(), (303, "/login"));
}

#[test]
fn an_invitation_is_accepted_once() {
    let world = World::new();
    let (_, token) = world.invite(ADA, Role::Editor);
    let path = format!("/invite/{token}");
    let mut browser = world.browser();
    for _ in 0..3 {
        let shown = browser.open(&path);
        assert_eq!((shown.status.as_u16(), shown.header("referrer-policy")), (200, "no-referrer"));
        for part in [ADA, ">Password<", ">Confirm Password<", ">Set Password<"] {
            assert!(shown.text().contains(part), "{part}");
        }
        assert!(!shown.text().contains(&token));
    }
    for (one, other, field) in [
        (RIGHT, WRONG, "confirm_password"),
        ("short", "short", "password"),
        ("", "", "password"),
    ] {
        let refused = browser.fill(&path, &[("password", one), ("confirm_password", other)]);
        assert_eq!(refused.status, 422);
        let text = refused.text();
        let field = text.split(&format!("id=\"{field}\"")).nth(1).expect("the field");
        assert!(
            field[..field.find('>').expect("an end")].contains("aria-invalid=\"true\""),
            "{text}"
        );
        assert!(!text.contains(RIGHT));
    }
    let good = [("password", RIGHT), ("confirm_password", RIGHT)];
    assert_eq!(browser.fill(&path, &good).way(), (303, "/login"));
    let login = browser.open("/login");
    assert!(login.text().contains("Your password is set."));
    assert!(!browser.open("/login").text().contains("Your password is set."), "it is said once");
    assert_eq!(browser.fill("/login", &[("email", ADA), ("password", RIGHT)]).way(), (303, "/"));
    let mut other = world.browser();
    for dead in [
        other.open(&path),
        other.fill(&path, &good),
        other.open("/invite/nonsense"),
        other.fill("/invite/nonsense", &good),
    ] {
        assert_eq!(dead.status, 410);
        assert!(dead.text().contains("This invitation is not valid") && dead.text().contains("href=\"/login\""));
    }
}

#[test]
fn a_temporary_password_is_changed_before_anything_else() {
    let world = World::new();
    let (_, temporary) = world.with_temporary_password(ADA, Role::Admin);
    let mut browser = world.browser();
    let login = browser.fill("/login?next=/settings/audit", &[("email", ADA), ("password", &temporary)]);
    assert_eq!(login.way(), (303, "/setup"));
    for elsewhere in ["/", "/login", "/settings/account", "/settings/secrets"] {
        assert_eq!(browser.open(elsewhere).way(), (303, "/setup"), "{elsewhere}");
    }
    let shown = browser.open("/setup");
    for part in [
        ">Current Password<",
        ">New Password<",
        ">Confirm New Password<",
        ">Change Password<",
    ] {
        assert!(shown.text().contains(part), "{part}");
    }
    let with = |current: &'static str, new: &'static str| [("current_password", current), ("new_password", new), ("confirm_password", new)];
    let wrong = browser.fill("/setup", &with(WRONG, RIGHT));
    assert_eq!(wrong.status, 401);
    assert!(wrong.text().contains("This is not your current password."));
    let right = [
        ("current_password", temporary.as_str()),
        ("new_password", RIGHT),
        ("confirm_password", RIGHT),
    ];
    let same = [
        ("current_password", temporary.as_str()),
        ("new_password", &temporary),
        ("confirm_password", &temporary),
    ];
    assert_eq!(browser.fill("/setup", &same).status, 422);
    let done = browser.fill("/setup", &right);
    assert_eq!(done.way(), (303, "/login"));
    assert!(done.headers.contains_key("clear-site-data") && browser.session().is_none());
    assert!(browser.open("/login").text().contains("Your password was changed"));
    assert_eq!(browser.fill("/login", &[("email", ADA), ("password", RIGHT)]).way(), (303, "/"));
    // Nothing is due any more.
    assert_eq!(browser.open("/setup").way(), (303, "/"));
}

#[test]
fn whoever_leaves_is_out_and_is_told_so() {
    let world = World::new();
    world.add(ADA, Role::Viewer);
    let mut browser = world.signed_in(ADA);
    let kept = browser.cookies.clone();
    let out = browser.fill("/logout", &[]);
    assert_eq!(out.way(), (303, "/login"));
    assert!(out.headers.contains_key("clear-site-data"));
    assert!(browser.open("/login").text().contains("You are signed out."));
    browser.cookies = kept;
    assert_eq!(browser.open("/settings/account").status, 303);
    assert_eq!(browser.fill("/logout", &[]).way(), (303, "/login"));
}

#[test]
fn a_form_of_another_site_is_refused() {
    let world = World::new();
    world.add(ADA, Role::Viewer);
    let mut browser = world.signed_in(ADA);
    let body = format!(
        "email={}&password=x&current_password=x&new_password=y&confirm_password=y",
        ADA.replace('@', "%40")
    );
    for path in ["/login", "/login/verify", "/logout", "/setup", "/invite/x", "/setup/x"] {
        for from in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
        ] {
            let refused = browser.send_with("POST", path, &[ACCEPT, FORM, from], Some(&body));
            assert_eq!(refused.status, 403, "{path} {from:?}");
            assert!(refused.text().contains("This came from another site"));
        }
    }
    let bare = browser.send_with("POST", "/logout", &[ACCEPT, FORM], Some(""));
    assert_eq!(bare.status, 403);
    assert_eq!(browser.get("/api/auth/me").status, 200);
}

#[test]
fn sixty_failures_of_an_address_are_enough() {
    let world = World::new();
    world.add(ADA, Role::Viewer);
    let mut browser = world.browser();
    for number in 0..60 {
        let email = format!("user{number}@team.example");
        assert_eq!(browser.fill("/login", &[("email", &email), ("password", OTHER)]).status, 401);
    }
    let refused = browser.fill("/login", &[("email", ADA), ("password", RIGHT)]);
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "60"));
    assert!(refused.text().contains("data-countdown=\"60\""));
}
