//! `dango login` and `dango logout`: the key that is made, where it is kept, and what ends it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use dango_tests::KeyringSession;
use serde_json::json;

use super::Team;
use crate::answers::Answer;
use crate::server::{EMAIL, PASSWORD};

/// The keys of the administrator, as the server lists them.
pub(super) fn keys(team: &Team) -> Vec<serde_json::Value> {
    let mut client = team.server.signed_in(EMAIL, PASSWORD);
    client.get("/api/auth/api-keys").json().as_array().expect("a list").clone()
}

#[test]
fn a_login_makes_one_key_with_an_end_and_no_more_than_was_asked_for_and_leaves_no_session() {
    let team = Team::new("login");
    for (scope, scopes) in [
        ("run", json!(["source.view_credentials"])),
        ("edit", json!(["source.view_credentials", "config.manage"])),
    ] {
        let done = team
            .here
            .dango(&["login", "--email", EMAIL, "--holder", "file", "--scope", scope, "--json"]);
        let done = done
            .stdin(format!("{PASSWORD}\n"))
            .run()
            .success()
            .hides(&[PASSWORD, "dak_dak"])
            .json();
        assert_eq!(
            (&done["email"], &done["holder"], &done["scopes"]),
            (&json!(EMAIL), &json!("file"), &scopes)
        );
        let made = keys(&team);
        // The one before has ended: one machine has one key.
        assert_eq!(made.len(), 1, "{made:?}");
        assert_eq!((&made[0]["scopes"], &made[0]["expires_at"]), (&scopes, &done["expires_at"]));
    }
    let file = team.here.home().join(".config/dango/servers");
    let kept = fs::read_dir(&file).expect("made").filter_map(Result::ok).map(|entry| entry.path());
    for path in kept {
        assert_eq!(
            fs::metadata(&path).expect("there").permissions().mode() & 0o777,
            0o600,
            "{}",
            path.display()
        );
    }
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o700);
    let mut client = team.server.signed_in(EMAIL, PASSWORD);
    assert_eq!(
        client.get("/api/auth/sessions").json().as_array().map(Vec::len),
        Some(3),
        "those of this test alone"
    );
    let status = team.dango(&["login", "--status", "--json"]).success().json();
    assert_eq!((&status["role"], &status["holder"]), (&json!("admin"), &json!("file")));
    let done = team.dango(&["logout", "--json"]).success().json();
    assert_eq!(done["ended_on_server"], true);
    assert_eq!(keys(&team).len(), 0);
    let _ = team.dango(&["logout"]).fails(1, &["no API key"]);
    let _ = team.dango(&["run", "--", "true"]).fails(1, &["there is no API key", "dango login"]);
}

#[test]
fn a_key_is_kept_in_the_keyring_and_nowhere_else() {
    let mut team = Team::new("keyring");
    let session = KeyringSession::unlocked();
    team.here.give("DBUS_SESSION_BUS_ADDRESS", session.address());
    let arguments = ["login", "--email", EMAIL, "--scope", "run"];
    let _ = team.here.dango(&arguments).stdin(PASSWORD).run().success().says(&["keyring"]);
    let entries = session.entries();
    let [key] = entries.as_slice() else {
        panic!("{} entries", entries.len())
    };
    assert!(key.starts_with("dak_"));
    for entry in walk(&team.here.home()) {
        assert!(
            !fs::read_to_string(&entry).unwrap_or_default().contains("dak_"),
            "{}",
            entry.display()
        );
    }
    let ran = team.dango(&["run", "--", "printenv", "SOURCES__STRIPE__API_KEY"]).success();
    assert_eq!(ran.stdout.trim_end(), team.canary.value());
    let _ = team.dango(&["logout"]).success();
    assert!(session.entries().is_empty());
    assert!(keys(&team).is_empty());
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder)
        .expect("readable")
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    entries
        .flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] })
        .collect()
}

#[test]
fn without_a_keyring_the_choices_are_named_and_nothing_is_made() {
    let team = Team::new("none");
    let arguments = ["login", "--email", EMAIL];
    let _ = team
        .here
        .dango(&arguments)
        .stdin(PASSWORD)
        .run()
        .fails(1, &["--holder file", "DANGO_SERVER_KEY"]);
    assert!(keys(&team).is_empty());
}

#[test]
fn a_key_that_was_made_elsewhere_is_taken_over_and_one_in_the_environment_is_used() {
    let team = Team::new("elsewhere");
    let mut client = team.server.signed_in(EMAIL, PASSWORD);
    let made = client
        .post(
            "/api/auth/api-keys",
            &json!({"name": "ci", "scopes": ["source.view_credentials"], "expires_in_days": 1}),
        )
        .json();
    let key = made["key"].as_str().expect("a key");
    let print = ["run", "--", "printenv", "SOURCES__STRIPE__API_KEY"];
    let ran = team.here.dango(&print).env("DANGO_SERVER_KEY", key).run().success();
    assert_eq!(ran.stdout.trim_end(), team.canary.value());
    let login = ["login", "--key-from-stdin", "--holder", "file"];
    let _ = team
        .here
        .dango(&login)
        .stdin("dak_nothing")
        .run()
        .fails(1, &["log in, or send an API key"]);
    let _ = team.dango(&["run", "--", "true"]).fails(1, &["there is no API key"]);
    let _ = team.here.dango(&login).stdin(format!("{key}\n")).run().success().hides(&[key]);
    let _ = team.dango(&print).success();
    // Others use it, too: it ends for everybody only where that is said.
    let done = team.dango(&["logout"]).success().says(&["made elsewhere", "still good"]);
    drop(done);
    let _ = team.dango(&print).fails(1, &["there is no API key"]);
    let ran = team.here.dango(&print).env("DANGO_SERVER_KEY", key).run().success();
    assert_eq!(ran.stdout.trim_end(), team.canary.value());
    let _ = team.here.dango(&login).stdin(format!("{key}\n")).run().success();
    let _ = team.log_in("run").success().says(&["made elsewhere"]);
    let _ = team.here.dango(&print).env("DANGO_SERVER_KEY", key).run().success();
    let _ = team.here.dango(&login).stdin(format!("{key}\n")).run().success();
    let _ = team.dango(&["logout", "--end"]).success();
    let _ = team
        .here
        .dango(&print)
        .env("DANGO_SERVER_KEY", key)
        .run()
        .fails(1, &["dango login"]);
    assert!(keys(&team).is_empty());
}

