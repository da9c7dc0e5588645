//! Who asks the keyring: a command that needs no key never does, one that needs it does so once.

use dango_tests::{BusTap, KeyringSession};

use super::{SECRETS, fill, with_keyring};

/// Commands that work without the key on an encrypted project.
const KEYLESS: &[&[&str]] = &[
    &["--version"],
    &["--help"],
    &["init"],
    &["secrets", "list"],
    &["secrets", "list", "--json"],
    &["secrets", "get", "sources.eu.stripe_secret_key"],
    &["secrets", "get", "sources.eu.stripe_secret_key", "--json"],
    &["secrets", "explain", "sources.eu.stripe_secret_key"],
    &["env", "list"],
    &["env", "list", "--json"],
    &["env", "get", "TOKEN"],
    &["env", "lint"],
    &["source", "types"],
    &["source", "list"],
    &["source", "list", "--json"],
    &["completions", "bash"],
    &["man"],
    &["secrets", "export"],
];

/// Commands that work on a project without encrypted values that has a key all the same, with standard input.
const PLAIN: &[(&[&str], &str)] = &[
    (&["secrets", "set", "sources.a.k", "--plain"], "v"),
    (&["secrets", "set", "sources.a.k"], "w"),
    (&["secrets", "get", "sources.a.k", "--reveal"], ""),
    (&["secrets", "export", "--reveal"], ""),
    (&["secrets", "unset", "sources.a.k"], ""),
    (&["env", "set", "A", "--plain"], "v"),
    (&["env", "get", "A", "--reveal"], ""),
    (&["run", "--", "true"], ""),
    (&["run", "--redact", "--", "true"], ""),
    (&["sync", "eu"], ""),
];

/// Commands that need the key, with standard input.
const NEEDY: &[(&[&str], &str)] = &[
    (&["run", "--", "true"], ""),
    (&["run", "--redact", "--", "true"], ""),
    (&["sync", "eu"], ""),
    (&["secrets", "get", "sources.eu.stripe_secret_key", "--reveal"], ""),
    (&["secrets", "export", "--reveal", "--format", "json"], ""),
    (&["secrets", "set", "sources.eu.stripe_secret_key"], "new value"),
    (&["env", "set", "TOKEN"], "new value"),
    (&["secrets", "encrypt", "--all"], ""),
    (&["env", "get", "TOKEN", "--reveal"], ""),
    (&["secrets", "decrypt", "sources.us.stripe_secret_key"], ""),
];

#[test]
fn a_command_that_needs_no_key_never_asks_the_keyring() {
    let session = KeyringSession::unlocked();
    let mut project = with_keyring(&session);
    fill(&project);
    let tap = BusTap::alone();
    project.give("DBUS_SESSION_BUS_ADDRESS", tap.address());
    for words in KEYLESS {
        let answer = project.run(words);
        assert_ne!(answer.status, 70, "{words:?}: {}", answer.stderr);
        assert_eq!(tap.connections(), 0, "{words:?} asked the keyring");
    }
}

#[test]
fn a_project_without_encrypted_values_is_used_without_its_key() {
    let session = KeyringSession::unlocked();
    let mut project = with_keyring(&session);
    project.write(".dango/sources.yml", super::SOURCES);
    project.write(SECRETS, "[sources.eu]\nstripe_secret_key = \"plain\"\n");
    let tap = BusTap::alone();
    project.give("DBUS_SESSION_BUS_ADDRESS", tap.address());
    for (words, stdin) in PLAIN {
        let _ = project.dango(words).stdin(stdin).run().success();
        assert_eq!(tap.connections(), 0, "{words:?} asked the keyring");
    }
}

#[test]
fn a_command_that_needs_the_key_asks_for_it_once() {
    let session = KeyringSession::unlocked();
    let mut project = with_keyring(&session);
    fill(&project);
    for (words, stdin) in NEEDY {
        let tap = BusTap::before(session.address());
        project.give("DBUS_SESSION_BUS_ADDRESS", tap.address());
        let _ = project.dango(words).stdin(stdin).run().success();
        assert_eq!(tap.connections(), 1, "{words:?}");
        assert_eq!(tap.heard("GetSecret"), 1, "{words:?}");
    }
}
