//! A transaction on one connection: how the stores of the domains run their statements. The statements stand in `tables`.

use std::ops::ControlFlow;

use dango_store::StoreFailure;

use crate::connection::{Connection, Row, Statement};

/// Whether nobody waits any more for what a transaction reads.
pub(crate) type Abandoned<'c> = &'c (dyn Fn() -> bool + Sync);

/// Every store of the domains, on one connection inside one transaction.
pub(crate) struct SqliteTransaction<'c> {
    // Only one thread may have a connection at a time, so it is not shared here, either.
    connection: &'c mut Connection,
    abandoned: Abandoned<'c>,
    /// The first step that failed. After it nothing is done any more, whatever the caller makes of the error: SQLite may have
    /// given up the transaction, and what came now would be committed by itself.
    failure: Option<StoreFailure>,
}

impl<'c> SqliteTransaction<'c> {
    pub(crate) fn new(connection: &'c mut Connection, abandoned: Abandoned<'c>) -> Self {
        Self {
            connection,
            abandoned,
            failure: None,
        }
    }

    /// Ends the use of the connection and says what failed, if anything did.
    pub(crate) fn into_failure(self) -> Option<StoreFailure> {
        self.failure
    }

    /// Runs a statement and says how many rows it changed.
    pub(crate) fn change(&mut self, statement: Statement) -> Result<u64, StoreFailure> {
        self.check()?;
        let done = self.connection.change(&statement);
        self.note(done)
    }

    /// Whether a statement that changes one row at most did.
    pub(crate) fn changed(&mut self, statement: Statement) -> Result<bool, StoreFailure> {
        Ok(self.change(statement)? > 0)
    }

    /// Reads the one row that there may be.
    pub(crate) fn one<T>(
        &mut self,
        statement: Statement,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreFailure>,
    ) -> Result<Option<T>, StoreFailure> {
        self.check()?;
        let read = self.connection.one(&statement, read);
        self.note(read)
    }

    /// Reads every row.
    pub(crate) fn all<T>(
        &mut self,
        statement: Statement,
        read: impl Fn(&Row<'_>) -> Result<T, StoreFailure>,
    ) -> Result<Vec<T>, StoreFailure> {
        self.check()?;
        let mut found = Vec::new();
        let done = self.connection.each(&statement, |row| {
            found.push(read(row)?);
            Ok(ControlFlow::Continue(()))
        });
        self.note(done.map(|()| found))
    }

    /// Lends every row, one after another, until it has been enough or nobody waits any more.
    pub(crate) fn each(&mut self, statement: Statement, mut visit: impl FnMut(&Row<'_>) -> ControlFlow<()>) -> Result<(), StoreFailure> {
        self.check()?;
        let abandoned = self.abandoned;
        let done = self.connection.each(&statement, |row| match abandoned() {
            true => Err(StoreFailure::Interrupted),
            false => Ok(visit(row)),
        });
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
