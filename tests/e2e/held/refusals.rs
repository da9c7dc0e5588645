//! What becomes of a key, of its owner or of the server counts with the next command; nothing is started on a refusal.

use std::time::{Duration, Instant};

use dango_core::Clock;
use serde_json::json;

use super::{PATH, Team};
use crate::answers::{Answer, set};
use crate::server::{EMAIL, PASSWORD};

/// A command that shows whether it was started.
const STARTED: [&str; 4] = ["run", "--", "touch", "started"];

#[track_caller]
fn refused(team: &Team, words: &[&str]) {
    let _ = team.dango(&STARTED).fails(1, words).hides(&[team.canary.value()]);
    assert!(!team.here.path().join("started").exists());
}

#[test]
fn a_key_that_was_revoked_gives_nothing_any_more() {
    let team = Team::logged_in("revoked", "run");
    let _ = team.dango(&["run", "--", "true"]).success();
    let mut client = team.server.signed_in(EMAIL, PASSWORD);
    let keys = client.get("/api/auth/api-keys").json();
    let id = keys[0]["id"].as_str().expect("an id");
    assert_eq!(client.delete(&format!("/api/auth/api-keys/{id}")).status, 200);
    refused(&team, &["API key", "dango login"]);
}

#[test]
fn an_owner_who_is_demoted_or_switched_off_reads_nothing_any_more() {
    let team = Team::new("owner");
    let run = |arguments: &[&str]| team.project.run(arguments).success();
    let added = run(&["auth", "add-user", "bob@team.example", "--role", "admin", "--json"]).json();
    let link = added["invite_url"].as_str().expect("a link").to_owned();
    let token = link.rsplit('/').next().expect("a token");
    let accepted = team
        .server
        .client()
        .post("/api/auth/accept-invite", &json!({"token": token, "password": PASSWORD}));
    assert_eq!(accepted.status, 200, "{}", accepted.text);
    let login = ["login", "--email", "bob@team.example", "--holder", "file", "--scope", "run"];
    let _ = team.here.dango(&login).stdin(PASSWORD).run().success();
    let _ = team.dango(&["run", "--", "true"]).success();
    let _ = run(&["auth", "change-role", "bob@team.example", "editor"]);
    refused(&team, &["permission denied: source.view_credentials"]);
    let _ = run(&["auth", "change-role", "bob@team.example", "admin"]);
    let _ = team.dango(&["run", "--", "true"]).success();
    let _ = run(&["auth", "deactivate-user", "bob@team.example"]);
    refused(&team, &["API key", "dango login"]);
    // A login of somebody who may not read values makes no key that would.
    let _ = run(&["auth", "reactivate-user", "bob@team.example"]);
    let _ = run(&["auth", "change-role", "bob@team.example", "editor"]);
    let _ = team
        .here
        .dango(&login)
        .stdin(PASSWORD)
        .run()
        .fails(1, &["more than its owner", "an administrator"]);
}

#[test]
fn a_key_that_has_expired_gives_nothing() {
    let team = Team::new("expired");
    let mut client = team.server.signed_in(EMAIL, PASSWORD);
    let end = dango_core::SystemClock.now().unix_micros() + 4_000_000;
    let end = dango_core::Timestamp::from_unix_micros(end).to_string();
    let made = client.post(
        "/api/auth/api-keys",
        &json!({"name": "short", "scopes": ["source.view_credentials"], "expires_at": end}),
    );
    let key = made.json()["key"].as_str().expect("a key").to_owned();
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let ran = team.here.dango(&["run", "--", "true"]).env("DANGO_SERVER_KEY", &key).run();
        if ran.status != 0 {
            let _ = ran.fails(1, &["dango login"]);
            break;
        }
        assert!(Instant::now() < deadline, "it does not end");
    }
}

#[test]
fn a_value_that_does_not_open_on_the_server_gives_nothing_at_all() {
    let team = Team::logged_in("closed", "run");
    let _ = team.project.run(&["key", "create", "--holder", "file"]).success();
    let _ = team.project.run(&["secrets", "encrypt", PATH]).success();
    set(&team.project, "sources.other.key", "plain");
    std::fs::remove_file(team.project.path().join(".dango/key")).expect("removed");
    refused(&team, &["encryption key"]);
    let failed = team.events("secrets_used");
    assert_eq!(failed[0]["outcome"], "failure");
    team.project.write(".dlt/secrets.toml", "[sources.x]\na = \n");
    refused(&team, &["secrets.toml", "line 2"]);
}

#[test]
fn an_address_or_a_key_that_is_none_is_refused_before_anything_is_sent() {
    let team = Team::logged_in("address", "run");
    for url in [
        "http://dango.example.org",
        "https://a:b@dango.example.org",
        "no-address",
        "https://dango.example.org/x",
    ] {
        let _ = team.dango(&["--server", url, "run", "--", "true"]).fails(2, &[]).hides(&[url]);
    }
    let odd = team
        .here
        .dango(&["run", "--", "true"])
        .env("DANGO_SERVER_KEY", "dak_\nX-Header: 1")
        .run();
    let _ = odd.fails(1, &["cannot be written"]);
    let _ = team
        .here
        .dango(&["run", "--", "true"])
        .env("DANGO_SERVER_KEY", "dak_wrong")
        .run()
        .fails(1, &["dango login"]);
    let _ = team
        .dango(&["--server-ca", "no-such-file", "run", "--", "true"])
        .fails(1, &["no-such-file"]);
}
