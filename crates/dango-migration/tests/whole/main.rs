//! Moves from a real SQLite file into a real PostgreSQL: every change that any store can make is followed, whatever is interrupted is
//! gone on with, and what was moved is the same.
#![allow(clippy::panic, reason = "these are tests")]

#[path = "../../../dango-store-postgres/tests/database/mod.rs"]
mod database;
mod faults;
mod moves;
mod refused;

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use dango_audit::log;
use dango_core::SystemClock;
use dango_identity::{BootstrapClaim, FactorCharge, SecondFactors, StoreError, TokenDigest};
use dango_migration::{Migration, MigrationError, Progress};
use dango_store::contract::{self, sample};
use dango_store::{Store, StoreExt, StoreFailure};
use dango_store_sqlite::{CopySource, Open, SqliteStore, moved_to};
use database::Databases;
use moves::{add, begin, begun, change, is_the_same, move_all, open};

#[test]
fn whatever_any_store_does_is_followed() {
    let databases = Databases::start();
    let folder = tempfile::tempdir().expect("a folder");
    let moves: RefCell<Vec<(PathBuf, String, Migration)>> = RefCell::default();
    let make = || -> Arc<dyn Store> {
        let path = folder.path().join(format!("{}.db", moves.borrow().len()));
        let store = open(&path);
        let name = databases.make();
        // Everything is followed from the beginning, so every change of every row is met by a note.
        let mut migration = begin(&databases, &path, &name).expect("begun");
        migration.copy(&mut |_| ()).expect("nothing is there yet");
        moves.borrow_mut().push((path, name, migration));
        store
    };
    contract::agrees_with_memory(&make, 10);
    let first = moves.borrow().len();
    contract::check(&make);
    // What the contract takes away again in every store.
    pollster::block_on(leave_a_claim(&*make())).expect("offered");
    pollster::block_on(leave_a_try(&*make())).expect("charged");
    let mut anew = 0;
    let mut rows = std::collections::BTreeMap::<&str, u64>::new();
    for (number, (path, name, mut migration)) in moves.into_inner().into_iter().enumerate() {
        match migration.compare(&mut |_| ()) {
            Ok(compared) => {
                for table in compared {
                    *rows.entry(table.table).or_default() += table.rows;
                }
                migration.cut_over(None, &SystemClock, &mut |_| ()).expect("cut over");
                is_the_same(&databases, &name, &path);
            }
            // Chains that were put away, which a move does not survive.
            Err(MigrationError::BegunAnew) => anew += 1,
            Err(error) => panic!("{number} of {first}: {error} {:?}", std::error::Error::source(&error)),
        }
    }
    assert!(anew > 0, "the contract begins a log anew");
    let empty: Vec<_> = rows
        .iter()
        .filter(|(name, rows)| **rows == 0 && !name.starts_with("audit_retired"))
        .collect();
    assert!(empty.is_empty(), "{empty:?}");
}

/// Leaves the claim of the first administrator.
async fn leave_a_claim(store: &dyn Store) -> Result<(), StoreError> {
    let claim = BootstrapClaim {
        digest: TokenDigest::from_bytes(sample::bytes(40, 1)),
        expires_at: sample::at(100),
    };
    let offered = store.write(move |tx| Box::pin(async move { tx.offer_claim(&claim).await }));
    assert!(offered.await?, "nobody is there yet");
    Ok(())
}

/// Leaves tries at second factors, two of them at the same time, which are one group.
async fn leave_a_try(store: &dyn Store) -> Result<(), StoreError> {
    add(store, 1).await?;
    let work = store.write(|tx| {
        Box::pin(async move {
            for seconds in [1, 1, 2] {
                let charge = tx.charge_factor_attempt(sample::user_id(1), SecondFactors::ATTEMPTS, sample::at(seconds));
                assert_eq!(charge.await?, FactorCharge::Charged);
            }
            Ok::<_, StoreError>(())
        })
    });
    work.await
}

#[test]
fn a_log_that_was_begun_anew_before_is_moved_with_the_old_chains() {
    let databases = Databases::start();
    let folder = tempfile::tempdir().expect("a folder");
    let paths: RefCell<Vec<PathBuf>> = RefCell::default();
    let make = || -> Arc<dyn Store> {
        let path = folder.path().join(format!("{}.db", paths.borrow().len()));
        paths.borrow_mut().push(path.clone());
        open(&path)
    };
    contract::check(&make);
    let mut retired = 0;
    for path in paths.into_inner() {
        let name = databases.make();
        move_all(&databases, &path, &name).expect("moved");
        is_the_same(&databases, &name, &path);
        retired += databases
            .server
            .sql(&name, "SELECT count(*) FROM dango.audit_retired")
            .parse::<u64>()
            .expect("a number");
    }
    assert!(retired > 0);
}

