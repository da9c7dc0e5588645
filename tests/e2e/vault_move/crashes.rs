//! A move that is killed, interrupted, left by its database, or raced by others: the same command ends it, and nothing is lost or doubled.

use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::*;
use crate::values::Dice;

/// How often each of several projects is killed, in either direction.
const KILLS: usize = 8;
const PROJECTS: u64 = 3;

/// How long something that must come may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(90);

fn start(project: &Scratch, postgres: &Postgres, to: &str) -> Child {
    let mut command = moving_alone(project, postgres, to).into_command();
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    quiet.spawn().expect("started")
}

/// Whatever can be read in files meanwhile is what was there.
#[track_caller]
fn assert_no_other(project: &Scratch, expected: &BTreeMap<&'static str, Vec<u8>>, when: &str) {
    for (file, found) in contents(project) {
        assert!(expected.get(file) == Some(&found), "{when}: {file} is another one");
    }
    let read = project.run(&["env", "get", "ALPHA_URL", "--reveal"]);
    assert!(
        read.status == 1 || read.stdout == format!("https://{CANARY}.example\n"),
        "{when}: {} {}",
        read.stdout,
        read.stderr
    );
}

#[test]
fn a_move_that_is_killed_at_any_instant_is_ended_by_the_next() {
    let postgres = database();
    // The schema is there before, so that a kill falls into the move.
    let first = filled();
    let began = Instant::now();
    let _ = moving_alone(&first, &postgres, "postgres").run().success();
    let longest = u64::try_from(began.elapsed().as_micros()).expect("it is short");
    let landed = AtomicBool::new(false);
    thread::scope(|threads| {
        for seed in 0..PROJECTS {
            let (postgres, landed) = (&postgres, &landed);
            threads.spawn(move || {
                let (project, mut dice) = (filled(), Dice::new(seed));
                let expected = contents(&project);
                for number in 0..KILLS {
                    let to = ["postgres", "files"][number % 2];
                    let when = format!("project {seed}, kill {number}, to {to}");
                    let mut child = start(&project, postgres, to);
                    // Any instant will do, so nothing depends on how long this really takes.
                    thread::sleep(Duration::from_micros(dice.below(longest)));
                    if child.try_wait().expect("a child can be asked").is_none() {
                        landed.store(true, Ordering::Relaxed);
                    }
                    child.kill().expect("a child that was not waited for can be killed");
                    child.wait().expect("a killed process ends");
                    assert_no_other(&project, &expected, &when);
                    let _ = moving_alone(&project, postgres, to).run().success();
                    match to {
                        "files" => assert!(contents(&project) == expected, "{when}: the files are others"),
                        _ => assert_eq!(contents(&project), BTreeMap::new(), "{when}"),
                    }
                }
            });
        }
    });
    assert!(landed.load(Ordering::Relaxed), "no kill came in time");
    assert_eq!(
        rows(&postgres),
        format!("{}|{}", 7 * (PROJECTS + 1), PROJECTS + 1),
        "nothing is doubled"
    );
    let _ = moving_alone(&first, &postgres, "files").run().success();
}

/// Waits until the directory says that a move has begun.
#[track_caller]
fn begun(project: &Scratch) {
    let deadline = Instant::now() + PATIENCE;
    while !project.path().join(".dango/home").exists() {
        assert!(Instant::now() < deadline, "it begins");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_database_that_goes_away_in_the_middle_is_waited_for_by_nobody_and_the_move_goes_on_later() {
    let (mut postgres, project) = (database(), filled());
    let expected = contents(&project);
    let _ = moved(&project, &postgres, "postgres");
    let _ = moved(&project, &postgres, "files");
    let child = start(&project, &postgres, "postgres");
    begun(&project);
    postgres.kill();
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains(PASSWORD));
    if !output.status.success() {
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("vault move --to postgres"), "{said}");
        assert_no_other(&project, &expected, "the database is away");
        let refused = moving(&project, &postgres, "postgres").run();
        assert_eq!(refused.status, 1, "{}", refused.stderr);
    }
    postgres.restart();
    let _ = moved(&project, &postgres, "postgres");
    assert_eq!(contents(&project), BTreeMap::new());
    let _ = moved(&project, &postgres, "files");
    assert_eq!(contents(&project), expected);
}

