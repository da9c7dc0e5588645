//! A transaction on one connection: how the stores of the domains run their statements. The statements stand in `tables`.

use std::ops::ControlFlow;

use dango_store::StoreFailure;
use futures_util::TryStreamExt;
use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection, SqliteRow};

use crate::failure::failure_of;

/// A statement with its values. Its text is in the program, never put together.
pub(crate) type Statement = Query<'static, Sqlite, SqliteArguments>;

/// Every store of the domains, on one connection inside one transaction.
pub(crate) struct SqliteTransaction<'c> {
    connection: &'c mut SqliteConnection,
    /// The first step that failed. After it nothing is done any more, whatever the caller makes of the error: SQLite may have
    /// given up the transaction, and what came now would be committed by itself.
    failure: Option<StoreFailure>,
}

impl<'c> SqliteTransaction<'c> {
    pub(crate) fn new(connection: &'c mut SqliteConnection) -> Self {
        Self { connection, failure: None }
    }

    /// Ends the use of the connection and says what failed, if anything did.
    pub(crate) fn into_failure(self) -> Option<StoreFailure> {
        self.failure
    }

    /// Runs a statement and says how many rows it changed.
    pub(crate) async fn change(&mut self, statement: Statement) -> Result<u64, StoreFailure> {
        self.check()?;
        let done = statement.execute(&mut *self.connection).await;
        self.note(done.map(|done| done.rows_affected()).map_err(failure_of))
    }

    /// Whether a statement that changes one row at most did.
    pub(crate) async fn changed(&mut self, statement: Statement) -> Result<bool, StoreFailure> {
        Ok(self.change(statement).await? > 0)
    }

    /// Reads the one row that there may be.
    pub(crate) async fn one<T>(
        &mut self,
        statement: Statement,
        read: impl FnOnce(&SqliteRow) -> Result<T, StoreFailure>,
    ) -> Result<Option<T>, StoreFailure> {
        self.check()?;
        let found = statement.fetch_optional(&mut *self.connection).await.map_err(failure_of);
        let read = found.and_then(|row| row.as_ref().map(read).transpose());
        self.note(read)
    }

    /// Reads every row.
    pub(crate) async fn all<T>(
        &mut self,
        statement: Statement,
        read: impl Fn(&SqliteRow) -> Result<T, StoreFailure>,
    ) -> Result<Vec<T>, StoreFailure> {
        self.check()?;
        let found = statement.fetch_all(&mut *self.connection).await.map_err(failure_of);
        let read = found.and_then(|rows| rows.iter().map(read).collect());
        self.note(read)
    }

    /// Lends every row, one after another, until it has been enough.
    pub(crate) async fn each(
        &mut self,
        statement: Statement,
        mut visit: impl FnMut(&SqliteRow) -> ControlFlow<()> + Send,
    ) -> Result<(), StoreFailure> {
        self.check()?;
        let mut rows = statement.fetch(&mut *self.connection);
        let done = loop {
            match rows.try_next().await {
                Ok(Some(row)) if visit(&row).is_continue() => {}
                Ok(_) => break Ok(()),
                Err(error) => break Err(failure_of(error)),
            }
        };
        drop(rows);
        self.note(done)
    }

    fn check(&self) -> Result<(), StoreFailure> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    fn note<T>(&mut self, done: Result<T, StoreFailure>) -> Result<T, StoreFailure> {
        if let Err(failure) = &done {
            self.failure = Some(failure.clone());
        }
        done
    }
}
