//! A real terminal: secrets that are not shown while typed, pastes taken whole, and Ctrl-C that leaves nothing behind.

use std::time::{Duration, Instant};

use dango_tests::{Scratch, dango};
use rexpect::session::{PtySession, spawn_command};

use crate::answers::{Answer, names, revealed};

const PATIENCE_MS: u64 = 20_000;
const SECRET: &str = "sk_live_typed_canary";
const PASTED: &str = "-----BEGIN KEY-----\nMIIE+/pasted_canary=\n-----END KEY-----";
const DONE: &str = "ended with ";

/// A shell on a terminal that runs one dango command and then says how it ended and how the terminal is set.
pub(crate) fn start(project: &Scratch, arguments: &str) -> PtySession {
    let script = format!("stty echo; \"$DANGO\" {arguments}; echo \"{DONE}$? and $(stty -a | grep -o -- '-\\?echo\\b')\"");
    let mut command = project
        .command("bash", &["--norc", "-c", &script])
        .env("DANGO", dango())
        .env("TERM", "xterm-256color")
        .into_command();
    command.env_remove("NO_COLOR");
    spawn_command(command, Some(PATIENCE_MS)).expect("a terminal can be made")
}

/// Waits for a text and returns all that the terminal showed before and with it.
#[track_caller]
pub(crate) fn shown_until(session: &mut PtySession, text: &str) -> String {
    let before = session
        .exp_string(text)
        .unwrap_or_else(|error| panic!("{text:?} did not appear: {error}"));
    format!("{before}{text}")
}

#[track_caller]
pub(crate) fn send(session: &mut PtySession, keys: &str) {
    session.send(keys).expect("the terminal takes keys");
    session.flush().expect("the terminal takes keys");
}

/// Waits for the end; returns the exit status, what was shown since, and checks that the terminal echoes again.
#[track_caller]
pub(crate) fn end(session: &mut PtySession) -> (i32, String) {
    let shown = shown_until(session, DONE);
    let rest = session.exp_eof().expect("the shell ends");
    let (status, echo) = rest.trim().split_once(" and ").expect("the shell says both");
    assert_eq!(echo.trim(), "echo", "the terminal is to echo again");
    (status.parse().expect("an exit status"), shown)
}

pub(crate) fn paste(text: &str) -> String {
    format!("\u{1b}[200~{text}\u{1b}[201~")
}

#[test]
fn a_value_that_cannot_be_encrypted_is_not_asked_for() {
    for command in [
        "secrets set sources.a.k --encrypt",
        "env set KEY --encrypt",
        "source add stripe --encrypt --field stripe_secret_key",
    ] {
        let project = Scratch::initialised();
        let before = names(&project.path());
        let mut session = start(&project, command);
        let (status, shown) = end(&mut session);
        assert_eq!(status, 1, "{command}: {shown}");
        assert!(
            shown.contains("no encryption key") && shown.contains("dango key create"),
            "{command}: {shown}"
        );
        assert!(!shown.contains("hidden"), "{command} asked: {shown}");
        assert_eq!(names(&project.path()), before, "{command}");
        // Nor is it read from a program that gives it.
        let words: Vec<&str> = command.split(' ').collect();
        let _ = project.dango(&words).stdin("v").run().fails(1, &["no encryption key"]);
    }
}

#[test]
fn a_typed_secret_is_stored_and_never_shown() {
    for (command, shown) in [("secrets set sources.a.k", "sources.a.k"), ("env set KEY", "KEY")] {
        let project = Scratch::initialised();
        let mut session = start(&project, command);
        let mut all = shown_until(&mut session, shown);
        all += &shown_until(&mut session, ":");
        send(&mut session, &format!("{SECRET}\r"));
        let (status, rest) = end(&mut session);
        all += &rest;
        assert_eq!(status, 0, "{all}");
        assert!(
            !all.contains("canary") && !all.contains("sk_l"),
            "the secret is on the screen: {all}"
        );
        assert!(!rest.contains(&"*".repeat(SECRET.len())), "its length is on the screen: {rest}");
        let stored = if command.starts_with("env") {
            project.read(".env")
        } else {
            revealed(&project, "sources.a.k")
        };
        assert!(stored.contains(SECRET), "{command} stored {stored:?}");
    }
}

