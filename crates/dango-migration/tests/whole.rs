//! Moves from a real SQLite file into a real PostgreSQL: every change that any store can make is followed, whatever is interrupted is
//! gone on with, and what was moved is the same.
#![allow(clippy::panic, reason = "these are tests")]

#[path = "../../dango-store-postgres/tests/database/mod.rs"]
mod database;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use dango_audit::log;
use dango_core::SystemClock;
use dango_identity::{Role, SecurityEpoch, StoreError, TokenDigest};
use dango_migration::{Migration, MigrationError, PATIENCE, Progress, abort, finish};
use dango_store::contract::{self, sample};
use dango_store::copy::{Kind, TABLES};
use dango_store::{Store, StoreExt, StoreFailure};
use dango_store_postgres::{CONNECTIONS, CopyTarget, PostgresStore, Standing, settle};
use dango_store_sqlite::{Begun, CopySource, Open, SqliteStore, moved_to};
use database::{Databases, OWNER, SERVING};
use tempfile::TempDir;

/// How a move to a database is called in these tests.
fn begun(database: &str) -> Begun {
    Begun {
        token: [7; 16],
        address: format!("postgres://dango@localhost/{database}"),
    }
}

fn target(databases: &Databases, name: &str) -> CopyTarget {
    CopyTarget::open(databases.url(OWNER, name), PATIENCE).expect("the owner is let in")
}

fn begin(databases: &Databases, path: &Path, name: &str) -> Result<Migration, MigrationError> {
    let source = CopySource::open(path).map_err(|failure| panic!("{failure}"));
    source.and_then(|source| Migration::begin(source, target(databases, name), &begun(name)))
}

/// Does the whole move.
fn move_all(databases: &Databases, path: &Path, name: &str) -> Result<Duration, MigrationError> {
    let mut migration = begin(databases, path, name)?;
    migration.copy(&mut |_| ())?;
    migration.compare(&mut |_| ())?;
    let done = migration.cut_over(None, &SystemClock, &mut |_| ())?;
    assert!(done.is_settled);
    Ok(done.pause)
}

fn open(path: &Path) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(path, Open::OrCreate).expect("opened"))
}

/// Adds a person with everything that belongs to one, and a record.
async fn add(store: &dyn Store, number: u32) -> Result<(), StoreError> {
    let (now, id) = (sample::at(i64::from(number)), sample::user_id(number));
    let work = store.write(move |tx| {
        Box::pin(async move {
            let _ = tx.insert_user(&sample::user(number, Role::Viewer, now)).await?;
            let _ = tx
                .insert_session(&sample::session(number, id, SecurityEpoch::default(), now), 10)
                .await?;
            let _ = tx.insert_api_key(&sample::api_key(number, id, now)).await?;
            let _ = tx
                .put_active_totp(&sample::active_totp(number, id, now), &sample::recovery(number, id, now))
                .await?;
            let entropy = sample::Counting::from(u64::from(number) << 16);
            let draft = sample::draft(number, now);
            log::record(tx, &sample::chain_key(), &entropy, &draft)
                .await
                .map_err(StoreError::new)?;
            Ok(())
        })
    });
    work.await
}

/// Changes and takes away some of what [`add`] made.
async fn change(store: &dyn Store, number: u32) -> Result<(), StoreError> {
    let (now, id) = (sample::at(i64::from(number) + 1), sample::user_id(number));
    let work = store.write(move |tx| {
        Box::pin(async move {
            match number % 5 {
                0 => drop(tx.delete_user(id).await?),
                1 => {
                    // Two swap their addresses, by way of a third.
                    let address = |name: String| name.parse().expect("an address");
                    let other = sample::user_id(number + 1);
                    let _ = tx.change_email(id, &address(format!("third{number}@example.com")), now).await?;
                    let _ = tx.change_email(other, &address(format!("user{number}@example.com")), now).await?;
                    let _ = tx
                        .change_email(id, &address(format!("user{}@example.com", number + 1)), now)
                        .await?;
                }
                2 => drop(tx.remove_factors(id).await?),
                3 => drop(tx.end_session(&TokenDigest::from_bytes(sample::bytes(2, number))).await?),
                _ => drop(tx.change_role(id, Role::Editor, now).await?),
            }
            Ok::<_, StoreError>(())
        })
    });
    work.await
}

