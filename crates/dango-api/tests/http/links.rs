//! Accounts at login providers linked to one's own, as a browser does it: from the page, there and back, and taken away again.

use dango_identity::{EmailClaim, Role};
use serde_json::json;

use crate::provider::person;
use crate::world::{Browser, OTHER, RIGHT, World};

const ADA: &str = "ada@team.example";
const LINK: &str = "/api/auth/oauth/google/link";

fn world() -> World {
    let world = World::new();
    world.add(ADA, Role::Admin);
    says(&world, "1", EmailClaim::Absent);
    world
}

fn says(world: &World, subject: &str, email: EmailClaim) {
    *world.provider.person.lock().expect("not poisoned") = person(subject, email);
}

/// Begins to link; answers the query of the way back.
fn begin(browser: &mut Browser<'_>) -> String {
    let answer = browser.post(LINK, json!({}));
    assert_eq!(answer.status, 200, "{}", answer.code());
    let url = answer.json()["url"].as_str().expect("a URL").to_owned();
    let expected = "https://provider.example/authorize?redirect_uri=http://localhost:8800/api/auth/oauth/google/callback&";
    format!("code=x&{}", url.strip_prefix(expected).unwrap_or_else(|| panic!("{url}")))
}

fn back(browser: &mut Browser<'_>, query: &str) -> String {
    browser.open(&format!("/api/auth/oauth/google/callback?{query}")).way().1.to_owned()
}

fn log_in(world: &World) -> String {
    let mut browser = world.browser();
    let answer = browser.open("/api/auth/oauth/google/login");
    let query = answer.way().1.split_once("/callback&").expect("the provider's page").1.to_owned();
    back(&mut browser, &format!("code=x&{query}"))
}

#[test]
fn an_account_is_linked_on_the_page_signs_in_and_is_unlinked() {
    let world = world();
    assert_eq!(log_in(&world), "/login?error=login_refused");
    let mut ada = world.signed_in(ADA);
    let page = ada.open("/settings/account").text();
    assert!(page.contains("Login Providers") && page.contains("data-sends=\"POST /api/auth/oauth/{id}/link\""));
    assert!(page.contains("aria-label=\"Link Google\"") && page.contains("Not linked"));
    let query = begin(&mut ada);
    assert_eq!(back(&mut ada, &query), "/settings/account?linked=google");
    let page = ada.open("/settings/account?linked=google").text();
    assert!(page.contains("You can sign in with Google from now on.") && page.contains("aria-label=\"Unlink Google\""));
    let listed = ada.get("/api/auth/oauth").json();
    assert_eq!(
        (&listed[0]["provider"], &listed[0]["title"], &listed[0]["is_configured"]),
        (&json!("google"), &json!("Google"), &json!(true))
    );
    assert!(listed[0]["linked_at"].is_string() && listed[1]["linked_at"].is_null());
    assert_eq!(ada.get("/api/auth/me").json()["oauth_provider"], "https://google.example");
    assert_eq!(log_in(&world), "/");
    assert_eq!(back(&mut ada, &query), "/settings/account?error=state_mismatch", "once");
    assert_eq!(ada.send("DELETE", "/api/auth/oauth/google", None).status, 200);
    assert_eq!(
        ada.send("DELETE", "/api/auth/oauth/google", None).problem(),
        (404, "not_found".to_owned())
    );
    assert_eq!(log_in(&world), "/login?error=login_refused");
}

#[test]
fn linking_and_unlinking_need_a_proof_that_is_minutes_old_and_no_key_does_them() {
    let world = world();
    let mut ada = world.signed_in(ADA);
    let (_, key) = ada.make_key(&[]);
    for (method, path) in [("GET", "/api/auth/oauth"), ("POST", LINK), ("DELETE", "/api/auth/oauth/google")] {
        assert_eq!(
            world.with_key(&key, method, path, None).problem(),
            (403, "session_required".to_owned())
        );
    }
    assert_eq!(
        ada.post("/api/auth/oauth/gitlab/link", json!({})).problem(),
        (404, "not_found".to_owned())
    );
    world.pass(601);
    let stale = (403, "reauthentication_required".to_owned());
    assert_eq!(ada.post(LINK, json!({})).problem(), stale);
    assert_eq!(ada.send("DELETE", "/api/auth/oauth/google", None).problem(), stale);
    assert_eq!(world.provider.begun(), 0);
}

#[test]
fn whoever_comes_back_in_another_session_or_in_none_links_nothing() {
    let world = world();
    world.add("eve@team.example", Role::Viewer);
    let mut ada = world.signed_in(ADA);
    let mut eve = world.signed_in("eve@team.example");
    let query = begin(&mut ada);
    assert_eq!(back(&mut eve, &query), "/settings/account?error=state_mismatch");
    let query = begin(&mut ada);
    assert_eq!(back(&mut world.browser(), &query), "/login?error=session_expired");
    assert_eq!(world.provider.redeemed(), 0, "no code was sent anywhere");
    let query = begin(&mut ada).replace("code=x", "error=access_denied&error_description=%3Cscript%3E");
    assert_eq!(back(&mut ada, &query), "/settings/account?error=provider_denied");
    let page = ada.open("/settings/account?error=provider_denied").text();
    assert!(page.contains("The login provider did not confirm who you are"));
    let page = ada.open("/settings/account?error=%3Cscript%3E&linked=%3Cscript%3E").text();
    assert!(!page.contains("class=\"notice bad\"><p>&#60;script"), "only words of ours are said");
    let query = begin(&mut eve);
    assert_eq!(back(&mut eve, &query), "/settings/account?linked=google");
    let query = begin(&mut ada);
    assert_eq!(back(&mut ada, &query), "/settings/account?error=identity_taken");
    assert!(
        ada.open("/settings/account?error=identity_taken")
            .text()
            .contains("opens another account here.")
    );
}

#[test]
fn whoever_signs_in_elsewhere_alone_neither_sets_nor_needs_a_password() {
    let world = World::new();
    world.add_without_password(ADA, Role::Viewer);
    says(&world, "1", EmailClaim::Verified(ADA.parse().expect("an address")));
    let mut ada = world.browser();
    let way = ada.open("/api/auth/oauth/google/login").way().1.to_owned();
    let query = way.split_once("/callback&").expect("the provider's page").1.to_owned();
    assert_eq!(back(&mut ada, &format!("code=x&{query}")), "/");
    let page = ada.open("/settings/account").text();
    assert!(page.contains("this account has no password here") && !page.contains("id=\"current-password\""));
    assert!(page.contains("name=\"password\" value=\"\""), "the dialog for 2FA asks for none");
    let refused = (403, "local_password_refused".to_owned());
    let change = json!({"current_password": RIGHT, "new_password": OTHER});
    assert_eq!(ada.post("/api/auth/change-password", change).problem(), refused);
    assert_eq!(ada.post("/api/auth/reauthenticate", json!({"password": RIGHT})).problem(), refused);
    assert_eq!(
        ada.send("DELETE", "/api/auth/oauth/google", None).problem(),
        (409, "last_login".to_owned())
    );
    assert_eq!(ada.post("/api/auth/2fa/setup", json!({"password": ""})).status, 200);
    world.pass(601);
    assert_eq!(ada.post("/api/auth/2fa/setup", json!({"password": ""})).problem(), refused);
}
