//! Logging in at providers that are hostile or of their own kind, over a running server. The rows are those of the requirements for
//! social login; the rest of each is tested where it is named.
//!
//! | row | here | elsewhere |
//! |---|---|---|
//! | O1 PKCE, a new verifier each time | `each_login_has_a_challenge_of_its_own` | `dango-oauth` `flow`; the certified provider demands it in `browser` |
//! | O2 state once, in this browser | `an_answer_counts_once_and_in_its_own_browser_alone` | `dango-actions` and `dango-api` `external` (ten minutes) |
//! | O3 nonce, O6 ID tokens | `no_forged_token_logs_anybody_in_and_each_is_recorded_once` | `dango-oauth` `oidc` |
//! | O4 issuer in the answer, mix-up | `an_answer_of_another_issuer_sends_no_code_anywhere` | `dango-oauth` `oidc` |
//! | O5 issuer of the configuration | `a_configuration_of_somebody_else_begins_nothing` | `dango-oauth` `oidc` |
//! | O7 one look at the keys a minute | `a_crowd_of_unknown_keys_is_one_look_at_the_keys` | `dango-oauth` `oidc` (a thousand) |
//! | O8, O10, O11 whose account it is | `an_address_alone_opens_no_account` | `dango-actions` `external` |
//! | O9 links, O15 passwords | | `dango-actions` and `dango-api` `links`, `browser` |
//! | O12 what a provider may do with a request | `a_provider_that_redirects_floods_or_drips_is_given_up` | `dango-oauth` `wire` |
//! | O13 what a provider says | `what_a_provider_says_is_never_part_of_an_address_a_page_or_the_log` | |
//! | O14 GitHub | `github_is_its_numeric_id_and_its_verified_primary_address` | `dango-oauth` `github` |

use std::collections::BTreeSet;
use std::thread;

use dango_tests::provider::{Account, Fake, Forgery, GitHub, Hostility, OpenId, consent};
use dango_tests::{Client, Scratch, Server};
use serde_json::Value;

use super::PASSWORD;

const ADA: &str = "ada@example.com";
const CLIENT: &str = "dango-web";
const SECRET: &str = "canary-login-secret";
const BEGIN: &str = "/api/auth/oauth/oidc/login";

struct House {
    project: Scratch,
    server: Server,
    provider: Fake<OpenId>,
}

impl House {
    /// A server at which people log in with a provider of whom it believes addresses; Ada is its administrator, and known there.
    fn new() -> Self {
        let provider = Fake::start(OpenId::new());
        provider.provider().register(CLIENT, SECRET);
        let mut project = Scratch::initialised();
        project.give("DANGO_LOGIN_OIDC_SECRET", SECRET);
        let issuer = provider.origin();
        let options = [
            ["--login-oidc-issuer", &issuer],
            ["--login-oidc-client", CLIENT],
            ["--login-by-email", "oidc"],
        ];
        let server = Server::start_with(&project, &options.concat());
        server.claim(ADA, PASSWORD);
        Self { project, server, provider }
    }

    /// Goes to the provider, and answers the path of the way back.
    fn go(&self, browser: &mut Client) -> String {
        let answer = browser.get(BEGIN);
        assert_eq!(answer.status, 303, "{}", answer.text);
        let back = consent(answer.header("location"));
        let path = back.strip_prefix(&self.server.url()).unwrap_or_else(|| panic!("{back}"));
        path.to_owned()
    }

    /// Logs in with a browser that was never here: where that leads, and whether there is a session.
    fn log_in(&self) -> (String, bool) {
        let mut browser = self.server.client();
        let back = self.go(&mut browser);
        come_back(&mut browser, &back)
    }

    /// The records of one kind, the newest first.
    fn records(&self, event: &str) -> Vec<Value> {
        let listed = self
            .project
            .run(&["audit", "list", "--type", event, "--limit", "500", "--json"])
            .success();
        let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
        listed["events"].as_array().expect("a list").clone()
    }
}

fn come_back(browser: &mut Client, back: &str) -> (String, bool) {
    let answer = browser.get(back);
    assert_eq!(answer.status, 303, "{}", answer.text);
    (answer.header("location").to_owned(), browser.cookie("dango_session").is_some())
}

fn refused(code: &str) -> (String, bool) {
    (format!("/login?error={code}"), false)
}

#[test]
fn each_login_has_a_challenge_of_its_own() {
    let house = House::new();
    for _ in 0..5 {
        assert_eq!(house.log_in(), ("/".to_owned(), true));
    }
    let asked = house.provider.asked("/authorize");
    let challenges: BTreeSet<_> = asked.iter().map(|seen| seen.query("code_challenge").expect("PKCE")).collect();
    let methods: BTreeSet<_> = asked
        .iter()
        .map(|seen| seen.query("code_challenge_method").expect("PKCE"))
        .collect();
    assert_eq!(
        (challenges.len(), methods.into_iter().collect::<Vec<_>>()),
        (5, vec!["S256".to_owned()])
    );
    let verifiers: BTreeSet<_> = house
        .provider
        .asked("/token")
        .iter()
        .map(|seen| seen.field("code_verifier").expect("PKCE"))
        .collect();
    assert_eq!(verifiers.len(), 5);
}

