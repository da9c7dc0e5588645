//! The connections that read: made when they are needed, kept for the next. Work runs on the caller's own thread.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use dango_store::{Job, StoreFailure};
use futures_util::FutureExt;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor};

use crate::failure::failure_of;
use crate::file::{Disk, FileState, OpenedFile};
use crate::transaction::SqliteTransaction;

/// How many idle connections are kept. More are made where more are read from at once.
const KEPT: usize = 4;

/// The connections that nobody reads from just now.
pub(crate) struct Readers {
    file: Arc<OpenedFile>,
    disk: Disk,
    /// Each with the state in which it found the file. In another it is not used again: what it has read may be overtaken by what
    /// somebody has written past SQLite.
    idle: Mutex<Vec<(FileState, SqliteConnection)>>,
}

impl Readers {
    pub(crate) fn new(file: Arc<OpenedFile>, disk: Disk) -> Self {
        Self {
            file,
            disk,
            idle: Mutex::default(),
        }
    }

    /// Runs a job on one moment of the database.
    ///
    /// A connection is put back only when its transaction has ended in order; one whose reader has gone away is closed.
    pub(crate) async fn run(&self, job: Job) -> Result<(), StoreFailure> {
        let (state, mut connection) = self.connection().await?;
        connection.execute("BEGIN").await.map_err(failure_of)?;
        let mut transaction = SqliteTransaction::new(&mut connection);
        let ran = AssertUnwindSafe(async { job(&mut transaction).await }).catch_unwind().await;
        let failure = transaction.into_failure();
        connection.execute("ROLLBACK").await.map_err(failure_of)?;
        self.keep(state, connection);
        match (ran, failure) {
            (Err(_), _) => Err(StoreFailure::Interrupted),
            (Ok(_), Some(failure)) => Err(failure),
            (Ok(_), None) => Ok(()),
        }
    }

    async fn connection(&self) -> Result<(FileState, SqliteConnection), StoreFailure> {
        let state = self.file.look()?;
        let overtaken = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            match idle.pop() {
                Some((found, connection)) if found == state => return Ok((state, connection)),
                other => other.into_iter().chain(idle.drain(..)).collect::<Vec<_>>(),
            }
        };
        drop(overtaken);
        let connection = crate::connection::reader(self.file.path(), self.disk).await?;
        // What was opened is what is there now, and not what was put there in between.
        Ok((self.file.look()?, connection))
    }

    fn keep(&self, state: FileState, connection: SqliteConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push((state, connection));
        }
    }
}

/// Closes what is left, so that the writer is the last: only it can bring the log into the file.
impl Drop for Readers {
    fn drop(&mut self) {
        let idle = std::mem::take(self.idle.get_mut().unwrap_or_else(PoisonError::into_inner));
        for (_, connection) in idle {
            // It has nothing to lose.
            let _ = pollster::block_on(connection.close());
        }
    }
}
