//! One step of a move in one transaction: rows of changed keys are taken away, those that are there now put in their place.

use std::collections::BTreeSet;

use dango_store::StoreFailure;
use dango_store::copy::{Cell, Cells, Following};

use super::{Arrival, BEGIN, Put, ROWS, Step, arrival};
use crate::connection::{Connection, query};
use crate::statements;

/// Records for which a segment stands are not brought, and go where they were.
const PRUNE: &str = "DELETE FROM dango.audit WHERE seq <= (SELECT max(last_seq) FROM dango.audit_segments)";

/// Numbers that the database gives go on behind those that came with rows.
const GO_ON_COUNTING: &str = "SELECT setval(pg_get_serial_sequence('dango.oauth_flows', 'number'), (SELECT max(number) FROM dango.oauth_flows)) \
     WHERE EXISTS (SELECT 1 FROM dango.oauth_flows)";

/// Another call of the same move does the next step, or has.
#[derive(Debug, thiserror::Error)]
#[error("another program goes on with the same move")]
struct Overtaken;

pub(super) async fn run(connection: &Connection, from: Arrival, step: &Step) -> Result<Arrival, StoreFailure> {
    connection.run_all(BEGIN).await?;
    let lock = query("SELECT token, step, copied, noted FROM dango.arrival WHERE one = 1 FOR UPDATE");
    if connection.one(&lock, arrival).await? != Some(from) {
        return Err(StoreFailure::unavailable(Overtaken));
    }
    for put in step.puts.iter().rev() {
        take_away(connection, put).await?;
    }
    for put in &step.puts {
        put_rows(connection, put).await?;
    }
    if step.puts.iter().any(|put| put.table.name == "audit_segments") {
        connection.run_all(PRUNE).await?;
    }
    if step.puts.iter().any(|put| put.table.name == "oauth_flows") {
        connection.rows(&query(GO_ON_COUNTING)).await?;
    }
    let next = Arrival {
        step: from.step + 1,
        copied: step.copied,
        noted: step.noted,
        ..from
    };
    let copied = i64::try_from(next.copied).map_err(StoreFailure::unavailable)?;
    let update = query("UPDATE dango.arrival SET step = $1, copied = $2, noted = $3 WHERE one = 1");
    connection.change(&update.bind(next.step).bind(copied).bind(next.noted)).await?;
    connection.run_all("COMMIT").await?;
    Ok(next)
}

/// Takes away the rows of changed keys: all of them, so that no new row meets an old one that has what only one may have. Rows to which
/// others belong stay where they still are, and give up what only one may have.
async fn take_away(connection: &Connection, put: &Put) -> Result<(), StoreFailure> {
    let table = put.table;
    let gone: Vec<Cells> = match table.following {
        Following::NotedInPlace => {
            let stay: BTreeSet<&[Cell]> = put.rows.iter().map(|row| table.key_of(row)).collect();
            put.changed.iter().filter(|key| !stay.contains(key.as_slice())).cloned().collect()
        }
        _ => put.changed.clone(),
    };
    for keys in gone.chunks(ROWS) {
        let delete = query(statements::delete(table));
        let delete = statements::bind_columns(delete, table, table.key_columns(), keys)?;
        connection.change(&delete).await?;
    }
    if table.name == "users" {
        for keys in put.changed.chunks(ROWS) {
            // No address looks like this: it has no @.
            let part = query("UPDATE dango.users SET email_likeness = encode(id, 'hex') WHERE id = ANY($1::bytea[])");
            let part = statements::bind_columns(part, table, table.key_columns(), keys)?;
            connection.change(&part).await?;
        }
    }
    Ok(())
}

async fn put_rows(connection: &Connection, put: &Put) -> Result<(), StoreFailure> {
    for rows in put.rows.chunks(ROWS) {
        let insert = query(statements::insert(put.table));
        let insert = statements::bind_columns(insert, put.table, put.table.columns, rows)?;
        connection.change(&insert).await?;
    }
    Ok(())
}
