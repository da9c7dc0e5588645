//! Every page in every state that it has, rendered and looked at; what is on it is what the contract says.

use dango_actions::{FilesProblem, ListedConnection, Setup};
use dango_api::Site;
use dango_core::{Clock, Timestamp};
use dango_identity::Role;
use serde_json::json;

use super::shape;
use crate::world::{Answer, Browser, RIGHT, WRONG, World};

pub(super) const ADA: &str = "ada@team.example";

pub(super) fn seen(what: &str, answer: &Answer, parts: &[&str]) -> String {
    let text = answer.text();
    shape::check(what, &text);
    for part in parts {
        assert!(text.contains(part), "{what}: {part}\n{text}");
    }
    text
}

pub(super) fn admin(world: &World) -> Browser<'_> {
    world.add(ADA, Role::Admin);
    world.signed_in(ADA)
}

fn connection(source_type: &str, expires_at: Option<Timestamp>) -> ListedConnection {
    ListedConnection {
        name: source_type.to_owned(),
        source_type: source_type.to_owned(),
        provider: "google".to_owned(),
        identifier: Some("ada@team.example".to_owned()),
        account_info: None,
        connected_at: Some(Timestamp::from_unix_micros(1_794_000_000_000_000)),
        expires_at,
        refreshed_at: None,
        scopes: Vec::new(),
    }
}

#[test]
fn the_pages_of_the_login() {
    let world = World::new();
    world.add(ADA, Role::Viewer);
    let factor = world.signed_in(ADA).enrol();
    let (_, invite) = world.invite("bob@team.example", Role::Viewer);
    let (_, temporary) = world.with_temporary_password("eve@team.example", Role::Viewer);
    let mut browser = world.browser();
    seen("login", &browser.open("/login"), &["Sign in to your account", "Sign In"]);
    for word in [
        "password_changed",
        "invite_accepted",
        "administrator_made",
        "logged_out",
        "login_expired",
    ] {
        browser.cookies = vec![("dango_notice".to_owned(), word.to_owned())];
        seen(word, &browser.open("/login"), &["class=\"notice"]);
    }
    seen("empty", &browser.fill("/login", &[]), &["Fill in this field."]);
    seen(
        "wrong",
        &browser.fill("/login", &[("email", ADA), ("password", WRONG)]),
        &["role=\"alert\""],
    );
    browser.fill("/login?next=/settings/account", &[("email", ADA), ("password", RIGHT)]);
    let verify = "/login/verify?next=/settings/account";
    seen(
        "second factor",
        &browser.open(verify),
        &["action=\"/login/verify?next=/settings/account\""],
    );
    seen("wrong code", &browser.fill(verify, &[("code", "x")]), &["This code is not right"]);
    let recovery = browser.fill(verify, &[("recovery_code", &factor.recovery[0].replace('-', "X"))]);
    seen("wrong recovery code", &recovery, &["This recovery code is not right"]);
    seen(
        "invite",
        &browser.open(&format!("/invite/{invite}")),
        &["Set Password", "bob@team.example"],
    );
    seen("dead invite", &browser.open("/invite/x"), &["href=\"/login\""]);
    seen("claim", &browser.open("/setup/x"), &["Set up Dango"]);
    let mut eve = world.browser();
    eve.fill("/login", &[("email", "eve@team.example"), ("password", &temporary)]);
    seen("first password", &eve.open("/setup"), &["Change Password"]);
    seen("first password, empty", &eve.fill("/setup", &[]), &["Fill in this field."]);
    seen("components", &eve.open("/components"), &["Components"]);
}

