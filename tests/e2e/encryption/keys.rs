//! `dango key`: what is made, where, in which mode; what `status` says; a backup and its way back. Keys from the environment are in `environment.rs`.

use dango_tests::{KeyringSession, Scratch};
use serde_json::json;

use super::{KEY, SECRETS, encrypt_all, envelopes, fill, key_id, snapshot, status, with_key_file};
use crate::answers::{Answer, mode, revealed};

#[test]
fn status_tells_where_the_key_is_its_id_and_what_it_protects() {
    let project = Scratch::initialised();
    assert_eq!(
        status(&project),
        json!({ "holder": null, "key_id": null, "protects": 0, "seals": 0 })
    );
    let _ = project.run(&["key", "create", "--holder", "file"]).success();
    let id = key_id(&project);
    assert!(
        id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()),
        "{id}"
    );
    assert_eq!(
        status(&project),
        json!({ "holder": "file", "key_id": id, "protects": 0, "seals": 0 })
    );
    fill(&project);
    assert_eq!(
        status(&project),
        json!({ "holder": "file", "key_id": id, "protects": 4, "seals": 4 })
    );
    let words = project.run(&["key", "status"]).success().stdout;
    assert!(words.contains(&id) && words.contains("file"), "{words}");
}

#[test]
fn a_key_file_is_private_whatever_the_umask_and_is_made_only_on_request() {
    let project = Scratch::initialised();
    assert!(!project.path().join(".dango/key").exists());
    let create = format!("umask 0; exec '{}' key create --holder file", dango_tests::dango().display());
    let _ = project.command("sh", &["-c", &create]).run().success();
    assert_eq!(mode(project.path().join(".dango/key")), 0o600);
    assert_eq!(mode(project.path().join(".dango")), 0o700);
}

#[test]
fn a_key_file_is_not_committed() {
    let project = with_key_file();
    let _ = project.command("git", &["init", "-q"]).run().success();
    let _ = project.command("git", &["check-ignore", "-q", ".dango/key"]).run().success();
}

#[test]
fn a_second_key_is_refused() {
    let project = with_key_file();
    let before = snapshot(&project.path());
    for holder in [
        &[][..],
        &["--holder", "file"],
        &["--holder", "passphrase"],
        &["--holder", "keyring"],
    ] {
        let words = [&["key", "create"], holder].concat();
        let _ = project.dango(&words).stdin("correct horse battery").run().fails(1, &["already"]);
        assert_eq!(snapshot(&project.path()), before, "{holder:?}");
    }
}

