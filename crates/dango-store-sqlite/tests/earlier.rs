//! Reading the users of an earlier Dango: every schema, a running program, damage, and that nothing is left behind.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests write scratch files and stop loudly"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use dango_store::{EarlierDatabase, EarlierError};
use dango_store_sqlite::read_earlier;
use proptest::prelude::*;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use tempfile::TempDir;

/// Made with getdango 1.0.13 by `tests/earlier/make.py`.
const MADE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/earlier");

fn made(name: &str) -> PathBuf {
    Path::new(MADE).join(name)
}

/// A copy of the database that the package made.
fn copied() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("auth.db");
    fs::write(&path, fs::read(made("auth.db")).expect("read")).expect("copied");
    (directory, path)
}

/// Another program's connection.
async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(false);
    options.connect().await.expect("connected")
}

fn run(path: &Path, sql: &str) {
    pollster::block_on(async {
        let mut connection = connect(path).await;
        connection.execute(AssertSqlSafe(sql)).await.expect("run");
        connection.close().await.expect("closed");
    });
}

fn read(path: &Path) -> EarlierDatabase {
    read_earlier(path).unwrap_or_else(|error| panic!("{}: {error:?}", path.display()))
}

fn refused(path: &Path) -> EarlierError {
    match read_earlier(path) {
        Ok(_) => panic!("{} was read", path.display()),
        Err(error) => error,
    }
}

fn emails(database: &EarlierDatabase) -> Vec<&str> {
    database.users.iter().map(|user| user.email.as_str()).collect()
}

/// Every file of a directory with its bytes and the time of its last change.
fn look_of(directory: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let entries = fs::read_dir(directory).expect("read").map(|entry| entry.expect("read").path());
    entries
        .map(|path| {
            let at = fs::metadata(&path).expect("read").modified().expect("known");
            (path.clone(), (fs::read(&path).expect("read"), at))
        })
        .collect()
}

#[test]
fn what_the_real_package_made_is_read_and_left_as_it_was() {
    let (directory, path) = copied();
    let before = look_of(directory.path());
    let database = read(&path);
    assert_eq!(look_of(directory.path()), before);

    assert_eq!((database.schema_version, database.users.len(), database.api_keys.len()), (6, 17, 6));
    let find = |email: &str| database.users.iter().find(|user| user.email == email).expect(email);
    let admin = find("admin@dango.test");
    assert_eq!((admin.role.as_str(), admin.is_active, admin.totp_enabled), ("admin", true, true));
    assert!(
        admin
            .password_hash
            .as_ref()
            .is_some_and(|hash| hash.expose().starts_with("$2b$12$"))
    );
    assert_eq!(admin.totp_secret.as_ref().map(|secret| secret.expose().len()), Some(32));
    assert!(admin.recovery_codes.as_ref().is_some_and(|codes| codes.expose().starts_with("[\"")));
    assert!(!find("left@dango.test").is_active);
    assert!(find("temporary@dango.test").must_change_password);
    assert!(find("half@dango.test").totp_secret.is_some() && !find("half@dango.test").totp_enabled);
    assert!(find("invited@dango.test").is_invited && find("invited@dango.test").password_hash.is_none());
    assert_eq!(find("google@dango.test").oauth_provider.as_deref(), Some("google"));
    assert!(find("editor@dango.test").last_login.is_some() && !find("editor@dango.test").is_invited);
    let key = database.api_keys.iter().find(|key| key.name == "deploy").expect("a key");
    assert!(key.is_active && key.key_hash.expose().len() == 64 && key.prefix.starts_with("dango_ak_"));
    assert_eq!(key.user_id, find("editor@dango.test").id);
}

#[test]
fn every_earlier_schema_is_read_with_what_it_lacks_left_empty() {
    for version in 1..EarlierDatabase::NEWEST {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("auth.db");
        run(&path, &fs::read_to_string(made(&format!("schema-{version}.sql"))).expect("read"));
        let database = read(&path);
        assert_eq!(database.schema_version, version);
        assert_eq!(emails(&database), ["ada@dango.test", "bob@dango.test"]);
        let (ada, bob) = (&database.users[0], &database.users[1]);
        assert!(ada.password_hash.is_some() && ada.is_active && !ada.must_change_password && ada.last_login.is_none());
        assert!(bob.password_hash.is_none() && !bob.is_invited && bob.invite_expires_at.is_none());
        assert_eq!((database.api_keys.len(), database.api_keys[0].prefix.as_str()), (1, ""));
    }
}

