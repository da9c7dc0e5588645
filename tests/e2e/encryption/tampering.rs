//! Ciphertext that somebody swapped, moved, cut or flipped: the command names the place, ends with 1 and starts no program.

use dango_tests::Scratch;

use super::{SECRETS, envelope_after, envelopes, fill, with_key_file};
use crate::answers::{Answer, set};

const EU: &str = "sources.eu.stripe_secret_key";
const US: &str = "sources.us.stripe_secret_key";

/// The two files with the name that a place in it has, and what is written around an envelope that is put there.
const NOT_SHOWN: &[&str] = &["value-of", "dango:v1:"];

fn project() -> Scratch {
    let project = with_key_file();
    fill(&project);
    project
}

/// Checks that nothing that needs the value goes on.
#[track_caller]
fn assert_stopped(project: &Scratch, reveal: &[&str], places: &[&str], what: &str) {
    let commands = [
        &["run", "--", "touch", "started"][..],
        &["run", "--redact", "--", "touch", "started"],
        &["sync", "eu"],
        reveal,
    ];
    for command in commands {
        let answer = project.run(command);
        let said = format!("{what}, {command:?}: {}", answer.stderr);
        assert_eq!((answer.status, answer.stdout.as_str()), (1, ""), "{said}");
        assert!(places.iter().any(|place| answer.stderr.contains(place)), "{said}");
        assert!(!project.path().join("started").exists(), "{said}");
        let _ = answer.hides(NOT_SHOWN);
    }
}

/// The same for a credential, which is exported, too.
#[track_caller]
fn assert_credential_stopped(project: &Scratch, path: &str, what: &str) {
    assert_stopped(project, &["secrets", "get", path, "--reveal"], &[path], what);
    for format in ["json", "toml", "dotenv"] {
        let answer = project.run(&["secrets", "export", "--reveal", "--format", format]);
        let _ = answer.fails(1, &[path]).hides(NOT_SHOWN);
    }
}

#[track_caller]
fn assert_variable_stopped(project: &Scratch, key: &str, what: &str) {
    assert_stopped(project, &["env", "get", key, "--reveal"], &[key], what);
}

/// What an attacker who has no key can make of an envelope.
fn damaged(envelope: &str) -> Vec<(String, String)> {
    let length = envelope.len();
    let mut all: Vec<(String, String)> = [1, 2, 3, 4, 16, 22, length - 40, length - 27, length - 26]
        .into_iter()
        .map(|cut| (format!("cut by {cut}"), envelope[..length - cut].to_owned()))
        .collect();
    all.push(("with more behind it".to_owned(), format!("{envelope}AAAA")));
    for place in [
        0,
        4,
        5,
        7,
        8,
        9,
        24,
        25,
        26,
        41,
        42,
        43,
        length / 2 + 13,
        length - 22,
        length - 2,
        length - 1,
    ] {
        for bit in 0..8 {
            let mut bytes = envelope.as_bytes().to_vec();
            bytes[place] ^= 1 << bit;
            // What no editor would leave in a string is an error of the file, which is another test's.
            if bytes[place].is_ascii_graphic() && !b"\"\\'#$".contains(&bytes[place]) {
                let text = String::from_utf8(bytes).expect("ASCII");
                all.push((format!("bit {bit} of {place} flipped"), text));
            }
        }
    }
    all
}

#[test]
fn a_damaged_credential_is_named_and_starts_nothing() {
    let project = project();
    let text = project.read(SECRETS);
    let envelope = envelope_after(&text, "[sources.eu]", "stripe_secret_key");
    for (number, (what, with)) in damaged(&text[envelope.clone()]).into_iter().enumerate() {
        let mut changed = text.clone();
        changed.replace_range(envelope.clone(), &with);
        project.write(SECRETS, changed);
        if number % 5 == 0 {
            assert_credential_stopped(&project, EU, &what);
        } else {
            let answer = project.run(&["run", "--", "touch", "started"]);
            assert_eq!((answer.status, answer.stderr.contains(EU)), (1, true), "{what}: {}", answer.stderr);
            assert!(!project.path().join("started").exists(), "{what}");
        }
    }
    project.write(SECRETS, text);
    assert_eq!(project.run(&["run", "--", "echo", "started"]).success().stderr, "");
}

#[test]
fn a_damaged_variable_is_named_and_starts_nothing() {
    let project = project();
    let text = project.read(".env");
    let envelope = envelope_after(&text, "TOKEN=", "");
    for (number, (what, with)) in damaged(&text[envelope.clone()]).into_iter().enumerate() {
        let mut changed = text.clone();
        changed.replace_range(envelope.clone(), &with);
        project.write(".env", changed);
        if number % 5 == 0 {
            assert_variable_stopped(&project, "TOKEN", &what);
        } else {
            let answer = project.run(&["run", "--", "touch", "started"]);
            assert_eq!(
                (answer.status, answer.stderr.contains("TOKEN")),
                (1, true),
                "{what}: {}",
                answer.stderr
            );
            assert!(!project.path().join("started").exists(), "{what}");
        }
    }
}

