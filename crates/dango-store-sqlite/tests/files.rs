//! The file itself: who may read it, what is refused, and what a damaged one says.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use dango_store::contract::sample::{at, chain_key, user};
use dango_store::{Store, StoreExt, StoreFailure};
use dango_store_sqlite::{Open, SqliteStore};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Executor};

fn write(store: &SqliteStore, number: u32) -> Result<(), StoreFailure> {
    pollster::block_on(store.write(move |tx| {
        Box::pin(async move {
            let inserted = tx.insert_user(&user(number, dango_identity::Role::Viewer, at(0))).await;
            inserted
                .map(|_| ())
                .map_err(|error| StoreFailure::within(&error).cloned().unwrap_or(StoreFailure::Interrupted))
        })
    }))
}

fn users(store: &SqliteStore) -> usize {
    let users = pollster::block_on(store.read(|tx| Box::pin(async { tx.users().await })));
    users.expect("read").len()
}

fn raw(path: &Path, sql: &'static str) -> Result<(), String> {
    pollster::block_on(async {
        let mut connection: SqliteConnection = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .connect()
            .await
            .expect("opened");
        let done = connection.execute(sql).await.map(|_| ()).map_err(|error| error.to_string());
        connection.close().await.expect("closed");
        done
    })
}

fn put(path: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)
        .expect("opened");
    std::io::Write::write_all(&mut file, bytes).expect("written");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").mode() & 0o777
}

fn code(opened: Result<SqliteStore, StoreFailure>) -> &'static str {
    opened.expect_err("not opened").code()
}

#[test]
fn a_file_that_others_may_read_is_closed_to_them_and_kept() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    write(&SqliteStore::open(&path, Open::OrCreate).expect("opened"), 1).expect("written");
    fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("changed");
    let store = SqliteStore::open(&path, Open::Existing).expect("opened");
    assert_eq!((mode(&path), users(&store)), (0o600, 1));
}

#[test]
fn nothing_is_made_where_none_is_wanted_and_closing_leaves_one_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    assert_eq!(code(SqliteStore::open(&path, Open::Existing)), "store-missing");
    assert!(!path.exists());
    let store = SqliteStore::open(&path, Open::OrCreate).expect("opened");
    write(&store, 1).expect("written");
    assert_eq!(users(&store), 1);
    drop(store);
    let names: Vec<_> = fs::read_dir(directory.path())
        .expect("read")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(names, ["dango.db"], "the log is in the file, so that a copy of it is whole");
}

#[test]
fn links_directories_and_files_of_others_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    let link = directory.path().join("link.db");
    drop(SqliteStore::open(&path, Open::OrCreate).expect("opened"));
    symlink(&path, &link).expect("linked");
    assert_eq!(code(SqliteStore::open(&link, Open::OrCreate)), "store-unsafe");
    symlink(directory.path().join("nothing"), directory.path().join("dangling")).expect("linked");
    assert_eq!(
        code(SqliteStore::open(&directory.path().join("dangling"), Open::OrCreate)),
        "store-unsafe"
    );
    assert_eq!(code(SqliteStore::open(directory.path(), Open::OrCreate)), "store-unsafe");
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&path, Some(65534), None).expect("given away");
        assert_eq!(code(SqliteStore::open(&path, Open::Existing)), "store-unsafe");
    }
}

#[test]
fn what_is_not_our_database_is_left_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = directory.path().join("text.db");
    put(
        &text,
        b"this is a diary, not a database, and it has more than one hundred bytes, as every database has, too, dear reader",
    );
    assert_eq!(code(SqliteStore::open(&text, Open::OrCreate)), "store-foreign");
    let other = directory.path().join("other.db");
    raw(&other, "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('dear diary')").expect("made");
    let before = fs::read(&other).expect("read");
    assert_eq!(code(SqliteStore::open(&other, Open::OrCreate)), "store-foreign");
    assert_eq!(fs::read(&other).expect("read"), before);
}

#[test]
fn a_newer_schema_and_a_changed_migration_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    let store = SqliteStore::open(&path, Open::OrCreate).expect("opened");
    assert_eq!(pollster::block_on(store.schema_version()).expect("known"), 5);
    drop(store);
    raw(&path, "PRAGMA user_version = 6").expect("changed");
    let newer = SqliteStore::open(&path, Open::OrCreate).expect_err("newer");
    assert!(matches!(newer, StoreFailure::Newer { found: 6, known: 5 }), "{newer:?}");
    raw(
        &path,
        "PRAGMA user_version = 5; UPDATE schema_migrations SET checksum = x'00' WHERE version = 1",
    )
    .expect("changed");
    assert_eq!(code(SqliteStore::open(&path, Open::OrCreate)), "store-damaged");
}

