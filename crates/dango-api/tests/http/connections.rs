//! Sources connected in a browser: who may begin, who may finish, once, and what is said of everything that goes wrong. The rows are
//! those of the requirements for connections.
//!
//! | row | here | elsewhere |
//! |---|---|---|
//! | C1 who begins finishes, before the code is redeemed | `whoever_begins_is_who_finishes_in_the_same_session_and_for_the_same_type` | end-to-end tests of the server |
//! | C2 one address each | the same | `dango-oauth` `flow` |
//! | C3 a click on a page of ours | `no_other_site_no_picture_and_no_prefetch_begins_to_connect` | `cross_site` in Chromium |
//! | C5 no token in answers and records | `a_source_is_connected_and_the_page_says_so` | end-to-end tests of the server |
//! | C6 limited | `what_stands_in_the_way_of_a_connection_is_on_its_card_and_in_the_answers` | `dango-oauth` `google`; `connections` in Chromium |
//! | C7 badges at the second, C18 | `a_badge_turns_at_the_second_and_by_the_end_of_the_grant` | `connections` in Chromium |
//! | C10 disconnect | `a_connection_is_checked_and_disconnected_by_its_name_or_its_type` | `connections` in Chromium |
//! | C11 another account | `another_account_than_before_is_asked_about_first` | `connections` in Chromium |

use dango_actions::{BrokenCause, CheckedConnection, ConnectionTrouble, GrantedAccount, ListedConnection, Setup};
use dango_api::Site;
use dango_audit::Word;
use dango_core::{Clock, Timestamp};
use dango_identity::Role;
use serde_json::json;

use crate::provider::VERIFIER;
use crate::world::{Answer, Browser, RIGHT, World};

const HOST: (&str, &str) = ("host", "dango.team.example");
const CLICK: [(&str, &str); 4] = [
    HOST,
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];
/// A way back from a provider is one between sites.
const BACK: [(&str, &str); 2] = [HOST, ("sec-fetch-site", "cross-site")];

fn world() -> World {
    World::at(
        Site::Public("https://dango.team.example".parse().expect("an address")),
        Setup::default(),
    )
}

fn signed_in<'w>(world: &'w World, address: &str, role: Role) -> Browser<'w> {
    let (_, token) = world.invite(address, role);
    let body = json!({"token": token, "password": RIGHT}).to_string();
    assert_eq!(world.send("POST", "/api/auth/accept-invite", &[HOST], Some(&body)).status, 200);
    log_in(world, address)
}

fn log_in<'w>(world: &'w World, address: &str) -> Browser<'w> {
    let mut browser = world.browser();
    let login = json!({"email": address, "password": RIGHT}).to_string();
    let answer = browser.send_with("POST", "/api/auth/login", &[HOST, ("sec-fetch-site", "same-origin")], Some(&login));
    assert_eq!(answer.status, 200, "{}", answer.code());
    browser
}

fn ada(world: &World) -> Browser<'_> {
    signed_in(world, "ada@team.example", Role::Admin)
}

fn click(browser: &mut Browser<'_>, path: &str) -> Answer {
    browser.send_with("GET", path, &CLICK, None)
}

/// Begins; answers the `state` that the provider gets.
fn begin(browser: &mut Browser<'_>, path: &str) -> String {
    let answer = click(browser, path);
    let way = answer.header("location");
    assert_eq!(answer.status, 303, "{way}");
    way.split_once("&state=").expect("the provider's page").1.to_owned()
}

/// Comes back from the provider; answers where that leads.
fn back(browser: &mut Browser<'_>, source_type: &str, query: &str) -> String {
    let answer = browser.send_with("GET", &format!("/oauth/callback/{source_type}?{query}"), &BACK, None);
    let (status, way) = answer.way();
    assert_eq!(status, 303);
    way.to_owned()
}

fn error(code: &str) -> String {
    format!("/settings/secrets?error={code}")
}

fn events(world: &World) -> Vec<String> {
    let about = |name: &str| name.starts_with("oauth_");
    let mut events: Vec<String> = world
        .events()
        .into_iter()
        .map(|event| event.event)
        .filter(|name| about(name))
        .collect();
    events.reverse();
    events
}

