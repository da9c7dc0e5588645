//! A move in which something dies or hangs at each point: one of the two databases counts, nothing is lost, and nobody waits for long.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dango_core::SystemClock;
use dango_identity::StoreError;
use dango_migration::{CutOver, Migration, MigrationError, Progress, finish};
use dango_store::contract::sample;
use dango_store::{Store, StoreExt, StoreFailure};
use dango_store_postgres::{CONNECTIONS, PostgresStore, settle};
use dango_store_sqlite::{Open, SqliteStore, moved_to};

use crate::database::{Databases, SERVING, until};
use crate::moves::{add, begin, change, is_the_same, move_all, open, target};

/// The points of a move at which something may happen.
const POINTS: [&str; 7] = ["Following", "Copying", "Comparing", "Pausing", "Brought", "Marked", "Settled"];

fn name_of(progress: Progress) -> String {
    let text = format!("{progress:?}");
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// Does the whole move and tells of every point.
fn run(mut migration: Migration, tell: &mut dyn FnMut(Progress)) -> Result<CutOver, MigrationError> {
    migration.copy(tell)?;
    migration.compare(tell)?;
    migration.cut_over(None, &SystemClock, tell)
}

/// How many people a store has, if it serves.
fn people(store: Result<Arc<dyn Store>, StoreFailure>) -> Option<usize> {
    let users = store
        .ok()
        .map(|store| pollster::block_on(store.read(|tx| Box::pin(async { tx.users().await }))));
    users.map(|users: Result<_, StoreError>| users.expect("it serves").len())
}

/// Asks both databases, as a server would that is started with one or the other, and answers who serves how many people.
fn who_serves(databases: &Databases, path: &Path, name: &str) -> (Option<usize>, Option<usize>) {
    let old = SqliteStore::open(path, Open::Existing).map(|store| Arc::new(store) as Arc<dyn Store>);
    if let Some(mark) = moved_to(path).expect("it can be read") {
        settle(databases.url(SERVING, name), mark.token).expect("whoever knows the mark settles it");
    }
    let new = PostgresStore::connect(databases.url(SERVING, name), CONNECTIONS, Arc::new(SystemClock));
    (people(old), people(new.map(|store| Arc::new(store) as Arc<dyn Store>)))
}

#[test]
fn whatever_dies_wherever_one_side_serves_and_nothing_is_lost() {
    let mut databases = Databases::start();
    let folder = tempfile::tempdir().expect("a folder");
    for point in POINTS {
        for dies in ["the command", "PostgreSQL"] {
            let (path, name) = (folder.path().join(format!("{point}-{dies}.db")), databases.make());
            let store = open(&path);
            for number in 0..5 {
                pollster::block_on(add(&*store, number)).expect("added");
            }
            let migration = begin(&databases, &path, &name).expect("begun");
            let server = AssertUnwindSafe(&mut databases.server);
            let mut is_lost = false;
            let done = catch_unwind(AssertUnwindSafe(|| {
                let AssertUnwindSafe(server) = server;
                run(migration, &mut |progress| {
                    if name_of(progress) == point && !is_lost {
                        is_lost = true;
                        match dies {
                            "the command" => panic!("it dies here"),
                            // All its processes: one that is asked may answer once more without the first.
                            _ => server.quit(),
                        }
                    }
                })
            }));
            assert!(is_lost, "{point} was never met");
            if dies == "PostgreSQL" {
                databases.server.restart();
            }
            let is_over = matches!(done, Ok(Ok(_)));
            let is_marked = moved_to(&path).expect("it can be read").is_some();
            // Once everything is there PostgreSQL is not asked any more before the mark is set.
            let is_cut_over = ["Marked", "Settled"].contains(&point) || (point, dies) == ("Brought", "PostgreSQL");
            assert_eq!(is_marked, is_cut_over, "{point}, {dies}");
            assert!(!is_over || is_marked);
            let serves = who_serves(&databases, &path, &name);
            assert_eq!(serves, if is_marked { (None, Some(5)) } else { (Some(5), None) }, "{point}, {dies}");
            match is_marked {
                true => drop(finish(&mut target(&databases, &name), [7; 16]).expect("it can be finished")),
                false => {
                    pollster::block_on(add(&*store, 5)).expect("the file counts");
                    move_all(&databases, &path, &name).expect("it goes on");
                }
            }
            is_the_same(&databases, &name, &path);
        }
    }
}

#[test]
fn a_database_that_hangs_in_the_pause_holds_nobody_back_for_long() {
    let databases = Databases::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (path, name) = (folder.path().join("dango.db"), databases.make());
    let store = open(&path);
    pollster::block_on(add(&*store, 0)).expect("added");
    let is_over = AtomicBool::new(false);
    let (done, resumed) = std::thread::scope(|threads| {
        let writer = threads.spawn(|| {
            for number in 1.. {
                match pollster::block_on(add(&*store, number)) {
                    Ok(()) => {}
                    Err(error) if matches!(StoreFailure::within(&error), Some(StoreFailure::Moved { .. })) => return,
                    Err(error) => panic!("a write has failed: {error:?}"),
                }
                assert!(!is_over.load(Ordering::SeqCst), "the move has failed");
            }
        });
        let (mut held, mut resumed) = (None, 0);
        let migration = begin(&databases, &path, &name).expect("begun");
        let done = run(migration, &mut |progress| match progress {
            Progress::Pausing if held.is_none() => {
                let hold = "BEGIN; SELECT 1 FROM dango.arrival FOR UPDATE; SELECT pg_sleep(8); COMMIT";
                let (databases, name) = (&databases, &name);
                held = Some(threads.spawn(move || drop(databases.server.sql(name, hold))));
                let is_held = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
                until("it is locked", || databases.server.sql(name, is_held) != "0");
            }
            Progress::Resuming => resumed += 1,
            _ => {}
        });
        is_over.store(done.is_err(), Ordering::SeqCst);
        writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (done, resumed)
    });
    let done = done.expect("it is moved in the end");
    assert!(resumed > 0 && done.pause < Duration::from_secs(5), "{resumed}, {:?}", done.pause);
    is_the_same(&databases, &name, &path);
}

#[test]
fn what_has_changed_since_it_was_prepared_is_followed_however_much_it_is() {
    const PEOPLE: u32 = 4_400;
    let databases = Databases::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (path, name) = (folder.path().join("dango.db"), databases.make());
    let store = open(&path);
    let everybody = store.write(|tx| {
        Box::pin(async move {
            for number in 0..PEOPLE {
                let person = sample::user(number, dango_identity::Role::Viewer, sample::at(0));
                let _ = tx.insert_user(&person).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    pollster::block_on(everybody).expect("added");
    let mut migration = begin(&databases, &path, &name).expect("begun");
    migration.copy(&mut |_| ()).expect("copied");
    // Everybody swaps addresses with somebody who is brought in another portion.
    let swapped = store.write(|tx| {
        Box::pin(async move {
            let address = |name: String| name.parse().expect("an address");
            for number in 0..PEOPLE / 2 {
                let other = number + PEOPLE / 2;
                let (one, two, now) = (sample::user_id(number), sample::user_id(other), sample::at(1));
                let _ = tx.change_email(one, &address(format!("third{number}@example.com")), now).await?;
                let _ = tx.change_email(two, &address(format!("user{number}@example.com")), now).await?;
                let _ = tx.change_email(one, &address(format!("user{other}@example.com")), now).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    pollster::block_on(swapped).expect("swapped");
    pollster::block_on(change(&*store, 0)).expect("changed");
    migration.compare(&mut |_| ()).expect("compared");
    migration.cut_over(None, &SystemClock, &mut |_| ()).expect("cut over");
    is_the_same(&databases, &name, &path);
}