#[test]
fn of_two_that_make_a_key_at_once_one_is_told_that_there_is_one() {
    for _ in 0..10 {
        let project = Scratch::initialised();
        let answers: Vec<i32> = std::thread::scope(|scope| {
            let create = || project.run(&["key", "create", "--holder", "file"]).status;
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(answers.iter().filter(|status| **status == 0).count(), 1, "{answers:?}");
        fill(&project);
        assert_eq!(revealed(&project, "sources.eu.stripe_secret_key"), "value-of-eu");
    }
}

#[test]
fn a_backup_is_private_needs_its_passphrase_and_brings_the_key_back() {
    let project = with_key_file();
    fill(&project);
    let export = project
        .dango(&["key", "export", "backup"])
        .stdin("correct horse battery\n")
        .run()
        .success();
    assert_eq!(export.stdout, "");
    assert_eq!(mode(project.path().join("backup")), 0o600);
    let key = project.read(".dango/key");
    assert!(!project.read("backup").contains(key.trim()), "the backup is not the key");
    let id = key_id(&project);

    let other = Scratch::copy_of(&project);
    std::fs::remove_file(other.path().join(".dango/key")).expect("it was copied");
    let before = snapshot(&other.path());
    for wrong in [
        "",
        "\n",
        "correct horse batterz",
        "correct horse battery ",
        "correct horse battery\n\n",
    ] {
        let import = other.dango(&["key", "import", "backup", "--holder", "file"]).stdin(wrong).run();
        let _ = import.fails(1, &["passphrase"]).hides(&["correct horse"]);
        assert_eq!(snapshot(&other.path()), before, "{wrong:?}");
    }
    let import = other
        .dango(&["key", "import", "backup", "--holder", "file"])
        .stdin("correct horse battery\n");
    let _ = import.run().success();
    assert_eq!(key_id(&other), id);
    assert_eq!(revealed(&other, "sources.eu.stripe_secret_key"), "value-of-eu");
    assert_eq!(mode(other.path().join(".dango/key")), 0o600);
}

#[test]
fn a_backup_is_brought_back_from_every_place_that_a_secret_is_taken_from() {
    let project = with_key_file();
    fill(&project);
    let words = ["key", "export", "backup", "--from-env", "PHRASE"];
    let _ = project.dango(&words).env("PHRASE", "correct horse battery").run().success();
    for source in [&["--from-file", "phrase"][..], &["--from-env", "PHRASE"]] {
        let other = Scratch::copy_of(&project);
        std::fs::remove_file(other.path().join(".dango/key")).expect("it was copied");
        other.write("phrase", "correct horse battery\n");
        let words = [&["key", "import", "backup", "--holder", "file"], source].concat();
        let _ = other.dango(&words).env("PHRASE", "correct horse battery").run().success();
        assert_eq!(revealed(&other, "sources.eu.stripe_secret_key"), "value-of-eu");
    }
}

#[test]
fn a_backup_does_not_take_the_place_of_another_key_nor_of_another_file() {
    let (project, other) = (with_key_file(), with_key_file());
    fill(&project);
    fill(&other);
    let _ = project
        .dango(&["key", "export", "backup"])
        .stdin("correct horse battery")
        .run()
        .success();
    other.write("backup", project.read("backup"));
    let before = snapshot(&other.path());
    let import = other
        .dango(&["key", "import", "backup", "--holder", "file"])
        .stdin("correct horse battery");
    let _ = import.run().fails(1, &["already"]);
    assert_eq!(snapshot(&other.path()), before, "its own key is not lost");
    other.write("backup", "something that is needed");
    let _ = other
        .dango(&["key", "export", "backup"])
        .stdin("correct horse battery")
        .run()
        .fails(1, &["backup"]);
    assert_eq!(other.read("backup"), "something that is needed");
}

#[test]
fn a_key_that_is_brought_to_another_place_leaves_the_one_where_it_was() {
    let session = KeyringSession::unlocked();
    let mut project = with_key_file();
    project.give("DBUS_SESSION_BUS_ADDRESS", session.address());
    fill(&project);
    let id = key_id(&project);
    let phrase = "correct horse battery";
    let _ = project.dango(&["key", "export", "backup"]).stdin(phrase).run().success();
    for holder in ["keyring", "passphrase", "file"] {
        let import = ["key", "import", "backup", "--holder", holder];
        let _ = project.dango(&import).stdin(phrase).run().success();
        project.give("DANGO_PASSPHRASE", phrase);
        assert_eq!(
            status(&project),
            json!({ "holder": holder, "key_id": id, "protects": 4, "seals": 4 })
        );
        assert_eq!(revealed(&project, "sources.eu.stripe_secret_key"), "value-of-eu");
        project.take("DANGO_PASSPHRASE");
        let places = [
            ("keyring", !session.entries().is_empty()),
            ("passphrase", project.path().join(".dango/wrapped-keys").exists()),
            ("file", project.path().join(".dango/key").exists()),
        ];
        for (place, is_there) in places {
            assert_eq!(is_there, place == holder, "in {holder}, looked for in {place}");
        }
    }
}

#[test]
fn what_is_no_backup_is_refused() {
    let project = Scratch::initialised();
    let before = snapshot(&project.path());
    for text in ["", "canary-text\n", "dango:wrapped-keys:v1\n", KEY] {
        project.write("backup", text);
        let import = project
            .dango(&["key", "import", "backup", "--holder", "file"])
            .stdin("correct horse battery");
        let _ = import.run().fails(1, &["backup"]).hides(&["canary-text", KEY]);
    }
    std::fs::remove_file(project.path().join("backup")).expect("it was written");
    let import = project
        .dango(&["key", "import", "backup", "--holder", "file"])
        .stdin("correct horse battery");
    let _ = import.run().fails(1, &["backup"]);
    assert_eq!(snapshot(&project.path()), before);
}

#[test]
fn encrypting_and_decrypting_chosen_values_leaves_the_others() {
    let project = with_key_file();
    let text = "[sources.a]\nk = \"one\" # kept\nl = \"two\"\n[sources.b]\nm = 3\n[other]\nn = \"four\"\n";
    project.write(SECRETS, text);
    let _ = project.run(&["secrets", "encrypt", "sources.a.k", "other.n"]).success();
    let found = project.read(SECRETS);
    assert_eq!(envelopes(&found).len(), 2);
    assert!(
        found.contains("l = \"two\"\n[sources.b]\nm = 3\n") && found.contains(" # kept\n"),
        "{found}"
    );
    let _ = project.run(&["secrets", "decrypt", "other.n"]).success();
    assert_eq!(envelopes(&project.read(SECRETS)).len(), 1);
    let _ = project.run(&["secrets", "encrypt", "sources.none"]).fails(1, &["sources.none"]);
    encrypt_all(&project);
    assert!(
        project.read(SECRETS).contains("[other]\nn = \"four\"\n"),
        "--all is sources and destination"
    );
    let _ = project.run(&["secrets", "decrypt", "--all"]).success();
    assert_eq!(project.read(SECRETS), text);
    project.write(".env", "A=one # kept\nB=two\n");
    let _ = project.run(&["env", "encrypt", "B"]).success();
    assert!(project.read(".env").starts_with("A=one # kept\nB=") && envelopes(&project.read(".env")).len() == 1);
    let _ = project.run(&["env", "decrypt", "B"]).success();
    assert_eq!(project.read(".env"), "A=one # kept\nB=two\n");
}

#[test]
fn encrypt_without_a_choice_is_wrong_usage() {
    let project = with_key_file();
    for words in [
        ["secrets", "encrypt"],
        ["secrets", "decrypt"],
        ["env", "encrypt"],
        ["env", "decrypt"],
    ] {
        let _ = project.run(&words).fails(2, &[]);
    }
    let _ = project.run(&["secrets", "encrypt", "--all", "sources.a.k"]).fails(2, &["--all"]);
    let _ = project.run(&["secrets", "encrypt", "a b"]).fails(2, &[]);
}
