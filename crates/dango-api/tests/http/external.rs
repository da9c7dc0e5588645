//! Logging in with an account elsewhere, as a browser does: there and back, with everything that a password login asks for.

use dango_identity::{EmailClaim, Role};

use crate::provider::person;
use crate::world::{Browser, World};

const ADA: &str = "ada@team.example";

fn verified(address: &str) -> EmailClaim {
    EmailClaim::Verified(address.parse().expect("an address"))
}

/// Goes to the provider; answers the query of the way back.
fn go(browser: &mut Browser<'_>, path: &str) -> String {
    let answer = browser.open(path);
    let (status, way) = answer.way();
    assert_eq!(status, 303);
    let expected = "https://provider.example/authorize?redirect_uri=http://localhost:8800/api/auth/oauth/google/callback&";
    format!("code=x&{}", way.strip_prefix(expected).unwrap_or_else(|| panic!("{way}")))
}

fn back(browser: &mut Browser<'_>, provider: &str, query: &str) -> String {
    let answer = browser.open(&format!("/api/auth/oauth/{provider}/callback?{query}"));
    let (status, way) = answer.way();
    assert_eq!(status, 303);
    way.to_owned()
}

fn world() -> World {
    let world = World::new();
    world.add(ADA, Role::Admin);
    *world.provider.person.lock().expect("not poisoned") = person("1", verified(ADA));
    world
}

#[test]
fn a_click_leads_to_the_provider_and_back_to_the_page_that_was_wanted() {
    let world = world();
    let mut browser = world.browser();
    let page = browser.open("/login?next=/settings/audit").text();
    for (name, title) in [("google", "Google"), ("github", "GitHub")] {
        let link = format!("href=\"/api/auth/oauth/{name}/login?next=/settings/audit\">Continue with {title}</a>");
        assert!(page.contains(&link), "{page}");
    }
    let query = go(&mut browser, "/api/auth/oauth/google/login?next=/settings/audit");
    assert!(browser.cookie().contains("dango_oauth="));
    assert_eq!(back(&mut browser, "google", &query), "/settings/audit");
    assert!(!browser.cookie().contains("dango_oauth="));
    assert_eq!(browser.open("/settings/account").status, 200);
    assert_eq!(
        back(&mut browser, "google", &query),
        "/settings/account?error=state_mismatch",
        "once"
    );
    let query = go(&mut world.browser(), "/api/auth/oauth/google/login?next=//evil.example");
    assert_eq!(
        back(&mut world.browser(), "google", &query),
        "/login?error=state_mismatch",
        "another browser"
    );
}

#[test]
fn a_second_factor_and_a_change_that_is_due_are_asked_for_here_too() {
    let world = world();
    world.signed_in(ADA).enrol();
    let mut browser = world.browser();
    let query = go(&mut browser, "/api/auth/oauth/google/login?next=/settings/audit");
    assert_eq!(back(&mut browser, "google", &query), "/login/verify?next=/settings/audit");
    assert_eq!(browser.open("/settings/account").way().0, 303, "nothing is reached yet");
    let (address, _) = ("new@team.example", world.with_temporary_password("new@team.example", Role::Viewer));
    *world.provider.person.lock().expect("not poisoned") = person("2", verified(address));
    let mut browser = world.browser();
    let query = go(&mut browser, "/api/auth/oauth/google/login");
    assert_eq!(back(&mut browser, "google", &query), "/setup");
}

#[test]
fn whoever_is_not_let_in_reads_one_sentence_whatever_the_reason() {
    let world = world();
    for (subject, email) in [
        ("7", verified("nobody@team.example")),
        ("8", EmailClaim::Unverified),
        ("9", EmailClaim::Absent),
    ] {
        *world.provider.person.lock().expect("not poisoned") = person(subject, email);
        let mut browser = world.browser();
        let query = go(&mut browser, "/api/auth/oauth/google/login");
        assert_eq!(back(&mut browser, "google", &query), "/login?error=login_refused");
        assert!(browser.session().is_none());
    }
    let page = world.browser().open("/login?error=login_refused").text();
    assert!(page.contains("This account cannot be used to sign in here."));
    let page = world.browser().open("/login?error=%3Cscript%3Ealert(1)%3C/script%3E").text();
    assert!(!page.contains("alert(1)"));
}

#[test]
fn an_answer_for_one_provider_is_none_for_another_and_an_unknown_one_is_none() {
    let world = world();
    let mut browser = world.browser();
    let query = go(&mut browser, "/api/auth/oauth/google/login");
    assert_eq!(back(&mut browser, "github", &query), "/login?error=state_mismatch");
    assert_eq!(back(&mut browser, "gitlab", &query), "/login?error=unsupported");
    assert_eq!(
        browser.open("/api/auth/oauth/gitlab/login").way(),
        (303, "/login?error=unsupported")
    );
    assert_eq!(world.provider.redeemed(), 0);
    let query = go(&mut browser, "/api/auth/oauth/google/login");
    let denied = query.replace("code=x", "error=access_denied");
    assert_eq!(back(&mut browser, "google", &denied), "/login?error=provider_denied");
    world.pass(1);
    let query = go(&mut browser, "/api/auth/oauth/google/login");
    world.pass(600);
    assert_eq!(back(&mut browser, "google", &query), "/login?error=session_expired");
}
