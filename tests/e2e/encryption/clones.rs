//! An encrypted file that was committed and cloned: it opens with the key alone, whatever of `.dango/` is missing, and without it gives nothing away.

use std::fs;

use dango_tests::{KeyringSession, Scratch, Windows};

use super::{KEY, SECRETS, fill, key_id, snapshot, with_keyring, with_variable};
use crate::answers::{Answer, revealed, set};

const EU: &str = "sources.eu.stripe_secret_key";

/// What a clone of a repository has that holds the two encrypted files and nothing of `.dango/`.
fn clone_of(project: &Scratch) -> Scratch {
    let clone = Scratch::new();
    clone.write(SECRETS, project.read(SECRETS));
    clone.write(".env", project.read(".env"));
    clone
}

#[test]
fn a_clone_opens_with_the_key_and_without_a_warning() {
    let project = with_variable();
    fill(&project);
    let mut clone = clone_of(&project);
    clone.give("DANGO_KEY", KEY);
    for _ in 0..2 {
        let answer = clone
            .run(&["run", "--", "printenv", "SOURCES__EU__STRIPE_SECRET_KEY", "TOKEN"])
            .success();
        assert_eq!(
            (answer.stdout.as_str(), answer.stderr.as_str()),
            ("value-of-eu\nvalue-of-token\n", "")
        );
    }
}

#[test]
fn clones_follow_each_other_through_the_repository() {
    let project = with_variable();
    fill(&project);
    let mut clone = clone_of(&project);
    clone.give("DANGO_KEY", KEY);
    for round in 0..3 {
        set(&clone, EU, &format!("from the clone {round}"));
        project.write(SECRETS, clone.read(SECRETS));
        let answer = project.run(&["secrets", "get", EU, "--reveal"]).success();
        assert_eq!((answer.stdout, answer.stderr.as_str()), (format!("from the clone {round}\n"), ""));
        set(&project, EU, &format!("from the first {round}"));
        clone.write(SECRETS, project.read(SECRETS));
        let answer = clone.run(&["secrets", "get", EU, "--reveal"]).success();
        assert_eq!((answer.stdout, answer.stderr.as_str()), (format!("from the first {round}\n"), ""));
    }
}

#[test]
fn another_checkout_of_the_same_user_finds_the_key_by_the_projects_id() {
    let session = KeyringSession::unlocked();
    let project = with_keyring(&session);
    fill(&project);
    let mut clone = clone_of(&project);
    clone.write(".dango/project-id", project.read(".dango/project-id"));
    clone.give("DBUS_SESSION_BUS_ADDRESS", session.address());
    let answer = clone.run(&["run", "--", "printenv", "TOKEN"]).success();
    assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("value-of-token\n", ""));
    assert_eq!(key_id(&clone), key_id(&project));
    set(&clone, EU, "from the clone");
    project.write(SECRETS, clone.read(SECRETS));
    assert_eq!(revealed(&project, EU), "from the clone");
    assert_eq!(session.entries().len(), 1);
    let mut stranger = clone_of(&project);
    stranger.give("DBUS_SESSION_BUS_ADDRESS", session.address());
    let _ = stranger.run(&["run", "--", "touch", "started"]).fails(1, &["hint:"]);
}

#[test]
fn what_dango_remembers_may_be_lost() {
    let project = with_variable();
    fill(&project);
    for file in [
        ".dango/seen-secrets",
        ".dango/seen-env",
        ".dango/seals",
        ".dango/history",
        ".dango/project-id",
    ] {
        let _ = fs::remove_file(project.path().join(file));
        let answer = project.run(&["run", "--", "true"]).success();
        assert_eq!(answer.stderr, "", "without {file}");
        set(&project, EU, "value-of-eu");
    }
    assert_eq!(revealed(&project, EU), "value-of-eu");
}

#[test]
fn a_stolen_project_without_its_key_gives_nothing_away() {
    let project = with_variable();
    fill(&project);
    let thief = Scratch::copy_of(&project);
    let before = snapshot(&thief.path());
    for words in [
        &["run", "--", "touch", "started"][..],
        &["secrets", "get", EU, "--reveal"],
        &["secrets", "export", "--reveal"],
        &["secrets", "decrypt", "--all"],
        &["env", "get", "TOKEN", "--reveal"],
        &["key", "export", "backup"],
        &["secrets", "rollback", &format!("{EU}@1")],
    ] {
        let answer = thief.dango(words).stdin("correct horse battery").run().fails(1, &[]);
        let _ = answer.hides(&["value-of"]);
        assert_eq!(snapshot(&thief.path()), before, "{words:?}");
    }
    let found = Windows::of(["value-of-eu", "value-of-token", KEY]).found_below(&thief.path());
    assert_eq!(found, Vec::<String>::new());
}