#[test]
fn what_a_running_program_has_committed_is_read_and_what_it_has_not_is_not() {
    let (directory, path) = copied();
    pollster::block_on(async {
        let mut running = connect(&path).await;
        running.execute("PRAGMA wal_autocheckpoint = 0").await.expect("set");
        running
            .execute("UPDATE users SET email = 'moved@dango.test' WHERE email = 'admin@dango.test'")
            .await
            .expect("changed");
        running.execute("BEGIN IMMEDIATE").await.expect("begun");
        running
            .execute("UPDATE users SET email = 'open@dango.test' WHERE email = 'viewer@dango.test'")
            .await
            .expect("changed");
        let before = look_of(directory.path());
        assert!(
            before.keys().any(|path| path.ends_with("auth.db-wal")),
            "the change stands in the log alone"
        );

        let database = read(&path);
        assert!(emails(&database).contains(&"moved@dango.test") && !emails(&database).contains(&"admin@dango.test"));
        assert!(emails(&database).contains(&"viewer@dango.test") && !emails(&database).contains(&"open@dango.test"));
        assert_eq!(look_of(directory.path()), before);
        // And it was not in the program's way.
        running.execute("COMMIT").await.expect("committed");
        assert!(emails(&read(&path)).contains(&"open@dango.test"));
    });
}

#[test]
fn a_log_that_was_copied_without_its_index_is_read_and_none_is_made() {
    let (_directory, path) = copied();
    let elsewhere = tempfile::tempdir().expect("a directory");
    let copy = elsewhere.path().join("copy.db");
    pollster::block_on(async {
        let mut running = connect(&path).await;
        running
            .execute("DELETE FROM users WHERE email <> 'admin@dango.test'")
            .await
            .expect("changed");
        fs::write(&copy, fs::read(&path).expect("read")).expect("copied");
        fs::write(
            elsewhere.path().join("copy.db-wal"),
            fs::read(path.with_file_name("auth.db-wal")).expect("read"),
        )
        .expect("copied");
    });
    let before = look_of(elsewhere.path());
    assert_eq!(emails(&read(&copy)), ["admin@dango.test"]);
    assert_eq!(look_of(elsewhere.path()), before);
}

#[test]
fn what_is_no_such_database_is_refused_by_what_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let put = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).expect("written");
        path
    };
    assert_eq!(refused(&directory.path().join("none.db")).code(), "earlier-missing");
    assert_eq!(refused(directory.path()).code(), "earlier-not-a-file");
    assert_eq!(refused(&put("empty.db", b"")).code(), "earlier-foreign");
    assert_eq!(refused(&put("text.db", b"users: none\n")).code(), "earlier-foreign");
    assert_eq!(refused(&put("short.db", b"SQLite format 3\0")).code(), "earlier-foreign");
    for (name, sql) in [
        ("other.db", "CREATE TABLE users (id, email)"),
        (
            "scheduler.db",
            "CREATE TABLE _migrations (version INTEGER PRIMARY KEY); INSERT INTO _migrations VALUES (1)",
        ),
        (
            "view.db",
            "CREATE TABLE _migrations (version INTEGER PRIMARY KEY); INSERT INTO _migrations VALUES (6); \
             CREATE TABLE api_keys (user_id, name, key_hash, is_active, created_at); \
             CREATE VIEW users AS SELECT 1 AS id, 2 AS email, 3 AS password_hash, 4 AS role, 5 AS is_active, 6 AS created_at",
        ),
    ] {
        let path = directory.path().join(name);
        run(&path, sql);
        assert_eq!(refused(&path).code(), "earlier-foreign", "{name}");
    }
    let own = directory.path().join("dango.db");
    drop(dango_store_sqlite::SqliteStore::open(&own, dango_store_sqlite::Open::OrCreate).expect("opened"));
    assert_eq!(refused(&own).code(), "earlier-foreign");
}

#[test]
fn a_newer_schema_is_refused_with_both_numbers() {
    let (_directory, path) = copied();
    run(&path, "INSERT INTO _migrations VALUES (7, 'Add something', '')");
    assert!(matches!(refused(&path), EarlierError::Newer { found: 7, known: 6 }));
}

#[test]
fn a_transaction_that_is_to_be_undone_first_is_named() {
    let (_directory, path) = copied();
    fs::write(path.with_file_name("auth.db-journal"), [0xd9, 0xd5, 5, 0xf9]).expect("written");
    assert_eq!(refused(&path).code(), "earlier-unfinished");
    // One that has ended leaves zeros or nothing.
    fs::write(path.with_file_name("auth.db-journal"), [0; 512]).expect("written");
    assert_eq!(read(&path).users.len(), 17);
}

