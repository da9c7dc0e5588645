//! `kill -9` at any instant of a rotation over a thousand values: everything opens with the keys that are held, and the next run goes on.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use dango_tests::Scratch;
use serde_json::{Value, json};

use super::{SECRETS, envelopes, key_id, with_key_file};
use crate::answers::{names, revealed};
use crate::values::Dice;

const VALUES: usize = 1_000;
const KILLS: usize = 200;

/// How many previous values of one key there are besides.
const PREVIOUS: usize = 3;

/// A thousand values in the two files, and some that were there before; and the variables that a command has of them.
fn filled() -> (Scratch, Vec<String>) {
    let project = with_key_file();
    let values: serde_json::Map<String, Value> = (0..VALUES - 100)
        .map(|n| (format!("k{n:03}"), json!(format!("value {n}"))))
        .collect();
    let tree = json!({ "sources": { "many": values } });
    project.write("values.json", tree.to_string());
    let _ = project.run(&["secrets", "import", "values.json", "--format", "json"]).success();
    let env: String = (0..100).map(|n| format!("V{n:02}=variable {n}\n")).collect();
    project.write(".env", &env);
    super::encrypt_all(&project);
    for number in (0..PREVIOUS).rev() {
        let value = format!("value {number}");
        let set = project.dango(&["secrets", "set", "sources.many.k000", "--raw"]).stdin(value);
        let _ = set.run().success();
    }
    let credentials = (0..VALUES - 100).map(|n| format!("SOURCES__MANY__K{n:03}=value {n}"));
    (project, credentials.chain(env.lines().map(str::to_owned)).collect())
}

/// Opens everything with the keys that are held.
#[track_caller]
fn assert_opens(project: &Scratch, expected: &[String], when: &str) {
    let opened = project.run(&["run", "--", "cat", "/proc/self/environ"]);
    assert_eq!((opened.status, opened.stderr.as_str()), (0, ""), "{when}");
    let variables: BTreeSet<&str> = opened.stdout.split('\0').collect();
    let other: Vec<&String> = expected.iter().filter(|variable| !variables.contains(variable.as_str())).collect();
    assert_eq!(other, Vec::<&String>::new(), "{when}: is another value");
}

/// Rotates and is killed when `instant` has passed since the start; says whether it had ended by then.
fn kill_during_rotation(project: &Scratch, instant: Duration) -> bool {
    let mut command = project.dango(&["key", "rotate"]).into_command();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("dango starts");
    // Any instant will do, so nothing depends on how long this really takes.
    thread::sleep(instant);
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
    let (halfway, mixed) = thread::scope(|scope| {
        let lanes = [1, 2].map(|seed| scope.spawn(move || kill_rotations(&mut Dice::new(seed), KILLS / 2)));
        let counts = lanes.map(|lane| lane.join().expect("no value was lost"));
        (counts[0].0 + counts[1].0, counts[0].1 + counts[1].1)
    });
    assert!(
        halfway > 5 && mixed > 0,
        "{halfway} kills came between the first and the last step, {mixed} between two files"
    );
}

/// Kills rotations of one project and looks at it after each; says how often two keys were held, and how often both were in use.
fn kill_rotations(dice: &mut Dice, kills: usize) -> (usize, usize) {
    let (project, expected) = filled();
    assert_opens(&project, &expected, "before");
    let clean = names(&project.path());
    let begin = Instant::now();
    let _ = project.run(&["key", "rotate"]).success();
    let usual = begin.elapsed();
    let (mut halfway, mut mixed) = (0, 0);
    for round in 0..kills {
        let instant = usual.mul_f64(dice.below(1_200) as f64 / 1_000.0);
        let ended = kill_during_rotation(&project, instant);
        let (held, ids) = keys_in_use(&project);
        let when = format!("round {round}, after {instant:?}, ended: {ended}, {held} keys held, used: {ids:?}");
        assert!(ids.len() <= held, "{when}");
        halfway += usize::from(held > 1);
        mixed += usize::from(ids.len() > 1);
        assert_opens(&project, &expected, &when);
    }
    let _ = project.run(&["key", "rotate"]).success();
    let (held, ids) = keys_in_use(&project);
    assert_eq!(
        (held, ids),
        (1, BTreeSet::from([key_id(&project)])),
        "all is under the last key alone"
    );
    assert_opens(&project, &expected, "at the end");
    assert_eq!(names(&project.path()), clean, "nothing is left behind");
    let back = format!("sources.many.k000@{}", PREVIOUS - 1);
    let _ = project.run(&["secrets", "rollback", &back]).success();
    let value = format!("value {}", PREVIOUS - 1);
    assert_eq!(revealed(&project, "sources.many.k000"), value, "so is what was there before");
    (halfway, mixed)
}

#[test]
fn writers_at_work_during_a_rotation_lose_nothing() {
    let project = with_key_file();
    super::fill(&project);
    thread::scope(|scope| {
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