#[test]
fn the_secrets() {
    let world = World::new();
    let mut browser = admin(&world);
    let now = world.clock.now().unix_micros();
    let after = |days: i64| Some(Timestamp::from_unix_micros(now + days * 86_400_000_000));
    *world.files.connections.lock().expect("not poisoned") = Vec::new();
    let empty = seen(
        "empty",
        &browser.open("/settings/secrets"),
        &["Secrets &amp; Credentials", "Environment Variables", "OAuth Connections"],
    );
    assert!(empty.contains("There are no variables") && empty.contains("Add Variable"));
    assert!(empty.contains("OAuth connections require a domain with HTTPS. Use <code>dango oauth setup</code>"));
    assert!(empty.contains("Source Credentials") && empty.contains("sources.stripe.api_key") && empty.contains(">Encrypted<"));
    *world.files.connections.lock().expect("not poisoned") = vec![
        connection("google_sheets", after(8)),
        connection("google_ads", after(7)),
        connection("facebook_ads", after(-1)),
        connection("my_source", None),
    ];
    browser.post("/api/secrets", json!({"key": "STRIPE_API_KEY", "value": "sk_canary"}));
    let full = seen(
        "connections",
        &browser.open("/settings/secrets"),
        &[
            "<code>STRIPE_API_KEY</code>",
            "aria-label=\"Edit STRIPE_API_KEY\"",
            "aria-label=\"Delete STRIPE_API_KEY\"",
            "This cannot be undone.",
            "Google Sheets",
            "badge gray\">Expires ",
            "badge amber\">Expires ",
            "badge red\">Expired",
            "Google · ada@team.example",
            "My Source",
            "Connected <time",
        ],
    );
    assert!(!full.contains("canary") && full.contains(">***<"));
    for (code, said) in [
        ("error=state_mismatch", "belongs to no login"),
        ("error=provider_denied", "did not grant"),
        ("error=session_expired", "taken too long"),
        ("error=exchange_failed", "did not hand out"),
        ("error=missing_credentials", "client id"),
        ("error=no_domain", "class=\"notice bad\""),
        ("error=unsupported", "not connected by a login"),
        ("error=account_mismatch", "another account"),
        ("error=save_failed", "could not be saved"),
        ("connected=google_sheets", "Google Sheets is connected."),
    ] {
        seen(code, &browser.open(&format!("/settings/secrets?{code}")), &[said]);
    }
    for odd in [
        "error=evil%3Cb%3Eword",
        "connected=evilword",
        "error=evilword&connected=evilword",
        "notice=evilword&page=evilword&sort=evilword",
    ] {
        let text = seen(odd, &browser.open(&format!("/settings/secrets?{odd}")), &[]);
        assert!(!text.contains("evil") && !text.contains("class=\"notice bad\"><p"), "{odd}");
    }
    *world.files.problem.lock().expect("not poisoned") = Some(FilesProblem::Unparsable {
        file: ".env",
        line: 3,
        column: 1,
        reason: "a line is not a variable".to_owned(),
    });
    let broken = browser.open("/settings/secrets");
    assert_eq!(broken.status, 409);
    seen("broken file", &broken, &["href=\"/settings/account\""]);
}

#[test]
fn off_this_machine_no_domain_is_asked_for() {
    let site = Site::Public("https://dango.team.example".parse().expect("an address"));
    let world = World::at(site, Setup::default());
    let host = ("host", "dango.team.example");
    let token = world.invite(ADA, Role::Admin).1;
    let accepted = json!({"token": token, "password": RIGHT}).to_string();
    assert_eq!(world.send("POST", "/api/auth/accept-invite", &[host], Some(&accepted)).status, 200);
    let mut browser = world.browser();
    let login = json!({"email": ADA, "password": RIGHT}).to_string();
    let headers = [host, ("sec-fetch-site", "same-origin")];
    assert_eq!(browser.send_with("POST", "/api/auth/login", &headers, Some(&login)).status, 200);
    let shown = browser.send_with("GET", "/settings/secrets", &[host, super::ACCEPT], None);
    assert_eq!(shown.status, 200);
    let text = seen("public", &shown, &[]);
    assert!(!text.contains("require a domain"));
    assert_eq!(shown.header("strict-transport-security"), "max-age=31536000; includeSubDomains");
}

