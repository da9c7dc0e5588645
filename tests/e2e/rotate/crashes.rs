//! `kill -9` and Ctrl-C at every step: whoever reads the files meanwhile always finds a key that works, and the rotation goes on or is given up.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dango_tests::Scratch;
use dango_tests::provider::{Fake, Gate, Trouble};
use rustix::process::{Pid, Signal, kill_process};

use super::*;
use crate::answers::Answer;
use crate::values::Dice;

const KILLS: usize = 24;

/// Starts a rotation whose new key comes from a variable.
fn start(project: &Scratch) -> Child {
    let mut command = project
        .dango(&["rotate", "shop", "--from-env", "NEW_KEY"])
        .env("NEW_KEY", NEW)
        .into_command();
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.spawn().expect("started")
}

fn kill(mut child: Child) -> bool {
    child.kill().expect("a child that was not waited for can be killed");
    child.wait().expect("a killed process ends").signal() == Some(9)
}

/// Says that something has ended when it is dropped, so that nobody waits for what has failed.
pub(super) struct EndsWith<'a>(pub(super) &'a AtomicBool);

impl Drop for EndsWith<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Reads the key as a pipeline does, again and again, and asks the API with it, while something happens; every answer has to be yes.
fn while_a_pipeline_runs<T>(project: &Scratch, fake: &Fake<Shop>, act: impl FnOnce() -> T) -> T {
    let (done, loads) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let pipeline = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let text = project.read(".dlt/secrets.toml");
                let key = text
                    .lines()
                    .find_map(|line| line.strip_prefix("stripe_secret_key = \"")?.strip_suffix('"'));
                let key = key.unwrap_or_else(|| panic!("no key in {text}"));
                assert!(fake.provider().takes(key), "the pipeline found a key that does not work");
                let _ = loads.fetch_add(1, Ordering::Relaxed);
                // As often as the processor leaves room for: the other side is to get on as well.
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let result = {
            let _ends = EndsWith(&done);
            act()
        };
        pipeline.join().expect("every load was let in");
        assert!(loads.load(Ordering::Relaxed) > 0);
        result
    })
}

/// Goes on or gives up after a crash; either ends it, and leaves nothing behind.
#[track_caller]
fn end_it(project: &Scratch, give_up: bool) {
    let under_way = project.run(&["rotate", "--list", "--json"]).success().json()[0]["under_way"].is_string();
    let expected = match (under_way, give_up) {
        (true, true) => {
            let _ = project.run(&["rotate", "shop", "--abort"]).success();
            OLD
        }
        (true, false) => {
            let _ = project.run(&["rotate", "shop"]).success();
            NEW
        }
        // It died before it had begun, or had ended: the next one clears away what it may have left.
        (false, _) => {
            if stored(project) == OLD {
                let _ = project.dango(&["rotate", "shop"]).stdin(NEW).run().success();
            }
            NEW
        }
    };
    assert_eq!(stored(project), expected);
    let gone = if stored(project) == OLD { NEW } else { OLD };
    assert_gone(project, gone);
}

#[test]
fn killed_at_any_instant_the_pipeline_always_has_a_key_that_works() {
    let fake = Shop::taking(&[OLD, NEW]);
    let project = project(&fake);
    let begin = Instant::now();
    assert!(start(&project).wait().expect("it ends").success());
    let usual = begin.elapsed();
    let mut dice = Dice::new(11);
    let mut killed = 0;
    while_a_pipeline_runs(&project, &fake, || {
        for round in 0..KILLS {
            let _ = project.dango(&["secrets", "set", PATH]).stdin(OLD).run().success();
            let instant = usual.mul_f64(dice.below(1_100) as f64 / 1_000.0);
            let begin = Instant::now();
            let child = start(&project);
            while begin.elapsed() < instant {
                std::hint::spin_loop();
            }
            killed += usize::from(kill(child));
            end_it(&project, round % 2 == 0);
        }
    });
    assert!(killed > KILLS / 4, "only {killed} of {KILLS} were still alive, around {usual:?}");
}

#[test]
fn killed_while_the_provider_is_asked_before_and_after_the_key_is_stored() {
    for before in 0..2 {
        for give_up in [true, false] {
            let fake = Shop::taking(&[OLD, NEW]);
            let project = project(&fake);
            let gate = Gate::shut();
            let open = Gate::shut();
            open.open();
            fake.trouble(BALANCE, (0..before).map(|_| Trouble::Held(open.clone())));
            fake.trouble(BALANCE, [Trouble::Held(gate.clone())]);
            while_a_pipeline_runs(&project, &fake, || {
                let child = start(&project);
                gate.wait_for_somebody();
                assert!(kill(child));
            });
            gate.open();
            assert_eq!(stored(&project), if before == 0 { OLD } else { NEW });
            end_it(&project, give_up);
            assert_eq!(stored(&project), if give_up { OLD } else { NEW });
        }
    }
}

#[test]
fn ctrl_c_while_the_provider_is_asked_leaves_a_rotation_that_goes_on_and_says_what_is_stored() {
    for (before, said) in [(0, "the old one is still the one in use"), (1, "the new value is stored")] {
        let fake = Shop::taking(&[OLD, NEW]);
        let project = project(&fake);
        let (gate, open) = (Gate::shut(), Gate::shut());
        open.open();
        fake.trouble(BALANCE, (0..before).map(|_| Trouble::Held(open.clone())));
        fake.trouble(BALANCE, [Trouble::Held(gate.clone())]);
        let mut command = project
            .dango(&["rotate", "shop", "--from-env", "NEW_KEY"])
            .env("NEW_KEY", NEW)
            .into_command();
        let piped = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let child = piped.spawn().expect("started");
        gate.wait_for_somebody();
        kill_process(Pid::from_child(&child), Signal::INT).expect("it runs");
        let ended = child.wait_with_output().expect("it ends");
        assert_eq!(ended.status.code().or(ended.status.signal().map(|signal| 128 + signal)), Some(130));
        let told = String::from_utf8(ended.stderr).expect("text");
        for word in [said, "`dango rotate shop` asks again", "`dango rotate shop --abort`"] {
            assert!(told.contains(word), "{word:?} is not said in: {told}");
        }
        assert!(!told.contains("nothing was changed") && !told.contains("canary"), "{told}");
        gate.open();
        assert_eq!(stored(&project), if before == 0 { OLD } else { NEW });
        end_it(&project, false);
        assert_eq!(stored(&project), NEW);
    }
}
