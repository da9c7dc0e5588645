//! Sources connected at the running server behind its public address: who may finish, what is stored, given back, kept alive, and where
//! no secret ever is. Pages and cards are tested in Chromium, everything about many at once beside this.

use std::fs;
use std::time::{Duration, Instant};

use dango_tests::provider::{Answers, Fake, Google, Rotating, consent};
use dango_tests::{Client, Scratch, Server};
use serde_json::{Value, json};

use super::{EMAIL, PASSWORD};
use crate::dlt::{from_file, from_run};

const PUBLIC: &str = "https://dango.test";
const HOST: (&str, &str) = ("host", "dango.test");
const CLICK: [(&str, &str); 4] = [
    HOST,
    ("sec-fetch-site", "same-origin"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];
/// A way back from a provider is one between sites.
const BACK: [(&str, &str); 4] = [
    HOST,
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];
const CLIENT_SECRET: &str = "canary-app-secret";

/// A project with an app at a provider of ours, its administrator, and its server.
struct House {
    project: Scratch,
    server: Server,
}

impl House {
    fn new(project: Scratch) -> Self {
        let server = Server::start_with(&project, &["--public-url", PUBLIC, "--log-level", "trace"]);
        let link = server.setup_link();
        let token = link.rsplit('/').next().expect("a link has a token");
        let body = json!({"token": token, "email": EMAIL, "password": PASSWORD}).to_string();
        let claimed = server.client().send("POST", "/api/auth/claim", &[HOST], Some(&body));
        assert_eq!(claimed.status, 201, "{}", claimed.text);
        Self { project, server }
    }

    fn with_google(google: &Fake<impl Answers>) -> Self {
        let mut project = Scratch::initialised();
        google.stands_in_for("google", &mut project);
        project.write(".env", format!("GOOGLE_CLIENT_ID=client-1\nGOOGLE_CLIENT_SECRET={CLIENT_SECRET}\n"));
        Self::new(project)
    }

    fn browser(&self) -> Client {
        let mut browser = self.server.client();
        let body = json!({"email": EMAIL, "password": PASSWORD}).to_string();
        let answer = browser.send("POST", "/api/auth/login", &[HOST], Some(&body));
        assert_eq!(answer.status, 200, "{}", answer.text);
        browser
    }

    fn secrets(&self) -> String {
        self.project.read(".dlt/secrets.toml")
    }

    /// The records of one kind, the newest first.
    fn records(&self, event: &str) -> Vec<Value> {
        let listed = self.project.run(&["audit", "list", "--type", event, "--json"]).success();
        let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
        listed["events"].as_array().expect("a list").clone()
    }
}

/// Clicks on a source; answers the provider's address.
#[track_caller]
fn begin(browser: &mut Client, source: &str) -> String {
    let answer = browser.send("GET", &format!("/oauth/connect/{source}"), &CLICK, None);
    assert_eq!(answer.status, 303, "{}", answer.text);
    let way = answer.header("location").to_owned();
    assert!(way.contains("/authorize?"), "{way}");
    way
}

/// Says yes at the provider; answers the path of the way back.
fn say_yes(address: &str) -> String {
    let back = consent(address);
    back.strip_prefix(PUBLIC).unwrap_or_else(|| panic!("{back}")).to_owned()
}

/// Comes back; answers where that leads.
#[track_caller]
fn come_back(browser: &mut Client, path: &str) -> String {
    let answer = browser.send("GET", path, &BACK, None);
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.header("location").to_owned()
}

#[test]
fn a_source_is_connected_and_given_back_and_dlt_resolves_what_is_stored_plain_and_encrypted() {
    for encrypted in [false, true] {
        let google = Fake::start(Google::new());
        let mut project = Scratch::initialised();
        google.stands_in_for("google", &mut project);
        if encrypted {
            project.give("DANGO_KEY", "11".repeat(32));
            // What is added to a file of encrypted values is encrypted, too.
            let _ = project
                .dango(&["secrets", "set", "--encrypt", "sources.other.key"])
                .stdin("x")
                .run()
                .success();
        }
        project.write(".env", format!("GOOGLE_CLIENT_ID=client-1\nGOOGLE_CLIENT_SECRET={CLIENT_SECRET}\n"));
        let house = House::new(project);
        let mut browser = house.browser();
        let back = say_yes(&begin(&mut browser, "google_sheets"));
        assert_eq!(come_back(&mut browser, &back), "/settings/secrets?connected=google_sheets");
        assert_eq!(house.secrets().contains("canary"), !encrypted, "{}", house.secrets());

        let job = json!({ "task": "specs", "specs": { "google_sheets": "GcpOAuthCredentials" } });
        let mut answers = vec![from_run(&house.project, &job)];
        if !encrypted {
            answers.push(from_file(&house.project, &job));
        }
        for answer in answers {
            let found = &answer["google_sheets"];
            assert_eq!(found["is_resolved"], true, "{found}");
            assert_eq!(
                (&found["client_id"], &found["client_secret"]),
                (&json!("client-1"), &json!(CLIENT_SECRET))
            );
            assert_eq!(found["refresh_token"], "1//canary-refresh");
            assert_eq!(found["project_id"], "dango-oauth");
        }

        let listed = browser.send("GET", "/api/secrets/oauth", &[HOST], None).json();
        assert_eq!(listed[0]["identifier"], "ada@example.com");
        let checked = browser.send("POST", "/api/secrets/oauth/google_sheets/check", &[HOST], Some("{}"));
        assert_eq!((checked.status, &checked.json()["valid"]), (200, &json!(true)), "{}", checked.text);
        let gone = browser.send("DELETE", "/api/secrets/oauth/google_sheets", &[HOST], None);
        assert_eq!(
            (gone.status, &gone.json()["revoked_at_provider"]),
            (200, &json!(true)),
            "{}",
            gone.text
        );
        assert_eq!(google.asked("/revoke").len(), 1);
        assert!(!house.secrets().contains("google_sheets"), "{}", house.secrets());
        for (event, records) in [
            ("oauth_started", 1),
            ("oauth_source_connected", 1),
            ("oauth_source_disconnected", 1),
        ] {
            assert_eq!(house.records(event).len(), records, "{event}");
        }
    }
}

#[test]
fn whoever_did_not_begin_does_not_finish_and_no_code_is_sent() {
    let google = Fake::start(Google::new());
    let house = House::with_google(&google);
    // C1: the address is opened by somebody else, in another session of the same person, and by somebody without any.
    for mut other in [house.browser(), house.server.client()] {
        let mut browser = house.browser();
        let back = say_yes(&begin(&mut browser, "google_sheets"));
        let way = come_back(&mut other, &back);
        assert!(way.starts_with("/settings/secrets?error="), "{way}");
        assert_eq!(
            come_back(&mut browser, &back),
            "/settings/secrets?error=state_mismatch",
            "it is used up"
        );
    }
    // C2: a code of one connector is brought to the address of another.
    let mut browser = house.browser();
    let back = say_yes(&begin(&mut browser, "google_sheets"));
    let elsewhere = back.replace("/callback/google_sheets", "/callback/google_analytics");
    assert_ne!(back, elsewhere);
    assert_eq!(come_back(&mut browser, &elsewhere), "/settings/secrets?error=state_mismatch");
    // C3: what is no click on a page of ours begins nothing.
    let before = house.records("oauth_started").len();
    let link = browser.send("GET", "/oauth/connect/google_sheets", &BACK, None);
    assert_eq!(link.status, 403, "{}", link.text);
    assert_eq!(house.records("oauth_started").len(), before);
    assert!(google.asked("/token").is_empty());
    assert!(!house.secrets().contains("google"), "{}", house.secrets());
}

#[test]
fn tokens_and_the_app_are_nowhere_but_in_their_files() {
    let google = Fake::start(Google::new());
    let house = House::with_google(&google);
    let mut browser = house.browser();
    let address = begin(&mut browser, "google_sheets");
    let state = address
        .split("state=")
        .nth(1)
        .and_then(|rest| rest.split('&').next())
        .expect("a state");
    let back = say_yes(&address);
    let code = back.split("code=").nth(1).and_then(|rest| rest.split('&').next()).expect("a code");
    assert!(come_back(&mut browser, &back).contains("connected="));
    for path in ["/api/secrets", "/api/secrets/oauth", "/settings/secrets", "/audit"] {
        let answer = browser.send("GET", path, &CLICK, None);
        assert!(!answer.text.contains("canary"), "{path}: {}", answer.text);
    }
    let checked = browser.send("POST", "/api/secrets/oauth/google_sheets/check", &[HOST], Some("{}"));
    assert!(!checked.text.contains("canary"), "{}", checked.text);
    let (code, state) = (code.to_owned(), state.to_owned());
    let House { project, server } = house;
    let (status, log) = server.stop();
    assert_eq!(status, 0, "{log}");
    for secret in ["canary", &code, &state] {
        assert!(!log.contains(secret), "{secret}: {log}");
        let mut found = Vec::new();
        files_with(project.everything(), secret, &mut found);
        found.retain(|path| !path.ends_with(".dlt/secrets.toml") && !path.ends_with(".env"));
        assert!(found.is_empty(), "{secret}: {found:?}");
    }
}

/// The files below a folder that have a text in them.
fn files_with(folder: &std::path::Path, text: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files_with(&path, text, found);
        } else if let Ok(bytes) = fs::read(&path)
            && bytes.windows(text.len()).any(|window| window == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
}

#[test]
fn a_connection_is_kept_alive_while_the_server_runs_and_a_dead_one_is_told_of() {
    let provider = Fake::start(Rotating::new(dango_tests::provider::Reuse::Any));
    let mut project = Scratch::initialised();
    project.write(".dango/providers.toml", Rotating::DESCRIPTION);
    provider.stands_in_for("corp", &mut project);
    project.write(".env", "CORP_CLIENT_ID=c\nCORP_CLIENT_SECRET=canary-client\n");
    let house = House::new(project);
    let mut browser = house.browser();
    let back = say_yes(&begin(&mut browser, "corp_data"));
    assert_eq!(come_back(&mut browser, &back), "/settings/secrets?connected=corp_data");
    let House { project, server } = house;
    server.stop();
    let (first, made) = (project.read(".dlt/secrets.toml"), provider.provider().given());
    // It was made long ago, so that it is due when the server starts again.
    let (before, rest) = first.split_once("created_at = \"").expect("has one");
    let (_, after) = rest.split_once('"').expect("ends");
    let text = format!("{before}created_at = \"2026-01-01T00:00:00Z\"{after}");
    project.write(".dlt/secrets.toml", &text);
    let server = Server::start_with(&project, &["--public-url", PUBLIC]);
    let house = House { project, server };
    wait_until(|| house.secrets().contains("last_refreshed"));
    assert_eq!(provider.provider().given(), made + 1);
    assert_eq!(provider.provider().reuses(), 0);
    let ended = |outcome: &str| {
        let records = house.records("oauth_refreshed");
        assert!(records.iter().all(|record| record["actor"]["kind"] == "system"), "{records:?}");
        records.first().is_some_and(|record| record["outcome"] == outcome)
    };
    wait_until(|| ended("success"));
    // With the tokens of before, which are worth nothing any more, it is dead, and the page says so.
    let House { project, server } = house;
    server.stop();
    project.write(".dlt/secrets.toml", &text);
    let server = Server::start_with(&project, &["--public-url", PUBLIC]);
    let house = House { project, server };
    let browser = house.browser();
    wait_until(|| {
        browser
            .clone()
            .send("GET", "/settings/secrets", &CLICK, None)
            .text
            .contains("Broken")
    });
    assert_eq!(house.records("oauth_refreshed")[0]["outcome"], "failure");
    assert!(house.secrets().contains("refresh_token"), "what is stored stays");
}

#[track_caller]
fn wait_until(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}