#[test]
fn a_source_is_connected_and_the_page_says_so() {
    let world = world();
    let mut ada = ada(&world);
    world.files.connections.lock().expect("not poisoned").clear();
    let page = ada
        .send_with("GET", "/settings/secrets", &[HOST, ("accept", "text/html")], None)
        .text();
    assert!(
        page.contains("href=\"/oauth/connect/google_sheets\">Connect Google Sheets</a>"),
        "{page}"
    );
    let answer = click(&mut ada, "/oauth/connect/google_sheets");
    let way = answer.header("location").to_owned();
    assert!(
        way.starts_with("https://provider.example/authorize?redirect_uri=https://dango.team.example/oauth/callback/google_sheets&state="),
        "{way}"
    );
    let state = way.split_once("&state=").expect("state").1;
    let connected = back(&mut ada, "google_sheets", &format!("code=x&state={state}"));
    assert_eq!(connected, "/settings/secrets?connected=google_sheets");
    let page = ada.send_with("GET", &connected, &[HOST, ("accept", "text/html")], None).text();
    assert!(page.contains("Google Sheets is connected.") && !page.contains(">Connect Google Sheets<"));
    assert_eq!(
        events(&world),
        ["oauth_started", "oauth_source_connected", "oauth_source_connected"]
    );
    let log: Vec<String> = world.events().iter().map(|event| event.details.clone()).collect();
    assert!(!log.iter().any(|details| details.contains(state) || details.contains(VERIFIER)));
}

