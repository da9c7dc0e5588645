//! What may happen once, tried fifty times at once over three servers: it happens once.

use std::collections::BTreeSet;

use dango_tests::provider::{Account, Fake, Google, OpenId, consent};
use dango_tests::{Answer, Client, Scratch};
use serde_json::json;

use super::house::{House, at_once};
use super::{EMAIL, PASSWORD, enrol, token_in};

/// How often each is tried.
const CROWD: usize = 50;

/// Looks that one try succeeded, and that all others were refused in one of these ways.
#[track_caller]
fn assert_once(what: &str, answers: &[Answer], refusals: &[u16]) {
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(
        (statuses.len(), statuses.iter().filter(|status| **status < 300).count()),
        (CROWD, 1),
        "{what}: {statuses:?}"
    );
    let others: BTreeSet<u16> = statuses.into_iter().filter(|status| *status >= 300).collect();
    assert!(others.iter().all(|status| refusals.contains(status)), "{what}: {others:?}");
}

#[test]
fn a_setup_link_an_invitation_an_address_and_a_temporary_password_count_once() {
    let house = House::empty();
    let link = house.servers[2].setup_link();
    let token = link.rsplit('/').next().expect("a link has a token");
    let claimed = at_once(CROWD, |number| {
        let body = json!({"token": token, "email": EMAIL, "password": PASSWORD});
        house.servers[number % 3].client().post("/api/auth/claim", &body)
    });
    assert_once("the setup link", &claimed, &[410]);

    let mut admin = house.admin(0);
    let invited = admin.post("/api/admin/users", &json!({"email": "eve@team.example", "role": "viewer"}));
    let (id, token) = (invited.json()["user"]["id"].as_str().expect("an id").to_owned(), token_in(&invited));
    let accepted = at_once(CROWD, |number| {
        let body = json!({"token": token, "password": format!("battery staple number {number}")});
        house.servers[number % 3].client().post("/api/auth/accept-invite", &body)
    });
    assert_once("the invitation", &accepted, &[410]);

    let added = at_once(CROWD, |number| {
        let body = json!({"email": "Fay@team.example", "role": "viewer"});
        house.at(number, &admin).post("/api/admin/users", &body)
    });
    assert_once("an address", &added, &[409]);

    let reset = admin.post(&format!("/api/admin/users/{id}/reset-password"), &json!({}));
    let password = reset.json()["temp_password"].as_str().expect("text").to_owned();
    let logged_in = at_once(CROWD, |number| {
        let body = json!({"email": "eve@team.example", "password": password});
        house.servers[number % 3].client().post("/api/auth/login", &body)
    });
    assert_once("a temporary password", &logged_in, &[401, 423]);
    house.verify();
}

#[test]
fn a_code_of_an_app_a_recovery_code_and_an_enrolment_count_once() {
    let house = House::new();
    let mut admin = house.admin(0);
    // Tries that fail count, so each is tried with another account.
    for (number, email) in ["bo@team.example", "cy@team.example", "di@team.example"].into_iter().enumerate() {
        let _ = house.add(&mut admin, email, "viewer");
        let (mut app, recovery) = enrol(&mut house.signed_in(number, email));
        let half: Vec<Client> = (0..3).map(|node| house.signed_in(node, email)).collect();
        match number {
            0 => {
                let code = app.code();
                let verified = at_once(CROWD, |number| {
                    let mut client = house.at(number / 3, &half[number % 3]);
                    client.post("/api/auth/2fa/verify", &json!({"code": code}))
                });
                assert_once("a code", &verified, &[401, 423]);
            }
            1 => {
                let verified = at_once(CROWD, |number| {
                    let mut client = house.at(number / 3, &half[number % 3]);
                    client.post("/api/auth/2fa/verify", &json!({"recovery_code": recovery[0]}))
                });
                assert_once("a recovery code", &verified, &[401, 423]);
            }
            _ => {
                let mut whole = half[0].clone();
                let verified = whole.post("/api/auth/2fa/verify", &json!({"code": app.code()}));
                assert_eq!(verified.status, 200, "{}", verified.text);
                let proven = at_once(CROWD, |number| {
                    let body = json!({"password": PASSWORD, "code": recovery[0]});
                    house.at(number, &whole).post("/api/auth/reauthenticate", &body)
                });
                assert_once("a recovery code at a proof", &proven, &[401, 423]);
            }
        }
    }
    let _ = house.add(&mut admin, "em@team.example", "viewer");
    let mut em = house.signed_in(2, "em@team.example");
    let begun = em.post("/api/auth/2fa/setup", &json!({"password": PASSWORD})).json();
    let secret = totp_rs::Secret::try_from_base32(begun["secret"].as_str().expect("text")).expect("base32");
    let totp = totp_rs::Builder::new().with_secret(secret).build().expect("parameters");
    let code = totp
        .generate(std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs())
        .to_string();
    let enrolled = at_once(CROWD, |number| {
        house.at(number, &em).post("/api/auth/2fa/verify-setup", &json!({"code": code}))
    });
    assert_once("an enrolment", &enrolled, &[401, 409, 423]);
    house.verify();
}

