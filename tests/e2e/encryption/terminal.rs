//! Passphrases on a real terminal: typed unseen, twice where one is chosen, once where one is asked for. Other secrets are in `crate::terminal`.

use dango_tests::Scratch;

use super::{fill, snapshot};
use crate::answers::revealed;
use crate::terminal::{end, send, shown_until, start};

const PHRASE: &str = "correct_canary_battery";

/// Types answers to hidden questions; returns the exit status and all that was shown.
#[track_caller]
fn typed(project: &Scratch, command: &str, answers: &[&str]) -> (i32, String) {
    let mut session = start(project, command);
    let mut all = String::new();
    for answer in answers {
        all += &shown_until(&mut session, ":");
        send(&mut session, &format!("{answer}\r"));
    }
    let (status, rest) = end(&mut session);
    all += &rest;
    assert!(!all.contains("canary"), "the passphrase is on the screen: {all}");
    (status, all)
}

/// A project whose key is under a passphrase that was typed.
fn created() -> Scratch {
    let project = Scratch::initialised();
    let (status, shown) = typed(&project, "key create --holder passphrase", &[PHRASE, PHRASE]);
    assert_eq!(status, 0, "{shown}");
    project
}

/// The same, with everything encrypted.
fn filled() -> Scratch {
    let mut project = created();
    project.give("DANGO_PASSPHRASE", PHRASE);
    fill(&project);
    assert_eq!(revealed(&project, "sources.eu.stripe_secret_key"), "value-of-eu");
    project.take("DANGO_PASSPHRASE");
    project
}

#[test]
fn a_passphrase_is_typed_twice_unseen_and_opens_the_key_later() {
    let project = filled();
    let (status, shown) = typed(&project, "run -- printenv SOURCES__EU__STRIPE_SECRET_KEY", &[PHRASE]);
    assert_eq!(status, 0, "{shown}");
    assert!(shown.contains("value-of-eu"), "{shown}");
}

#[test]
fn a_rotation_which_fetches_the_key_more_than_once_asks_once() {
    let mut project = filled();
    let (status, shown) = typed(&project, "key rotate", &[PHRASE]);
    assert_eq!(status, 0, "{shown}");
    assert_eq!(shown.matches("passphrase of").count(), 1, "{shown}");
    project.give("DANGO_PASSPHRASE", PHRASE);
    assert_eq!(revealed(&project, "sources.eu.stripe_secret_key"), "value-of-eu");
}

#[test]
fn two_different_passphrases_make_no_key() {
    let project = Scratch::initialised();
    let before = snapshot(&project.path());
    let (status, shown) = typed(&project, "key create --holder passphrase", &[PHRASE, "another_canary"]);
    assert_eq!((status, snapshot(&project.path())), (1, before), "{shown}");
}

#[test]
fn a_wrong_passphrase_starts_nothing() {
    let project = filled();
    let before = snapshot(&project.path());
    let (status, shown) = typed(&project, "run -- touch started", &["wrong_canary"]);
    assert_eq!((status, snapshot(&project.path())), (1, before), "{shown}");
    assert!(shown.contains("passphrase"), "{shown}");
}

#[test]
fn ctrl_c_at_the_question_for_a_passphrase_ends_a_command_as_it_does_elsewhere() {
    let project = filled();
    for command in [
        "run -- touch started",
        "secrets get sources.eu.stripe_secret_key --reveal",
        "secrets set sources.eu.stripe_secret_key --from-env HOME",
        "secrets set sources.eu.another --encrypt",
        "env set ANOTHER --encrypt",
        "secrets decrypt --all",
        "key rotate",
        "key export backup",
    ] {
        let before = read_files(&project);
        let mut session = start(&project, command);
        let _ = shown_until(&mut session, "passphrase of the encryption key");
        send(&mut session, "\u{3}");
        let (status, shown) = end(&mut session);
        assert_eq!(status, 130, "{command}: {shown}");
        assert!(shown.contains("interrupted"), "{command}: {shown}");
        assert_eq!(read_files(&project), before, "{command}");
    }
}

/// What a command that changes nothing leaves as it is; that it was tried may be recorded.
fn read_files(project: &Scratch) -> Vec<Option<Vec<u8>>> {
    [".dlt/secrets.toml", ".env", ".dango/keys", "started", "backup"]
        .iter()
        .map(|file| std::fs::read(project.path().join(file)).ok())
        .collect()
}

#[test]
fn what_needs_no_key_asks_for_no_passphrase() {
    let project = filled();
    for command in ["secrets list", "env list", "secrets get sources.eu.stripe_secret_key", "key status"] {
        let (status, shown) = typed(&project, command, &[]);
        assert_eq!(status, 0, "{shown}");
        assert!(!shown.contains("passphrase of"), "{command} asks: {shown}");
    }
}
