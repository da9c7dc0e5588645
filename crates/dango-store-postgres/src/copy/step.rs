//! One step of a move in one transaction: rows of changed keys are taken away, those that are there now put in their place. It is as long
//! as it is: each call by itself has a time within which it is answered, and brings what is held in memory at once.

use std::collections::BTreeSet;

use dango_store::StoreFailure;
use dango_store::copy::{Cells, Following, Table};

use super::arrival::{Arrival, FIND_ARRIVAL, Seen, seen};
use super::{BEGIN, CopyTarget, ROWS};
use crate::connection::{Connection, query};
use crate::statements;

/// Numbers that the database gives go on behind those that came with rows.
const GO_ON_COUNTING: &str = "SELECT setval(pg_get_serial_sequence('dango.oauth_flows', 'number'), (SELECT max(number) FROM dango.oauth_flows)) \
     WHERE EXISTS (SELECT 1 FROM dango.oauth_flows)";

/// Another call of the same move does the next step, or has.
#[derive(Debug, thiserror::Error)]
#[error("another program goes on with the same move, or takes it back")]
struct Overtaken;

/// A step that has begun. Dropped before it is committed, nothing of it has happened.
pub struct OpenStep<'t> {
    target: &'t mut CopyTarget,
    from: Arrival,
    has_flows: bool,
    is_over: bool,
}

impl<'t> OpenStep<'t> {
    pub(super) fn begin(target: &'t mut CopyTarget, from: Arrival) -> Result<Self, StoreFailure> {
        target.ask(move |connection| Box::pin(begin(connection, from)))?;
        Ok(Self {
            target,
            from,
            has_flows: false,
            is_over: false,
        })
    }

    /// The key of a table's last row, as it is in this step.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`]: the step is over, and nothing of it has happened. So with all of them.
    pub fn last_key(&mut self, table: &'static Table) -> Result<Option<Cells>, StoreFailure> {
        self.target.is_kept()?;
        self.target.last_key(table)
    }

    /// Takes away the rows of changed keys, before any is put, so that no new row meets an old one that has what only one may have. Rows of
    /// a table to which others belong stay where they still are, which is where `staying` has their key.
    ///
    /// # Errors
    ///
    /// As [`OpenStep::last_key`].
    pub fn take_away(&mut self, table: &'static Table, changed: Vec<Cells>, staying: &BTreeSet<Cells>) -> Result<(), StoreFailure> {
        let gone: Vec<Cells> = match table.following {
            Following::NotedInPlace => changed.iter().filter(|key| !staying.contains(*key)).cloned().collect(),
            _ => changed.clone(),
        };
        self.within(move |connection| Box::pin(async move { take_away(connection, table, &gone, &changed).await }))
    }

    /// Puts rows into a table. Tables are filled in their order.
    ///
    /// # Errors
    ///
    /// As [`OpenStep::last_key`].
    pub fn put(&mut self, table: &'static Table, rows: Vec<Cells>) -> Result<(), StoreFailure> {
        self.has_flows |= table.name == "oauth_flows" && !rows.is_empty();
        self.within(move |connection| Box::pin(async move { put_rows(connection, table, &rows).await }))
    }

    /// Ends the step, and says how far the move is then: so many tables are copied whole, and notes are followed up to a number.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`]: whether it was done is not always known then; [`CopyTarget::standing`] says it.
    pub fn commit(mut self, copied: usize, noted: i64) -> Result<Arrival, StoreFailure> {
        let next = Arrival {
            step: self.from.step + 1,
            copied,
            noted,
            ..self.from
        };
        let has_flows = self.has_flows;
        self.within(move |connection| Box::pin(commit(connection, next, has_flows)))?;
        self.is_over = true;
        Ok(next)
    }

    /// Runs work in the transaction of this step, never in another one.
    fn within<T, W>(&mut self, work: W) -> Result<T, StoreFailure>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c Connection) -> futures_util::future::BoxFuture<'c, Result<T, StoreFailure>> + Send + 'static,
    {
        self.target.is_kept()?;
        self.target.ask(work)
    }
}

impl Drop for OpenStep<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            // With the connection its transaction ends.
            self.target.let_go();
        }
    }
}

/// Begins a transaction in which the move is as far as it is believed to be, and stays so.
pub(super) async fn begin(connection: &Connection, from: Arrival) -> Result<(), StoreFailure> {
    connection.run_all(BEGIN).await?;
    let lock = query(format!("{FIND_ARRIVAL} FOR UPDATE"));
    match connection.one(&lock, seen).await? {
        Some(Seen {
            arrival,
            is_settled: false,
        }) if arrival == from => Ok(()),
        _ => Err(StoreFailure::unavailable(Overtaken)),
    }
}

/// Takes rows away, and from those that stay what only one may have.
async fn take_away(connection: &Connection, table: &'static Table, gone: &[Cells], changed: &[Cells]) -> Result<(), StoreFailure> {
    for keys in gone.chunks(ROWS) {
        let delete = query(statements::delete(table));
        let delete = statements::bind_columns(delete, table, table.key_columns(), keys)?;
        connection.change(&delete).await?;
    }
    if table.name == "users" {
        for keys in changed.chunks(ROWS) {
            // No address looks like this: it has no @.
            let part = query("UPDATE dango.users SET email_likeness = encode(id, 'hex') WHERE id = ANY($1::bytea[])");
            let part = statements::bind_columns(part, table, table.key_columns(), keys)?;
            connection.change(&part).await?;
        }
    }
    Ok(())
}

async fn put_rows(connection: &Connection, table: &'static Table, rows: &[Cells]) -> Result<(), StoreFailure> {
    for rows in rows.chunks(ROWS) {
        let insert = query(statements::insert(table));
        let insert = statements::bind_columns(insert, table, table.columns, rows)?;
        connection.change(&insert).await?;
    }
    Ok(())
}

async fn commit(connection: &Connection, next: Arrival, has_flows: bool) -> Result<(), StoreFailure> {
    if has_flows {
        connection.rows(&query(GO_ON_COUNTING)).await?;
    }
    let copied = i64::try_from(next.copied).map_err(StoreFailure::unavailable)?;
    let update = query("UPDATE dango.arrival SET step = $1, copied = $2, noted = $3 WHERE one = 1");
    connection.change(&update.bind(next.step).bind(copied).bind(next.noted)).await?;
    connection.run_all("COMMIT").await
}
