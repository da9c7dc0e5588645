//! The identity key: made once, private, refused where it cannot be trusted, never replaced.

use std::fs;

use dango_tests::{Scratch, dango};

use super::{add, newest, users, with_admin};
use crate::answers::{Answer, mode, set_mode};

const KEY: &str = ".dango/identity.key";

#[test]
fn everything_that_is_made_is_private_whatever_the_umask() {
    let project = Scratch::new();
    fs::create_dir(project.path().join(".dlt")).unwrap();
    let script = "umask 000; \"$DANGO\" auth add-user ada@example.com --role admin && exec \"$DANGO\" audit export --output \"$HOME/log\"";
    let answer = project.command("sh", &["-c", script]).env("DANGO", dango()).run().success();
    assert!(
        answer.stderr.contains("identity.key"),
        "that it was made is said: {}",
        answer.stderr
    );
    assert_eq!(mode(project.path().join(".dango")), 0o700);
    for file in [KEY, ".dango/dango.db", ".dango/audit.checkpoint"] {
        assert_eq!(mode(project.path().join(file)), 0o600, "{file}");
    }
    assert_eq!(mode(project.home().join("log")), 0o600);
    assert_eq!(project.read(KEY).trim_end().len(), 64);
}

#[test]
fn that_it_was_made_is_the_first_thing_that_the_log_says_and_said_once() {
    let made = "identity_key_created success";
    for first in [
        &["auth", "add-user", "ada@example.com"][..],
        &["secrets", "set", "a.b"],
        &["auth", "recover"],
    ] {
        let project = Scratch::initialised();
        let _ = project.dango(first).stdin("value").run().success();
        let _ = add(&project, "bob@example.com", "viewer");
        let told = newest(&project, 10);
        assert_eq!(told.iter().filter(|event| *event == made).count(), 1, "{first:?}: {told:?}");
        if first != ["auth", "recover"] {
            assert_eq!(told.last().map(String::as_str), Some(made), "{first:?}");
        }
        let _ = project.run(&["audit", "verify"]).success();
    }
}

#[test]
fn a_program_that_died_before_it_said_so_is_made_up_for() {
    let project = Scratch::initialised();
    project.write(KEY, "ab".repeat(32));
    set_mode(project.path().join(KEY), 0o600);
    let _ = add(&project, "ada@example.com", "admin");
    assert_eq!(newest(&project, 9), ["user_created success", "identity_key_created success"]);
}

#[test]
fn a_key_that_the_environment_gives_was_made_by_somebody_else() {
    let mut project = Scratch::initialised();
    project.give("DANGO_IDENTITY_KEY", "ab".repeat(32));
    let _ = add(&project, "ada@example.com", "admin");
    assert_eq!(newest(&project, 9), ["user_created success"]);
}

#[test]
fn a_key_that_others_may_read_is_refused_with_the_fix() {
    let project = with_admin();
    for open in [0o644, 0o640, 0o604] {
        set_mode(project.path().join(KEY), open);
        let _ = project
            .run(&["auth", "add-user", "b@example.com"])
            .fails(1, &["identity.key", "chmod 600"]);
        let _ = project.run(&["auth", "list-users"]).fails(1, &["chmod 600"]);
    }
    set_mode(project.path().join(KEY), 0o600);
    assert_eq!(users(&project).len(), 1);
}

#[test]
fn a_malformed_key_is_refused_without_echo_and_left_as_it_is() {
    let project = with_admin();
    for text in ["", "canary-of-a-key", &"0".repeat(63)] {
        fs::write(project.path().join(KEY), text).unwrap();
        let _ = project
            .run(&["auth", "add-user", "b@example.com"])
            .fails(1, &["identity.key"])
            .hides(&["canary-of-a-key"]);
        assert_eq!(project.read(KEY), text);
    }
}

#[test]
fn a_key_that_is_gone_is_not_made_anew_in_silence() {
    let project = with_admin();
    let key = project.read(KEY);
    fs::remove_file(project.path().join(KEY)).unwrap();
    for arguments in [
        &["auth", "add-user", "b@example.com"][..],
        &["auth", "list-users"],
        &["audit", "verify"],
    ] {
        let _ = project
            .run(arguments)
            .fails(1, &["identity key", "gone", "DANGO_IDENTITY_KEY", "recover"]);
    }
    assert!(!project.path().join(KEY).exists());
    let given = project
        .dango(&["auth", "list-users"])
        .env("DANGO_IDENTITY_KEY", key.trim_end())
        .run()
        .success();
    assert!(given.stdout.contains("ada@example.com"));
}

#[test]
fn the_environment_gives_the_key_and_two_of_them_are_an_error() {
    let project = Scratch::initialised();
    let hex = "ab".repeat(32);
    let add = ["auth", "add-user", "ada@example.com", "--role", "admin"];
    let _ = project.dango(&add).env("DANGO_IDENTITY_KEY", &hex).run().success();
    assert!(!project.path().join(KEY).exists(), "none is made beside it");
    let file = project.home().join("given");
    fs::write(&file, format!("{hex}\n")).unwrap();
    let verify = ["audit", "verify", "--json"];
    let _ = project.dango(&verify).env("DANGO_IDENTITY_KEY_FILE", &file).run().success();
    let both = project
        .dango(&verify)
        .env("DANGO_IDENTITY_KEY_FILE", &file)
        .env("DANGO_IDENTITY_KEY", &hex)
        .run();
    let _ = both.fails(1, &["both set"]);
    for bad in ["", "canary", "ab"] {
        let _ = project
            .dango(&verify)
            .env("DANGO_IDENTITY_KEY", bad)
            .run()
            .fails(1, &["DANGO_IDENTITY_KEY"])
            .hides(&["canary"]);
    }
    let _ = project
        .dango(&verify)
        .env("DANGO_IDENTITY_KEY_FILE", "gone")
        .run()
        .fails(1, &["gone"]);
    // Another key continues no chain.
    let other = project
        .dango(&["auth", "add-user", "b@example.com"])
        .env("DANGO_IDENTITY_KEY", "cd".repeat(32))
        .run();
    let _ = other.fails(1, &["audit"]);
}

#[test]
fn a_lost_key_is_replaced_by_recover_once_that_is_confirmed() {
    let project = with_admin();
    fs::remove_file(project.path().join(KEY)).unwrap();
    let _ = project.run(&["auth", "recover"]).fails(1, &["identity key is gone", "--yes"]);
    let recovered = project.run(&["auth", "recover", "--yes", "--json"]).success().says(&["new chain"]);
    assert_eq!(recovered.json()["user"]["email"], "recovery@localhost");
    assert_eq!(
        newest(&project, 3),
        [
            "identity_key_created success",
            "account_recovered success",
            "audit_chain_started success"
        ]
    );
    let _ = project.run(&["audit", "verify"]).success();
    let _ = add(&project, "bob@example.com", "viewer");
    assert_eq!(users(&project).len(), 3, "nobody was lost");
}