#[test]
fn an_interrupted_move_says_how_it_goes_on_and_is_taken_back_as_well() {
    let (postgres, project) = (database(), filled());
    let expected = contents(&project);
    let _ = moved(&project, &postgres, "postgres");
    let _ = moved(&project, &postgres, "files");
    // A row that somebody holds keeps the move from getting on.
    let held = "INSERT INTO dango.project_claims SELECT DISTINCT project, '.env', decode(repeat('00', 16), 'hex'), 9000000000000000 FROM dango.project_files";
    let _ = postgres.sql("dango", held);
    let child = start(&project, &postgres, "postgres");
    begun(&project);
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, Signal::INT).expect("it is there");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("interrupted: nothing is lost"), "{said}");
    let told = status(&project, &postgres);
    assert_eq!((&told["home"], &told["move"]), (&"files".into(), &"to_postgres".into()));
    assert_eq!(contents(&project), expected);
    let read = project.run(&["secrets", "get", "sources.shop.zeta", "--reveal"]).success();
    assert_eq!(read.stdout, format!("z-{CANARY}\n"), "what is still in files is read");
    let set = project.dango(&["env", "set", "ALPHA_URL"]).stdin("x\n").run();
    let _ = set.fails(1, &["while the project is being moved", "dango vault move"]);
    let doctor = project.run(&["doctor", "--json"]).ending_with(3);
    assert!(doctor.stdout.contains("move-unfinished"), "{}", doctor.stdout);
    let _ = postgres.sql("dango", "DELETE FROM dango.project_claims");
    let _ = moved(&project, &postgres, "files").says(&["in files again"]);
    assert_eq!(contents(&project), expected);
    let set = project.dango(&["env", "set", "ALPHA_URL"]).stdin("x\n").run();
    let _ = set.success();
}

#[test]
fn a_move_that_does_not_count_is_taken_back_when_its_database_is_gone() {
    let (mut postgres, project) = (database(), filled());
    let expected = contents(&project);
    project.write(".dango/home", "dango:home:v1\nleaving 000102030405060708090a0b0c0d0e0f\n");
    postgres.stop();
    let taken = moving_alone(&project, &postgres, "files").run().success();
    let _ = taken.says(&["never counted", "in files again"]);
    assert_eq!(contents(&project), expected);
    let set = project.dango(&["env", "set", "ALPHA_URL"]).stdin("x\n").run();
    let _ = set.success();
}

#[test]
fn what_others_store_during_a_move_is_there_or_was_refused() {
    let (postgres, project) = (database(), filled());
    let _ = moved(&project, &postgres, "postgres");
    let _ = moved(&project, &postgres, "files");
    let done = AtomicBool::new(false);
    let stored = thread::scope(|threads| {
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                let (project, done) = (&project, &done);
                threads.spawn(move || {
                    let mut stored = Vec::new();
                    for number in 0..200 {
                        if done.load(Ordering::Relaxed) {
                            break;
                        }
                        let name = format!("W{writer}_{number}");
                        let set = project.dango(&["env", "set", &name]).stdin(format!("{CANARY}-{name}\n")).run();
                        match set.status {
                            0 => stored.push(name),
                            1 => assert!(set.stderr.contains("move"), "{}", set.stderr),
                            other => panic!("{other}: {}", set.stderr),
                        }
                    }
                    stored
                })
            })
            .collect();
        // Some are stored before it begins.
        let deadline = Instant::now() + PATIENCE;
        while !project.read(".env").contains("W0_1") && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        let _ = moved(&project, &postgres, "postgres");
        done.store(true, Ordering::Relaxed);
        let stored = writers.into_iter().flat_map(|writer| writer.join().expect("no panic"));
        stored.collect::<Vec<_>>()
    });
    assert!(!stored.is_empty());
    assert_eq!(contents(&project), BTreeMap::new(), "nobody has made a file beside the rows");
    let _ = moved(&project, &postgres, "files");
    for name in &stored {
        let read = project.run(&["env", "get", name, "--reveal"]).success();
        assert_eq!(read.stdout, format!("{CANARY}-{name}\n"));
    }
    let listed = project.run(&["env", "list", "--json"]).success().json();
    assert_eq!(
        listed.as_array().map(Vec::len),
        Some(stored.len() + 2),
        "and nothing that was refused"
    );
}
