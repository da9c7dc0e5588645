//! Many writers of one encrypted project, and writers that are killed: nothing is lost, the seal holds, and no value is left lying about.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use dango_tests::{Scratch, Windows};

use super::{SECRETS, envelopes, fill, with_key_file};
use crate::answers::{names, revealed, set};
use crate::values::Dice;

const WRITERS: usize = 8;
const KEYS: usize = 12;
const KILLS: u64 = 100;

#[test]
fn eight_writers_lose_no_value_no_previous_value_and_leave_the_seal_intact() {
    let project = with_key_file();
    fill(&project);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let project = &project;
            scope.spawn(move || {
                for key in 0..KEYS {
                    let path = format!("sources.w{writer}.k{key}");
                    set(project, &path, "first");
                    set(project, &path, &format!("value of {path}"));
                    crate::answers::set_env(project, &format!("W{writer}_{key}"), &path);
                }
            });
        }
    });
    let answer = project.run(&["run", "--", "env"]).success();
    assert_eq!(answer.stderr, "", "the seals hold");
    for writer in 0..WRITERS {
        for key in 0..KEYS {
            let path = format!("sources.w{writer}.k{key}");
            assert!(
                answer.stdout.contains(&format!("SOURCES__W{writer}__K{key}=value of {path}\n")),
                "{path}"
            );
            assert!(answer.stdout.contains(&format!("W{writer}_{key}={path}\n")), "{path}");
        }
    }
    assert_eq!(envelopes(&project.read(SECRETS)).len(), 2 + WRITERS * KEYS);
    assert_eq!(
        envelopes(&project.read(".dango/history")).len(),
        WRITERS * KEYS,
        "one previous value each"
    );
    let _ = project.run(&["secrets", "rollback", "sources.w0.k0@1"]).success();
    assert_eq!(revealed(&project, "sources.w0.k0"), "first");
}

#[test]
fn a_write_that_is_killed_leaves_no_value_no_false_alarm_and_holds_up_nobody() {
    let project = with_key_file();
    fill(&project);
    let path = "sources.eu.stripe_secret_key";
    set(&project, path, "sk_live_Kq8Zw2Vn0Rt4");
    let clean = names(&project.path());
    let windows = Windows::of(["sk_live_Kq8Zw2Vn0Rt4", "value-of-eu", "value-of-token"]);
    let usual = {
        let begin = Instant::now();
        set(&project, path, "sk_live_Kq8Zw2Vn0Rt4");
        begin.elapsed()
    };
    let mut dice = Dice::new(11);
    for round in 0..KILLS {
        let before = revealed(&project, path);
        let value = format!("sk_live_Kq8Zw2Vn {round}");
        let instant = usual.mul_f64(dice.below(1_300) as f64 / 1_000.0);
        kill_during_set(&project, path, &value, instant);
        assert_eq!(
            windows.found_below(&project.path()),
            Vec::<String>::new(),
            "round {round}, after {instant:?}"
        );
        let answer = project.run(&["secrets", "get", path, "--reveal"]).success();
        assert!(
            answer.stdout.trim_end() == before || answer.stdout.trim_end() == value,
            "{}",
            answer.stdout
        );
        assert_eq!(answer.stderr, "", "round {round}, after {instant:?}");
    }
    set(&project, path, "the last");
    assert_eq!(names(&project.path()), clean, "what dead ones left is cleared away");
}

/// Sets a value and is killed when `instant` has passed since the start.
fn kill_during_set(project: &Scratch, path: &str, value: &str, instant: Duration) {
    let mut command = project.dango(&["secrets", "set", path]).into_command();
    let begin = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("dango starts");
    // It may be killed, or done, before it has read all.
    let _ = child.stdin.take().expect("it is a pipe").write_all(value.as_bytes());
    while begin.elapsed() < instant {
        std::hint::spin_loop();
    }
    child.kill().expect("a child that was not waited for can be killed");
    child.wait().expect("a killed process ends");
}
