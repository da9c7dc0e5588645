//! The row that says how far a move into a database is, and whether it is over: how it is read, and how it is settled.

use dango_store::StoreFailure;
use dango_store::copy::{MoveToken, TABLES};

use crate::column::Columns;
use crate::connection::{Connection, Row, query};
use crate::migration;
use crate::threads::Threads;
use crate::url::DatabaseUrl;

pub(super) const FIND_ARRIVAL: &str = "SELECT token, step, copied, noted, settled FROM dango.arrival WHERE one = 1";

/// The mark of a database names a move of which the one that it names knows nothing.
#[derive(Debug, thiserror::Error)]
#[error("the database knows nothing of the move whose mark is in the old one: it is another one, or it was made anew")]
struct Unknown;

/// How far a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// By what it is told from another.
    pub token: MoveToken,
    /// How many steps were done.
    pub step: i64,
    /// How many of [`TABLES`] are copied whole, from the first on.
    pub copied: usize,
    /// The newest note that was followed.
    pub noted: i64,
}

/// What a database is to whoever wants to move another one into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is in it.
    Empty,
    /// A move into it has begun.
    Arriving(Arrival),
    /// A move into it is over: what is here counts.
    Settled(MoveToken),
    /// People or a log are in it.
    Taken,
}

/// The row of a move.
pub(super) struct Seen {
    pub(super) arrival: Arrival,
    pub(super) is_settled: bool,
}

pub(super) fn seen(row: &Row<'_>) -> Result<Seen, StoreFailure> {
    let columns = &mut Columns::of(row);
    Ok(Seen {
        arrival: Arrival {
            token: columns.bytes()?,
            step: columns.integer()?,
            copied: columns.number::<u32>()? as usize,
            noted: columns.integer()?,
        },
        is_settled: columns.flag()?,
    })
}

/// The move into a database that has begun there, or is over, as the role sees it that is to serve; it blocks while it asks.
///
/// # Errors
///
/// [`StoreFailure`] if it cannot be asked.
pub fn arriving(url: DatabaseUrl) -> Result<Option<MoveToken>, StoreFailure> {
    Threads::start()?.wait(async move {
        let connection = Connection::open(&url).await?;
        if migration::version(&connection).await? < migration::LATEST {
            return Ok(None);
        }
        Ok(connection.one(&query(FIND_ARRIVAL), seen).await?.map(|seen| seen.arrival.token))
    })
}

/// Says to a database, as a role that serves, that what was moved into it counts: by the token that the other database was marked with.
/// Where that was said before, nothing is done. It blocks while it does.
///
/// # Errors
///
/// [`StoreFailure`]; [`StoreFailure::Arriving`] where it is another move, [`StoreFailure::Damaged`] where nothing is known of any.
pub fn settle(url: DatabaseUrl, token: MoveToken) -> Result<(), StoreFailure> {
    Threads::start()?.wait(async move { settle_on(&Connection::open(&url).await?, token).await })
}

/// Refuses to serve from a database while a move into it is not settled.
pub(crate) async fn check_settled(connection: &Connection) -> Result<(), StoreFailure> {
    match connection.one(&query(FIND_ARRIVAL), seen).await? {
        None => Ok(()),
        Some(found) if found.is_settled => Ok(()),
        Some(_) => Err(StoreFailure::Arriving),
    }
}

pub(super) async fn settle_on(connection: &Connection, token: MoveToken) -> Result<(), StoreFailure> {
    match connection.one(&query(FIND_ARRIVAL), seen).await? {
        None => Err(StoreFailure::damaged(Unknown)),
        Some(found) if found.arrival.token != token => Err(StoreFailure::Arriving),
        Some(found) if found.is_settled => Ok(()),
        Some(_) => {
            let settle = query("UPDATE dango.arrival SET settled = true WHERE token = $1").bind(token.to_vec());
            match connection.change(&settle).await? {
                0 => Err(StoreFailure::damaged(Unknown)),
                _ => Ok(()),
            }
        }
    }
}

pub(super) async fn standing(connection: &Connection) -> Result<Standing, StoreFailure> {
    match connection.one(&query(FIND_ARRIVAL), seen).await? {
        Some(found) if found.is_settled => return Ok(Standing::Settled(found.arrival.token)),
        Some(found) => return Ok(Standing::Arriving(found.arrival)),
        None => {}
    }
    for table in TABLES {
        let ask = query(format!("SELECT 1 FROM dango.{} LIMIT 1", table.name));
        if !connection.rows(&ask).await?.is_empty() {
            return Ok(Standing::Taken);
        }
    }
    Ok(Standing::Empty)
}
