//! `kill -9` at any instant of a rotation over a thousand values: everything opens with the keys that are held, and the next run goes on.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::{Duration, Instant};

use dango_tests::Scratch;
use serde_json::{Value, json};

use super::{SECRETS, envelopes, key_id, with_key_file};
use crate::answers::{Answer, names, revealed};
use crate::values::Dice;

const VALUES: usize = 1_000;
const KILLS: usize = 200;

/// How many previous values of one key there are besides.
const PREVIOUS: usize = 3;

/// A thousand values in the two files, and some that were there before.
fn filled() -> (Scratch, Value) {
    let project = with_key_file();
    let values: serde_json::Map<String, Value> = (0..VALUES - 100)
        .map(|n| (format!("k{n:03}"), json!(format!("value {n}"))))
        .collect();
    let expected = json!({ "sources": { "many": values } });
    project.write("values.json", expected.to_string());
    let _ = project.run(&["secrets", "import", "values.json", "--format", "json"]).success();
    let env: String = (0..100).map(|n| format!("V{n:02}=variable {n}\n")).collect();
    project.write(".env", env);
    super::encrypt_all(&project);
    for number in (0..PREVIOUS).rev() {
        let value = format!("value {number}");
        let set = project.dango(&["secrets", "set", "sources.many.k000", "--raw"]).stdin(value);
        let _ = set.run().success();
    }
    (project, expected)
}

/// Opens everything with the keys that are held.
#[track_caller]
fn assert_opens(project: &Scratch, expected: &Value, when: &str) {
    let exported = project.run(&["secrets", "export", "--reveal", "--format", "json"]);
    assert_eq!(exported.status, 0, "{when}: {}", exported.stderr);
    assert!(exported.json() == *expected, "{when}: a value is another");
    assert!(!exported.stderr.contains("seal"), "{when}: {}", exported.stderr);
    let variables = project.run(&["run", "--only", "sources.many.k999", "--", "env"]);
    assert_eq!(variables.status, 0, "{when}: {}", variables.stderr);
    let opened = variables.stdout.lines().filter(|line| line.contains("=variable ")).count();
    assert_eq!(opened, 100, "{when}");
    assert!(!variables.stderr.contains("seal"), "{when}: {}", variables.stderr);
}

/// Rotates and is killed when `instant` has passed since the start; says whether it had ended by then.
fn kill_during_rotation(project: &Scratch, instant: Duration) -> bool {
    let mut command = project.dango(&["key", "rotate"]).into_command();
    let begin = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("dango starts");
    while begin.elapsed() < instant {
        std::hint::spin_loop();
    }
    let ended = child.try_wait().expect("a child can be asked").is_some();
    child.kill().expect("a child that was not waited for can be killed");
    child.wait().expect("a killed process ends");
    ended
}

/// The keys of the key file, and those that envelopes of the project were made with.
fn keys_in_use(project: &Scratch) -> (usize, BTreeSet<String>) {
    let held = project.read(".dango/key");
    let held = 1 + held.matches(',').count();
    let mut ids = BTreeSet::new();
    for file in [SECRETS, ".env", ".dango/history"] {
        let text = if project.path().join(file).exists() {
            project.read(file)
        } else {
            String::new()
        };
        for envelope in envelopes(&text) {
            ids.insert(text[envelope]["dango:v1:".len()..][..16].to_owned());
        }
    }
    (held, ids)
}

#[test]
fn a_rotation_that_is_killed_loses_no_value_and_is_resumed() {
    let (project, expected) = filled();
    assert_opens(&project, &expected, "before");
    let clean = names(&project.path());
    let begin = Instant::now();
    let _ = project.run(&["key", "rotate"]).success();
    let usual = begin.elapsed();
    let mut dice = Dice::new(3);
    let mut halfway = 0;
    let mut mixed = 0;
    for round in 0..KILLS {
        let instant = usual.mul_f64(dice.below(1_200) as f64 / 1_000.0);
        let ended = kill_during_rotation(&project, instant);
        let (held, ids) = keys_in_use(&project);
        let when = format!("round {round}, after {instant:?}, ended: {ended}, {held} keys held, used: {ids:?}");
        assert!(ids.len() <= held, "{when}");
        halfway += usize::from(held > 1);
        mixed += usize::from(ids.len() > 1);
        assert_opens(&project, &expected, &when);
    }
    assert!(
        halfway > 5 && mixed > 0,
        "{halfway} kills came between the first and the last step, {mixed} between two files"
    );

    let _ = project.run(&["key", "rotate"]).success();
    let (held, ids) = keys_in_use(&project);
    assert_eq!(
        (held, ids),
        (1, BTreeSet::from([key_id(&project)])),
        "all is under the last key alone"
    );
    assert_opens(&project, &expected, "at the end");
    assert_eq!(names(&project.path()), clean, "nothing is left behind");
    let _ = project
        .run(&["secrets", "rollback", &format!("sources.many.k000@{}", PREVIOUS - 1)])
        .success();
    assert_eq!(
        revealed(&project, "sources.many.k000"),
        format!("value {}", PREVIOUS - 1),
        "so is what was there before"
    );
}

#[test]
fn writers_at_work_during_a_rotation_lose_nothing() {
    let project = with_key_file();
    super::fill(&project);
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let project = &project;
            scope.spawn(move || {
                for number in 0..10 {
                    let path = format!("sources.w{writer}.k{number}");
                    // A write with a key that was just retired is refused; the user tries again.
                    let set = || project.dango(&["secrets", "set", &path, "--encrypt", "--raw"]).stdin(&path).run();
                    let done = (0..20).map(|_| set()).find(|answer| answer.status == 0);
                    assert!(done.is_some(), "{path} was never written");
                }
            });
        }
        for _ in 0..5 {
            let _ = project.run(&["key", "rotate"]).success();
        }
    });
    let _ = project.run(&["key", "rotate"]).success();
    for writer in 0..4 {
        for number in 0..10 {
            let path = format!("sources.w{writer}.k{number}");
            assert_eq!(revealed(&project, &path), path);
        }
    }
    let (held, ids) = keys_in_use(&project);
    assert_eq!((held, ids), (1, BTreeSet::from([key_id(&project)])));
}
