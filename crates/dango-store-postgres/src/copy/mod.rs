//! A database into which another one is being moved: empty at first, then filled and kept up in steps, each of which is one transaction,
//! and served from by nobody until it is settled. Where the rows come from is not known here.

mod step;

use std::time::Duration;

use dango_store::StoreFailure;
use dango_store::copy::{Cell, Cells, Column, Kind, MoveToken, TABLES, Table};
use futures_util::future::BoxFuture;
use tokio::time::timeout;

use crate::column::Columns;
use crate::connection::{Connection, Row, Statement, query};
use crate::failure::NoAnswer;
use crate::threads::Threads;
use crate::url::DatabaseUrl;
use crate::{migration, statements};

/// How many rows go into one statement.
const ROWS: usize = 2_000;

/// Every transaction of a move; there is no other that writes. Rows are found by their keys, whatever the planner believes of tables that
/// were empty a moment ago.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL search_path = dango, pg_temp; SET LOCAL lock_timeout = '10s'; \
                     SET LOCAL statement_timeout = '40s'; SET LOCAL idle_in_transaction_session_timeout = '30s'; \
                     SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; \
                     SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'";

const FIND_ARRIVAL: &str = "SELECT token, step, copied, noted FROM dango.arrival WHERE one = 1";

/// Empties everything but what belongs to the schema and the files of projects. Nobody was ever served from it, so it is no log that is
/// deleted here, and what watches over one looks away for this transaction.
const EMPTY: &str = "DO $$ DECLARE \
                       emptied text[] := ARRAY(SELECT format('dango.%I', relname) FROM pg_catalog.pg_class \
                         WHERE relnamespace = 'dango'::regnamespace AND relkind = 'r' \
                         AND relname NOT IN ('schema_migrations', 'turn', 'project_files', 'project_claims')); \
                       name text; \
                     BEGIN \
                       FOREACH name IN ARRAY emptied LOOP EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', name); END LOOP; \
                       EXECUTE format('TRUNCATE %s RESTART IDENTITY', array_to_string(emptied, ', ')); \
                       FOREACH name IN ARRAY emptied LOOP EXECUTE format('ALTER TABLE %s ENABLE TRIGGER USER', name); END LOOP; \
                     END $$";

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
    /// People or a log are in it.
    Taken,
}

/// What is to be done with one table.
pub struct Put {
    /// The table.
    pub table: &'static Table,
    /// The keys whose rows have changed, or are gone.
    pub changed: Vec<Cells>,
    /// The rows that are new, or are there now under those keys.
    pub rows: Vec<Cells>,
}

/// What happens together.
pub struct Step {
    /// The tables, in their order.
    pub puts: Vec<Put>,
    /// How many tables are copied whole afterwards.
    pub copied: usize,
    /// The newest note that is followed afterwards.
    pub noted: i64,
}

/// A database into which another one is being moved, as the owner of its schema sees it. Its calls hold up the thread of whoever asks.
pub struct CopyTarget {
    threads: Threads,
    /// None after a failure: what has become of a transaction is not known then.
    connection: Option<Connection>,
    url: DatabaseUrl,
    patience: Duration,
}

impl CopyTarget {
    /// Connects to a database whose schema is up to date, as its owner.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`]; [`StoreFailure::Missing`] where the schema is missing or older.
    pub fn open(owner: DatabaseUrl, patience: Duration) -> Result<Self, StoreFailure> {
        let mut target = Self {
            threads: Threads::start()?,
            connection: None,
            url: owner,
            patience,
        };
        target.ask(|connection| {
            Box::pin(async move {
                let version = migration::version(connection).await?;
                if version < migration::LATEST {
                    return Err(StoreFailure::Missing);
                }
                migration::check(connection, version).await
            })
        })?;
        Ok(target)
    }

    /// Says how long a call may take from now on before it fails.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// What the database is to a move.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be read.
    pub fn standing(&mut self) -> Result<Standing, StoreFailure> {
        self.ask(|connection| Box::pin(standing(connection)))
    }

    /// Begins a move into it, if nothing is in it.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`]; [`StoreFailure::Arriving`] where something is in it, or another move has begun.
    pub fn begin(&mut self, token: MoveToken) -> Result<Arrival, StoreFailure> {
        self.ask(move |connection| {
            Box::pin(async move {
                connection.run_all(BEGIN).await?;
                // Whoever serves from it just now writes before or after, and not meanwhile.
                connection.rows(&query("SELECT 1 FROM dango.turn WHERE one = 1 FOR UPDATE")).await?;
                if standing(connection).await? != Standing::Empty {
                    return Err(StoreFailure::Arriving);
                }
                let insert = query("INSERT INTO dango.arrival (one, token, step, copied, noted) VALUES (1, $1, 0, 0, 0)");
                connection.change(&insert.bind(token.to_vec())).await?;
                connection.run_all("COMMIT").await?;
                Ok(Arrival {
                    token,
                    step: 0,
                    copied: 0,
                    noted: 0,
                })
            })
        })
    }

    /// Does one step, whole or not at all, and says how far the move is then.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`]: whether it was done is not always known then; [`CopyTarget::standing`] says it.
    pub fn step(&mut self, from: Arrival, step: Step) -> Result<Arrival, StoreFailure> {
        self.ask(move |connection| Box::pin(async move { step::run(connection, from, &step).await }))
    }

    /// The key of a table's last row.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be read.
    pub fn last_key(&mut self, table: &'static Table) -> Result<Option<Cells>, StoreFailure> {
        let ask = query(statements::last_key(table));
        Ok(self.all(ask, table.key_columns())?.into_iter().next())
    }

