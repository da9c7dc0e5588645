//! How the schema comes to be what this version needs: numbered steps, forward only, all that are missing in one transaction. The
//! numbers are those of the other backends. Only the owner of the schema does it.
//!
//! Servers of the version before run while it is done and go on beside the new ones, so each step says in the database which versions
//! it lets go on; a program looks for that at its start and in every transaction. How steps are made so is in `docs/upgrades.md`.

use std::time::{Duration, Instant};

use dango_store::StoreFailure;
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use crate::column::Columns;
use crate::connection::{Connection, Row, query};

/// One step. What was released is never changed; its checksum is in every database.
struct Migration {
    version: u32,
    name: &'static str,
    /// The oldest version whose programs go on once this step is done. Where it only adds what they never look at, the version
    /// before; its own where they would read or write what is no longer so.
    serves_from: u32,
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "identity",
        serves_from: 1,
        sql: include_str!("../migrations/0001_identity.sql"),
    },
    Migration {
        version: 2,
        name: "audit",
        serves_from: 2,
        sql: include_str!("../migrations/0002_audit.sql"),
    },
    Migration {
        version: 3,
        name: "settings",
        serves_from: 3,
        sql: include_str!("../migrations/0003_settings.sql"),
    },
    Migration {
        version: 4,
        name: "imports",
        serves_from: 4,
        sql: include_str!("../migrations/0004_imports.sql"),
    },
    Migration {
        version: 5,
        name: "oauth_flows",
        serves_from: 5,
        sql: include_str!("../migrations/0005_oauth_flows.sql"),
    },
];

/// The newest version known here.
pub(crate) const LATEST: u32 = MIGRATIONS[MIGRATIONS.len() - 1].version;

/// Asks for the newest step that does not let programs of version `$1` go on; nothing where all do.
macro_rules! refused_by {
    ($version:literal) => {
        concat!(
            "(SELECT max(version) FROM dango.schema_migrations WHERE serves_from > ",
            $version,
            ")"
        )
    };
}
pub(crate) use refused_by;

/// "dngo", as a number: whoever migrates holds this lock until the end of the transaction. For another who migrates one waits as long as that
/// takes. For what a step locks nobody waits for long: whoever comes to that table then waits behind it, those at the door among them.
const BEGIN: &str = "BEGIN; SET LOCAL search_path = dango, pg_temp; SET LOCAL statement_timeout = 0; \
                     SET LOCAL idle_in_transaction_session_timeout = '60s'; SET LOCAL lock_timeout = 0; \
                     SELECT pg_advisory_xact_lock(1684956015); SET LOCAL lock_timeout = '2s'";

/// How long one tries to lock what the steps need, for which others are to leave it for a moment.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long others have it before one tries again.
const PAUSE: Duration = Duration::from_millis(500);

/// Brings the schema up to date inside one transaction, does what else belongs to it, and answers its version. Where it is newer and
/// lets this version go on, nothing is done: what belongs to it is not known here.
pub(crate) async fn migrate(connection: &Connection, also: &str) -> Result<u32, StoreFailure> {
    let mut since: Option<Instant> = None;
    loop {
        connection.run_to_end(BEGIN).await?;
        // Waiting for others who migrate does not count.
        let since = *since.get_or_insert_with(Instant::now);
        match whole(connection, also).await {
            Err(StoreFailure::Locked) if since.elapsed() < PATIENCE => {
                connection.run_all("ROLLBACK").await?;
                sleep(PAUSE).await;
            }
            done => return done,
        }
    }
}

/// All that is missing, in the transaction that was begun, and its end.
async fn whole(connection: &Connection, also: &str) -> Result<u32, StoreFailure> {
    let before = version(connection).await?;
    if before > LATEST {
        connection.run_all("ROLLBACK").await?;
        return Ok(before);
    }
    steps(connection, before).await?;
    connection.run_to_end(also).await?;
    // Where the answer to this is lost, doing it all again finds it done.
    connection.run_to_end("COMMIT").await?;
    Ok(LATEST)
}

