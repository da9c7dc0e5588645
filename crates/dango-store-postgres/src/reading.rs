//! Jobs that read, each on one moment of the database.

use std::panic::AssertUnwindSafe;

use dango_store::{Job, StoreFailure};
use futures_util::FutureExt;

use crate::column::Columns;
use crate::connection::{Connection, query};
use crate::line::Line;
use crate::migration::{LATEST, let_on, refused_by};
use crate::transaction::PostgresTransaction;

/// One snapshot for all statements, in which nothing can be written, on a server that can: one that only follows another refuses to begin.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE; SET TRANSACTION READ ONLY; SET LOCAL search_path = dango, pg_temp; \
                     SET LOCAL statement_timeout = '30s'; SET LOCAL idle_in_transaction_session_timeout = '5min'";

/// Whether the schema of that moment is one that this version reads.
const LOOK: &str = concat!("SELECT ", refused_by!("$1"));

/// Runs a job on one moment of the database.
pub(crate) async fn read(line: &Line, job: Job) -> Result<(), StoreFailure> {
    let mut borrowed = line.borrow().await?;
    // Nothing has been done yet, so a connection that broke while it was idle costs nothing but another.
    if let Err(failure) = begin(&borrowed.connection).await {
        if !borrowed.is_old {
            return Err(failure);
        }
        borrowed = line.renew(borrowed).await?;
        begin(&borrowed.connection).await?;
    }
    let read = run(&borrowed.connection, job).await;
    // One that does not end in order is not used again.
    borrowed.connection.run_all("ROLLBACK").await?;
    line.give_back(borrowed);
    read
}

async fn begin(connection: &Connection) -> Result<(), StoreFailure> {
    let ask = query(LOOK).bind(LATEST);
    let begun = connection.run_all_and_read(BEGIN, &ask, |row| let_on(&mut Columns::of(row)));
    begun.await.map(drop)
}

async fn run(connection: &Connection, job: Job) -> Result<(), StoreFailure> {
    let mut transaction = PostgresTransaction::new(connection);
    let ran = AssertUnwindSafe(async { job(&mut transaction).await }).catch_unwind().await;
    match (ran, transaction.into_failure()) {
        (Err(_), _) => Err(StoreFailure::Interrupted),
        (Ok(_), Some(failure)) => Err(failure),
        (Ok(_), None) => Ok(()),
    }
}
