//! Encrypted projects: the values are in no file at all, and neither they nor the key are in any output, whatever command runs, is mistyped or fails.

use std::path::PathBuf;
use std::process::Stdio;

use dango_tests::{Canary, Output, Scratch};
use data_encoding::{BASE64, BASE64URL, HEXLOWER, HEXUPPER};

use super::words::{COMMANDS, DAMAGED, ENCRYPTED, FED, FED_ENCRYPTED};
use super::{command_lines, invoke, project};
use crate::answers::set;

/// The canary's project with a key file and everything encrypted, and a file of another key beside it.
fn encrypted(canary: &Canary) -> (Scratch, Key) {
    let project = project(canary);
    let _ = project.run(&["key", "create", "--holder", "file"]).success();
    encrypt(&project);
    let key = Key::of(&project);
    let stranger = Scratch::initialised();
    let _ = stranger.run(&["key", "create", "--holder", "file"]).success();
    let _ = stranger.dango(&["key", "export", "foreign"]).stdin("correct horse").run().success();
    project.write("foreign", stranger.read_bytes("foreign"));
    project.write(
        "broken.toml",
        "[sources.eu]\nstripe_secret_key = \"dango:v1:ed040339855d20b2:AAAA\"\n",
    );
    (project, key)
}

fn encrypt(project: &Scratch) {
    let _ = project.run(&["secrets", "encrypt", "--all"]).success();
    let _ = project.run(&["env", "encrypt", "--all"]).success();
}

/// What an encrypted project keeps.
const KEPT: [&str; 7] = [
    ".dlt/secrets.toml",
    ".env",
    ".dango/history",
    ".dango/key",
    ".dango/seals",
    ".dango/seen-secrets",
    ".dango/seen-env",
];

/// A master key in the forms in which it could be said.
struct Key(Vec<String>);

impl Key {
    /// The keys of the project's key file, which holds them as hex digits or as a set.
    fn of(project: &Scratch) -> Self {
        let text = project.read(".dango/key");
        let bytes = HEXLOWER.decode(text.trim().as_bytes()).or_else(|_| {
            let encoded = text.trim().rsplit(['.', ',']).next().unwrap_or_default();
            data_encoding::BASE64URL_NOPAD.decode(encoded.as_bytes())
        });
        let bytes = bytes.expect("the key file is as the formats say");
        assert_eq!(bytes.len(), 32);
        let forms = [HEXLOWER, HEXUPPER, BASE64, BASE64URL].map(|form| form.encode(&bytes));
        Self(forms.map(|form| form.trim_end_matches('=').to_owned()).to_vec())
    }

    fn is_in(&self, text: &str) -> bool {
        self.0.iter().any(|form| text.contains(form.as_str()))
    }
}

#[track_caller]
fn assert_silent(canary: &Canary, key: &Key, words: &[&str], answer: &Output) {
    let all = format!("{}{}", answer.stdout, answer.stderr);
    assert!(
        !canary.is_in(&all) && !key.is_in(&all) && answer.status != 70,
        "{words:?}: exit {}\n--- stdout\n{}\n--- stderr\n{}",
        answer.status,
        answer.stdout,
        answer.stderr
    );
}

#[track_caller]
fn assert_in_no_file(project: &Scratch, canary: &Canary) {
    assert_eq!(canary.files_below(project.everything()), Vec::<PathBuf>::new());
}

#[test]
fn no_command_on_an_encrypted_project_shows_a_value_or_the_key_or_leaves_either_in_a_file() {
    let canary = Canary::new("encrypted");
    let (project, key) = encrypted(&canary);
    assert_in_no_file(&project, &canary);
    for words in COMMANDS.iter().chain(ENCRYPTED) {
        for options in [&[][..], &["--yes"], &["--json"]] {
            let words = [options, words].concat();
            assert_silent(&canary, &key, &words, &invoke(&project, &words).run());
        }
        set(&project, "sources.eu.stripe_secret_key", canary.value());
    }
    assert_in_no_file(&project, &canary);
}

