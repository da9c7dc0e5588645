//! `dango auth import`: the users of an earlier Dango at the command line; what is shown, what is left as it was, and what a kill leaves.

use std::time::Duration;

use dango_tests::{Output, Scratch};
use serde_json::{Value, json};

use super::{each, newest};
use crate::answers::{Answer, names};

/// A project beside that of an earlier Dango, `old`, with what the real package made (`tests/earlier/make.py`).
fn beside_an_earlier_one() -> Scratch {
    let project = Scratch::initialised();
    for (name, place) in [("auth.db", "old/.dango/auth.db"), ("audit.jsonl", "old/.dango/logs/audit.jsonl")] {
        let made = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("earlier").join(name);
        project.write(place, std::fs::read(made).expect("read"));
    }
    project
}

const IMPORT: [&str; 3] = ["auth", "import", "old/.dango/auth.db"];

/// Imports with more arguments, and succeeds.
#[track_caller]
fn import(project: &Scratch, more: &[&str]) -> Output {
    project.run(&[&IMPORT[..], more].concat()).success()
}

fn without_mode(mut report: Value) -> Value {
    report.as_object_mut().expect("an object").remove("dry_run").expect("said");
    report
}

#[test]
fn a_dry_run_prints_what_a_run_prints_and_makes_nothing() {
    let project = beside_an_earlier_one();
    let before = (names(&project.path().join(".dango")), names(&project.path().join("old/.dango")));
    let dry = import(&project, &["--dry-run", "--json"]).json();
    assert_eq!(
        (names(&project.path().join(".dango")), names(&project.path().join("old/.dango"))),
        before
    );
    let done = import(&project, &["--json"]).json();
    assert_eq!((&dry["dry_run"], &done["dry_run"]), (&json!(true), &json!(false)));
    assert_eq!(without_mode(dry), without_mode(done.clone()));
    assert_eq!(done["users"].as_array().map(Vec::len), Some(13));
    let editor = &done["users"][1];
    assert_eq!(
        (
            &editor["email"],
            &editor["login"],
            &editor["role"],
            editor["api_keys"].as_array().map(Vec::len)
        ),
        (&json!("editor@dango.test"), &json!("password"), &json!("editor"), Some(5))
    );
    assert_eq!(
        done["skipped"][0],
        json!({"email": "notanemail", "reason": "email_invalid", "message": "not an e-mail address such as name@example.com"})
    );
    assert_eq!(done["events"], json!({"imported": 20, "known": 0, "malformed": 0, "bad_lines": []}));

    assert_eq!(each(&project, "email").len(), 13);
    assert_eq!(newest(&project, 1), ["audit_imported success"]);
    let _ = project.run(&["audit", "verify"]).success();
    assert_eq!(
        names(&project.path().join("old/.dango")),
        before.1,
        "nothing is left beside the old database"
    );
}

#[test]
fn a_second_run_takes_nobody_and_says_so() {
    let project = beside_an_earlier_one();
    let first = project.run(&IMPORT).success();
    assert!(
        first
            .stderr
            .contains("took over 13 users, 3 API keys and 20 records of the audit log\n"),
        "{}",
        first.stderr
    );
    assert!(first.stderr.contains("warning: notanemail is skipped: "), "{}", first.stderr);
    // Neither what opens anything nor what was typed into the wrong field.
    for hidden in ["$2b$", "dango_ak_", "my password"] {
        assert!(!first.stdout.contains(hidden) && !first.stderr.contains(hidden), "{hidden}");
    }
    let second = project.run(&IMPORT).success();
    assert_eq!(second.stdout, "");
    assert!(
        second.stderr.contains("took over 0 users, 0 API keys and 0 records"),
        "{}",
        second.stderr
    );
    assert!(second.stderr.contains("13 users taken over before"), "{}", second.stderr);
    assert_eq!(each(&project, "email").len(), 13);
}

#[test]
fn lines_that_are_no_records_are_named_by_file_and_line() {
    let project = beside_an_earlier_one();
    project.write("log.jsonl", "\n{\"event\": \"logout\"}\nnot a record\n");
    let answer = import(&project, &["--audit-log", "log.jsonl"]);
    assert!(
        answer.stderr.contains("warning: log.jsonl:2 is skipped: it has no time\n"),
        "{}",
        answer.stderr
    );
    assert!(
        answer.stderr.contains("warning: log.jsonl:3 is skipped: it is not a JSON object\n"),
        "{}",
        answer.stderr
    );
    let _ = project.run(&[&IMPORT[..], &["--audit-log", "none.jsonl"]].concat()).ending_with(1);
}

#[test]
fn what_is_no_such_database_is_refused_and_nothing_is_made() {
    let project = beside_an_earlier_one();
    project.write("text.db", "nothing of the kind");
    for file in ["none.db", "text.db", "old", ".env"] {
        let refused = project.run(&["auth", "import", file]).ending_with(1);
        assert!(
            refused.stderr.starts_with(&format!("error: cannot import {file}: ")),
            "{}",
            refused.stderr
        );
        assert!(refused.stderr.contains("hint: "), "{}", refused.stderr);
    }
    assert!(!project.path().join(".dango/dango.db").exists());
    let _ = project.run(&["auth", "import"]).ending_with(2);
}

#[test]
fn a_run_that_is_killed_leaves_nobody_or_everybody_and_the_next_one_ends_it() {
    for wait in [1, 4, 8, 12, 16, 20, 24, 30, 40] {
        let project = beside_an_earlier_one();
        let line = |n| {
            format!(
                "{{\"timestamp\": \"2026-01-01T00:00:00.{n:06}Z\", \"event\": \"logout\", \"ip\": \"10.0.{}.{}\"}}\n",
                n / 256,
                n % 256
            )
        };
        project.write("old/.dango/logs/audit.jsonl", (0..3000).map(line).collect::<String>());
        let mut run = project.dango(&IMPORT).into_command().spawn().expect("started");
        std::thread::sleep(Duration::from_millis(wait));
        let _ = run.kill();
        run.wait().expect("ended");
        let users = project.run(&["auth", "list-users", "--json"]);
        let users = if users.stdout.is_empty() {
            0
        } else {
            users.json().as_array().map_or(0, Vec::len)
        };
        assert!([0, 13].contains(&users), "{wait} ms: {users} users");
        let rest = import(&project, &["--json"]).json();
        let count = |what: &str| rest["events"][what].as_u64().unwrap_or_default();
        assert_eq!(count("imported") + count("known"), 3000, "{wait} ms");
        assert_eq!(each(&project, "email").len(), 13);
        let _ = project.run(&["audit", "verify"]).success();
    }
}
