//! `kill -9` at any instant of a write: the file is the old or the new one, whole, and nobody after is held up.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use dango_tests::Scratch;

use super::{BOTH, Kept};
use crate::answers::names;
use crate::values::Dice;

/// How often each of the two files is written by a process that is killed.
const KILLS: usize = 250;

/// Longer than a write takes on a busy machine, far shorter than waiting for a lock that nobody gives back.
const PROMPT: Duration = Duration::from_secs(8);

/// What every value of the key that changes begins with; six digits follow.
const MARK: &str = "value number ";

#[test]
fn a_killed_write_leaves_the_old_or_the_new_file_and_holds_up_nobody() {
    for kept in BOTH {
        let project = Scratch::initialised();
        for key in 0..20 {
            let _ = kept.set(&project, 1, key).stdin("x".repeat(200)).run().success();
        }
        let usual = usual_duration(&project, kept);
        let clean = names(&project.path());
        let mut dice = Dice::new(9);
        let mut outcomes = BTreeSet::new();
        for round in 0..KILLS {
            let old = project.read(kept.file);
            let instant = usual.mul_f64(dice.below(1_300) as f64 / 1_000.0);
            kill_during_write(&project, kept, round, instant);
            let (found, new) = (project.read(kept.file), with_value(&old, round));
            assert!(
                found == old || found == new,
                "round {round}, after {instant:?}: the file is neither old nor new:\n{found}"
            );
            outcomes.insert(found == old);
        }
        assert_eq!(
            outcomes.len(),
            2,
            "kills were to come before and after the change, around {usual:?}"
        );
        let begin = Instant::now();
        let _ = kept.set(&project, 0, 0).stdin(value(KILLS)).run().success();
        assert!(begin.elapsed() < PROMPT, "the write after {KILLS} kills took {:?}", begin.elapsed());
        assert_eq!(names(&project.path()), clean, "the next write clears away what dead ones left");
    }
}

fn value(round: usize) -> String {
    format!("{MARK}{round:06}")
}

/// The same file with the value of another round.
fn with_value(old: &str, round: usize) -> String {
    let at = old.find(MARK).expect("one value is marked");
    format!("{}{}{}", &old[..at], value(round), &old[at + value(0).len()..])
}

/// Writes the value of a round and is killed when `instant` has passed since the start.
fn kill_during_write(project: &Scratch, kept: Kept, round: usize, instant: Duration) {
    let mut command = kept.set(project, 0, 0).into_command();
    let begin = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("dango starts");
    // It may be killed, or done, before it has read all.
    let _ = child.stdin.take().expect("it is a pipe").write_all(value(round).as_bytes());
    while begin.elapsed() < instant {
        std::hint::spin_loop();
    }
    child.kill().expect("a child that was not waited for can be killed");
    child.wait().expect("a killed process ends");
}

/// The median of some undisturbed writes.
fn usual_duration(project: &Scratch, kept: Kept) -> Duration {
    let mut durations: Vec<Duration> = (0..7)
        .map(|round| {
            let begin = Instant::now();
            let _ = kept.set(project, 0, 0).stdin(value(900_000 + round)).run().success();
            begin.elapsed()
        })
        .collect();
    durations.sort();
    durations[3]
}
