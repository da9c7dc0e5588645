//! How the schema comes to be what this version needs: numbered steps, forward only, all that are missing in one transaction. The
//! numbers are those of the other backends. Only the owner of the schema does it.

use dango_store::StoreFailure;
use sha2::{Digest, Sha256};

use crate::column::Columns;
use crate::connection::{Connection, Row, query};

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

/// "dngo", as a number: whoever migrates holds this lock until the end of the transaction.
const BEGIN: &str = "BEGIN; SET LOCAL search_path = dango, pg_temp; SET LOCAL lock_timeout = '30s'; \
                     SELECT pg_advisory_xact_lock(1684956015)";

/// Brings the schema up to date inside one transaction, does what else belongs to it, and answers its version.
pub(crate) async fn migrate(connection: &Connection, also: &str) -> Result<u32, StoreFailure> {
    connection.run_all(BEGIN).await?;
    steps(connection).await?;
    connection.run_all(also).await?;
    connection.run_all("COMMIT").await?;
    Ok(LATEST)
}

async fn steps(connection: &Connection) -> Result<(), StoreFailure> {
    let before = version(connection).await?;
    if before == 0 {
        let sql = "CREATE SCHEMA IF NOT EXISTS dango; REVOKE ALL ON SCHEMA dango FROM PUBLIC; \
                   CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, name text COLLATE \"C\" NOT NULL, checksum bytea NOT NULL)";
        connection.run_all(sql).await?;
    }
    check(connection, before).await?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version > before) {
        connection.run_all(migration.sql).await?;
        let insert = query("INSERT INTO dango.schema_migrations (version, name, checksum) VALUES ($1, $2, $3)");
        let insert = insert.bind(migration.version).bind(migration.name).bind(checksum(migration));
        connection.change(&insert).await?;
    }
    Ok(())
}

/// The version of the schema: 0 where there is none yet.
///
/// # Errors
///
/// There is something else in its place, or a newer one.
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
    let ask = query("SELECT coalesce(max(version), 0) FROM dango.schema_migrations");
    let newest = connection.one(&ask, |row| Columns::of(row).number());
    match newest.await?.unwrap_or(0) {
        found if found > LATEST => Err(StoreFailure::Newer { found, known: LATEST }),
        found => Ok(found),
    }
}

/// Whether the steps that the database has been through are the ones known here.
pub(crate) async fn check(connection: &Connection, version: u32) -> Result<(), StoreFailure> {
    if version == 0 {
        return Ok(());
    }
    let ask = query("SELECT version, checksum FROM dango.schema_migrations ORDER BY version");
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