#[test]
fn two_administrators_who_demote_each_other_at_different_servers_leave_one() {
    let house = House::new();
    let mut admin = house.admin(0);
    let other = house.add(&mut admin, "bo@team.example", "admin");
    let own = admin.get("/api/auth/me").json()["id"].as_str().expect("an id").to_owned();
    let (emails, ids) = ([EMAIL, "bo@team.example"], [own, other]);
    for round in 0..5 {
        let sessions = [house.signed_in(round, emails[0]), house.signed_in(round + 1, emails[1])];
        let path = |who: usize| format!("/api/admin/users/{}/role", ids[who]);
        let demoted = at_once(10, |number| {
            let who = number % 2;
            let mut client = house.at(number, &sessions[who]);
            client.send("PUT", &path(1 - who), &[], Some("{\"role\": \"viewer\"}")).status
        });
        let left = house.sql("SELECT email FROM dango.users WHERE role = 'admin' AND active");
        let left: Vec<&str> = left.lines().collect();
        assert_eq!(left.len(), 1, "round {round}: {left:?} {demoted:?}");
        let who = usize::from(left[0] != emails[0]);
        let mut one = house.signed_in(round + 2, left[0]);
        let last = one.send("PUT", &path(who), &[], Some("{\"role\": \"viewer\"}"));
        assert_eq!((last.status, last.code()), (409, "last_admin".to_owned()), "{}", last.text);
        let back = one.send("PUT", &path(1 - who), &[], Some("{\"role\": \"admin\"}"));
        assert_eq!(back.status, 200, "{}", back.text);
    }
    house.verify();
}

const PUBLIC: &str = "https://dango.test";
const HOST: (&str, &str) = ("host", "dango.test");
/// A way back from a provider is one between sites.
const BACK: [(&str, &str); 4] = [
    HOST,
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];
const CLICK: [(&str, &str); 4] = [
    HOST,
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];

/// Comes back to all servers at once with what the provider said; answers where each try leads, and the browser of each.
fn come_back(house: &House, browser: &Client, address: &str) -> Vec<(String, Client)> {
    let back = consent(address);
    let path = back.strip_prefix(PUBLIC).unwrap_or_else(|| panic!("{back}"));
    at_once(CROWD, |number| {
        let mut browser = house.at(number, browser);
        let answer = browser.send("GET", path, &BACK, None);
        assert_eq!(answer.status, 303, "{}", answer.text);
        (answer.header("location").to_owned(), browser)
    })
}

#[test]
fn the_answer_of_a_provider_counts_once_and_at_any_server() {
    let (open_id, google) = (Fake::start(OpenId::new()), Fake::start(Google::new()));
    open_id.provider().register("dango-web", "canary-login-secret");
    open_id.provider().account(Account::of("1", EMAIL));
    let issuer = open_id.origin();
    let prepare = |project: &mut Scratch| {
        google.stands_in_for("google", project);
        project.give("DANGO_LOGIN_OIDC_SECRET", "canary-login-secret");
        project.write(".env", "GOOGLE_CLIENT_ID=client-1\nGOOGLE_CLIENT_SECRET=canary-app-secret\n");
    };
    let options = [
        ["--public-url", PUBLIC],
        ["--login-oidc-issuer", &issuer],
        ["--login-oidc-client", "dango-web"],
        ["--login-by-email", "oidc"],
    ];
    let house = House::with(&prepare, &options.concat());
    let link = house.servers[2].setup_link();
    let token = link.rsplit('/').next().expect("a link has a token");
    let body = json!({"token": token, "email": EMAIL, "password": PASSWORD}).to_string();
    let claimed = house.servers[0].client().send("POST", "/api/auth/claim", &[HOST], Some(&body));
    assert_eq!(claimed.status, 201, "{}", claimed.text);

    let mut browser = house.servers[0].client();
    let begun = browser.send("GET", "/api/auth/oauth/oidc/login", &CLICK, None);
    let ways = come_back(&house, &browser, begun.header("location"));
    let (inside, refused): (Vec<_>, Vec<_>) = ways.into_iter().partition(|(way, _)| way == "/");
    assert_eq!(inside.len(), 1);
    assert!(refused.iter().all(|(way, _)| way == "/login?error=state_mismatch"));
    assert_eq!(open_id.asked("/token").len(), 1, "one code was sent");
    let session = &inside[0].1;
    assert!(session.cookie("dango_session").is_some());

    let mut at_second = house.at(1, session);
    let begun = at_second.send("GET", "/oauth/connect/google_sheets", &CLICK, None);
    let ways = come_back(&house, &at_second, begun.header("location"));
    let connected = ways.iter().filter(|(way, _)| way == "/settings/secrets?connected=google_sheets");
    assert_eq!(connected.count(), 1);
    let refused = ways.iter().filter(|(way, _)| way == "/settings/secrets?error=state_mismatch");
    assert_eq!(refused.count(), CROWD - 1);
    assert_eq!(google.asked("/token").len(), 1, "one code was sent");
    assert_eq!(house.sql("SELECT count(*) FROM dango.oauth_flows"), "0", "nothing waits any more");
}
