//! A secret that was stored, or typed in the wrong place, is in no output, no other file and no process list, whatever command runs or fails.

mod encrypted;
mod words;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use dango_tests::{Canary, Invocation, Scratch};

use self::words::{COMMANDS, FED, MISTYPED};
use crate::answers::{set, set_env};

/// A project in which every kind of place holds the canary.
fn project(canary: &Canary) -> Scratch {
    let project = Scratch::initialised();
    set(&project, "sources.eu.stripe_secret_key", canary.value());
    set(&project, "sources.sheets.credentials.refresh_token", canary.value());
    let json = serde_json::json!([canary.value(), { "deep": canary.value() }]).to_string();
    let _ = project
        .dango(&["secrets", "set", "sources.eu.list", "--type", "json"])
        .stdin(json)
        .run()
        .success();
    set_env(&project, "CANARY", &canary.value().replace('%', "-"));
    set_env(&project, "TOKEN", "plain");
    let _ = project
        .dango(&["secrets", "set", "sources.eu.ref", "--reference"])
        .stdin("${TOKEN}/${MISSING}")
        .run()
        .success();
    project.write(
        ".dango/sources.yml",
        "sources:\n  - {name: eu, type: stripe, sync: 'true'}\n  - {name: sheets, type: google_sheets}\n",
    );
    let text = project.read(".dlt/secrets.toml");
    let record = "[dango.oauth.sheets]\nsource_type = \"google_sheets\"\nprovider = \"google\"\nidentifier = \"ada@example.com\"\n";
    project.write(".dlt/secrets.toml", format!("{text}\n{record}"));
    project
}

/// Runs a command to its end and checks both streams.
#[track_caller]
fn silent(canary: &Canary, invocation: Invocation) {
    let answer = invocation.run();
    let shown = canary.is_in(&answer.stdout) || canary.is_in(&answer.stderr);
    assert!(
        !shown && answer.status != 70,
        "exit {}\n--- stdout\n{}\n--- stderr\n{}",
        answer.status,
        answer.stdout,
        answer.stderr
    );
}

fn invoke(project: &Scratch, words: &[&str]) -> Invocation {
    let mut invocation = project.dango(words).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
    // Nobody answers there, and nobody is waited for.
    for endpoint in ["AUTHORIZE", "TOKEN", "USERINFO", "REVOKE"] {
        invocation = invocation.env(format!("DANGO_OAUTH_GOOGLE_{endpoint}_URL"), "http://127.0.0.1:9/nobody");
    }
    invocation
        .env("DANGO_CHECK_STRIPE_URL", "http://127.0.0.1:9")
        .env("DANGO_OAUTH_CALLBACK_URL", "http://127.0.0.1:0/callback")
        .env("DANGO_OAUTH_TIMEOUT", "1")
}

/// The files that hold the canary, without the one or two that are to.
fn strays(project: &Scratch, canary: &Canary) -> Vec<PathBuf> {
    let kept = [project.path().join(".dlt/secrets.toml"), project.path().join(".env")];
    canary
        .files_below(project.everything())
        .into_iter()
        .filter(|file| !kept.contains(file))
        .collect()
}

#[test]
fn no_command_shows_a_stored_secret_or_leaves_it_in_another_file() {
    let canary = Canary::new("stored");
    let project = project(&canary);
    let before = temporary_files();
    for words in COMMANDS {
        silent(&canary, invoke(&project, words));
        silent(&canary, invoke(&project, &[&["--yes"], *words].concat()).env("NO_COLOR", ""));
        set(&project, "sources.eu.stripe_secret_key", canary.value());
    }
    assert_eq!(strays(&project, &canary), Vec::<PathBuf>::new());
    let new: Vec<PathBuf> = temporary_files()
        .difference(&before)
        .filter(|file| holds(file, &canary))
        .cloned()
        .collect();
    assert_eq!(new, Vec::<PathBuf>::new(), "left in the system's folder for temporary files");
}

#[test]
fn a_secret_that_is_given_where_it_belongs_is_not_said_again() {
    let canary = Canary::new("given");
    let project = project(&canary);
    for words in FED {
        for ending in ["", "\n", "\0", "\n${UNSET}\n"] {
            silent(&canary, invoke(&project, words).stdin(format!("{}{ending}", canary.value())));
        }
        let mut bytes = canary.value().as_bytes().to_vec();
        bytes.push(0xff);
        silent(&canary, invoke(&project, words).stdin(bytes));
    }
    assert_eq!(strays(&project, &canary), Vec::<PathBuf>::new());
}

