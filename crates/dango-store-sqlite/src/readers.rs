//! The connections that read: made when they are needed, kept for the next. Work runs on the caller's own thread.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use dango_store::{Job, StoreFailure};
use futures_util::FutureExt;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor};

use crate::failure::failure_of;
use crate::file::Disk;
use crate::transaction::SqliteTransaction;

/// How many idle connections are kept. More are made where more are read from at once.
const KEPT: usize = 4;

/// The connections that nobody reads from just now.
pub(crate) struct Readers {
    path: PathBuf,
    disk: Disk,
    idle: Mutex<Vec<SqliteConnection>>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf, disk: Disk) -> Self {
        Self {
            path,
            disk,
            idle: Mutex::default(),
        }
    }

    /// Runs a job on one moment of the database.
    ///
    /// A connection is put back only when its transaction has ended in order; one whose reader has gone away is closed.
    pub(crate) async fn run(&self, job: Job) -> Result<(), StoreFailure> {
        let mut connection = self.connection().await?;
        connection.execute("BEGIN").await.map_err(failure_of)?;
        let mut transaction = SqliteTransaction::new(&mut connection);
        let ran = AssertUnwindSafe(async { job(&mut transaction).await }).catch_unwind().await;
        let failure = transaction.into_failure();
        connection.execute("ROLLBACK").await.map_err(failure_of)?;
        self.keep(connection);
        match (ran, failure) {
            (Err(_), _) => Err(StoreFailure::Interrupted),
            (Ok(_), Some(failure)) => Err(failure),
            (Ok(_), None) => Ok(()),
        }
    }

    async fn connection(&self) -> Result<SqliteConnection, StoreFailure> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(connection) => Ok(connection),
            None => crate::connection::reader(&self.path, self.disk).await,
        }
    }

    fn keep(&self, connection: SqliteConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(connection);
        }
    }
}

/// Closes what is left, so that the writer is the last: only it can bring the log into the file.
impl Drop for Readers {
    fn drop(&mut self) {
        let idle = std::mem::take(self.idle.get_mut().unwrap_or_else(PoisonError::into_inner));
        for connection in idle {
            // It has nothing to lose.
            let _ = pollster::block_on(connection.close());
        }
    }
}
