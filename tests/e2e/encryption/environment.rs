//! Keys that `DANGO_KEY` and `DANGO_KEY_FILE` give: every form of them, what is no key, and what a command below sees of them.

use dango_tests::Scratch;
use serde_json::json;

use super::{KEY, KEY_ID, fill, snapshot, status, with_variable};
use crate::answers::{Answer, revealed};

#[test]
fn a_key_from_the_environment_is_taken_in_every_form() {
    let project = with_variable();
    fill(&project);
    assert_eq!(
        status(&project),
        json!({ "holder": "env", "key_id": KEY_ID, "protects": 4, "seals": 4 })
    );
    let mut other = Scratch::copy_of(&project);
    for form in [
        KEY.to_uppercase(),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned(),
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".to_owned(),
    ] {
        other.give("DANGO_KEY", &form);
        assert_eq!(revealed(&other, "sources.eu.stripe_secret_key"), "value-of-eu", "{form}");
        other.take("DANGO_KEY");
        other.write("../key", format!(" \n{form}\r\n"));
        other.give("DANGO_KEY_FILE", other.path().join("../key"));
        assert_eq!(revealed(&other, "sources.eu.stripe_secret_key"), "value-of-eu", "{form}");
        assert_eq!(status(&other)["holder"], "env");
        other.take("DANGO_KEY_FILE");
    }
}

#[test]
fn what_is_no_key_is_refused_without_echo_and_starts_nothing() {
    let mut project = with_variable();
    fill(&project);
    let before = snapshot(&project.path());
    for wrong in [
        "",
        "c4nary",
        &KEY[..63],
        &format!("{KEY}0"),
        &KEY.replace('0', "x"),
        &format!(" {KEY}"),
        &format!("{KEY}\n"),
    ] {
        project.give("DANGO_KEY", wrong);
        for words in [
            &["run", "--", "touch", "started"][..],
            &["secrets", "get", "sources.eu.stripe_secret_key", "--reveal"],
            &["secrets", "encrypt", "--all"],
            &["key", "status"],
            &["key", "create", "--holder", "file"],
            &["key", "rotate"],
        ] {
            let answer = project.run(words);
            let said = format!("{wrong:?}, {words:?}: {}", answer.stderr);
            assert!(
                answer.status == 1 && answer.stderr.contains("DANGO_KEY") && answer.stdout.is_empty(),
                "{said}"
            );
            assert!(wrong.is_empty() || !answer.stderr.contains(wrong.trim()), "{said}");
            assert_eq!(snapshot(&project.path()), before, "{said}");
        }
    }
    project.take("DANGO_KEY");
    for (name, content) in [("empty", ""), ("short", "c4nary\n"), ("long", &"a".repeat(100_000))] {
        project.write(&format!("../{name}"), content);
        project.give("DANGO_KEY_FILE", project.path().join("..").join(name));
        let answer = project.run(&["run", "--", "touch", "started"]).fails(1, &["DANGO_KEY_FILE"]);
        let _ = answer.hides(&["c4nary", "aaaaaa"]);
    }
    project.give("DANGO_KEY_FILE", project.path().join("nowhere"));
    let _ = project.run(&["run", "--", "touch", "started"]).fails(1, &["DANGO_KEY_FILE"]);
    assert_eq!(snapshot(&project.path()), before);
}

#[test]
fn another_key_than_the_one_that_encrypted_is_told_apart_from_damage() {
    let mut project = with_variable();
    fill(&project);
    project.give("DANGO_KEY", "f".repeat(64));
    let answer = project.run(&["run", "--", "touch", "started"]);
    let _ = answer.fails(1, &["sources.eu.stripe_secret_key", KEY_ID]);
    assert!(!project.path().join("started").exists());
}

#[test]
fn a_key_from_the_environment_cannot_be_rotated_here() {
    let project = with_variable();
    fill(&project);
    let before = snapshot(&project.path());
    let _ = project.run(&["key", "rotate"]).fails(1, &["DANGO_KEY", "hint:"]);
    assert_eq!(snapshot(&project.path()), before);
}

#[test]
fn what_opens_secrets_does_not_reach_a_command() {
    let project = with_variable();
    fill(&project);
    for redact in [&[][..], &["--redact"]] {
        let words = [&["run"], redact, &["--", "env"]].concat();
        let command = project.dango(&words).env("DANGO_PASSPHRASE", "correct horse");
        let answer = command
            .run()
            .success()
            .hides(&["DANGO_KEY", "DANGO_PASSPHRASE", KEY, "correct horse"]);
        assert!(redact.is_empty() == answer.stdout.contains("value-of-eu"), "{}", answer.stdout);
    }
    project.write(".dango/sources.yml", "sources:\n  - {name: eu, type: stripe, sync: env}\n");
    let command = project.dango(&["sync", "eu"]).env("DANGO_PASSPHRASE", "correct horse");
    let answer = command
        .run()
        .success()
        .hides(&["DANGO_KEY", "DANGO_PASSPHRASE", KEY, "correct horse"]);
    assert!(answer.stdout.contains("SOURCES__EU__STRIPE_SECRET_KEY=value-of-eu"));
}