/// Each step of a rotation and of an exposure, the old value and the new one a canary each; the endings leave nothing of the one that goes.
#[test]
fn a_value_that_takes_the_place_of_another_is_said_no_more_than_that_one() {
    let (old, new) = (Canary::new("old"), Canary::new("new"));
    const KEY: &str = "sources.eu.stripe_secret_key";
    let steps: [&[&str]; 13] = [
        &["rotate", "eu"],
        &["rotate", "eu", "--json"],
        &["rotate", "eu", "--from-file", "x"],
        &["rotate", "--list"],
        &["doctor"],
        &["rotate", "eu", "--no-check"],
        &["rotate", "eu", "--json"],
        &["rotate", "eu", "--abort", "--json"],
        &["exposed", KEY, "--no-new-value"],
        &["exposed", KEY, "--json"],
        &["exposed", KEY, "--no-check"],
        &[
            "exposed",
            KEY,
            "--revoked",
            "--accept-incomplete",
            "--json",
            "--record",
            "record.md",
        ],
        &["secrets", "history", KEY],
    ];
    let project = project(&old);
    for words in steps {
        let answer = invoke(&project, words).stdin(new.value()).run();
        let all = format!("{}{}", answer.stdout, answer.stderr);
        assert!(
            !old.is_in(&all) && !new.is_in(&all) && answer.status != 70,
            "{words:?}: exit {}: {all}",
            answer.status
        );
    }
    assert_eq!(strays(&project, &old), Vec::<PathBuf>::new());
    assert_eq!(strays(&project, &new), Vec::<PathBuf>::new());
    assert!(project.read(".dlt/secrets.toml").contains("[sources.eu]"));
}

#[test]
fn a_secret_that_is_typed_in_a_wrong_place_is_not_repeated() {
    // A word of its own, as tokens are, but no path and no name: those are repeated, rightly.
    let canary = format!("sk_live_51Canary{}+XyZ", std::process::id());
    let project = Scratch::initialised();
    for words in MISTYPED {
        let words: Vec<String> = words.iter().map(|word| word.replace("CANARY", &canary)).collect();
        let answer = project.dango(&words).run();
        assert_ne!(answer.status, 0, "{words:?}");
        assert!(
            !answer.stdout.contains(&canary) && !answer.stderr.contains(&canary),
            "{words:?} is answered with:\n{}{}",
            answer.stdout,
            answer.stderr
        );
    }
}

#[test]
fn broken_files_are_reported_without_what_they_hold() {
    let canary = Canary::new("broken");
    let value = canary.value();
    let project = Scratch::initialised();
    for text in [
        format!("k = {value}\n"),
        format!("k = \"{value}\n"),
        format!("k = \"{value}\" x\n"),
        format!("k = \"a\"\nk = \"{value}\"\n"),
        format!("{value}\n"),
        format!("k = [\"{value}\"\n"),
        format!("k = \"{value}\u{1}\"\n"),
        format!("[a]\nb = \"{value}\"\n[a.b]\n"),
        format!("[\"{value}\n"),
    ] {
        project.write(".dlt/secrets.toml", text);
        for words in [
            &["secrets", "list"][..],
            &["secrets", "get", "k"],
            &["run", "--", "true"],
            &["secrets", "unset", "k"],
            &["secrets", "explain", "k"],
        ] {
            silent(&canary, invoke(&project, words));
        }
        silent(&canary, invoke(&project, &["secrets", "set", "k"]).stdin(value));
    }
    project.write(".dlt/secrets.toml", "");
    for text in [
        format!("A=\"{value}\nB=\n"),
        format!("{value}\n"),
        format!("A='{value}' x\n"),
        format!("A={value}\u{0}\n"),
        format!("export {value} x\n"),
    ] {
        project.write(".env", text);
        for words in [
            &["env", "get", "A"][..],
            &["env", "lint"],
            &["run", "--", "true"],
            &["env", "unset", "A"],
        ] {
            silent(&canary, invoke(&project, words));
        }
    }
}

#[test]
fn no_process_list_shows_a_secret_that_is_being_stored() {
    let canary = Canary::new("processes");
    let project = Scratch::initialised();
    // Both wait for the end of standard input, so that they can be looked at while they run with all they have.
    let mut waiting: Vec<Child> = [&["secrets", "set", "sources.a.k"][..], &["env", "set", "KEY"]]
        .into_iter()
        .map(|words| {
            let mut command = project.dango(words).into_command();
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("dango starts")
        })
        .collect();
    for child in &mut waiting {
        let input = child.stdin.as_mut().expect("it is a pipe");
        std::io::Write::write_all(input, canary.value().as_bytes()).expect("dango reads");
    }
    set(&project, "sources.b.k", canary.value());
    let mut command = project.dango(&["run", "--", "sh", "-c", "echo ready; exec cat"]).into_command();
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("dango starts");
    let mut ready = [0; 6];
    std::io::Read::read_exact(running.stdout.as_mut().expect("it is a pipe"), &mut ready).expect("the command runs");
    for line in command_lines() {
        assert!(!canary.is_in(&line), "a process list shows it");
    }
    waiting.push(running);
    for mut child in waiting {
        drop(child.stdin.take());
        assert!(child.wait().expect("it ends").success());
    }
}

/// The command lines of all processes.
fn command_lines() -> Vec<Vec<u8>> {
    let processes = fs::read_dir("/proc").expect("this test needs /proc");
    let lines: Vec<Vec<u8>> = processes
        .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok())
        .collect();
    assert!(
        lines.iter().any(|line| !line.is_empty()),
        "this test needs /proc with command lines"
    );
    lines
}

fn temporary_files() -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(std::env::temp_dir()).expect("the folder for temporary files is readable");
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}

fn holds(file: &PathBuf, canary: &Canary) -> bool {
    file.is_file() && fs::read(file).is_ok_and(|bytes| canary.is_in(bytes))
}
