//! Where the key is: every trouble with a keyring is told apart and stops the command, and nothing else takes its place unasked.

use dango_tests::{KeyringSession, Output, Scratch};
use serde_json::json;

use super::{KEY, KEY_ID, SECRETS, envelopes, key_id, snapshot, status, with_key_file, with_keyring, with_variable};
use crate::answers::{Answer, revealed};

/// What can be wrong with a keyring that was fine when the project was encrypted.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    NoSession,
    NoKeyring,
    Locked,
    Denied,
    BusGone,
    EntryDeleted,
}

use Trouble::{BusGone, Denied, EntryDeleted, Locked, NoKeyring, NoSession};

/// Each trouble with what its error says and another's does not.
const TROUBLES: [(Trouble, &str); 6] = [
    (NoSession, "no keyring service is running"),
    (NoKeyring, "no keyring service is running"),
    (Locked, "is locked"),
    (Denied, "denied"),
    (BusGone, "is gone"),
    (EntryDeleted, "there is no key in"),
];

impl Trouble {
    fn happen(self, session: &mut KeyringSession, project: &mut Scratch) {
        match self {
            NoSession => project.take("DBUS_SESSION_BUS_ADDRESS"),
            NoKeyring => session.end_keyring(),
            Locked => session.lock(),
            Denied => session.deny(),
            BusGone => session.end_bus(),
            EntryDeleted => drop(session.secret_tool(&["clear", "service", "dango"], "").success()),
        }
    }
}

/// Commands that need the key, each with its standard input.
const NEEDY: &[(&[&str], &str)] = &[
    (&["run", "--", "touch", "started"], ""),
    (&["run", "--redact", "--", "touch", "started"], ""),
    (&["sync", "eu"], ""),
    (&["secrets", "get", "sources.eu.stripe_secret_key", "--reveal"], ""),
    (&["secrets", "export", "--reveal"], ""),
    (&["secrets", "encrypt", "--all"], ""),
    (&["secrets", "decrypt", "--all"], ""),
    (&["secrets", "set", "sources.eu.stripe_secret_key"], "new value"),
    (&["secrets", "set", "sources.eu.new", "--encrypt"], "new value"),
    (&["env", "set", "NEW", "--encrypt"], "new value"),
    (&["key", "rotate"], ""),
    (&["key", "export", "backup"], "correct horse battery"),
];

/// A project with one encrypted value and a plain one, in a session that has its key.
fn encrypted(session: &KeyringSession) -> Scratch {
    let project = with_keyring(session);
    super::fill(&project);
    let _ = project
        .dango(&["secrets", "set", "sources.eu.plain", "--plain"])
        .stdin("x")
        .run()
        .success();
    project
}

#[test]
fn each_trouble_with_the_keyring_has_its_own_error_with_the_choices_and_nothing_is_written() {
    for (trouble, words) in TROUBLES {
        let mut session = KeyringSession::unlocked();
        let mut project = encrypted(&session);
        trouble.happen(&mut session, &mut project);
        let before = snapshot(&project.path());
        for (command, stdin) in NEEDY {
            let answer = project.dango(command).stdin(stdin).run();
            let said = format!("{trouble:?}, {command:?}: {}", answer.stderr);
            assert_eq!(answer.status, 1, "{said}");
            assert_told_apart(&answer, words, &said);
            assert_eq!(snapshot(&project.path()), before, "{said}");
        }
    }
}

/// Checks that the error is this one and no other, and that it says what can be done.
#[track_caller]
fn assert_told_apart(answer: &Output, words: &str, said: &str) {
    assert_eq!(answer.stdout, "", "{said}");
    for (_, others) in TROUBLES {
        assert_eq!(answer.stderr.contains(others), others == words, "{others:?} in {said}");
    }
    let hints: Vec<&str> = answer.stderr.lines().filter(|line| line.starts_with("hint:")).collect();
    for choice in ["DANGO_KEY", "key import"] {
        assert!(hints.iter().any(|hint| hint.contains(choice)), "{choice} is a choice: {said}");
    }
}

#[test]
fn a_key_is_not_made_elsewhere_when_the_keyring_cannot_be_used() {
    let mut ended = KeyringSession::without_keyring();
    ended.end_bus();
    for (words, session) in [
        ("no keyring service is running", KeyringSession::without_keyring()),
        ("is locked", KeyringSession::locked()),
        ("denied", KeyringSession::denied()),
        ("is gone", ended),
    ] {
        let mut project = Scratch::initialised();
        project.give("DBUS_SESSION_BUS_ADDRESS", session.address());
        assert_not_made(&project, words);
    }
    assert_not_made(&Scratch::initialised(), "no keyring service is running");
}

#[track_caller]
fn assert_not_made(project: &Scratch, words: &str) {
    let before = snapshot(&project.path());
    let named = ["keyring", "--holder passphrase", "DANGO_KEY", "--holder file"];
    let asked_for = ["passphrase", "DANGO_KEY", "file"];
    for (command, choices) in [
        (&["key", "create"][..], &named[..]),
        (&["key", "create", "--holder", "keyring"], &asked_for),
    ] {
        let _ = project.run(command).fails(1, &[words, "hint:"]).says(choices);
        let mut after = snapshot(&project.path());
        // The project's name in a keyring says nothing of a key; the next attempt takes the same.
        after.remove(".dango/project-id");
        assert_eq!(after, before, "{words}: nothing was written");
    }
}

#[test]
fn without_a_key_encryption_is_refused_with_the_choices() {
    let project = Scratch::initialised();
    project.write(SECRETS, "[sources.a]\nk = \"v\"\n");
    let before = snapshot(&project.path());
    let _ = project.run(&["secrets", "encrypt", "--all"]).fails(1, &["hint:", "key create"]);
    let set = project.dango(&["secrets", "set", "sources.a.k", "--encrypt"]).stdin("w").run();
    let _ = set.fails(1, &["hint:", "key create"]);
    assert_eq!(snapshot(&project.path()), before);
}

