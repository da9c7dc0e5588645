//! A connection to the file, set up once: what a writer has, and what a reader has.

use std::path::Path;
use std::time::{Duration, Instant};

use dango_store::StoreFailure;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{ConnectOptions, Executor};

use crate::failure::failure_of;
use crate::file::Disk;

/// How long one waits for other programs that write.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How long SQLite waits by itself. It looks ever more rarely, so it is better asked again.
const SQLITE_PATIENCE: Duration = Duration::from_millis(15);

/// Opens the connection that writes; there is one. The file is there, whatever is in it.
pub(crate) async fn writer(path: &Path) -> Result<SqliteConnection, StoreFailure> {
    // The journal's mode is set by the migration: it is kept in the file.
    let options = options(path)
        .busy_timeout(SQLITE_PATIENCE)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("secure_delete", "ON")
        // A log that one large transaction has made long is cut back afterwards.
        .pragma("journal_size_limit", "16777216");
    let begun = Instant::now();
    loop {
        // What is set up looks into the file, which another program may be making, or closing as the last one, just now.
        match options.connect().await.map_err(failure_of) {
            Err(StoreFailure::Locked) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(1)),
            done => return done,
        }
    }
}

/// Opens a connection that reads.
pub(crate) async fn reader(path: &Path, disk: Disk) -> Result<SqliteConnection, StoreFailure> {
    // On a disk that takes nothing there is no place for locks, and nobody against whom they would help.
    let is_still = disk == Disk::ReadOnly;
    options(path)
        .read_only(true)
        .immutable(is_still)
        .connect()
        .await
        .map_err(failure_of)
}

/// Runs a statement that takes a lock, and waits for others who have it.
pub(crate) async fn lock(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), StoreFailure> {
    let begun = Instant::now();
    loop {
        match connection.execute(sql).await.map_err(failure_of) {
            Ok(_) => return Ok(()),
            Err(StoreFailure::Locked) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(1)),
            Err(failure) => return Err(failure),
        }
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(PATIENCE)
        .statement_cache_capacity(256)
        // What a schema that somebody changed by hand says is not run with our rights, and pages are looked at before use.
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        // Nothing of what is sorted ends up in a file elsewhere.
        .pragma("temp_store", "MEMORY")
        // Rows come from another thread: the more at once, the fewer times it is waited for.
        .row_buffer_size(1024)
        .disable_statement_logging()
}