#[test]
fn a_pasted_value_of_several_lines_is_taken_whole() {
    let project = Scratch::initialised();
    let mut session = start(&project, "secrets set sources.a.k");
    let mut all = shown_until(&mut session, ":");
    // Terminals send the line ends of a paste as carriage returns.
    send(&mut session, &paste(&PASTED.replace('\n', "\r")));
    send(&mut session, "\r");
    let (status, rest) = end(&mut session);
    all += &rest;
    assert_eq!(status, 0, "{all}");
    assert!(!all.contains("canary"), "the secret is on the screen: {all}");
    assert_eq!(revealed(&project, "sources.a.k"), PASTED);
}

#[test]
fn a_key_pasted_where_the_terminal_marks_no_paste_is_taken_whole_too() {
    let project = Scratch::initialised();
    let mut session = start(&project, "secrets set sources.a.k");
    let mut all = shown_until(&mut session, ":");
    send(&mut session, &format!("{}\r", PASTED.replace('\n', "\r")));
    let (status, rest) = end(&mut session);
    all += &rest;
    assert_eq!(status, 0, "{all}");
    assert!(!all.contains("canary"), "the secret is on the screen: {all}");
    assert_eq!(revealed(&project, "sources.a.k"), PASTED);
}

#[test]
fn questions_have_no_colour_where_none_is_wanted() {
    let project = Scratch::initialised();
    let mut session = start(&project, "--no-color secrets set sources.a.k");
    let shown = shown_until(&mut session, ":");
    assert!(!shown.contains("38;5"), "{shown:?}");
    send(&mut session, "\u{3}");
    assert_eq!(end(&mut session).0, 130);
}

#[test]
fn a_command_that_the_wizard_cannot_read_is_asked_for_again() {
    let project = Scratch::initialised();
    let mut session = start(&project, "source add");
    for (question, answer) in WIZARD.iter().take(6) {
        if !question.is_empty() {
            shown_until(&mut session, question);
        }
        send(&mut session, answer);
    }
    shown_until(&mut session, "loads it:");
    send(&mut session, "python 'p.py\r");
    shown_until(&mut session, "never closed");
    shown_until(&mut session, "loads it:");
    send(&mut session, "python p.py\r");
    shown_until(&mut session, "takes these");
    send(&mut session, "n\r");
    shown_until(&mut session, "rite this");
    send(&mut session, "y\r");
    assert_eq!(end(&mut session).0, 0);
    assert!(project.read(".dango/sources.yml").contains("sync: python p.py"));
}

#[test]
fn keys_that_edit_are_not_part_of_the_secret() {
    let project = Scratch::initialised();
    let mut session = start(&project, "secrets set sources.a.k");
    shown_until(&mut session, ":");
    send(&mut session, "wrong\u{7f}\u{7f}\u{7f}\u{7f}\u{7f}right\u{1b}[D\u{1b}[C!\r");
    let (status, _) = end(&mut session);
    assert_eq!(status, 0);
    assert_eq!(revealed(&project, "sources.a.k"), "right!");
}

#[test]
fn a_control_key_is_never_a_letter_of_a_hidden_secret() {
    // Nobody sees that Ctrl-U did not clear the line, or that Ctrl-Z became a letter.
    for (keys, good) in [
        ("wrong\u{15}right\r", &["right", "wrongright"][..]),
        ("ri\u{1a}ght\r", &["right"]),
        ("ri\u{12}ght\r", &["right"]),
    ] {
        let project = Scratch::initialised();
        let mut session = start(&project, "secrets set sources.a.k");
        shown_until(&mut session, ":");
        send(&mut session, keys);
        assert_eq!(end(&mut session).0, 0, "{keys:?}");
        let stored = revealed(&project, "sources.a.k");
        assert!(good.contains(&stored.as_str()), "{keys:?} stored {stored:?}");
    }
}

#[test]
fn ctrl_c_at_the_prompt_leaves_the_files_alone_and_the_terminal_usable() {
    for command in ["secrets set sources.a.k", "env set KEY"] {
        for typed in ["", "half a se"] {
            let project = Scratch::initialised();
            let before = (project.read(".dlt/secrets.toml"), project.read(".env"), names(&project.path()));
            let mut session = start(&project, command);
            shown_until(&mut session, ":");
            send(&mut session, &format!("{typed}\u{3}"));
            let (status, shown) = end(&mut session);
            assert_eq!(status, 130, "{shown}");
            assert_eq!(
                (project.read(".dlt/secrets.toml"), project.read(".env"), names(&project.path())),
                before
            );
        }
    }
}