/// Checks that a project goes on with its key, and that this session's keyring stays empty.
#[track_caller]
fn assert_goes_on(project: &Scratch, session: &KeyringSession, holder: &str, id: &str) {
    let found = status(project);
    assert_eq!((&found["holder"], &found["key_id"]), (&json!(holder), &json!(id)));
    assert_eq!(revealed(project, "sources.eu.stripe_secret_key"), "value-of-eu");
    let _ = project
        .dango(&["secrets", "set", "sources.eu.new"])
        .stdin("new value")
        .run()
        .success();
    let text = project.read(SECRETS);
    for envelope in envelopes(&text) {
        assert!(text[envelope].starts_with(&format!("dango:v1:{id}:")), "{text}");
    }
    assert_eq!(session.entries(), Vec::<String>::new(), "the keyring is not used");
}

#[test]
fn a_keyring_that_appears_later_does_not_take_the_place_of_a_key_file() {
    let mut project = with_key_file();
    super::fill(&project);
    let id = key_id(&project);
    let session = KeyringSession::unlocked();
    project.give("DBUS_SESSION_BUS_ADDRESS", session.address());
    assert_goes_on(&project, &session, "file", &id);
    let _ = project.run(&["key", "create"]).fails(1, &["already"]);
    assert_goes_on(&project, &session, "file", &id);
}

#[test]
fn a_keyring_that_appears_later_does_not_take_the_place_of_a_passphrase() {
    let mut project = Scratch::initialised();
    let _ = project
        .dango(&["key", "create", "--holder", "passphrase"])
        .stdin("correct horse battery\n")
        .run()
        .success();
    project.give("DANGO_PASSPHRASE", "correct horse battery");
    super::fill(&project);
    let id = key_id(&project);
    let session = KeyringSession::unlocked();
    project.give("DBUS_SESSION_BUS_ADDRESS", session.address());
    assert_goes_on(&project, &session, "passphrase", &id);
    // Nor is it a way around a passphrase that is not known.
    project.take("DANGO_PASSPHRASE");
    let before = snapshot(&project.path());
    let _ = project.run(&["run", "--", "touch", "started"]).fails(1, &["DANGO_PASSPHRASE"]);
    assert_eq!(snapshot(&project.path()), before);
}

#[test]
fn a_keyring_that_appears_later_does_not_take_the_place_of_dango_key() {
    let mut project = with_variable();
    super::fill(&project);
    let session = KeyringSession::unlocked();
    project.give("DBUS_SESSION_BUS_ADDRESS", session.address());
    assert_goes_on(&project, &session, "env", KEY_ID);
    project.take("DANGO_KEY");
    let before = snapshot(&project.path());
    let _ = project.run(&["run", "--", "touch", "started"]).fails(1, &["DANGO_KEY"]);
    assert_eq!(snapshot(&project.path()), before);
    assert_eq!(session.entries(), Vec::<String>::new());
}

#[test]
fn what_turns_up_while_the_keyring_is_away_does_not_take_its_place() {
    let mut session = KeyringSession::unlocked();
    let mut project = encrypted(&session);
    session.end_keyring();
    project.give("DANGO_KEY", KEY);
    project.give("DANGO_PASSPHRASE", "correct horse battery");
    project.write(".dango/key", format!("{KEY}\n"));
    let before = snapshot(&project.path());
    for (command, stdin) in NEEDY {
        let answer = project.dango(command).stdin(stdin).run();
        let said = format!("{command:?}: {}", answer.stderr);
        assert_eq!((answer.status, answer.stdout.as_str()), (1, ""), "{said}");
        assert!(answer.stderr.contains("no keyring service is running"), "{said}");
        assert_eq!(snapshot(&project.path()), before, "{said}");
    }
    session.add_keyring();
    assert_eq!(revealed(&project, "sources.eu.stripe_secret_key"), "value-of-eu");
    assert_eq!(status(&project)["holder"], "keyring");
}

#[test]
fn a_session_that_comes_back_finds_its_key_again() {
    let mut session = KeyringSession::unlocked();
    let mut project = encrypted(&session);
    let id = key_id(&project);
    let address = session.address().to_owned();
    project.take("DBUS_SESSION_BUS_ADDRESS");
    let _ = project.run(&["run", "--", "true"]).fails(1, &["no keyring"]);
    project.give("DBUS_SESSION_BUS_ADDRESS", address);
    session.end_keyring();
    let _ = project.run(&["run", "--", "true"]).fails(1, &["no keyring"]);
    session.add_keyring();
    assert_eq!(key_id(&project), id);
    assert_eq!(revealed(&project, "sources.eu.stripe_secret_key"), "value-of-eu");
}

#[test]
fn another_key_in_dango_key_does_not_take_the_place_of_the_one_in_the_keyring() {
    let session = KeyringSession::unlocked();
    let mut project = encrypted(&session);
    let id = key_id(&project);
    assert_ne!(id, KEY_ID);
    project.give("DANGO_KEY", KEY);
    let before = project.read(SECRETS);
    let _ = project
        .dango(&["secrets", "set", "sources.eu.stripe_secret_key"])
        .stdin("new value")
        .run();
    for envelope in envelopes(&project.read(SECRETS)) {
        assert!(
            project.read(SECRETS)[envelope].starts_with(&format!("dango:v1:{id}:")),
            "from:\n{before}"
        );
    }
    project.take("DANGO_KEY");
    let _ = project.run(&["run", "--", "true"]).success();
}
