//! A transaction on one connection: how the stores of the domains run their statements. The statements stand in `tables`.

use std::future::Future;
use std::ops::ControlFlow;

use dango_store::StoreFailure;

use crate::connection::{Connection, Row, Statement};

/// Every store of the domains, on one connection inside one transaction.
pub(crate) struct PostgresTransaction<'c> {
    connection: &'c Connection,
    /// The first step that failed, or that is not answered yet. After it nothing is done any more, whatever the caller makes of the
    /// error: the database has given up the transaction. A step that was begun and dropped unanswered is one that failed, too.
    failure: Option<StoreFailure>,
}

impl<'c> PostgresTransaction<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self { connection, failure: None }
    }

    /// Ends the use of the connection and says what failed, if anything did.
    pub(crate) fn into_failure(self) -> Option<StoreFailure> {
        self.failure
    }

    /// Runs a statement and says how many rows it changed.
    pub(crate) async fn change(&mut self, statement: Statement) -> Result<u64, StoreFailure> {
        let connection = self.connection;
        self.step(connection.change(&statement)).await
    }

    /// Whether a statement that changes one row at most did.
    pub(crate) async fn changed(&mut self, statement: Statement) -> Result<bool, StoreFailure> {
        Ok(self.change(statement).await? > 0)
    }

    /// Reads the one row that there may be.
    pub(crate) async fn one<T: Send>(
        &mut self,
        statement: Statement,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreFailure> + Send,
    ) -> Result<Option<T>, StoreFailure> {
        let connection = self.connection;
        self.step(connection.one(&statement, read)).await
    }

    /// Reads every row.
    pub(crate) async fn all<T: Send>(
        &mut self,
        statement: Statement,
        read: impl Fn(&Row<'_>) -> Result<T, StoreFailure> + Send,
    ) -> Result<Vec<T>, StoreFailure> {
        let connection = self.connection;
        let read = async move {
            let rows = connection.rows(&statement).await?;
            rows.iter().map(|row| read(&Row(row))).collect()
        };
        self.step(read).await
    }

    /// Lends every row, one after another, until it has been enough; says how many were lent and whether it was.
    pub(crate) async fn each(
        &mut self,
        statement: Statement,
        mut visit: impl FnMut(&Row<'_>) -> ControlFlow<()> + Send,
    ) -> Result<(usize, ControlFlow<()>), StoreFailure> {
        let connection = self.connection;
        let rows = self.step(connection.rows(&statement)).await?;
        for (number, row) in rows.iter().enumerate() {
            if visit(&Row(row)).is_break() {
                return Ok((number + 1, ControlFlow::Break(())));
            }
        }
        Ok((rows.len(), ControlFlow::Continue(())))
    }

    async fn step<T>(&mut self, work: impl Future<Output = Result<T, StoreFailure>>) -> Result<T, StoreFailure> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        self.failure = Some(StoreFailure::Interrupted);
        let done = work.await;
        self.failure = done.as_ref().err().cloned();
        done
    }
}