#[test]
fn a_login_that_does_not_get_to_its_end_leaves_no_session_and_no_key() {
    let team = Team::new("broken");
    let mut client = team.server.signed_in(EMAIL, PASSWORD);
    let sessions = client.get("/api/auth/sessions").json().as_array().map(Vec::len);
    // The file for the key cannot be locked: what was made is ended again.
    let place = team.here.home().join(".config/dango/servers");
    fs::create_dir_all(place.join(format!("{}.lock", file_of(&team)))).expect("made");
    let failed = team.log_in("run");
    assert_eq!(failed.status, 1, "{}", failed.stderr);
    assert!(keys(&team).is_empty());
    let mut client = team.server.signed_in(EMAIL, PASSWORD);
    let after = client.get("/api/auth/sessions").json().as_array().map(Vec::len);
    assert_eq!(after, sessions.map(|count| count + 2), "those of this test alone");
}

#[test]
fn a_keyring_that_cannot_be_opened_keeps_nobody_from_keeping_a_key_in_a_file() {
    let mut team = Team::new("denied");
    let session = KeyringSession::denied();
    team.here.give("DBUS_SESSION_BUS_ADDRESS", session.address());
    let _ = team.log_in("run").success().says(&["warning", "could not be looked into"]);
    let _ = team.dango(&["run", "--", "true"]).success();
    // Each step is taken, and the one that failed is told.
    let _ = team.dango(&["logout"]).says(&["the key has ended there"]);
    assert!(keys(&team).is_empty());
    assert!(!team.here.home().join(".config/dango/servers").join(file_of(&team)).exists());
}

#[test]
fn a_key_in_each_place_ends_with_a_logout_and_with_a_login() {
    let mut team = Team::new("both");
    let session = KeyringSession::unlocked();
    team.here.give("DBUS_SESSION_BUS_ADDRESS", session.address());
    let login = ["login", "--email", EMAIL, "--scope", "run"];
    let folder = team.here.home().join(".config/dango/servers");
    fs::create_dir_all(&folder).expect("made");
    // What a login leaves that was broken off between the two: a key in the keyring, and another in the file.
    let both = || {
        let _ = team.here.dango(&login).stdin(PASSWORD).run().success();
        let body = json!({"name": "second", "scopes": ["source.view_credentials"], "expires_in_days": 1});
        let made = team.server.signed_in(EMAIL, PASSWORD).post("/api/auth/api-keys", &body).json();
        fs::write(folder.join(file_of(&team)), made["key"].as_str().expect("a key")).expect("written");
    };
    both();
    assert_eq!((keys(&team).len(), session.entries().len()), (2, 1));
    both();
    assert_eq!(keys(&team).len(), 2, "the login ended both, and one was made beside it");
    let done = team.dango(&["logout", "--json"]).success().json();
    assert_eq!(done["ended_on_server"], true);
    assert!(keys(&team).is_empty() && session.entries().is_empty());
    assert!(!folder.join(file_of(&team)).exists());
}

/// The name of the file that a key is kept in.
fn file_of(team: &Team) -> String {
    team.server.url().replace(':', "_3a").replace('/', "_2f")
}

#[test]
fn a_wrong_password_or_one_that_has_to_be_changed_makes_no_key() {
    let team = Team::new("wrong");
    let login = |email: &str, password: &str| {
        let arguments = ["login", "--email", email, "--holder", "file"];
        team.here.dango(&arguments).stdin(password).run().hides(&[password])
    };
    let _ = login(EMAIL, "wrong horse battery").fails(1, &["the e-mail address or the password is not right"]);
    let _ = login("nobody@team.example", "wrong horse battery").fails(1, &["the e-mail address or the password is not right"]);
    let added = team
        .project
        .run(&["auth", "add-user", "new@team.example", "--password", "--json"])
        .success()
        .json();
    let temporary = added["temp_password"].as_str().expect("a password");
    let _ = login("new@team.example", temporary).fails(1, &["has to be chosen first"]);
    let _ = team
        .dango(&["login", "--email", EMAIL, "--holder", "file"])
        .fails(1, &["the password is missing"]);
    let _ = team.dango(&["login"]).fails(1, &["--holder file"]);
    // Those who may not read values get no key that does.
    let _ = team.project.run(&["auth", "change-role", "new@team.example", "viewer"]).success();
    assert!(keys(&team).is_empty());
}