#[test]
fn an_answer_counts_once_and_in_its_own_browser_alone() {
    let house = House::new();
    let mut browser = house.server.client();
    let back = house.go(&mut browser);
    let ways: Vec<_> = thread::scope(|scope| {
        let come = || {
            let mut browser = browser.clone();
            let back = &back;
            scope.spawn(move || come_back(&mut browser, back))
        };
        let threads: Vec<_> = (0..20).map(|_| come()).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(ways.iter().filter(|way| **way == ("/".to_owned(), true)).count(), 1);
    assert_eq!(ways.iter().filter(|way| **way == refused("state_mismatch")).count(), 19);
    let back = house.go(&mut browser);
    assert_eq!(come_back(&mut house.server.client(), &back), refused("state_mismatch"));
    assert_eq!(house.provider.asked("/token").len(), 1, "one code was sent");
}

#[test]
fn no_forged_token_logs_anybody_in_and_each_is_recorded_once() {
    let house = House::new();
    assert_eq!(house.log_in(), ("/".to_owned(), true), "an honest one does");
    for (count, forgery) in Forgery::ALL.into_iter().enumerate() {
        house.provider.provider().forge(forgery);
        assert_eq!(house.log_in(), refused("exchange_failed"), "{forgery:?}");
        let records = house.records("login_failure");
        assert_eq!(records.len(), count + 1, "{forgery:?}");
        let details = &records[0]["details"];
        let code = details["code"].as_str().unwrap_or_default();
        assert!(details["provider"] == "oidc" && !code.is_empty(), "{forgery:?}: {details}");
    }
    let foreign = ["/foreign-jwks", "/foreign-certificate"];
    assert!(
        foreign.iter().all(|path| house.provider.asked(path).is_empty()),
        "no key is fetched where a token says"
    );
    house.provider.provider().turn_honest();
    assert_eq!(house.log_in(), ("/".to_owned(), true));
}

#[test]
fn a_crowd_of_unknown_keys_is_one_look_at_the_keys() {
    let house = House::new();
    house.log_in();
    let before = house.provider.asked("/jwks").len();
    house.provider.provider().forge(Forgery::UnknownKey);
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| (0..3).for_each(|_| assert_eq!(house.log_in(), refused("exchange_failed"))));
        }
    });
    let looks = house.provider.asked("/jwks").len() - before;
    assert!(looks <= 1, "{looks} looks");
}

#[test]
fn an_answer_of_another_issuer_sends_no_code_anywhere() {
    let house = House::new();
    let other = Fake::start(OpenId::new());
    for hostility in [Hostility::NoIssuerInAnswer, Hostility::OtherIssuerInAnswer(other.origin())] {
        house.provider.provider().turn_hostile(hostility.clone());
        assert_eq!(house.log_in(), refused("state_mismatch"), "{hostility:?}");
        house.provider.provider().turn_honest();
    }
    // The answer of one provider at the address of another.
    let mut browser = house.server.client();
    let back = house.go(&mut browser).replace("/oidc/", "/google/");
    assert_eq!(come_back(&mut browser, &back), refused("unsupported"));
    assert!(house.provider.asked("/token").is_empty() && other.asked("/token").is_empty());
}

#[test]
fn a_configuration_of_somebody_else_begins_nothing() {
    for hostility in [Hostility::OtherIssuerInConfiguration, Hostility::ForeignEndpoints] {
        let house = House::new();
        house.provider.provider().turn_hostile(hostility.clone());
        let answer = house.server.client().get(BEGIN);
        assert_eq!(answer.header("location"), "/login?error=exchange_failed", "{hostility:?}");
        assert!(house.provider.asked("/authorize").is_empty());
    }
}