/// What both databases hold, row by row, told by a third way: the programs of both.
fn is_the_same(databases: &Databases, name: &str, path: &Path) {
    let sqlite = rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).expect("opened");
    for table in TABLES {
        let one = |form: &dyn Fn(&str, Kind) -> String| {
            let columns: Vec<String> = table.columns.iter().map(|column| form(column.name, column.kind)).collect();
            columns.join(" || '|' || ")
        };
        let of_sqlite = one(&|name, kind| match kind {
            Kind::Blob => format!("CASE WHEN \"{name}\" IS NULL THEN '-' ELSE lower(hex(\"{name}\")) END"),
            _ => format!("coalesce(\"{name}\" || '', '-')"),
        });
        let of_postgres = one(&|name, kind| match kind {
            Kind::Blob => format!("coalesce(encode(\"{name}\", 'hex'), '-')"),
            Kind::Flag => format!("coalesce(\"{name}\"::int || '', '-')"),
            _ => format!("coalesce(\"{name}\" || '', '-')"),
        });
        // Records for which a segment stands are about to go, and are not moved.
        let which = match table.name {
            "audit" => "WHERE seq > coalesce((SELECT max(last_seq) FROM audit_segments), 0)",
            _ => "",
        };
        let mut statement = sqlite
            .prepare(&format!("SELECT {of_sqlite} FROM {} {which}", table.name))
            .expect("a statement");
        let rows = statement.query_map((), |row| row.get::<_, String>(0)).expect("rows");
        let mut old: Vec<String> = rows.collect::<Result<_, _>>().expect("texts");
        let new = databases
            .server
            .sql(name, &format!("SELECT {of_postgres} FROM dango.{}", table.name));
        let mut new: Vec<String> = new.lines().map(str::to_owned).collect();
        old.sort();
        new.sort();
        assert!(old == new, "{} of {} and {} rows", table.name, old.len(), new.len());
    }
}

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
                    let mut told = |_: Progress| {
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

#[test]
fn nobody_is_served_before_it_is_settled_and_who_knows_the_mark_settles_it() {
    let databases = Databases::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (path, name) = (folder.path().join("dango.db"), databases.make());
    let store = open(&path);
    pollster::block_on(add(&*store, 1)).expect("added");
    let mut migration = begin(&databases, &path, &name).expect("begun");
    migration.copy(&mut |_| ()).expect("copied");
    let connect = |token: Option<[u8; 16]>| {
        let url = || databases.url(SERVING, &name);
        token.map_or(Ok(()), |token| settle(url(), token))?;
        PostgresStore::connect(url(), CONNECTIONS, Arc::new(SystemClock))
    };
    assert!(matches!(connect(None), Err(StoreFailure::Arriving)));
    assert!(matches!(connect(Some([8; 16])), Err(StoreFailure::Arriving)));
    // As if the program had been killed after the mark was set.
    migration.cut_over(None, &SystemClock, &mut |_| ()).expect("cut over");
    let arrive = "INSERT INTO dango.arrival VALUES (1, decode(repeat('07', 16), 'hex'), 9, 22, 0)";
    let _ = databases.server.sql(&name, arrive);
    assert!(matches!(connect(None), Err(StoreFailure::Arriving)));
    drop(connect(Some([7; 16])).expect("it knows the mark"));
    drop(connect(None).expect("it is settled"));
    let _ = databases.server.sql(&name, arrive);
    let mut again = target(&databases, &name);
    assert!(matches!(finish(&mut again, [8; 16]), Err(MigrationError::OtherMove)));
    assert!(finish(&mut again, [7; 16]).expect("finished"));
    assert!(!finish(&mut again, [7; 16]).expect("it was done"));
    drop(connect(None).expect("it is settled"));
}

#[test]
fn what_is_not_the_same_ends_the_move_and_the_old_database_counts() {
    let databases = Databases::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (path, name) = (folder.path().join("dango.db"), databases.make());
    let store = open(&path);
    pollster::block_on(add(&*store, 1)).expect("added");
    let mut migration = begin(&databases, &path, &name).expect("begun");
    migration.copy(&mut |_| ()).expect("copied");
    let _ = databases.server.sql(&name, "UPDATE dango.users SET role = 'admin'");
    assert!(matches!(
        migration.compare(&mut |_| ()),
        Err(MigrationError::Different { table: "users" })
    ));
    drop(migration);
    pollster::block_on(add(&*store, 2)).expect("it goes on as before");

    // Elsewhere nothing may begin, nor here from elsewhere.
    let (elsewhere, other): (String, TempDir) = (databases.make(), tempfile::tempdir().expect("a folder"));
    assert!(matches!(
        begin(&databases, &path, &elsewhere),
        Err(MigrationError::OtherPlace { .. })
    ));
    let stranger = other.path().join("dango.db");
    drop(open(&stranger));
    assert!(matches!(begin(&databases, &stranger, &name), Err(MigrationError::OtherMove)));
    drop(databases.open(&elsewhere));

    // Taken back, both are as they were.
    let mut source = CopySource::open(&path).expect("opened");
    let mut back = target(&databases, &name);
    abort(&mut source, &mut back).expect("taken back");
    assert_eq!(
        (source.begun().expect("read"), back.standing().expect("read")),
        (None, Standing::Empty)
    );
    let sqlite = rusqlite::Connection::open(&path).expect("opened");
    let left = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'note%' OR name LIKE 'migration%'";
    assert_eq!(sqlite.query_row(left, (), |row| row.get::<_, i64>(0)).expect("read"), 0);
    let watched = "SELECT count(*) FROM pg_trigger WHERE tgenabled = 'D'";
    assert_eq!(databases.server.sql(&name, watched), "0", "what watches over the log watches again");
    drop((source, sqlite));
    move_all(&databases, &path, &name).expect("and all over again");
    is_the_same(&databases, &name, &path);
    // Where people are already, nobody is moved to.
    let third = folder.path().join("third.db");
    drop(open(&third));
    assert!(matches!(begin(&databases, &third, &name), Err(MigrationError::Taken)));
}
