//! A database that was opened: its writer and its readers.

use std::path::Path;

use async_trait::async_trait;
use dango_store::{Job, Store, StoreFailure};
use sqlx::Connection;

use crate::file::{self, Open};
use crate::readers::Readers;
use crate::writer::Writer;
use crate::{connection, migration};

/// Users, sessions, keys and the audit log in one SQLite file.
///
/// Several programs may have the file open at once, and several of these in one program; each writes through one thread of
/// its own. Whoever finds it locked waits for a few seconds. Dropped, it finishes what it was asked for and closes the file.
pub struct SqliteStore {
    // The order matters: who closes last brings the log into the file, which only the writer can.
    readers: Readers,
    writer: Writer,
    schema_version: u32,
}

impl SqliteStore {
    /// Opens the database at a path and brings its schema up to date. It blocks for the few milliseconds that this takes.
    ///
    /// The file is made readable for its owner only, whatever the umask, and so is a directory that is made for it.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`]: there is none and none was to be made, it is a link, another user's or another program's, damaged, newer,
    /// locked for too long, or cannot be read or written. A file that is none of ours is left as it is.
    pub fn open(path: &Path, open: Open) -> Result<Self, StoreFailure> {
        let path = file::prepare(path, open)?;
        pollster::block_on(Self::connect(&path)).map_err(|failure| match failure {
            StoreFailure::Unavailable(_) if file::is_on_read_only_disk(&path) => StoreFailure::ReadOnly,
            failure => failure,
        })
    }

    async fn connect(path: &Path) -> Result<Self, StoreFailure> {
        let mut connection = connection::writer(path).await?;
        match migration::migrate(&mut connection).await {
            Ok(schema_version) => Ok(Self {
                readers: Readers::new(path.to_owned()),
                writer: Writer::start(connection)?,
                schema_version,
            }),
            Err(failure) => {
                // What could not be opened need not be closed well.
                let _ = connection.close().await;
                Err(failure)
            }
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn run_write(&self, job: Job) -> Result<(), StoreFailure> {
        self.writer.run(job).await
    }

    async fn run_read(&self, job: Job) -> Result<(), StoreFailure> {
        self.readers.run(job).await
    }

    async fn schema_version(&self) -> Result<u32, StoreFailure> {
        Ok(self.schema_version)
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("schema_version", &self.schema_version)
            .finish_non_exhaustive()
    }
}