#[test]
fn an_answer_counts_once_however_many_bring_it_at_once() {
    let world = world();
    let mut ada = ada(&world);
    let state = begin(&mut ada, "/oauth/connect/google_sheets");
    let path = format!("/oauth/callback/google_sheets?code=x&state={state}");
    let cookie = ada.cookie();
    let ways: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20)
            .map(|_| {
                scope.spawn(|| {
                    world
                        .send("GET", &path, &[HOST, ("cookie", &cookie)], None)
                        .header("location")
                        .to_owned()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let connected = ways.iter().filter(|way| way.ends_with("?connected=google_sheets")).count();
    let refused = ways.iter().filter(|way| **way == error("state_mismatch")).count();
    assert_eq!((connected, refused, world.provider.redeemed()), (1, 19, 1));
}

#[test]
fn whoever_begins_is_who_finishes_in_the_same_session_and_for_the_same_type() {
    let world = world();
    let mut ada = ada(&world);
    let mut eve = signed_in(&world, "eve@team.example", Role::Admin);
    let mut other = log_in(&world, "ada@team.example");
    for (thief, source_type) in [(&mut eve, "google_sheets"), (&mut other, "google_sheets")] {
        let state = begin(&mut ada, "/oauth/connect/google_sheets");
        let query = format!("code=x&state={state}");
        assert_eq!(back(thief, source_type, &query), error("state_mismatch"));
        assert_eq!(back(&mut ada, source_type, &query), error("state_mismatch"), "it is used up");
    }
    let state = begin(&mut ada, "/oauth/connect/google_sheets");
    assert_eq!(
        back(&mut ada, "google_ads", &format!("code=x&state={state}")),
        error("state_mismatch")
    );
    let state = begin(&mut ada, "/oauth/connect/google_sheets");
    assert_eq!(
        back(&mut world.browser(), "google_sheets", &format!("code=x&state={state}")),
        error("session_expired")
    );
    let state = begin(&mut ada, "/oauth/connect/google_sheets");
    world.pass(600);
    assert_eq!(
        back(&mut ada, "google_sheets", &format!("code=x&state={state}")),
        error("session_expired")
    );
    assert_eq!(world.provider.redeemed(), 0, "no code was sent anywhere");
    let state = begin(&mut ada, "/oauth/connect/google_sheets");
    world.pass(599);
    let connected = back(&mut ada, "google_sheets", &format!("code=x&state={state}"));
    assert_eq!(connected, "/settings/secrets?connected=google_sheets");
}

#[test]
fn no_other_site_no_picture_and_no_prefetch_begins_to_connect() {
    let world = world();
    let mut ada = ada(&world);
    let foreign = |name: &'static str, value: &'static str| {
        let mut headers: Vec<(&str, &str)> = CLICK.iter().copied().filter(|(set, _)| *set != name).collect();
        headers.push((name, value));
        headers
    };
    for headers in [
        foreign("sec-fetch-site", "cross-site"),
        foreign("sec-fetch-site", "same-site"),
        foreign("sec-fetch-site", "none"),
        foreign("sec-fetch-mode", "no-cors"),
        foreign("sec-fetch-dest", "image"),
        foreign("sec-fetch-dest", "iframe"),
        foreign("sec-purpose", "prefetch"),
        vec![HOST],
    ] {
        let answer = ada.send_with("GET", "/oauth/connect/google_sheets", &headers, None);
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "cross_site"), "{headers:?}");
    }
    assert_eq!(world.provider.begun(), 0);
    let mut viewer = signed_in(&world, "vi@team.example", Role::Viewer);
    assert_eq!(click(&mut viewer, "/oauth/connect/google_sheets").code(), "permission_denied");
    assert_eq!(world.provider.begun(), 0);
}

#[test]
fn another_account_than_before_is_asked_about_first() {
    let world = world();
    let mut ada = ada(&world);
    *world.provider.account.lock().expect("not poisoned") = GrantedAccount::IsAnother;
    let state = begin(&mut ada, "/oauth/connect/sheets");
    let before = world.files.connections.lock().expect("not poisoned").clone();
    assert_eq!(
        back(&mut ada, "google_sheets", &format!("code=x&state={state}")),
        error("account_mismatch")
    );
    assert_eq!(*world.files.connections.lock().expect("not poisoned"), before);
    assert_eq!(events(&world), ["oauth_started", "oauth_refused"]);
    let page = ada
        .send_with("GET", "/settings/secrets", &[HOST, ("accept", "text/html")], None)
        .text();
    assert!(page.contains("href=\"/oauth/connect/sheets?account=any\""), "{page}");
    let state = begin(&mut ada, "/oauth/connect/sheets?account=any");
    let connected = back(&mut ada, "google_sheets", &format!("code=x&state={state}"));
    assert_eq!(connected, "/settings/secrets?connected=google_sheets");
    let names: Vec<String> = world
        .files
        .connections
        .lock()
        .expect("not poisoned")
        .iter()
        .map(|one| one.name.clone())
        .collect();
    assert_eq!(names, ["sheets"], "it is the same source");
}

#[test]
fn a_badge_turns_at_the_second_and_by_the_end_of_the_grant() {
    let world = world();
    ada(&world);
    let now = world.clock.now();
    let connection = |name: &str, days: i64| ListedConnection {
        name: name.to_owned(),
        source_type: name.to_owned(),
        provider: name.to_owned(),
        identifier: None,
        account_info: None,
        connected_at: Some(now),
        expires_at: (days > 0).then(|| Timestamp::from_unix_micros(now.unix_micros() + days * 86_400_000_000)),
        refreshed_at: Some(now),
        scopes: Vec::new(),
    };
    // What Google grants has no end, however short its access tokens live; what Meta grants ends after sixty days.
    *world.files.connections.lock().expect("not poisoned") = vec![connection("googlish", 0), connection("metaish", 60)];
    let shown = || {
        let page = log_in(&world, "ada@team.example")
            .send_with("GET", "/settings/secrets", &[HOST, ("accept", "text/html")], None)
            .text();
        let cards = page.split("<li class=\"card\">").skip(1);
        let cards = cards.map(|card| {
            let colour = ["gray", "amber", "red"]
                .into_iter()
                .find(|colour| card.contains(&format!("badge {colour}")));
            (colour, card.contains(">Reconnect<"))
        });
        cards.collect::<Vec<_>>()
    };
    const DAY: i64 = 86_400;
    let mut passed = 0;
    for (seconds, colour, reconnects) in [
        (0, "gray", false),
        (53 * DAY - 1, "gray", false),
        (53 * DAY, "amber", true),
        (53 * DAY + 1, "amber", true),
        (60 * DAY - 1, "amber", true),
        (60 * DAY, "red", true),
        (61 * DAY, "red", true),
    ] {
        world.pass(seconds - passed);
        passed = seconds;
        assert_eq!(shown(), [(None, false), (Some(colour), reconnects)], "{seconds} s");
    }
}

#[test]
fn what_stands_in_the_way_of_a_connection_is_on_its_card_and_in_the_answers() {
    let world = world();
    let mut ada = ada(&world);
    let page = |browser: &mut Browser<'_>| {
        browser
            .send_with("GET", "/settings/secrets", &[HOST, ("accept", "text/html")], None)
            .text()
    };
    let reconnect = "aria-label=\"Reconnect Google Sheets\"";
    assert!(!page(&mut ada).contains(reconnect), "nothing is wrong with it");
    let missing = vec!["https://www.googleapis.com/auth/spreadsheets.readonly".to_owned()];
    for (trouble, word, badge, sentence) in [
        (
            ConnectionTrouble::Limited { missing },
            "limited",
            "Limited",
            "Missing: https://www.googleapis.com/auth/spreadsheets.readonly.",
        ),
        (
            ConnectionTrouble::Broken(BrokenCause::TestingPhase { days: 7 }),
            "broken",
            "Broken",
            "testing phase after 7 days",
        ),
        (
            ConnectionTrouble::Broken(BrokenCause::Revoked),
            "broken",
            "Broken",
            "was revoked at the provider",
        ),
        (
            ConnectionTrouble::Broken(BrokenCause::Ended),
            "broken",
            "Broken",
            "has reached its end",
        ),
        (
            ConnectionTrouble::Broken(BrokenCause::Misconfigured),
            "broken",
            "Broken",
            "refuses the app",
        ),
    ] {
        world
            .provider
            .trouble
            .lock()
            .expect("not poisoned")
            .insert("sheets".to_owned(), trouble);
        let html = page(&mut ada);
        assert!(
            html.contains(badge) && html.contains(sentence) && html.contains(reconnect),
            "{html}"
        );
        let listed = ada.send_with("GET", "/api/secrets/oauth", &[HOST], None).json();
        let detail = listed[0]["problem_detail"].as_str().unwrap_or_default();
        assert!(listed[0]["problem"] == word && detail.contains(sentence), "{listed}");
    }
}