#[test]
fn a_damaged_file_is_an_error_and_is_not_made_anew() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    let store = SqliteStore::open(&path, Open::OrCreate).expect("opened");
    for number in 0..50 {
        write(&store, number).expect("written");
    }
    drop(store);
    let whole = fs::read(&path).expect("read");
    let overwritten = |from: usize| {
        let mut bytes = whole.clone();
        bytes[from..].fill(0xa5);
        put(&path, &bytes);
        let store = SqliteStore::open(&path, Open::OrCreate);
        let failure = match store {
            Ok(store) => write(&store, 1000).expect_err("damaged"),
            Err(failure) => failure,
        };
        assert!(matches!(failure, StoreFailure::Damaged(_) | StoreFailure::Foreign), "{failure:?}");
        assert_eq!(fs::read(&path).expect("read").len(), bytes.len());
    };
    overwritten(0);
    overwritten(100);
    overwritten(4096);
    put(&path, &whole[..whole.len() / 2]);
    let cut = SqliteStore::open(&path, Open::OrCreate).map(|store| write(&store, 1000));
    assert!(!matches!(cut, Ok(Ok(()))), "{cut:?}");
}

#[test]
fn a_program_that_keeps_the_database_locked_is_waited_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    let store = SqliteStore::open(&path, Open::OrCreate).expect("opened");
    let mut other = pollster::block_on(SqliteConnectOptions::new().filename(&path).connect()).expect("opened");
    pollster::block_on(other.execute("BEGIN IMMEDIATE")).expect("begun");
    let writer = std::thread::spawn(move || write(&store, 1));
    while !writer.is_finished() {
        // It waits, so this ends only when the lock is given up; how soon that is does not matter.
        pollster::block_on(other.execute("COMMIT")).ok();
        std::thread::yield_now();
    }
    writer.join().expect("no panic").expect("written");
}

#[test]
fn records_of_the_log_cannot_be_changed_deleted_or_replaced() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    let store = SqliteStore::open(&path, Open::OrCreate).expect("opened");
    for number in 0..10 {
        let work = store.write(move |tx| {
            Box::pin(async move {
                let entropy = dango_core::OsEntropy;
                let draft = dango_store::contract::sample::draft(number, at(i64::from(number)));
                dango_audit::log::record(tx, &chain_key(), &entropy, &draft)
                    .await
                    .map_err(|_| StoreFailure::Interrupted)
            })
        });
        pollster::block_on(work).expect("recorded");
    }
    let refused = [
        "UPDATE audit SET event = 'logout' WHERE seq = 3",
        "UPDATE OR REPLACE audit SET seq = 4 WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT 3, at, 'logout', actor, target, outcome, origin, request_id, details, prev_hash, hash FROM audit WHERE seq = 3",
        "REPLACE INTO audit SELECT * FROM audit WHERE seq = 3",
        "INSERT INTO audit SELECT 12, at, event, actor, target, outcome, origin, request_id, details, prev_hash, hash FROM audit WHERE seq = 3",
        "DELETE FROM audit_head",
        "UPDATE audit_personal SET label = 'mallory@example.com'",
        "DELETE FROM audit_retired; INSERT INTO audit_retired SELECT 1, 1, at, event, actor, target, outcome, origin, request_id, details, \
         prev_hash, hash FROM audit WHERE seq = 3; UPDATE audit_retired SET seq = 3",
    ];
    for sql in refused {
        let message = raw(&path, sql).expect_err(sql);
        assert!(message.contains("audit"), "{sql}: {message}");
    }
    let work = store.read(|tx| {
        Box::pin(async move {
            let report = dango_audit::log::verify(tx, &chain_key(), &[])
                .await
                .map_err(|_| StoreFailure::Interrupted)?;
            Ok::<_, StoreFailure>((report.is_ok(), report.events))
        })
    });
    assert_eq!(pollster::block_on(work).expect("verified"), (true, 10));
}

/// The members of a record, as the files contract has them.
#[test]
fn the_columns_of_the_log_are_named_as_the_members_of_a_record() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    drop(SqliteStore::open(&path, Open::OrCreate).expect("opened"));
    let names = pollster::block_on(async {
        let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.expect("opened");
        let rows = sqlx::query_scalar("SELECT name FROM pragma_table_info('audit') ORDER BY cid");
        let names: Vec<String> = rows.fetch_all(&mut connection).await.expect("read");
        names
    });
    assert_eq!(
        names,
        [
            "seq",
            "at",
            "event",
            "actor",
            "target",
            "outcome",
            "origin",
            "request_id",
            "details",
            "prev_hash",
            "hash"
        ]
    );
}

#[test]
fn every_table_is_strict_and_every_statement_is_in_the_program() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    drop(SqliteStore::open(&path, Open::OrCreate).expect("opened"));
    let loose = pollster::block_on(async {
        let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.expect("opened");
        let rows =
            sqlx::query_scalar("SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name <> 'sqlite_schema'");
        let names: Vec<String> = rows.fetch_all(&mut connection).await.expect("read");
        names
    });
    assert_eq!(loose, [""; 0]);
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in [&sources, &sources.join("tables")]
        .into_iter()
        .flat_map(|folder| fs::read_dir(folder).expect("read"))
    {
        let file = entry.expect("an entry").path();
        let text = fs::read_to_string(&file).unwrap_or_default();
        assert!(!text.contains("AssertSqlSafe"), "{}", file.display());
    }
}