#[test]
fn an_interrupted_move_goes_on_while_others_write() {
    let mut databases = Databases::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (path, name) = (folder.path().join("dango.db"), databases.make());
    let store = open(&path);
    pollster::block_on(async {
        for number in 0..2_300 {
            add(&*store, number).await.expect("added");
        }
    });
    let (stop, written) = (AtomicBool::new(false), AtomicU32::new(0));
    let calls = std::thread::scope(|threads| {
        let writer = threads.spawn(|| {
            // Until the database is moved under the writer, which is told so.
            for number in 0.. {
                let (older, newer) = (number % 2_300, 10_000 + number);
                let done = pollster::block_on(async {
                    change(&*store, older).await?;
                    add(&*store, newer).await
                });
                match done.as_ref().map_err(|error| StoreFailure::within(error)) {
                    Ok(()) => drop(written.fetch_add(1, Ordering::Relaxed)),
                    Err(Some(StoreFailure::Moved { address })) => return address.to_string(),
                    Err(other) => panic!("{other:?}"),
                }
                assert!(!stop.load(Ordering::Relaxed), "the move has failed");
            }
            unreachable!("there are many numbers")
        });
        let mut calls = 0_u32;
        let moved = catch_unwind(AssertUnwindSafe(|| {
            loop {
                calls += 1;
                // Each call gets a bit further, and some lose the database in between.
                let (mut left, limit) = (calls * 2, calls);
                let done = catch_unwind(AssertUnwindSafe(|| {
                    let mut told = |progress: Progress| {
                        // What dies behind the mark is tried beside.
                        if matches!(progress, Progress::Marked | Progress::Settled) {
                            return;
                        }
                        left -= 1;
                        assert!(left > 0, "interrupted, call {limit}");
                    };
                    let mut migration = begin(&databases, &path, &name)?;
                    migration.copy(&mut told)?;
                    migration.compare(&mut told)?;
                    migration.cut_over(None, &SystemClock, &mut told)
                }));
                match done {
                    Ok(Ok(done)) => return done,
                    Ok(Err(error)) => panic!("{error}: {:?}", std::error::Error::source(&error)),
                    Err(_) => {}
                }
                if calls % 7 == 3 {
                    databases.server.kill();
                    databases.server.restart();
                }
            }
        }));
        stop.store(moved.is_err(), Ordering::Relaxed);
        let address = writer.join().expect("no panic");
        let done = moved.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        assert_eq!(address, begun(&name).address);
        assert!(done.is_settled);
        calls
    });
    assert!(calls > 3 && written.load(Ordering::Relaxed) > 0, "{calls} calls");
    is_the_same(&databases, &name, &path);
    // Everybody who has it open, or opens it, is sent on.
    let gone = pollster::block_on(add(&*store, 99_999)).expect_err("moved");
    assert!(matches!(StoreFailure::within(&gone), Some(StoreFailure::Moved { .. })));
    let read: Result<_, StoreError> = pollster::block_on(store.read(|tx| Box::pin(async { tx.users().await })));
    assert!(matches!(
        read.as_ref().err().and_then(|error| StoreFailure::within(error)),
        Some(StoreFailure::Moved { .. })
    ));
    assert!(matches!(store.version(), Err(StoreFailure::Moved { .. })));
    assert!(matches!(SqliteStore::open(&path, Open::Existing), Err(StoreFailure::Moved { .. })));
    assert!(matches!(CopySource::open(&path), Err(StoreFailure::Moved { .. })));
    assert_eq!(moved_to(&path).expect("read").map(|to| to.token), Some([7; 16]));
    // A copy of the file alone has the mark, too.
    let copy = folder.path().join("copy.db");
    let mut into = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&copy)
        .expect("a scratch folder is writable");
    let _ = std::io::copy(&mut File::open(&path).expect("it is there"), &mut into).expect("copied");
    assert_eq!(moved_to(&copy).expect("read").map(|to| to.token), Some([7; 16]));
    // Nor does one that knows nothing of moves change anything.
    let sqlite = rusqlite::Connection::open(&path).expect("opened");
    for sql in [
        "DELETE FROM users",
        "UPDATE sessions SET expires_at = 0",
        "INSERT INTO imports VALUES (zeroblob(32), 0)",
        "DELETE FROM audit_head",
    ] {
        let refused = sqlite.execute(sql, ()).expect_err("refused").to_string();
        assert!(refused.contains("moved"), "{sql}: {refused}");
    }
    // The chain goes on where it was.
    let new: Arc<dyn Store> = databases.open(&name);
    pollster::block_on(add(&*new, 100_000)).expect("added");
    let verified: Result<_, StoreError> = pollster::block_on(
        new.read(|tx| Box::pin(async move { log::verify(tx, &sample::chain_key(), &[]).await.map_err(StoreError::new) })),
    );
    assert!(verified.expect("read").is_ok());
}