#[test]
fn what_goes_wrong_on_the_way_is_a_word_in_the_address_and_a_sentence_on_the_page() {
    let world = world();
    let mut ada = ada(&world);
    let state = begin(&mut ada, "/oauth/connect/google_sheets");
    let denied = format!("error=access_denied&error_description=%3Cscript%3E&state={state}");
    assert_eq!(back(&mut ada, "google_sheets", &denied), error("provider_denied"));
    let state = begin(&mut ada, "/oauth/connect/google_sheets");
    assert_eq!(
        back(&mut ada, "google_sheets", &format!("code=bad&state={state}")),
        error("exchange_failed")
    );
    let state = begin(&mut ada, "/oauth/connect/google_ads");
    assert_eq!(back(&mut ada, "google_ads", &format!("code=x&state={state}")), error("save_failed"));
    assert_eq!(back(&mut ada, "google_sheets", ""), error("state_mismatch"));
    assert_eq!(back(&mut ada, "google_sheets", "code=x&state=none"), error("state_mismatch"));
    assert_eq!(click(&mut ada, "/oauth/connect/stripe").way(), (303, error("unsupported").as_str()));
    let page = ada.send_with("GET", &error("provider_denied"), &[HOST, ("accept", "text/html")], None);
    assert!(page.text().contains("The provider did not grant access, or it was declined there."));
    let local = World::new();
    local.add("ada@team.example", Role::Admin);
    let mut browser = local.signed_in("ada@team.example");
    let answer = browser.send_with("GET", "/oauth/connect/google_sheets", &CLICK[1..], None);
    assert_eq!(answer.way(), (303, error("no_domain").as_str()));
}

#[test]
fn a_connection_is_checked_and_disconnected_by_its_name_or_its_type() {
    let world = World::new();
    world.add("ada@team.example", Role::Admin);
    let mut ada = world.signed_in("ada@team.example");
    let checked = ada.post("/api/secrets/oauth/google_sheets/check", json!({}));
    assert_eq!(checked.status, 200);
    let found = checked.json();
    assert_eq!(
        (&found["name"], &found["valid"], &found["error_code"]),
        (&json!("sheets"), &json!(true), &json!(null))
    );
    *world.provider.checked.lock().expect("not poisoned") = CheckedConnection {
        is_valid: false,
        error: Some((Word::new("revoked"), "the provider refuses the tokens")),
    };
    let (_, key) = ada.make_key(&[]);
    let found = world.with_key(&key, "POST", "/api/secrets/oauth/sheets/check", None).json();
    assert_eq!((&found["valid"], &found["error_code"]), (&json!(false), &json!("revoked")));
    let gone = ada.send("DELETE", "/api/secrets/oauth/sheets", None);
    let expected = json!({"source_type": "google_sheets", "action": "disconnected", "revoked_at_provider": true});
    assert_eq!((gone.status.as_u16(), gone.json()), (200, expected));
    for (method, path) in [("DELETE", "/api/secrets/oauth/sheets"), ("POST", "/api/secrets/oauth/sheets/check")] {
        assert_eq!(ada.send(method, path, None).problem(), (404, "not_found".to_owned()));
    }
    assert_eq!(ada.get("/api/secrets/oauth").json(), json!([]));
    assert_eq!(
        events(&world),
        [
            "oauth_checked",
            "oauth_checked",
            "oauth_checked",
            "oauth_checked",
            "oauth_source_disconnected",
            "oauth_source_disconnected"
        ]
    );
}
