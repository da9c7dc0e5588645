//! The desk over a real project, a real database and real neighbours: the command line beside it, the readers after it, kills and full disks.

#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a test reads the environment, writes scratch files and stops loudly"
)]

mod child;
mod office;
#[path = "../e2e/values.rs"]
#[allow(dead_code, reason = "each test program uses its part")]
mod values;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::sync::Barrier;

use dango_secrets::dotenv::EnvDocument;
use dango_tests::{Scratch, python};
use serde_json::Value;

use child::{SET, child, child_with_own_disk};
use office::{Office, outcomes};

#[test]
#[ignore = "the other tests run it as their child process"]
fn child_process() {
    child::serve();
}

fn document(project: &Scratch) -> EnvDocument {
    EnvDocument::parse(&project.read_bytes(".env")).expect("parses")
}

#[test]
fn a_hundred_changes_at_once_while_the_command_line_writes_too() {
    let project = Scratch::initialised();
    let _ = project.dango(&["env", "set", "FIRST"]).stdin("1").run().success();
    let office = Office::of(&project.path(), &project.path());
    let start = Barrier::new(21);
    std::thread::scope(|scope| {
        for thread in 0..20 {
            let (office, start) = (&office, &start);
            scope.spawn(move || {
                start.wait();
                for number in 0..5 {
                    assert_eq!(office.set(&format!("T{thread}_{number}"), "value").expect("set"), "created");
                }
            });
        }
        start.wait();
        for number in 0..10 {
            let _ = project
                .dango(&["env", "set", &format!("CLI_{number}")])
                .stdin("value")
                .run()
                .success();
        }
    });
    office.desk.close();
    assert_eq!(document(&project).keys().len(), 1 + 100 + 10);
    let (open, records) = office.log();
    assert_eq!((open, outcomes(&records, "secret_set", "success")), (0, 1 + 100 + 10));
    let intents = records
        .iter()
        .filter(|record| record.event == "secret_set" && record.outcome.is_none());
    assert_eq!(intents.count(), 1 + 100 + 10);
    let seen = project.dango(&["audit", "verify"]).run().success();
    assert!(!seen.stdout.contains("open"), "{}", seen.stdout);
}

#[test]
fn what_was_taken_is_what_python_dotenv_reads() {
    let mut taken = 0;
    for texts in values::texts(400).chunks(100) {
        let project = Scratch::initialised();
        let office = Office::of(&project.path(), &project.path());
        let mut expected = BTreeMap::new();
        for (index, text) in texts.iter().enumerate() {
            let key = format!("K{index}");
            match office.set(&key, text) {
                Ok(_) => {
                    expected.insert(key, Value::String(text.clone()));
                }
                Err(error) => {
                    assert_eq!(error.code(), "invalid_value");
                    let told = error.to_string();
                    assert!(text.len() < 12 || !told.contains(text.as_str()), "a refusal shows no value: {told}");
                }
            }
        }
        taken += expected.len();
        let file = project.path().join(".env").into_os_string();
        let arguments = ["-c".into(), include_str!("../e2e/scripts/dotenv_values.py").into(), file];
        let read = project.command(python(), &arguments).inside(project.home()).run().success().stdout;
        let read = serde_json::from_str::<[BTreeMap<String, Value>; 1]>(&read).expect("JSON")[0].clone();
        assert_eq!(read, expected);
    }
    assert!(taken >= 250, "only {taken} values have a form that both readers share");
}

#[test]
fn a_process_that_dies_between_intent_and_outcome_leaves_the_intent_open() {
    let project = Scratch::initialised();
    project.write(".env", "A=1\n");
    let died = child("dies", &project.path(), &project.path()).status().expect("started");
    assert!(!died.success());
    let office = Office::of(&project.path(), &project.path());
    let (open, records) = office.log();
    assert_eq!((open, records.len()), (1, 1));
    assert_eq!(project.read(".env"), "A=1\n");
    assert_eq!(office.set("A", "2").expect("set"), "updated");
    assert_eq!(office.log().0, 1);
}

#[test]
fn a_kill_under_load_loses_nothing_that_was_answered() {
    let project = Scratch::initialised();
    let mut running = child("serves", &project.path(), &project.path()).spawn().expect("started");
    let output = BufReader::new(running.stdout.take().expect("piped"));
    let mut answered = Vec::new();
    for line in output.lines().map(|line| line.expect("text")) {
        if let Some((_, key)) = line.split_once(SET) {
            answered.push(key.to_owned());
        }
        if answered.len() == 60 {
            running.kill().expect("killed");
        }
    }
    running.wait().expect("dead");
    assert!(answered.len() >= 60);
    let document = document(&project);
    let keys = document.keys();
    assert!(answered.iter().all(|key| keys.contains(&key.as_str())));
    let (open, records) = Office::of(&project.path(), &project.path()).log();
    // Each of the eight may have had one on its way.
    assert!(open <= 8, "{open}");
    assert!(outcomes(&records, "secret_set", "success") >= answered.len());
    assert!(keys.len() <= outcomes(&records, "secret_set", "success") + open);
}

#[test]
fn a_full_disk_loses_nothing_and_the_log_says_that_nothing_was_done() {
    let (project, keeping) = (Scratch::new(), Scratch::initialised());
    let output = child_with_own_disk("full", &project.path(), &keeping.path())
        .output()
        .expect("started");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{told}\n(this test needs `unshare --mount` as root, or `unshare -rm`)"
    );
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("1 passed"),
        "the child did its part: {told}"
    );
}