#[test]
fn an_address_alone_opens_no_account() {
    let house = House::new();
    let provider = house.provider.provider();
    for verified in [Some(false), None] {
        provider.account(Account {
            verified,
            ..Account::of("1", ADA)
        });
        assert_eq!(house.log_in(), refused("login_refused"), "nobody has verified it");
    }
    provider.account(Account {
        email: None,
        ..Account::of("1", ADA)
    });
    assert_eq!(house.log_in(), refused("login_refused"), "there is none");
    provider.account(Account::of("1", ADA));
    assert_eq!(house.log_in(), ("/".to_owned(), true), "the first use");
    provider.account(Account::of("2", ADA));
    assert_eq!(house.log_in(), refused("login_refused"), "somebody else with the victim's address");
    provider.account(Account::of("3", "nobody@example.com"));
    assert_eq!(house.log_in(), refused("login_refused"), "no administrator has made this account");
    provider.account(Account::of("1", "moved@example.com"));
    assert_eq!(house.log_in(), ("/".to_owned(), true), "the subject stays, whatever the address");
    let bob = house.project.run(&["auth", "add-user", "bob@example.com", "--password"]);
    assert_eq!(bob.status, 0, "{}", bob.stderr);
    provider.account(Account::of("4", "bob@example.com"));
    assert_eq!(
        house.log_in(),
        ("/setup".to_owned(), true),
        "what is to be done first is to be done here, too"
    );
    house
        .project
        .run(&["auth", "deactivate-user", "bob@example.com", "--yes"])
        .success();
    assert_eq!(house.log_in(), refused("login_refused"), "switched off is switched off");
    let reasons: Vec<_> = house
        .records("login_failure")
        .iter()
        .map(|record| record["details"]["reason"].to_string())
        .collect();
    let expected = [
        "inactive",
        "no-account",
        "different-provider-linked",
        "email-not-verified",
        "email-not-verified",
        "email-not-verified",
    ];
    assert_eq!(reasons, expected.map(|reason| format!("\"{reason}\"")));
}

#[test]
fn a_provider_that_redirects_floods_or_drips_is_given_up() {
    for path in ["/.well-known/openid-configuration", "/jwks", "/token"] {
        for hostility in [Hostility::Redirects, Hostility::Endless, Hostility::Dripping].map(|hostile| hostile(path)) {
            let house = House::new();
            house.provider.provider().turn_hostile(hostility.clone());
            let mut browser = house.server.client();
            let answer = browser.get(BEGIN);
            let way = match answer.header("location") {
                away if away.starts_with(&house.provider.origin()) => {
                    let back = consent(away);
                    come_back(&mut browser, back.strip_prefix(&house.server.url()).expect("the way back"))
                }
                way => (way.to_owned(), false),
            };
            assert_eq!(way, refused("exchange_failed"), "{hostility:?}");
        }
    }
}

#[test]
fn what_a_provider_says_is_never_part_of_an_address_a_page_or_the_log() {
    let house = House::new();
    house.provider.provider().deny();
    house.provider.provider().turn_hostile(Hostility::ScriptInError);
    let mut browser = house.server.client();
    let back = house.go(&mut browser);
    assert!(back.contains("owned"), "the provider says it");
    assert_eq!(come_back(&mut browser, &back), refused("provider_denied"));
    let page = browser.get("/login?error=provider_denied").text;
    assert!(page.contains("The login provider did not confirm who you are"));
    house.provider.provider().turn_honest();
    house.provider.provider().forge(Forgery::Expired);
    house.log_in();
    let secrets: Vec<String> = house
        .provider
        .asked("/token")
        .iter()
        .flat_map(|seen| [seen.field("code"), seen.field("code_verifier")])
        .flatten()
        .chain([SECRET.to_owned(), "canary-access-0".to_owned(), "owned".to_owned()])
        .collect();
    assert!(secrets.len() >= 5, "a code and a verifier were sent");
    let written = [
        page,
        house.server.log(),
        house.server.said(),
        format!("{:?}", house.records("login_failure")),
    ];
    for secret in secrets {
        assert!(!written.iter().any(|text| text.contains(&secret)), "{secret} is written somewhere");
    }
}

#[test]
fn github_is_its_numeric_id_and_its_verified_primary_address() {
    let github = Fake::start(GitHub::new());
    let mut project = Scratch::initialised();
    github.stands_in_for("github", &mut project);
    project.give("DANGO_LOGIN_GITHUB_SECRET", SECRET);
    let server = Server::start_with(&project, &["--login-github-client", CLIENT, "--login-by-email", "github"]);
    server.claim(ADA, PASSWORD);
    let log_in = || {
        let mut browser = server.client();
        let answer = browser.get("/api/auth/oauth/github/login");
        let back = consent(answer.header("location"));
        come_back(&mut browser, back.strip_prefix(&server.url()).expect("the way back"))
    };
    github.provider().account(583_231, ADA, false);
    assert_eq!(log_in(), refused("login_refused"));
    github.provider().account(583_231, ADA, true);
    assert_eq!(log_in(), ("/".to_owned(), true));
    github.provider().account(583_231, "moved@example.com", false);
    assert_eq!(log_in(), ("/".to_owned(), true), "linked by the number");
    github.provider().account(583_232, ADA, true);
    assert_eq!(log_in(), refused("login_refused"), "another number with the same address");
    assert!(github.asked("/token").iter().all(|seen| seen.field("code_verifier").is_some()));
}