#[test]
fn swapped_credentials_are_both_named() {
    let project = project();
    let text = project.read(SECRETS);
    let [eu, us] = [("[sources.eu]"), ("[sources.us]")].map(|section| envelope_after(&text, section, "stripe_secret_key"));
    let mut changed = text.clone();
    changed.replace_range(us.clone(), &text[eu.clone()]);
    changed.replace_range(eu, &text[us]);
    project.write(SECRETS, changed);
    assert_credential_stopped(&project, EU, "swapped");
    assert_credential_stopped(&project, US, "swapped");
}

#[test]
fn a_credential_does_not_open_at_another_path_in_another_file_or_another_spelling_of_its_path() {
    let project = project();
    let text = project.read(SECRETS);
    let eu = text[envelope_after(&text, "[sources.eu]", "stripe_secret_key")].to_owned();
    let token = {
        let env = project.read(".env");
        env[envelope_after(&env, "TOKEN=", "")].to_owned()
    };
    for (line, path) in [
        (
            format!("[sources.eu2]\nstripe_secret_key = \"{eu}\"\n"),
            "sources.eu2.stripe_secret_key",
        ),
        (
            format!("[sources.EU]\nstripe_secret_key = \"{eu}\"\n"),
            "sources.EU.stripe_secret_key",
        ),
        (
            format!("[sources.\"eu.stripe_secret_key\"]\nk = \"{eu}\"\n"),
            "sources.\"eu.stripe_secret_key\".k",
        ),
        (format!("[sources.x]\nk = [\"{eu}\"]\n"), "sources.x.k"),
        (format!("[sources.x]\nk = {{ deep = \"{eu}\" }}\n"), "sources.x.k.deep"),
        (format!("[sources.x]\nTOKEN = \"{token}\"\n"), "sources.x.TOKEN"),
    ] {
        project.write(SECRETS, format!("{line}\n{text}"));
        assert_credential_stopped(&project, path, "moved");
    }
    project.write(SECRETS, &text);
    let env = project.read(".env");
    project.write(".env", format!("{env}STRIPE_SECRET_KEY={eu}\n"));
    assert_variable_stopped(&project, "STRIPE_SECRET_KEY", "moved");
    project.write(".env", format!("{env}TOKEN2={token}\n"));
    assert_variable_stopped(&project, "TOKEN2", "moved");
}

#[test]
fn a_value_under_a_key_that_is_not_at_hand_is_named_and_left_alone() {
    let stranger = project();
    let foreign = stranger.read(SECRETS);
    let foreign = &foreign[envelope_after(&foreign, "[sources.eu]", "stripe_secret_key")];
    let project = project();
    let text = project.read(SECRETS);
    let mut changed = text.clone();
    changed.replace_range(envelope_after(&text, "[sources.eu]", "stripe_secret_key"), foreign);
    project.write(SECRETS, &changed);
    assert_credential_stopped(&project, EU, "another key's");
    let said = project.run(&["run", "--", "true"]).stderr;
    assert!(
        said.contains(&foreign["dango:v1:".len()..][..16]),
        "the key that is missing is named: {said}"
    );
    let _ = project.run(&["secrets", "decrypt", "--all"]);
    let _ = project.run(&["key", "rotate"]);
    assert!(project.read(SECRETS).contains(foreign), "it is left as it is");
    set(&project, EU, "a new value");
    assert_eq!(
        project
            .run(&["run", "--", "printenv", "SOURCES__EU__STRIPE_SECRET_KEY"])
            .success()
            .stdout,
        "a new value\n"
    );
}

#[test]
fn what_is_sound_can_be_read_while_something_else_is_damaged() {
    let project = project();
    let text = project.read(SECRETS);
    let eu = envelope_after(&text, "[sources.eu]", "stripe_secret_key");
    let mut changed = text.clone();
    changed.replace_range(eu.end - 4..eu.end, "AAAA");
    project.write(SECRETS, changed);
    let answer = project.run(&["secrets", "get", US, "--reveal"]).success();
    assert_eq!(answer.stdout, "value-of-us\n");
    let listed = project.run(&["secrets", "list", "--json"]).success().json();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "the list shows what is there: {listed}");
}

#[test]
fn text_that_only_begins_like_an_envelope_is_plain() {
    let project = with_key_file();
    for text in [
        "dango:",
        "dango:v1:",
        "dango:v1:x",
        "dango:v2:ed040339855d20b2:AAAA",
        "dango:v1:none:at all",
    ] {
        set(&project, "sources.eu.stripe_secret_key", text);
        let answer = project.run(&["run", "--", "printenv", "SOURCES__EU__STRIPE_SECRET_KEY"]).success();
        assert_eq!(answer.stdout, format!("{text}\n"));
    }
    assert!(envelopes(&project.read(SECRETS)).len() <= 1);
}