#[test]
fn the_users_in_all_their_states() {
    let world = World::new();
    let mut browser = admin(&world);
    let gone = world.add("gone@team.example", Role::Editor);
    browser.post(&format!("/api/admin/users/{gone}/deactivate"), json!({}));
    world.add("locked@team.example", Role::Viewer);
    world.invite("late@team.example", Role::Viewer);
    world.pass(72 * 3600);
    world.invite("soon@team.example", Role::Viewer);
    for _ in 0..5 {
        world.browser().log_in("locked@team.example", WRONG);
    }
    let mut browser = world.signed_in(ADA);
    let text = seen(
        "users",
        &browser.open("/settings/users"),
        &[
            "User Management",
            "badge red\">admin<",
            "badge blue\">editor<",
            "badge gray\">viewer<",
            "badge green\">Active<",
            "badge indigo\">Invited<",
            "badge orange\">Invite Expired<",
            "badge amber\">Locked<",
            "badge red\">Inactive<",
            ">Never<",
            "dango auth add-user",
        ],
    );
    assert!(!text.contains("data-sends=\"DELETE"), "it is for reading alone");
    let sorted = browser.open("/settings/users?sort=email&dir=desc").text();
    let place = |email: &str| sorted.find(&format!("\">{email}<")).expect(email);
    assert!(place("soon@team.example") < place("late@team.example"));
    assert!(sorted.contains("aria-sort=\"descending\""));
    seen("nobody found", &browser.open("/settings/users?q=zzz"), &["No user has this"]);
}

#[test]
fn the_account() {
    let world = World::new();
    let mut browser = admin(&world);
    let bare = seen(
        "fresh",
        &browser.open("/settings/account"),
        &[
            "Account Settings",
            "Profile",
            ADA,
            "Change Password",
            "Active Sessions",
            "badge green\">Current<",
            "API Keys",
            "You have no API keys.",
            "Create Key",
            "Two-Factor Authentication",
            "Enable 2FA",
            "Verify &amp; Enable",
            "May administer users",
        ],
    );
    assert!(
        !bare.contains("aria-label=\"Revoke ") && !bare.contains("Revoke All Others"),
        "the current session is left by Logout"
    );
    let (_, key) = browser.make_key(&[]);
    browser.post("/api/auth/api-keys", json!({"name": "short", "expires_in_days": 1}));
    let factor = browser.enrol();
    world.pass(86_400);
    for code in &factor.recovery[1..3] {
        browser = world.browser();
        browser.log_in(ADA, RIGHT);
        assert_eq!(browser.post("/api/auth/2fa/verify", json!({"recovery_code": code})).status, 200);
    }
    let second = seen(
        "with keys and a factor",
        &browser.open("/settings/account"),
        &[
            "Revoke All Others",
            "aria-label=\"Revoke ci\"",
            ">Never<",
            "badge red\">Expired<",
            "Disable 2FA",
            "Regenerate Recovery Codes",
            &format!("<code>{}</code>", &key[..8]),
        ],
    );
    assert!(!second.contains(&key) && !second.contains(&factor.secret) && !second.contains(&factor.recovery[0]));
    for query in [
        "?key_q=zzz",
        "?session_q=zzz",
        "?key_sort=used",
        "?key_sort=name&key_dir=desc",
        "?session_sort=ip",
        "?session_sort=agent",
    ] {
        seen(query, &browser.open(&format!("/settings/account{query}")), &[]);
    }
}

#[test]
fn whoever_has_to_enrol_sees_nothing_else() {
    let setup = Setup {
        second_factor_roles: vec![Role::Viewer],
        ..Setup::default()
    };
    let world = World::at(Site::Loopback { port: 8800, tls: false }, setup);
    world.add(ADA, Role::Viewer);
    let mut browser = world.browser();
    let login = browser.fill("/login", &[("email", ADA), ("password", RIGHT)]);
    assert_eq!(login.way(), (303, "/settings/account"));
    let text = seen(
        "enrolment",
        &browser.open("/settings/account"),
        &["Your role needs a second factor.", "Enable 2FA", "Logout"],
    );
    for other in ["Active Sessions", "API Keys", "Profile", "href=\"/settings/"] {
        assert!(!text.contains(other), "{other}");
    }
    browser.enrol();
    seen(
        "afterwards",
        &browser.open("/settings/account"),
        &["Active Sessions", "Disable 2FA"],
    );
}
