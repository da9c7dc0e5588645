//! Processes that are killed while they act: the chain is whole, no user is there without a record, and no change of a file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use dango_tests::Scratch;
use serde_json::Value;

use crate::answers::Answer;
use crate::auth::{users, with_admin};
use crate::values::Dice;

const KILLS: u64 = 120;

#[test]
fn kill_nine_leaves_no_user_without_a_record_and_no_record_without_a_user() {
    let project = with_admin();
    let begin = Instant::now();
    let _ = crate::auth::add(&project, "usual@example.com", "viewer");
    let usual = begin.elapsed();
    let mut dice = Dice::new(4);
    for number in 0..KILLS {
        let email = format!("user{number}@example.com");
        let mut command = project.dango(&["auth", "add-user", &email]).into_command();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begin = Instant::now();
        let instant: Duration = usual.mul_f64(dice.below(1_200) as f64 / 1_000.0);
        while begin.elapsed() < instant {
            std::hint::spin_loop();
        }
        let _ = child.kill();
        let _ = child.wait();
    }
    let _ = crate::auth::add(&project, "after@example.com", "viewer");
    let verdict = project.run(&["audit", "verify", "--json"]).success().json();
    let there = users(&project).len() as u64;
    assert_eq!(
        verdict["events"].as_u64(),
        Some(there + 1),
        "one record for each user, and one for the key"
    );
    assert!(
        (3..KILLS + 3).contains(&there),
        "kills were to come before and after the commit: {there}"
    );
}

/// How many processes write at once, and how many of each are killed.
const WRITERS: u64 = 4;
const KILLS_OF_EACH: u64 = 125;

#[test]
fn kill_nine_during_five_hundred_changes_leaves_each_intent_with_the_truth_or_reported() {
    let project = Scratch::initialised();
    let mut usual = Duration::MAX;
    for number in 0..5 {
        let begin = Instant::now();
        let _ = project
            .dango(&["env", "set", &format!("USUAL_{number}")])
            .stdin("v")
            .run()
            .success();
        usual = usual.min(begin.elapsed());
    }
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let project = &project;
            scope.spawn(move || {
                let mut dice = Dice::new(writer);
                for number in 0..KILLS_OF_EACH {
                    // Four of them share the machine, so each takes longer than one alone.
                    let instant = usual.mul_f64(dice.below(3_500) as f64 / 1_000.0);
                    kill_during_change(project, &name(writer, number), instant);
                }
            });
        }
    });

    // What a command says afterwards is the log as the dead left it.
    let verify = project.run(&["audit", "verify"]).success();
    let exported = project.run(&["audit", "export"]).success().stdout;
    let log = Log::read(&exported);
    let stored = stored(&project);
    for (key, end) in &log.ends {
        assert_eq!(stored.contains(key), *end == "success", "{key}: it is recorded as {end}");
    }
    for key in &stored {
        assert!(log.begun.contains(key), "{key} was changed, and no record says so");
    }
    let open = log.open.len();
    assert!(
        verify.stderr.contains(&format!("{open} changes were begun")),
        "{open}: {}",
        verify.stderr
    );
    for seq in log.open.iter().take(5) {
        assert!(verify.stderr.contains(&format!("{seq},")), "{seq}: {}", verify.stderr);
    }
    let all = (WRITERS * KILLS_OF_EACH) as usize;
    assert!(
        open > 0 && !log.ends.is_empty() && log.begun.len() < all,
        "kills were to come before, in and after a change: of {all}, {} began, {open} are open",
        log.begun.len()
    );
    let _ = project.dango(&["env", "set", "AFTER"]).stdin("v").run().success();
}

/// A key of `secrets.toml` or of `.env`, in turns.
fn name(writer: u64, number: u64) -> String {
    match number % 2 {
        0 => format!("W{writer}_K{number}"),
        _ => format!("w{writer}.k{number}"),
    }
}

fn kill_during_change(project: &Scratch, key: &str, instant: Duration) {
    let command = if key.contains('.') { "secrets" } else { "env" };
    let mut command = project.dango(&[command, "set", key]).into_command();
    let begin = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("dango starts");
    // It may be done before it has read all.
    let _ = child.stdin.take().expect("it is a pipe").write_all(b"v");
    // Waiting otherwise would take the cores from the writers; the instant is to be any, not a certain one.
    thread::sleep(instant.saturating_sub(begin.elapsed()));
    child.kill().expect("a child that was not waited for can be killed");
    child.wait().expect("a killed process ends");
}

/// The keys of both files that writers have set.
fn stored(project: &Scratch) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (command, member) in [("env", "key"), ("secrets", "path")] {
        let listed = project.run(&[command, "list", "--json"]).success().json();
        let listed = listed.as_array().expect("a list").clone();
        keys.extend(listed.iter().map(|row| row[member].as_str().expect("a text").to_owned()));
    }
    keys.retain(|key| key.starts_with(['W', 'w']));
    keys
}

/// What the log says of the writers' changes.
struct Log {
    /// Those of which an intent is there.
    begun: BTreeSet<String>,
    /// How those ended that did.
    ends: BTreeMap<String, String>,
    /// The places of intents without an outcome.
    open: BTreeSet<u64>,
}

impl Log {
    fn read(export: &str) -> Self {
        let mut log = Self {
            begun: BTreeSet::new(),
            ends: BTreeMap::new(),
            open: BTreeSet::new(),
        };
        for line in export.lines() {
            let record: Value = serde_json::from_str(line).expect("JSON");
            let key = record["target"]["id"].as_str().unwrap_or_default().to_owned();
            match (record["outcome"].as_str(), record["details"]["intent"].as_u64()) {
                (None, _) => {
                    log.open.insert(record["seq"].as_u64().expect("a number"));
                    log.begun.insert(key);
                }
                (Some(end), Some(intent)) => {
                    assert!(log.open.remove(&intent), "an outcome of no intent: {line}");
                    log.ends.insert(key, end.to_owned());
                }
                (Some(_), None) => {}
            }
        }
        log.begun.retain(|key| key.starts_with(['W', 'w']));
        log.ends.retain(|key, _| key.starts_with(['W', 'w']));
        log
    }
}
