//! What the server does not start with, and that nothing is made then.

use std::os::unix::fs::PermissionsExt;

use crate::process::Place;

#[test]
fn a_bad_setting_is_named_by_its_place_and_nothing_is_made() {
    for (arguments, variables, file, words) in [
        (
            &[][..],
            &[("DANGO_SERVER_LISTN", "canary")][..],
            "",
            "DANGO_SERVER_LISTN is no setting",
        ),
        (
            &[],
            &[("DANGO_SERVER_LISTEN", "canary")],
            "",
            "DANGO_SERVER_LISTEN: the value of listen",
        ),
        (
            &["--public-url", "http://canary.example"],
            &[],
            "",
            "--public-url: the value of public-url",
        ),
        (&["--hashing-memory-kib", "8"], &[], "", "hashing has to cost at least"),
        (&["--tls-cert", "cert.pem"], &[], "", "tls-cert needs tls-key"),
        (&["--tls-cert", "a.pem", "--tls-key", "b.pem"], &[], "", "there is no"),
        (&["--listen", "192.0.2.1:1"], &[], "", "cannot listen on 192.0.2.1:1"),
        (
            &[],
            &[],
            "listen = \"127.0.0.1:0\"\nsecret = \"canary\"\n",
            ".dango/server.toml:2:1: this key is no setting",
        ),
        (&[], &[], "listen = canary", ".dango/server.toml:1:10: this is no TOML"),
        (
            &[],
            &[("DANGO_IDENTITY_KEY", "canary")],
            "",
            "what is in DANGO_IDENTITY_KEY cannot be used",
        ),
    ] {
        for verb in ["serve", "check"] {
            let place = Place::new();
            place.put(".dango/server.toml", file);
            let ran = place.run(&[&[verb, "--log-format", "human"], arguments].concat(), variables);
            assert_eq!(ran.status, Some(1), "{words}: {}", ran.stderr);
            assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
            assert!(!ran.stderr.contains("canary") && !ran.stdout.contains("canary"), "{}", ran.stderr);
            assert_eq!(place.files(), ["server.toml"], "{words}");
        }
    }
}

#[test]
fn a_wrong_command_line_is_wrong_usage() {
    let place = Place::new();
    for arguments in [&["--lisen", "x"][..], &["serv"], &["--listen"]] {
        assert_eq!(place.run(arguments, &[]).status, Some(2), "{arguments:?}");
    }
    let help = place.run(&["--help"], &[]);
    assert_eq!(help.status, Some(0));
    for word in [
        "DANGO_IDENTITY_KEY_FILE",
        "DANGO_KEY_FILE",
        "PGPASSWORD",
        "PGPASSFILE",
        "Exit status: 0 done",
    ] {
        assert!(help.stdout.contains(word), "{word}: {}", help.stdout);
    }
}

#[test]
fn without_a_project_nothing_is_made() {
    let place = Place::new();
    let empty = tempfile::tempdir().expect("a directory");
    let directory = empty.path().to_str().expect("text");
    for arguments in [
        &["--project", directory][..],
        &["migrate", "--project", directory],
        &["check", "--project", directory],
    ] {
        let ran = place.run(arguments, &[]);
        assert_eq!(ran.status, Some(1));
        assert!(
            ran.stderr.contains("is no Dango project") && ran.stderr.contains("hint: `dango init"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(std::fs::read_dir(empty.path()).expect("there").count(), 0);
    assert!(place.files().is_empty());
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let place = Place::new();
    assert_eq!(place.run(&["migrate"], &[]).status, Some(0));
    std::fs::set_permissions(place.dango("identity.key"), std::fs::Permissions::from_mode(0o640)).expect("ours");
    for verb in ["serve", "check", "migrate", "setup-link"] {
        let ran = place.run(&[verb], &[]);
        assert_eq!(ran.status, Some(1), "{verb}");
        assert!(ran.stderr.contains("may be read or written by others"), "{}", ran.stderr);
    }
}

#[test]
fn a_database_or_a_key_that_was_there_is_never_made_anew() {
    let place = Place::new();
    // A record, behind which a checkpoint is kept.
    assert_eq!(place.run(&["setup-link"], &[]).status, Some(0));
    let server = place.start(&[]);
    server.signal(rustix::process::Signal::TERM);
    assert_eq!(server.ended().0.code(), Some(0));
    assert!(place.dango("audit.checkpoint").exists());
    let key = std::fs::read(place.dango("identity.key")).expect("there");
    std::fs::remove_file(place.dango("identity.key")).expect("ours");
    let ran = place.run(&["--log-format", "human", "--listen", "127.0.0.1:0"], &[]);
    assert_eq!(ran.status, Some(1));
    assert!(
        ran.stderr.contains("the identity key of") && ran.stderr.contains("is gone"),
        "{}",
        ran.stderr
    );
    assert!(!place.dango("identity.key").exists());
    place.put(".dango/identity.key", std::str::from_utf8(&key).expect("text"));
    std::fs::set_permissions(place.dango("identity.key"), std::fs::Permissions::from_mode(0o600)).expect("ours");
    for damaged in [true, false] {
        if damaged {
            place.put(".dango/dango.db", &"not a database ".repeat(1000));
        } else {
            std::fs::remove_file(place.dango("dango.db")).expect("ours");
        }
        for verb in ["serve", "check", "migrate", "setup-link"] {
            let ran = place.run(&[verb, "--log-format", "human"], &[]);
            assert_eq!(ran.status, Some(1), "{verb}");
            let words = if damaged { "not a database of Dango" } else { "dango.db is gone" };
            assert!(ran.stderr.contains(words), "{verb}: {}", ran.stderr);
            assert_eq!(place.dango("dango.db").exists(), damaged, "{verb}");
        }
    }
}