#[test]
fn an_empty_answer_stores_nothing() {
    let project = Scratch::initialised();
    let before = project.read(".dlt/secrets.toml");
    let mut session = start(&project, "secrets set sources.a.k");
    shown_until(&mut session, ":");
    send(&mut session, "\r");
    assert_eq!(end(&mut session).0, 1);
    assert_eq!(project.read(".dlt/secrets.toml"), before);
}

#[test]
fn a_table_is_removed_only_after_a_yes() {
    for (answer, status, left) in [("n\r", 1, true), ("\r", 1, true), ("y\r", 0, false)] {
        let project = Scratch::initialised();
        project.write(".dlt/secrets.toml", "[sources.a]\nk = \"v\"\n");
        let mut session = start(&project, "secrets unset sources.a");
        shown_until(&mut session, "sources.a");
        send(&mut session, answer);
        assert_eq!(end(&mut session).0, status, "{answer:?}");
        assert_eq!(project.read(".dlt/secrets.toml").contains("k = \"v\""), left, "{answer:?}");
    }
}

/// The steps of the wizard for a Stripe source: what appears, and what is answered.
const WIZARD: &[(&str, &str)] = &[
    ("source", "stripe\r"),
    ("name", "eu\r"),
    ("key", SECRET),
    ("", "\r"),
    ("ndpoints", "\r"),
    ("date", "\r"),
    ("ommand", "\r"),
    ("takes these", "n\r"),
    ("rite this", "y\r"),
];

#[test]
fn the_wizard_asks_shows_a_summary_and_writes_after_the_yes() {
    let project = Scratch::initialised();
    let mut session = start(&project, "source add");
    let mut all = String::new();
    for (question, answer) in WIZARD {
        if !question.is_empty() {
            all += &shown_until(&mut session, question);
        }
        if question == &"rite this" {
            assert!(
                all.contains("sources.eu.stripe_secret_key") && all.contains("***"),
                "the summary is to name what is written: {all}"
            );
            assert!(
                !project.path().join(".dango/sources.yml").exists() || !project.read(".dango/sources.yml").contains("eu"),
                "written too early"
            );
            assert!(!project.read(".dlt/secrets.toml").contains(SECRET), "written too early");
        }
        send(&mut session, answer);
    }
    let (status, rest) = end(&mut session);
    all += &rest;
    assert_eq!(status, 0, "{all}");
    assert!(!all.contains("canary"), "the secret is on the screen: {all}");
    assert_eq!(revealed(&project, "sources.eu.stripe_secret_key"), SECRET);
    assert!(project.read(".dango/sources.yml").contains("name: eu"));
}

#[test]
fn ctrl_c_at_any_step_of_the_wizard_leaves_nothing_behind() {
    for stop in 0..WIZARD.len() {
        let project = Scratch::initialised();
        let before = (names(&project.path()), project.read(".dlt/secrets.toml"));
        let begin = Instant::now();
        let mut session = start(&project, "source add");
        for (question, answer) in &WIZARD[..stop] {
            if !question.is_empty() {
                shown_until(&mut session, question);
            }
            send(&mut session, answer);
        }
        if !WIZARD[stop].0.is_empty() {
            shown_until(&mut session, WIZARD[stop].0);
        }
        send(&mut session, "\u{3}");
        let (status, shown) = end(&mut session);
        assert_eq!(status, 130, "step {stop}: {shown}");
        assert_eq!((names(&project.path()), project.read(".dlt/secrets.toml")), before, "step {stop}");
        assert!(begin.elapsed() < Duration::from_secs(60), "step {stop}");
    }
}

#[test]
fn without_a_terminal_on_standard_input_nothing_is_asked() {
    let project = Scratch::initialised();
    let mut session = start(&project, "secrets set sources.a.k </dev/null");
    let (status, _) = end(&mut session);
    assert_eq!(status, 0, "an empty value from standard input is stored, with a warning");
    assert_eq!(revealed(&project, "sources.a.k"), "");
}