#[test]
fn the_same_holds_where_the_key_is_missing_wrong_or_no_key() {
    let canary = Canary::new("keyless");
    let (mut project, key) = encrypted(&canary);
    std::fs::remove_file(project.path().join(".dango/key")).expect("the key file is there");
    let before = project.read(".dlt/secrets.toml");
    for wrong in [None, Some("f".repeat(64)), Some("n0-key-at-all".to_owned()), Some(String::new())] {
        if let Some(wrong) = &wrong {
            project.give("DANGO_KEY", wrong);
        }
        for words in COMMANDS.iter().chain(ENCRYPTED).filter(|words| !words.contains(&"create")) {
            let answer = invoke(&project, words).run();
            assert_silent(&canary, &key, words, &answer);
            assert!(!answer.stderr.contains("n0-key"), "{words:?}: {}", answer.stderr);
        }
        for words in FED_ENCRYPTED.iter().filter(|words| !words.contains(&"create")) {
            assert_silent(&canary, &key, words, &invoke(&project, words).stdin(canary.value()).run());
        }
        assert_in_no_file(&project, &canary);
    }
    assert_eq!(project.read(".dlt/secrets.toml"), before, "nothing was changed without the key");
}

#[test]
fn a_value_given_to_an_encrypted_project_is_not_said_again_and_is_in_no_file() {
    let canary = Canary::new("fed");
    let (project, key) = encrypted(&canary);
    for words in FED.iter().chain(FED_ENCRYPTED) {
        // What a reference is made of cannot be encrypted.
        if words.contains(&"--reference") {
            continue;
        }
        for ending in ["", "\n", "\0"] {
            let answer = invoke(&project, words).stdin(format!("{}{ending}", canary.value())).run();
            assert_silent(&canary, &key, words, &answer);
        }
        assert_in_no_file(&project, &canary);
    }
}

#[test]
fn damaged_files_and_backups_are_reported_without_what_they_hold() {
    let canary = Canary::new("damaged");
    let (project, key) = encrypted(&canary);
    set(&project, "sources.eu.stripe_secret_key", "other");
    set(&project, "sources.eu.stripe_secret_key", canary.value());
    let sound = KEPT.map(|file| (file, project.read_bytes(file)));
    for (file, bytes) in &sound {
        let half = &bytes[..bytes.len() / 2];
        let changed: Vec<u8> = bytes.iter().map(|byte| if *byte == b'A' { b'B' } else { *byte }).collect();
        for damaged in [half, &changed, b"", b"\xff\xfe\n"] {
            for words in DAMAGED {
                for (file, bytes) in &sound {
                    project.write(file, bytes);
                }
                project.write(file, damaged);
                assert_silent(&canary, &key, words, &invoke(&project, words).run());
            }
            assert_in_no_file(&project, &canary);
        }
    }
}

#[test]
fn no_process_list_shows_a_passphrase_that_is_being_typed_or_the_key() {
    let canary = Canary::new("passphrase");
    let (project, key) = encrypted(&canary);
    let words = ["key", "export", "backup"];
    let mut command = project.dango(&words).into_command();
    let mut waiting = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("dango starts");
    let input = waiting.stdin.as_mut().expect("it is a pipe");
    std::io::Write::write_all(input, canary.value().as_bytes()).expect("dango reads");
    let mut command = project
        .dango(&["run", "--only", "sources.sheets", "--", "sh", "-c", "echo ready; exec cat"])
        .into_command();
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("dango starts");
    let mut ready = [0; 6];
    std::io::Read::read_exact(running.stdout.as_mut().expect("it is a pipe"), &mut ready).expect("the command runs");
    for line in command_lines() {
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(!canary.is_in(&line) && !key.is_in(&line), "a process list shows it");
    }
    for mut child in [waiting, running] {
        drop(child.stdin.take());
        assert!(child.wait().expect("it ends").success());
    }
    assert_in_no_file(&project, &canary);
}
