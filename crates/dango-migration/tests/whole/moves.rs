//! A move in these tests: what is in a database before, how it is moved, and whether both are the same then.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dango_audit::log;
use dango_core::SystemClock;
use dango_identity::{Role, SecurityEpoch, StoreError, TokenDigest};
use dango_migration::{Migration, MigrationError, PATIENCE};
use dango_store::contract::sample;
use dango_store::copy::{Kind, TABLES};
use dango_store::{Store, StoreExt};
use dango_store_postgres::CopyTarget;
use dango_store_sqlite::{Begun, CopySource, Open, SqliteStore};

use crate::database::{Databases, OWNER};

/// How a move to a database is called in these tests.
pub(crate) fn begun(database: &str) -> Begun {
    Begun {
        token: [7; 16],
        address: format!("postgres://dango@localhost/{database}"),
    }
}

pub(crate) fn target(databases: &Databases, name: &str) -> CopyTarget {
    CopyTarget::open(databases.url(OWNER, name), PATIENCE).expect("the owner is let in")
}

pub(crate) fn begin(databases: &Databases, path: &Path, name: &str) -> Result<Migration, MigrationError> {
    let source = CopySource::open(path).map_err(|failure| panic!("{failure}"));
    source.and_then(|source| Migration::begin(source, target(databases, name), &begun(name)))
}

/// Does the whole move.
pub(crate) fn move_all(databases: &Databases, path: &Path, name: &str) -> Result<Duration, MigrationError> {
    let mut migration = begin(databases, path, name)?;
    migration.copy(&mut |_| ())?;
    migration.compare(&mut |_| ())?;
    let done = migration.cut_over(None, &SystemClock, &mut |_| ())?;
    assert!(done.is_settled);
    Ok(done.pause)
}

pub(crate) fn open(path: &Path) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(path, Open::OrCreate).expect("opened"))
}

/// Adds a person with everything that belongs to one, and a record.
pub(crate) async fn add(store: &dyn Store, number: u32) -> Result<(), StoreError> {
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
pub(crate) async fn change(store: &dyn Store, number: u32) -> Result<(), StoreError> {
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
pub(crate) fn is_the_same(databases: &Databases, name: &str, path: &Path) {
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
