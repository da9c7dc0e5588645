//! A database that was opened: its writer, its readers, and what is asked at each request.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use dango_identity::{ApiKeyRecord, StoredSession, TokenDigest, kind};
use dango_store::{AtTheDoor, Budgets, Job, Store, StoreFailure, StoreVersion};

use crate::connection::Connection;
use crate::door::Door;
use crate::file::{self, Disk, Open, OpenedFile};
use crate::migration;
use crate::readers::Readers;
use crate::writer::Writer;

/// Users, sessions, keys and the audit log in one SQLite file.
///
/// Several programs may have the file open at once, and several of these in one program; each writes through one thread of
/// its own. Whoever finds it locked waits for a few seconds. Dropped, it finishes what it was asked for and closes the file.
pub struct SqliteStore {
    // The order matters: who closes last brings the log into the file, which only the writer can.
    readers: Readers,
    /// None on a disk that takes nothing.
    door: Option<Door>,
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
        match Self::open_once(path, open) {
            // A layered file system puts another file in its place when it is first opened to write.
            Err(StoreFailure::Gone) => Self::open_once(path, open),
            done => done,
        }
    }

    fn open_once(path: &Path, open: Open) -> Result<Self, StoreFailure> {
        let file = Arc::new(file::prepare(path, open)?);
        let store = match file::disk_of(file.path()) {
            Disk::ReadOnly => Self::connect_still(Arc::clone(&file)),
            Disk::Writable => Self::connect(Arc::clone(&file)),
        };
        let store = store?;
        file.look()?;
        Ok(store)
    }

    fn connect(file: Arc<OpenedFile>) -> Result<Self, StoreFailure> {
        let connection = Connection::writer(file.path())?;
        let schema_version = migration::migrate(&connection)?;
        Ok(Self {
            readers: Readers::new(Arc::clone(&file), Disk::Writable),
            door: Some(Door::new(Arc::clone(&file))),
            writer: Some(Writer::start(connection, file)?),
            schema_version,
        })
    }

    /// Opens a file that nobody can write. What a writer had left beside it cannot be brought in, and without it the file lies.
    fn connect_still(file: Arc<OpenedFile>) -> Result<Self, StoreFailure> {
        if file::has_log(file.path()) {
            return Err(StoreFailure::ReadOnly);
        }
        let connection = Connection::reader(file.path(), Disk::ReadOnly)?;
        Ok(Self {
            schema_version: migration::current(&connection)?,
            readers: Readers::new(file, Disk::ReadOnly),
            door: None,
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

    fn version(&self) -> Result<Option<StoreVersion>, StoreFailure> {
        match self.door.as_ref().map(Door::version) {
            // It is not waited for here: a transaction does that where nobody is held up.
            None | Some(Err(StoreFailure::Locked)) => Ok(None),
            Some(version) => version.map(Some),
        }
    }

    async fn session_at_the_door(
        &self,
        digest: TokenDigest<kind::Session>,
        budgets: Arc<dyn Budgets>,
    ) -> Result<AtTheDoor<StoredSession>, StoreFailure> {
        match self.door.as_ref().map(|door| door.session(&digest, &*budgets)) {
            None | Some(Err(StoreFailure::Locked)) => dango_store::session_at_the_door(self, digest, budgets).await,
            Some(found) => found,
        }
    }

    async fn api_key_at_the_door(
        &self,
        digest: TokenDigest<kind::ApiKey>,
        budgets: Arc<dyn Budgets>,
    ) -> Result<AtTheDoor<ApiKeyRecord>, StoreFailure> {
        match self.door.as_ref().map(|door| door.api_key(&digest, &*budgets)) {
            None | Some(Err(StoreFailure::Locked)) => dango_store::api_key_at_the_door(self, digest, budgets).await,
            Some(found) => found,
        }
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("schema_version", &self.schema_version)
            .finish_non_exhaustive()
    }
}
