//! `--offline-cache`: what a server answered last, for as long as nobody answers, and for nobody but who asked.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use dango_core::Clock;
use dango_tests::{KeyringSession, Scratch, Server, dango_server};

use super::Team;
use crate::answers::Answer;
use crate::server::{EMAIL, PASSWORD};

const PRINT: [&str; 5] = ["run", "--offline-cache", "1h", "printenv", "SOURCES__STRIPE__API_KEY"];

/// A machine with a keyring that has run once with a copy.
fn kept(name: &str) -> (Team, KeyringSession) {
    let mut team = Team::new(name);
    let session = KeyringSession::unlocked();
    team.here.give("DBUS_SESSION_BUS_ADDRESS", session.address());
    let _ = team
        .here
        .dango(&["login", "--email", EMAIL, "--scope", "run"])
        .stdin(PASSWORD)
        .run()
        .success();
    let ran = team.dango(&PRINT).success();
    assert_eq!((ran.stdout.trim_end(), ran.stderr.as_str()), (team.canary.value(), ""));
    (team, session)
}

fn copy_of(machine: &Scratch) -> PathBuf {
    let folder = machine.home().join(".cache/dango/offline");
    let files = fs::read_dir(folder)
        .expect("there")
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    let mut files: Vec<PathBuf> = files.filter(|path| path.to_string_lossy().contains("http")).collect();
    files.retain(|path| path.extension().is_none_or(|end| end != "lock"));
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[test]
fn a_copy_is_used_only_where_it_was_chosen_and_nobody_answers_and_its_age_is_told() {
    let (team, _session) = kept("offline");
    let copy = copy_of(&team.here);
    assert_eq!(team.canary.files_below(team.here.everything()), [] as [PathBuf; 0], "it is sealed");
    let Team { server, here, canary, .. } = team;
    server.kill();
    let ran = here.run(&PRINT).success().says(&["cannot be reached", "offline copy", "ago"]);
    assert_eq!(ran.stdout.trim_end(), canary.value());
    let quiet = here.run(&[&["--quiet"][..], &PRINT].concat()).success();
    let _ = quiet.says(&["offline copy"]);
    let only = [
        "run",
        "--only",
        "sources.none",
        "--offline-cache",
        "1h",
        "--",
        "printenv",
        "SOURCES__STRIPE__API_KEY",
    ];
    assert_eq!(here.run(&only).status, 1, "narrowed here as well");
    let _ = here.run(&["run", "--", "true"]).fails(1, &["cannot be reached"]);
    let _ = here
        .run(&["secrets", "get", super::PATH, "--reveal"])
        .fails(1, &["cannot be reached"]);
    // Too old, sooner or later.
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let ran = here.run(&["run", "--offline-cache", "2s", "--", "true"]);
        if ran.status != 0 {
            let _ = ran.fails(1, &["cannot be reached", "too old"]);
            break;
        }
        assert!(Instant::now() < deadline, "it does not age");
    }
    // Changed.
    let mut text = fs::read_to_string(&copy).expect("text");
    let last = text.trim_end().len() - 1;
    let other = if text.as_bytes()[last] == b'A' { "B" } else { "A" };
    text.replace_range(last..=last, other);
    fs::write(&copy, text).expect("written");
    let _ = here
        .run(&PRINT)
        .fails(1, &["cannot be reached", "does not open"])
        .hides(&[canary.value()]);
    fs::remove_file(&copy).expect("removed");
    let _ = here.run(&PRINT).fails(1, &["there is no offline copy"]);
}

#[test]
fn an_older_copy_and_one_of_another_key_or_user_do_not_open() {
    let (team, _session) = kept("others");
    let copy = copy_of(&team.here);
    let older = fs::read(&copy).expect("there");
    let _ = team.dango(&PRINT).success();
    let newer = fs::read(&copy).expect("there");
    let stranger = KeyringSession::unlocked();
    let url = team.server.url();
    let mut client = team.server.signed_in(EMAIL, PASSWORD);
    let body = serde_json::json!({"name": "another", "scopes": ["source.view_credentials"], "expires_in_days": 1});
    let another = client.post("/api/auth/api-keys", &body).json()["key"]
        .as_str()
        .expect("a key")
        .to_owned();
    let Team { server, here, .. } = team;
    server.kill();
    fs::write(&copy, older).expect("written");
    let _ = here.run(&PRINT).fails(1, &["does not open"]);
    fs::write(&copy, newer).expect("written");
    let _ = here.run(&PRINT).success();
    let _ = here
        .dango(&PRINT)
        .env("DANGO_SERVER_KEY", another)
        .run()
        .fails(1, &["there is no offline copy"]);
    // Somebody else has the file, and a keyring of their own.
    let as_stranger = here.dango(&PRINT).env("DBUS_SESSION_BUS_ADDRESS", stranger.address());
    let key = "dak_0000000000000000000000000000000000000000000000";
    let _ = as_stranger
        .env("DANGO_SERVER_KEY", key)
        .run()
        .fails(1, &[&url, "cannot be reached"]);
}

#[test]
fn whoever_may_not_read_any_more_has_no_copy_left() {
    let (team, session) = kept("ended");
    let copy = copy_of(&team.here);
    let mut client = team.server.signed_in(EMAIL, PASSWORD);
    let keys = client.get("/api/auth/api-keys").json();
    assert_eq!(
        client
            .delete(&format!("/api/auth/api-keys/{}", keys[0]["id"].as_str().expect("an id")))
            .status,
        200
    );
    let _ = team.dango(&PRINT).fails(1, &["dango login"]);
    assert!(!copy.exists());
    assert_eq!(
        session.entries().len(),
        1,
        "the key of the copy is gone, the API key is still there"
    );
    let _ = team.dango(&["logout"]).success();
    assert!(session.entries().is_empty());
}