async fn steps(connection: &Connection, before: u32) -> Result<(), StoreFailure> {
    if before == 0 {
        let sql = "CREATE SCHEMA IF NOT EXISTS dango; REVOKE ALL ON SCHEMA dango FROM PUBLIC; \
                   CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, name text COLLATE \"C\" NOT NULL, checksum bytea NOT NULL, \
                   serves_from bigint NOT NULL CHECK (serves_from <= version))";
        connection.run_all(sql).await?;
    } else if before < LATEST {
        // Servers are at work. Nobody is in the middle of writing while a step is done, and so neither waits for what the other has.
        connection.run_to_end("SELECT FROM turn WHERE one = 1 FOR UPDATE").await?;
    }
    check(connection, before).await?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > before) {
        connection.run_to_end(migration.sql).await?;
        let insert = query("INSERT INTO dango.schema_migrations (version, name, checksum, serves_from) VALUES ($1, $2, $3, $4)");
        let insert = insert.bind(migration.version).bind(migration.name).bind(checksum(migration));
        connection.change(&insert.bind(migration.serves_from)).await?;
    }
    Ok(())
}

/// The version of the schema: 0 where there is none yet. It may be newer than what is known here, if it lets this version go on.
///
/// # Errors
///
/// There is something else in its place, or one that is too new.
pub(crate) async fn version(connection: &Connection) -> Result<u32, StoreFailure> {
    let sql = "SELECT to_regclass('dango.schema_migrations') IS NOT NULL, \
               (SELECT count(*) FROM pg_catalog.pg_class WHERE relnamespace = to_regnamespace('dango'))";
    let ask = query(sql);
    let found = connection.one(&ask, |row| {
        let columns = &mut Columns::of(row);
        Ok((columns.flag()?, columns.integer()?))
    });
    match found.await?.unwrap_or_default() {
        (true, _) => {}
        (false, 0) => return Ok(0),
        (false, _) => return Err(StoreFailure::Foreign),
    }
    let ask = query(concat!(
        "SELECT ",
        refused_by!("$1"),
        ", coalesce(max(version), 0) FROM dango.schema_migrations"
    ))
    .bind(LATEST);
    let newest = connection.one(&ask, |row| {
        let columns = &mut Columns::of(row);
        let_on(columns)?;
        columns.number()
    });
    Ok(newest.await?.unwrap_or(0))
}

/// Reads the next column, which is [`refused_by`] asked for [`LATEST`].
///
/// # Errors
///
/// [`StoreFailure::Newer`]: there is a step that does not let this version go on.
pub(crate) fn let_on(columns: &mut Columns<'_>) -> Result<(), StoreFailure> {
    match columns.optional_integer()? {
        None => Ok(()),
        Some(found) => Err(StoreFailure::Newer {
            found: u32::try_from(found).map_err(|_| columns.bad())?,
            known: LATEST,
        }),
    }
}

/// Whether the steps that the database has been through are the ones known here, as far as they are known.
pub(crate) async fn check(connection: &Connection, version: u32) -> Result<(), StoreFailure> {
    if version == 0 {
        return Ok(());
    }
    let ask = query("SELECT version, checksum FROM dango.schema_migrations WHERE version <= $1 ORDER BY version").bind(LATEST);
    let mut found: Vec<(u32, Vec<u8>)> = Vec::new();
    for row in &connection.rows(&ask).await? {
        let row = Row(row);
        let columns = &mut Columns::of(&row);
        found.push((columns.number()?, columns.blob()?.to_vec()));
    }
    let known = MIGRATIONS.iter().filter(|migration| migration.version <= version);
    match known.map(|migration| (migration.version, checksum(migration))).eq(found) {
        true => Ok(()),
        false => Err(StoreFailure::damaged(
            "the migrations that the database has been through are not those of Dango",
        )),
    }
}

fn checksum(migration: &Migration) -> Vec<u8> {
    Sha256::digest(migration.sql.as_bytes()).to_vec()
}