#[test]
fn pages_that_were_overwritten_are_damage() {
    let (_directory, path) = copied();
    let whole = fs::read(&path).expect("read");
    let mut found = 0;
    for page in 1..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(&path, &bytes).expect("written");
        found += u32::from(matches!(read_earlier(&path), Err(EarlierError::Damaged(_))));
    }
    assert_eq!(found as usize, whole.len() / 4096 - 1);
    fs::write(&path, &whole[..whole.len() / 2]).expect("written");
    assert_eq!(refused(&path).code(), "earlier-damaged");
}

#[test]
fn texts_that_cannot_be_texts_are_damage_and_not_a_panic() {
    for sql in [
        "UPDATE users SET email = CAST(x'ff00' AS TEXT) WHERE email = 'admin@dango.test'",
        "UPDATE users SET password_hash = CAST(x'24003262' AS TEXT) WHERE email = 'admin@dango.test'",
    ] {
        let (_directory, path) = copied();
        run(&path, sql);
        assert_eq!(refused(&path).code(), "earlier-damaged", "{sql}");
    }
    // Columns hold any type; a number is its text.
    let (_directory, path) = copied();
    run(
        &path,
        "UPDATE users SET email = 7, is_active = 'yes' WHERE email = 'admin@dango.test'",
    );
    assert!(emails(&read(&path)).contains(&"7"));
}

/// What SQLite itself reads from a copy of the two files.
fn sqlite_reads(database: &[u8], log: Option<&[u8]>) -> Vec<String> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("auth.db");
    fs::write(&path, database).expect("written");
    if let Some(log) = log {
        fs::write(path.with_file_name("auth.db-wal"), log).expect("written");
    }
    pollster::block_on(async {
        let mut connection = connect(&path).await;
        let read = sqlx::query_scalar("SELECT email FROM users ORDER BY rowid")
            .fetch_all(&mut connection)
            .await;
        connection.close().await.expect("closed");
        read.expect("read")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_log_of_any_history_cut_off_anywhere_reads_as_sqlite_reads_it(
        steps in prop::collection::vec((0u8..6, 1usize..40), 1..8),
        cut in 0.0f64..1.0,
        flipped in prop::option::of(0.0f64..1.0),
    ) {
        let (_directory, path) = copied();
        let (database, log) = pollster::block_on(async {
            let mut running = connect(&path).await;
            running.execute("PRAGMA wal_autocheckpoint = 0").await.expect("set");
            for (number, (step, size)) in steps.into_iter().enumerate() {
                let sql = match step {
                    0 => "PRAGMA wal_checkpoint(PASSIVE)".to_owned(),
                    1 => "PRAGMA wal_checkpoint(RESTART)".to_owned(),
                    2 => format!("DELETE FROM users WHERE rowid % {} = 1; VACUUM", size + 1),
                    _ => format!(
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {size}) \
                         INSERT INTO users (id, email, created_at, updated_at) \
                         SELECT '{number}-' || i, '{number}-' || i || printf('%.500c', 'x'), '', '' FROM n"
                    ),
                };
                running.execute(AssertSqlSafe(sql)).await.expect("run");
            }
            (fs::read(&path).expect("read"), fs::read(path.with_file_name("auth.db-wal")).unwrap_or_default())
        });
        // Only what lies behind the last checkpoint may be missing, else SQLite finds damage as well: so cut the last third.
        let kept = log.len() - (cut * log.len() as f64 / 3.0) as usize;
        let mut log = log[..kept].to_vec();
        if let Some(at) = flipped {
            let at = (log.len() as f64 * (0.7 + 0.3 * at)) as usize;
            if let Some(byte) = log.get_mut(at) {
                *byte ^= 0x10;
            }
        }
        let elsewhere = tempfile::tempdir().expect("a directory");
        let copy = elsewhere.path().join("auth.db");
        fs::write(&copy, &database).expect("written");
        fs::write(elsewhere.path().join("auth.db-wal"), &log).expect("written");
        match read_earlier(&copy) {
            Ok(read) => prop_assert_eq!(emails(&read), sqlite_reads(&database, Some(&log))),
            // A checkpoint has overtaken what was cut off, so the pages do not fit together.
            Err(error) => prop_assert_eq!(error.code(), "earlier-damaged"),
        }
    }
}
