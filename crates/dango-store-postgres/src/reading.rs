//! Jobs that read, each on one moment of the database.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

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
pub(crate) async fn read(line: &Arc<Line>, job: Job) -> Result<(), StoreFailure> {
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
    // What was read is there: nobody waits for the end. A connection on which it does not come in order is not used again.
    let line = Arc::clone(line);
    tokio::spawn(async move {
        if borrowed.connection.run_all("ROLLBACK").await.is_ok() {
            line.give_back(borrowed);
        }
    });
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