#[test]
fn without_a_keyring_there_is_no_copy_and_a_run_goes_on_with_a_warning() {
    let team = Team::logged_in("nokeyring", "run");
    let ran = team.dango(&PRINT).success().says(&["warning", "no offline copy was kept"]);
    assert_eq!(ran.stdout.trim_end(), team.canary.value());
    assert_eq!(team.canary.files_below(team.here.everything()), [] as [PathBuf; 0]);
}

#[test]
fn a_server_that_is_back_is_asked_again() {
    let (team, _session) = kept("back");
    let port = team.server.address().port();
    let Team {
        project,
        server,
        here,
        canary,
    } = team;
    server.kill();
    let _ = here.run(&PRINT).success().says(&["offline copy"]);
    crate::answers::set(&project, super::PATH, &format!("{}-new", canary.value()));
    let mut command = Command::new(dango_server());
    let command = command.args(["--listen", &format!("127.0.0.1:{port}")]).current_dir(project.path());
    let _back = Server::launch(command.env_clear().envs(project.environment()));
    let ran = here.run(&PRINT).success();
    assert_eq!(
        (ran.stdout.trim_end(), ran.stderr.as_str()),
        (format!("{}-new", canary.value()).as_str(), "")
    );
}

/// The id of the key that a login made.
fn key_id(team: &Team) -> String {
    let keys = team.server.signed_in(EMAIL, PASSWORD).get("/api/auth/api-keys").json();
    keys[0]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn any_command_of_a_key_that_has_ended_takes_the_copy_away() {
    let (team, session) = kept("any");
    let copy = copy_of(&team.here);
    let _ = team.dango(&["secrets", "list"]).success();
    assert!(copy.exists());
    let mut client = team.server.signed_in(EMAIL, PASSWORD);
    assert_eq!(client.delete(&format!("/api/auth/api-keys/{}", key_id(&team))).status, 200);
    let _ = team.dango(&["secrets", "list"]).fails(1, &["dango login"]);
    assert!(!copy.exists());
    assert_eq!(session.entries().len(), 1, "the API key is still there");
}

#[test]
fn whoever_may_read_and_not_change_keeps_the_copy() {
    let (team, _session) = kept("change");
    let copy = copy_of(&team.here);
    let set = team.here.dango(&["secrets", "set", "sources.x.y"]).stdin("v").run();
    let _ = set.fails(1, &["config.manage"]);
    let _ = team.dango(&["auth", "list-users"]).fails(1, &["users.view"]);
    assert!(copy.exists());
    let Team { server, here, canary, .. } = team;
    server.kill();
    assert_eq!(here.run(&PRINT).success().stdout.trim_end(), canary.value());
}

#[test]
fn a_key_that_is_refused_takes_no_copy_of_another_key_away() {
    let (team, _session) = kept("wrong");
    let copy = copy_of(&team.here);
    let wrong = team.here.dango(&PRINT).env("DANGO_SERVER_KEY", format!("dak_{}", "0".repeat(46)));
    let _ = wrong.run().fails(1, &["dango login"]);
    assert!(copy.exists());
    let Team { server, here, canary, .. } = team;
    server.kill();
    assert_eq!(here.run(&PRINT).success().stdout.trim_end(), canary.value());
}

#[test]
fn a_login_leaves_no_copy_of_the_key_before() {
    let (team, session) = kept("again");
    let copy = copy_of(&team.here);
    assert_eq!(session.entries().len(), 2);
    let login = ["login", "--email", EMAIL, "--scope", "run"];
    let _ = team.here.dango(&login).stdin(PASSWORD).run().success();
    assert!(!copy.exists());
    assert_eq!(session.entries().len(), 1, "the new API key alone");
}

#[test]
fn runs_beside_each_other_leave_a_copy_that_opens() {
    let (team, _session) = kept("beside");
    let mut running: Vec<_> = (0..6)
        .map(|_| {
            let run = ["run", "--offline-cache", "1h", "--", "true"];
            team.here.dango(&run).into_command().spawn().expect("starts")
        })
        .collect();
    for run in &mut running {
        assert!(run.wait().expect("it ends").success());
    }
    let Team { server, here, canary, .. } = team;
    server.kill();
    assert_eq!(here.run(&PRINT).success().stdout.trim_end(), canary.value());
}

#[test]
fn a_copy_ends_with_the_key_that_it_was_asked_for_with() {
    let (team, _session) = kept("end");
    let end = dango_core::SystemClock.now().unix_micros() + 20_000_000;
    let end = dango_core::Timestamp::from_unix_micros(end).to_string();
    let body = serde_json::json!({"name": "short", "scopes": ["source.view_credentials"], "expires_at": end});
    let made = team.server.signed_in(EMAIL, PASSWORD).post("/api/auth/api-keys", &body).json();
    let key = made["key"].as_str().expect("a key").to_owned();
    let run = |here: &Scratch| here.dango(&PRINT).env("DANGO_SERVER_KEY", &key).run();
    let _ = run(&team.here).success();
    let Team { server, here, .. } = team;
    server.kill();
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let ran = run(&here);
        if ran.status != 0 {
            let _ = ran.fails(1, &["cannot be reached", "has expired"]);
            break;
        }
        assert!(Instant::now() < deadline, "it does not end");
    }
}
