//! How the schema comes to be what this version needs: numbered steps, forward only, each whole or not at all.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use dango_store::StoreFailure;
use sha2::{Digest, Sha256};

use crate::column::Columns;
use crate::connection::{Connection, PATIENCE, query};
use crate::moved;

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
    Migration {
        version: 5,
        name: "oauth_flows",
        sql: include_str!("../migrations/0005_oauth_flows.sql"),
    },
];

/// The newest version known here.
pub(crate) const LATEST: u32 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// Answers the version of a schema that nobody can bring up to date, if it needs that from nobody.
pub(crate) fn current(connection: &Connection) -> Result<u32, StoreFailure> {
    if version(connection)? < LATEST {
        return Err(StoreFailure::ReadOnly);
    }
    check(connection, LATEST)?;
    Ok(LATEST)
}

/// Brings the schema up to date and answers its version. It writes nothing where nothing is to be done.
///
/// However many programs start at once: one does it, the others wait.
pub(crate) fn migrate(connection: &Connection) -> Result<u32, StoreFailure> {
    let begun = Instant::now();
    loop {
        // Even a first look finds the file locked while another program does the steps.
        match migrate_now(connection) {
            Err(StoreFailure::Locked) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(1)),
            done => return done,
        }
    }
}

fn migrate_now(connection: &Connection) -> Result<u32, StoreFailure> {
    if version(connection)? == LATEST {
        check(connection, LATEST)?;
        return Ok(LATEST);
    }
    // The file remembers that it has a write-ahead log.
    connection.lock("PRAGMA journal_mode = WAL")?;
    // Nobody reads between the steps, either.
    connection.lock("BEGIN EXCLUSIVE")?;
    let done = steps(connection);
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = connection.run_all(end);
    done?;
    ended.map(|()| LATEST)
}

/// The version of the schema, of a database that is ours or that nothing is in yet.
pub(crate) fn version(connection: &Connection) -> Result<u32, StoreFailure> {
    let sql = "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version), \
               (SELECT count(*) FROM sqlite_schema)";
    let row = connection.one(&query(sql), |row| {
        let columns = &mut Columns::of(row);
        Ok((columns.integer()?, columns.integer()?, columns.integer()?))
    });
    let (application, version, tables) = row?.unwrap_or_default();
    let is_empty = application == 0 && version == 0 && tables == 0;
    if application != i64::from(APPLICATION_ID) && !is_empty {
        return Err(StoreFailure::Foreign);
    }
    if version == moved::VERSION {
        return Err(moved::failure(connection));
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
fn steps(connection: &Connection) -> Result<(), StoreFailure> {
    let before = version(connection)?;
    if before == 0 {
        let sql = "CREATE TABLE schema_migrations (version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum BLOB NOT NULL) STRICT; \
                   PRAGMA application_id = 0x646e676f";
        connection.run_all(sql)?;
    }
    check(connection, before)?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > before) {
        connection.run_all(migration.sql)?;
        let insert = query("INSERT INTO schema_migrations (version, name, checksum) VALUES (?1, ?2, ?3)");
        connection.change(&insert.bind(migration.version).bind(migration.name).bind(checksum(migration)))?;
    }
    // A pragma takes no parameter; that the number is the newest is tested.
    connection.run_all("PRAGMA user_version = 5")?;
    Ok(())
}

/// Whether the steps that the database has been through are the ones known here.
pub(crate) fn check(connection: &Connection, version: u32) -> Result<(), StoreFailure> {
    let mut found: Vec<(u32, Vec<u8>)> = Vec::new();
    connection.each(&query("SELECT version, checksum FROM schema_migrations ORDER BY version"), |row| {
        let columns = &mut Columns::of(row);
        found.push((columns.number()?, columns.blob()?.to_vec()));
        Ok(ControlFlow::Continue(()))
    })?;
    let known = MIGRATIONS.iter().filter(|migration| migration.version <= version);
    let same = known.map(|migration| (migration.version, checksum(migration))).eq(found);
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
