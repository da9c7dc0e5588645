//! A database that changes under an open store: deleted, replaced, overwritten, locked. Nothing is answered from memory then.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dango_identity::{AccountKey, AttemptKey, ClientClass, Email, LockoutPolicy, Role, StoreError, TokenDigest};
use dango_store::contract::sample::{at, bytes, session, user};
use dango_store::{Budgets, Store, StoreExt, StoreFailure};
use dango_store_sqlite::{Open, SqliteStore};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor};

struct NoBudgets(LockoutPolicy);

impl Budgets for NoBudgets {
    fn of_strangers(&self, _: &Email) -> AttemptKey {
        AttemptKey {
            account: AccountKey::from_bytes([0; 32]),
            client: ClientClass::Untrusted,
        }
    }

    fn policy(&self) -> &LockoutPolicy {
        &self.0
    }
}

fn write(store: &SqliteStore, number: u32) -> Result<(), StoreError> {
    pollster::block_on(store.write(move |tx| {
        Box::pin(async move {
            let new = user(number, Role::Viewer, at(0));
            let _ = tx.insert_user(&new).await?;
            let _ = tx.insert_session(&session(number, new.user.id, new.user.epoch, at(0)), 5).await?;
            Ok(())
        })
    }))
}

/// Whether the session of the first user is there.
fn ask(store: &SqliteStore) -> Result<bool, StoreFailure> {
    let digest = TokenDigest::from_bytes(bytes(2, 1));
    let found = pollster::block_on(store.session_at_the_door(digest, Arc::new(NoBudgets(LockoutPolicy::default()))));
    Ok(found?.bearer.is_some())
}

fn read(store: &SqliteStore) -> Result<usize, StoreError> {
    pollster::block_on(store.read(|tx| Box::pin(async move { Ok(tx.users().await?.len()) })))
}

fn store_with_a_session(directory: &Path) -> (SqliteStore, PathBuf) {
    let path = directory.join("dango.db");
    let store = SqliteStore::open(&path, Open::OrCreate).expect("opened");
    write(&store, 1).expect("written");
    assert!(store.version().expect("open").is_some());
    assert_eq!((ask(&store).expect("read"), read(&store).expect("read")), (true, 1));
    (store, path)
}

fn code<T: std::fmt::Debug>(done: Result<T, StoreError>) -> &'static str {
    StoreFailure::within(&done.expect_err("it fails"))
        .expect("a failure of the store")
        .code()
}

fn assert_gone(store: &SqliteStore) {
    assert!(matches!(store.version(), Err(StoreFailure::Gone)));
    assert!(matches!(ask(store), Err(StoreFailure::Gone)));
    assert_eq!((code(read(store)), code(write(store, 7))), ("store-gone", "store-gone"));
}

#[test]
fn a_database_that_was_deleted_answers_nothing_any_more() {
    let directory = tempfile::tempdir().expect("a directory");
    let (store, path) = store_with_a_session(directory.path());
    fs::remove_file(&path).expect("removed");
    assert_gone(&store);
    assert!(!path.exists(), "nothing is made in its place");
}

#[test]
fn a_database_that_was_replaced_by_another_answers_nothing_any_more() {
    let directory = tempfile::tempdir().expect("a directory");
    let (store, path) = store_with_a_session(directory.path());
    let other = directory.path().join("other.db");
    write(&SqliteStore::open(&other, Open::OrCreate).expect("opened"), 9).expect("written");
    let kept = directory.path().join("kept.db");
    fs::rename(&path, &kept).expect("moved");
    assert_gone(&store);
    fs::rename(&other, &path).expect("moved");
    assert_gone(&store);
    fs::rename(&kept, &path).expect("moved back");
    assert!(ask(&store).expect("it is there again"));
    write(&store, 2).expect("written");
}

#[test]
fn a_directory_that_was_moved_away_takes_the_database_with_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let folder = directory.path().join("project");
    fs::create_dir(&folder).expect("made");
    let (store, _) = store_with_a_session(&folder);
    fs::rename(&folder, directory.path().join("elsewhere")).expect("moved");
    assert_gone(&store);
}

#[test]
fn a_database_that_is_overwritten_in_its_place_is_not_answered_from_memory() {
    for garbage in [vec![0xa5_u8; 100_000], Vec::new()] {
        let directory = tempfile::tempdir().expect("a directory");
        let (store, path) = store_with_a_session(directory.path());
        drop(store);
        // All of it is in the file now, and the log is empty.
        let store = SqliteStore::open(&path, Open::Existing).expect("opened");
        assert_eq!((ask(&store).expect("read"), read(&store).expect("read")), (true, 1));
        let before = store.version().expect("open");
        let mut file = fs::OpenOptions::new().write(true).truncate(true).open(&path).expect("opened");
        std::io::Write::write_all(&mut file, &garbage).expect("written");
        assert!(
            store.version().map_or(true, |after| after != before),
            "what was read before does not count"
        );
        assert!(ask(&store).is_err(), "nobody is let in");
        assert!(read(&store).is_err());
    }
}

#[test]
fn a_log_that_is_brought_into_the_file_costs_nobody_a_session() {
    let directory = tempfile::tempdir().expect("a directory");
    let (store, path) = store_with_a_session(directory.path());
    let mut other = pollster::block_on(SqliteConnectOptions::new().filename(&path).connect()).expect("opened");
    for number in 2..20 {
        write(&store, number).expect("written");
        pollster::block_on(other.execute("PRAGMA wal_checkpoint(TRUNCATE)")).expect("brought in");
        assert!(store.version().expect("open").is_some());
        assert!(ask(&store).expect("read"));
    }
    assert_eq!(read(&store).expect("read"), 19);
}

#[test]
fn whoever_writes_for_long_holds_up_nobody_at_the_door() {
    let directory = tempfile::tempdir().expect("a directory");
    let (store, path) = store_with_a_session(directory.path());
    let mut other = pollster::block_on(SqliteConnectOptions::new().filename(&path).connect()).expect("opened");
    pollster::block_on(other.execute("BEGIN IMMEDIATE; UPDATE users SET role = 'admin'")).expect("begun");
    let before = store.version().expect("open");
    assert!(before.is_some() && ask(&store).expect("read"));
    assert_eq!(store.version().expect("open"), before);
    pollster::block_on(other.execute("COMMIT")).expect("committed");
    assert_ne!(store.version().expect("open"), before);
}