    /// So many rows of a table, in the order of the key, behind one.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if they cannot be read.
    pub fn rows(&mut self, table: &'static Table, after: Option<&[Cell]>, limit: usize) -> Result<Vec<Cells>, StoreFailure> {
        let ask = query(statements::rows(table, after.is_some(), limit));
        let ask = after.unwrap_or_default().iter().fold(ask, statements::bind);
        self.all(ask, table.columns)
    }

    /// The rows with these keys, in the order of the keys.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if they cannot be read.
    pub fn rows_of(&mut self, table: &'static Table, keys: &[Cells]) -> Result<Vec<Cells>, StoreFailure> {
        let mut found = Vec::new();
        for keys in keys.chunks(ROWS) {
            let ask = statements::bind_columns(query(statements::rows_of(table)), table, table.key_columns(), keys)?;
            found.append(&mut self.all(ask, table.columns)?);
        }
        Ok(found)
    }

    /// The move is over: what is here counts.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be written.
    pub fn settle(&mut self, token: MoveToken) -> Result<(), StoreFailure> {
        self.ask(move |connection| Box::pin(settle_on(connection, token)))
    }

    /// Takes away everything that a move has put here, if one has begun that is not settled.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be written: then it is as it was.
    pub fn abort(&mut self) -> Result<(), StoreFailure> {
        self.ask(|connection| {
            Box::pin(async move {
                connection.run_all(BEGIN).await?;
                let Standing::Arriving(_) = standing(connection).await? else {
                    return connection.run_all("ROLLBACK").await;
                };
                connection.run_all(EMPTY).await?;
                connection.run_all("COMMIT").await
            })
        })
    }

    fn all(&mut self, ask: Statement, columns: &'static [Column]) -> Result<Vec<Cells>, StoreFailure> {
        self.ask(move |connection| {
            Box::pin(async move {
                let rows = connection.rows(&ask).await?;
                rows.iter().map(|row| cells(&Row(row), columns)).collect()
            })
        })
    }

    /// Runs work on the connection, or on a new one after a failure.
    fn ask<T, W>(&mut self, work: W) -> Result<T, StoreFailure>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c Connection) -> BoxFuture<'c, Result<T, StoreFailure>> + Send + 'static,
    {
        let (kept, url, patience) = (self.connection.take(), self.url.clone(), self.patience);
        let done = self.threads.wait(async move {
            let work = async move {
                let connection = match kept {
                    Some(connection) => connection,
                    None => Connection::open(&url).await?,
                };
                let done = work(&connection).await?;
                Ok((connection, done))
            };
            let no_answer = NoAnswer {
                seconds: patience.as_secs(),
            };
            timeout(patience, work)
                .await
                .unwrap_or_else(|_| Err(StoreFailure::unavailable(no_answer)))
        });
        let (connection, done) = done?;
        self.connection = Some(connection);
        Ok(done)
    }
}

/// Says to a database, as a role that serves, that what was moved into it counts: by the token that the other database was marked with.
/// Where that was said before, nothing is done. It blocks while it does.
///
/// # Errors
///
/// [`StoreFailure`]; [`StoreFailure::Arriving`] where it is another move.
pub fn settle(url: DatabaseUrl, token: MoveToken) -> Result<(), StoreFailure> {
    Threads::start()?.wait(async move { settle_on(&Connection::open(&url).await?, token).await })
}

/// Refuses to serve from a database while a move into it is not settled.
pub(crate) async fn check_settled(connection: &Connection) -> Result<(), StoreFailure> {
    match connection.one(&query(FIND_ARRIVAL), arrival).await? {
        None => Ok(()),
        Some(_) => Err(StoreFailure::Arriving),
    }
}

async fn settle_on(connection: &Connection, token: MoveToken) -> Result<(), StoreFailure> {
    match connection.one(&query(FIND_ARRIVAL), arrival).await? {
        None => Ok(()),
        Some(arrival) if arrival.token == token => {
            let settle = query("DELETE FROM dango.arrival WHERE token = $1").bind(token.to_vec());
            connection.change(&settle).await.map(|_| ())
        }
        Some(_) => Err(StoreFailure::Arriving),
    }
}

async fn standing(connection: &Connection) -> Result<Standing, StoreFailure> {
    if let Some(arrival) = connection.one(&query(FIND_ARRIVAL), arrival).await? {
        return Ok(Standing::Arriving(arrival));
    }
    for table in TABLES {
        let ask = query(format!("SELECT 1 FROM dango.{} LIMIT 1", table.name));
        if !connection.rows(&ask).await?.is_empty() {
            return Ok(Standing::Taken);
        }
    }
    Ok(Standing::Empty)
}

fn arrival(row: &Row<'_>) -> Result<Arrival, StoreFailure> {
    let columns = &mut Columns::of(row);
    Ok(Arrival {
        token: columns.bytes()?,
        step: columns.integer()?,
        copied: columns.number::<u32>()? as usize,
        noted: columns.integer()?,
    })
}

fn cells(row: &Row<'_>, columns: &[Column]) -> Result<Cells, StoreFailure> {
    let cell = |(place, column): (usize, &Column)| {
        Ok(match column.kind {
            Kind::Flag => row.flag_at(place)?.map(Cell::Flag),
            Kind::Integer => row.integer_at(place)?.map(Cell::Integer),
            Kind::Text => row.text_at(place)?.map(|text| Cell::Text(text.to_owned())),
            Kind::Blob => row.blob_at(place)?.map(|bytes| Cell::Blob(bytes.to_vec())),
        }
        .unwrap_or(Cell::Nothing))
    };
    columns.iter().enumerate().map(cell).collect()
}
