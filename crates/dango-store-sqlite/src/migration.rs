//! How the schema comes to be what this version needs: numbered steps, forward only, each whole or not at all.

use std::time::{Duration, Instant};

use dango_store::StoreFailure;
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Executor, Row};

use crate::connection::{PATIENCE, lock};
use crate::failure::failure_of;

/// "dngo": what says that a file is ours.
const APPLICATION_ID: i32 = 0x646e_676f;

/// One step. What was released is never changed; its checksum is in every database.
struct Migration {
    version: u32,
    name: &'static str,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "identity",
        sql: include_str!("../migrations/0001_identity.sql"),
    },
    Migration {
        version: 2,
        name: "audit",
        sql: include_str!("../migrations/0002_audit.sql"),
    },
    Migration {
        version: 3,
        name: "settings",
        sql: include_str!("../migrations/0003_settings.sql"),
    },
    Migration {
        version: 4,
        name: "imports",
        sql: include_str!("../migrations/0004_imports.sql"),
    },
];

/// The newest version known here.
pub(crate) const LATEST: u32 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// Answers the version of a schema that nobody can bring up to date, if it needs that from nobody.
pub(crate) async fn current(connection: &mut SqliteConnection) -> Result<u32, StoreFailure> {
    if version(connection).await? < LATEST {
        return Err(StoreFailure::ReadOnly);
    }
    check(connection, LATEST).await?;
    Ok(LATEST)
}

/// Brings the schema up to date and answers its version. It writes nothing where nothing is to be done.
///
/// However many programs start at once: one does it, the others wait.
pub(crate) async fn migrate(connection: &mut SqliteConnection) -> Result<u32, StoreFailure> {
    let begun = Instant::now();
    loop {
        // Even a first look finds the file locked while another program does the steps.
        match migrate_now(connection).await {
            Err(StoreFailure::Locked) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(1)),
            done => return done,
        }
    }
}

async fn migrate_now(connection: &mut SqliteConnection) -> Result<u32, StoreFailure> {
    if version(connection).await? == LATEST {
        check(connection, LATEST).await?;
        return Ok(LATEST);
    }
    // The file remembers that it has a write-ahead log.
    lock(connection, "PRAGMA journal_mode = WAL").await?;
    // Nobody reads between the steps, either.
    lock(connection, "BEGIN EXCLUSIVE").await?;
    let done = steps(connection).await;
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = connection.execute(end).await.map_err(failure_of);
    done?;
    ended.map(|_| LATEST)
}

/// The version of the schema, of a database that is ours or that nothing is in yet.
pub(crate) async fn version(connection: &mut SqliteConnection) -> Result<u32, StoreFailure> {
    let sql = "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version), \
               (SELECT count(*) FROM sqlite_schema)";
    let row = sqlx::query(sql).fetch_one(&mut *connection).await.map_err(failure_of)?;
    let number = |at| row.try_get::<i64, usize>(at).map_err(failure_of);
    let (application, version, tables) = (number(0)?, number(1)?, number(2)?);
    let is_empty = application == 0 && version == 0 && tables == 0;
    if application != i64::from(APPLICATION_ID) && !is_empty {
        return Err(StoreFailure::Foreign);
    }
    let version = u32::try_from(version).map_err(StoreFailure::damaged)?;
    if version > LATEST {
        return Err(StoreFailure::Newer {
            found: version,
            known: LATEST,
        });
    }
    Ok(version)
}

/// Does what is still to be done, now that nobody else can.
async fn steps(connection: &mut SqliteConnection) -> Result<(), StoreFailure> {
    let before = version(connection).await?;
    if before == 0 {
        let sql = "CREATE TABLE schema_migrations (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum BLOB NOT NULL) STRICT; \
                   PRAGMA application_id = 0x646e676f";
        connection.execute(sql).await.map_err(failure_of)?;
    }
    check(connection, before).await?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > before) {
        connection.execute(migration.sql).await.map_err(failure_of)?;
        sqlx::query("INSERT INTO schema_migrations (version, name, checksum) VALUES (?1, ?2, ?3)")
            .bind(migration.version)
            .bind(migration.name)
            .bind(checksum(migration))
            .execute(&mut *connection)
            .await
            .map_err(failure_of)?;
    }
    // A pragma takes no parameter; that the number is the newest is tested.
    connection.execute("PRAGMA user_version = 4").await.map_err(failure_of)?;
    Ok(())
}

/// Whether the steps that the database has been through are the ones known here.
pub(crate) async fn check(connection: &mut SqliteConnection, version: u32) -> Result<(), StoreFailure> {
    let rows = sqlx::query("SELECT version, checksum FROM schema_migrations ORDER BY version")
        .fetch_all(&mut *connection)
        .await
        .map_err(failure_of)?;
    let known = MIGRATIONS.iter().filter(|migration| migration.version <= version);
    let same = rows.len() == known.clone().count()
        && rows.iter().zip(known).all(|(row, migration)| {
            let version = row.try_get::<u32, _>(0).is_ok_and(|version| version == migration.version);
            version && row.try_get::<&[u8], _>(1).is_ok_and(|found| found == checksum(migration))
        });
    if same {
        Ok(())
    } else {
        Err(StoreFailure::damaged(
            "the migrations that the database has been through are not those of Dango",
        ))
    }
}

fn checksum(migration: &Migration) -> Vec<u8> {
    Sha256::digest(migration.sql.as_bytes()).to_vec()
}
