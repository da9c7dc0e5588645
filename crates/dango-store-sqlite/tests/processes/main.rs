//! One database and many processes: what may happen once, what a kill leaves, and what a full disk does.

#![cfg(target_os = "linux")]

mod child;

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use child::Child;
use dango_store::contract::sample::chain_key;
use dango_store::{StoreExt, StoreFailure};
use dango_store_sqlite::{Open, SqliteStore};

const MANY: usize = 50;

#[test]
#[ignore = "the other tests run it as their child process"]
fn child_process() {
    child::serve(std::io::stdin().lock());
}

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Open::OrCreate).expect("opened")
}

/// How many users, how many records, and whether the log is whole.
fn count(store: &SqliteStore) -> (usize, u64, bool) {
    let work = store.read(|tx| {
        Box::pin(async move {
            let users = tx.users().await.map_err(|_| StoreFailure::Interrupted)?.len();
            let report = dango_audit::log::verify(tx, &chain_key(), &[])
                .await
                .map_err(|_| StoreFailure::Interrupted)?;
            Ok::<_, StoreFailure>((users, report.events, report.is_ok()))
        })
    });
    pollster::block_on(work).expect("read")
}

/// Tells all children the same at once; how many of them say that it happened.
fn happened(children: &mut [Child], words: &[&str]) -> usize {
    for child in &mut *children {
        child.send(words);
    }
    let answers: Vec<String> = children.iter_mut().map(Child::answer).collect();
    for answer in &answers {
        assert!(["yes", "no"].contains(&answer.as_str()), "{words:?}: {answer}");
    }
    answers.iter().filter(|answer| *answer == "yes").count()
}

#[test]
fn what_may_happen_once_happens_once_in_fifty_processes() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    let path = path.to_str().expect("UTF-8");
    let mut children: Vec<Child> = (0..MANY).map(|_| Child::new()).collect();
    // All of them make the database.
    assert_eq!(happened(&mut children, &["open", path]), MANY);
    assert_eq!(children[0].run(&["offer"]), "yes");
    assert_eq!(happened(&mut children, &["claim"]), 1);
    assert_eq!(children[0].run(&["set up"]), "yes");
    assert_eq!(happened(&mut children, &["step"]), 1);
    assert_eq!(happened(&mut children, &["recovery"]), 1);
    assert_eq!(happened(&mut children, &["invite"]), 1);
    assert_eq!(happened(&mut children, &["demote"]), 1);
    assert_eq!(happened(&mut children, &["guess"]), 5);
    drop(children);
    let (_, records, whole) = count(&open(Path::new(path)));
    assert!(whole);
    assert_eq!(records, 5 + 5, "every one of them, and no other, has its record");
}

/// Ten times 50 actions and a kill in the midst of one; what was answered is there, and nothing is half done.
#[test]
fn a_kill_loses_nothing_that_was_answered_and_leaves_nothing_half_done() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    let mut answered = 0;
    for round in 0..10_u32 {
        let mut child = Child::new();
        assert_eq!(child.run(&["open", path.to_str().expect("UTF-8")]), "yes");
        child.send(&["forever", &(round * 10_000).to_string()]);
        for _ in 0..50 {
            assert_eq!(child.answer(), "yes");
            answered += 1;
        }
        child.kill();
        let (users, records, whole) = count(&open(&path));
        assert!(whole);
        assert_eq!(users as u64, records, "no action without its record, no record without its action");
        assert!(records >= answered, "{records} of {answered}");
        answered = records;
    }
}

#[test]
fn a_full_disk_stops_actions_and_records_together_and_reading_goes_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    let path = path.to_str().expect("UTF-8");
    let mut child = Child::with_own_disk(directory.path(), "1m");
    assert_eq!(child.run(&["open", path]), "yes");
    assert_eq!(child.run(&["until full"]), "store-full: no space is left for the database");
    let counted = child.run(&["count"]);
    let numbers: Vec<&str> = counted.split(' ').collect();
    assert_eq!((numbers[0], numbers[2]), (numbers[1], "true"), "{counted}");
    assert_ne!(numbers[0], "0");
    assert_eq!(
        child.run(&["shell", &format!("mount -o remount,size=8m {}", directory.path().display())]),
        "yes"
    );
    assert_eq!(child.run(&["write", "900000"]), "yes");
}

#[test]
fn a_disk_that_can_only_be_read_is_read_and_says_so_to_whoever_writes() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    let path = path.to_str().expect("UTF-8");
    let mut child = Child::with_own_disk(directory.path(), "8m");
    assert_eq!(child.run(&["open", path]), "yes");
    assert_eq!(child.run(&["write", "1"]), "yes");
    let counted = child.run(&["count"]);
    assert_eq!(child.run(&["close"]), "yes");
    let read_only = format!("mount -o remount,ro {}", directory.path().display());
    assert_eq!(child.run(&["shell", &read_only]), "yes");
    assert_eq!(child.run(&["open", path]), "yes");
    assert_eq!(child.run(&["count"]), counted);
    assert_eq!(
        child.run(&["write", "2"]),
        "store-read-only: the database cannot be written: the file, or the disk it is on, is read-only"
    );
}

#[test]
fn every_file_is_its_owners_alone_whatever_the_umask() {
    let directory = tempfile::tempdir().expect("a directory");
    for umask in ["000", "777"] {
        let path = directory.path().join(umask).join(".dango/dango.db");
        if umask == "777" {
            // Such a directory could not be entered.
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        }
        let mut child = Child::new();
        child.run(&["umask", umask]);
        assert_eq!(child.run(&["open", path.to_str().expect("UTF-8")]), "yes");
        assert_eq!(child.run(&["write", "1"]), "yes");
        let mode = |path: &Path| std::fs::metadata(path).expect("there").mode() & 0o777;
        for name in ["dango.db", "dango.db-wal", "dango.db-shm"] {
            assert_eq!(mode(&path.with_file_name(name)), 0o600, "{umask} {name}");
        }
        if umask == "000" {
            assert_eq!(mode(path.parent().expect("a parent")), 0o700);
        }
    }
}
