//! Nobody waits for long, and nobody keeps others waiting: not behind a lock, not in a queue, not behind work that nobody wants any more.

mod database;

use std::sync::{Arc, LazyLock};

use dango_core::SystemClock;
use dango_identity::{Role, StoreError, StoredSession, TokenDigest, kind};
use dango_secrets::home::Rows;
use dango_store::contract::sample::{at, bytes, user};
use dango_store::{AtTheDoor, Store, StoreExt, StoreFailure};
use dango_store_postgres::{PostgresStore, ProjectRows};
use database::{Databases, Nobodys, SERVING, until};
use futures_util::FutureExt;
use pollster::block_on;

fn at_the_door(store: &dyn Store) -> Result<AtTheDoor<StoredSession>, StoreFailure> {
    let digest = TokenDigest::<kind::Session>::from_bytes(bytes(2, 1));
    block_on(store.session_at_the_door(digest, Arc::new(Nobodys)))
}

/// Databases that threads may use which outlive a test.
fn databases() -> &'static Databases {
    static DATABASES: LazyLock<Databases> = LazyLock::new(Databases::start);
    &DATABASES
}

/// How long a lock is held: longer than anybody may have to wait for it, and not so long that the database would end the waiting itself.
const HELD: u32 = 25;

#[test]
fn all_that_wait_for_a_turn_are_told_that_there_is_none() {
    let databases = databases();
    let name = databases.make();
    let store = databases.open(&name);
    let holder = databases.hold(&name, "SELECT FROM dango.turn FOR UPDATE", HELD);
    let told: Vec<_> = std::thread::scope(|threads| {
        let writers: Vec<_> = (0..20)
            .map(|number| {
                let store = &store;
                threads.spawn(move || {
                    let written = block_on(store.write(move |tx| {
                        Box::pin(async move {
                            let _ = tx.insert_user(&user(number, Role::Viewer, at(0))).await?;
                            Ok::<_, StoreError>(())
                        })
                    }));
                    written.err().and_then(|error| Some(StoreFailure::within(&error)?.code()))
                })
            })
            .collect();
        writers.into_iter().map(|writer| writer.join().expect("no panic")).collect()
    });
    assert!(!holder.is_finished(), "none waited for another's waiting");
    assert_eq!(told, [Some("store-locked"); 20]);
    holder.join().expect("no panic");
    assert_eq!(
        databases.server.sql(&name, "SELECT count(*) FROM dango.users"),
        "0",
        "none of it happens later"
    );
}

#[test]
fn nobody_waits_at_the_door_or_for_a_file_behind_a_lock() {
    let databases = databases();
    let name = databases.make();
    let store = databases.open(&name);
    let rows = ProjectRows::of(Arc::clone(&store));
    let holder = databases.hold(&name, "LOCK TABLE dango.sessions, dango.project_files", HELD);
    std::thread::scope(|threads| {
        let door = threads.spawn(|| at_the_door(&*store).map(drop).map_err(|failure| failure.code()));
        let row = threads.spawn(|| rows.row("project", "file").is_err());
        assert_eq!(door.join().expect("no panic"), Err("store-locked"));
        assert!(row.join().expect("no panic"));
    });
    assert!(!holder.is_finished(), "they were told while it was held");
    holder.join().expect("no panic");
    assert!(at_the_door(&*store).is_ok() && rows.row("project", "file").is_ok());
}

#[test]
fn whoever_reads_for_long_keeps_nobody_out() {
    let databases = databases();
    let name = databases.make();
    let store = databases.open(&name);
    let holder = databases.hold(&name, "LOCK TABLE dango.audit", HELD);
    let readers: Vec<_> = (0..12)
        .map(|_| {
            let store = Arc::clone(&store);
            std::thread::spawn(move || {
                let key = dango_store::contract::sample::chain_key();
                let read = store.read(move |tx| {
                    Box::pin(async move {
                        let report = dango_audit::log::verify(tx, &key, &[]).await.map_err(StoreError::new)?;
                        Ok::<_, StoreError>(report.is_ok())
                    })
                });
                drop(block_on(read));
            })
        })
        .collect();
    let waiting =
        format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{SERVING}' AND datname = '{name}' AND wait_event_type = 'Lock'");
    until("all that may read wait", || databases.server.sql(&name, &waiting) == "4");
    assert!(at_the_door(&*store).is_ok());
    assert!(!holder.is_finished(), "it was asked while they waited");
    for reader in readers {
        reader.join().expect("no panic");
    }
    holder.join().expect("no panic");
}

#[test]
fn work_that_nobody_waits_for_is_broken_off_and_its_place_is_free_then() {
    let databases = databases();
    let name = databases.make();
    // One place for each kind of work.
    let store = PostgresStore::connect(databases.url(SERVING, &name), 2, Arc::new(SystemClock)).expect("opened");
    let count = |store: &PostgresStore| block_on(store.read(|tx| Box::pin(async move { Ok::<_, StoreError>(tx.users().await?.len()) })));
    assert_eq!(count(&store).ok(), Some(0));
    let holder = databases.hold(&name, "LOCK TABLE dango.users", HELD);
    let waiting =
        format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{SERVING}' AND datname = '{name}' AND wait_event_type = 'Lock'");
    for _ in 0..3 {
        let mut read = Box::pin(store.read(|tx| Box::pin(async move { Ok::<_, StoreError>(tx.users().await?.len()) })));
        assert!((&mut read).now_or_never().is_none());
        until("it waits", || databases.server.sql(&name, &waiting) == "1");
        drop(read);
        until("it is broken off", || databases.server.sql(&name, &waiting) == "0");
    }
    assert!(!holder.is_finished(), "and not because it had what it waited for");
    holder.join().expect("no panic");
    assert_eq!(count(&store).ok(), Some(0));
}

/// Whoever hangs up early costs no connection: making one is dearer than the answer.
#[test]
fn a_connection_of_the_door_outlives_whoever_hangs_up() {
    let databases = databases();
    let name = databases.make();
    let store = PostgresStore::connect(databases.url(SERVING, &name), 2, Arc::new(SystemClock)).expect("opened");
    assert!(at_the_door(&store).is_ok());
    let of_store = format!("FROM pg_stat_activity WHERE usename = '{SERVING}' AND datname = '{name}'");
    let connections = || {
        databases
            .server
            .sql(&name, &format!("SELECT string_agg(pid::text, ' ' ORDER BY pid) {of_store}"))
    };
    let waiting = || {
        databases
            .server
            .sql(&name, &format!("SELECT count(*) {of_store} AND wait_event_type = 'Lock'"))
    };
    let before = connections();
    let holder = databases.hold(&name, "LOCK TABLE dango.sessions", HELD);
    let digest = TokenDigest::<kind::Session>::from_bytes(bytes(2, 1));
    let mut asked = Box::pin(store.session_at_the_door(digest, Arc::new(Nobodys)));
    assert!((&mut asked).now_or_never().is_none());
    until("it waits", || waiting() == "1");
    drop(asked);
    until("it has its answer", || waiting() == "0");
    assert!(!holder.is_finished(), "which is that it would have to wait for too long");
    holder.join().expect("no panic");
    assert!(at_the_door(&store).is_ok());
    assert_eq!(connections(), before);
}
