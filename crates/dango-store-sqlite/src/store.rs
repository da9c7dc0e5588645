//! A database that was opened: its writer and its readers.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use dango_store::{Job, Store, StoreFailure};
use sqlx::Connection;

use crate::file::{self, Disk, Open};
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
    /// None on a disk that takes nothing.
    writer: Option<Writer>,
    schema_version: u32,
}

impl SqliteStore {
    /// Opens the database at a path and brings its schema up to date. It blocks for the few milliseconds that this takes.
    ///
    /// On a disk that is mounted read-only what is there is read, and every write fails.
    ///
    /// The file is made readable for its owner only, whatever the umask, and so is a directory that is made for it.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`]: there is none and none was to be made, it is a link, another user's or another program's, damaged, newer,
    /// locked for too long, or cannot be read or written. A file that is none of ours is left as it is.
    pub fn open(path: &Path, open: Open) -> Result<Self, StoreFailure> {
        let path = file::prepare(path, open)?;
        match file::disk_of(&path) {
            Disk::ReadOnly => pollster::block_on(Self::connect_still(path)),
            Disk::Writable => pollster::block_on(Self::connect(path)),
        }
    }

    async fn connect(path: PathBuf) -> Result<Self, StoreFailure> {
        let mut connection = connection::writer(&path).await?;
        match migration::migrate(&mut connection).await {
            Ok(schema_version) => Ok(Self {
                readers: Readers::new(path, Disk::Writable),
                writer: Some(Writer::start(connection)?),
                schema_version,
            }),
            Err(failure) => {
                // What could not be opened need not be closed well.
                let _ = connection.close().await;
                Err(failure)
            }
        }
    }

    /// Opens a file that nobody can write. What a writer had left beside it cannot be brought in, and without it the file lies.
    async fn connect_still(path: PathBuf) -> Result<Self, StoreFailure> {
        if file::has_log(&path) {
            return Err(StoreFailure::ReadOnly);
        }
        let mut connection = connection::reader(&path, Disk::ReadOnly).await?;
        let found = migration::current(&mut connection).await;
        let _ = connection.close().await;
        Ok(Self {
            schema_version: found?,
            readers: Readers::new(path, Disk::ReadOnly),
            writer: None,
        })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn run_write(&self, job: Job) -> Result<(), StoreFailure> {
        match &self.writer {
            Some(writer) => writer.run(job).await,
            None => Err(StoreFailure::ReadOnly),
        }
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
