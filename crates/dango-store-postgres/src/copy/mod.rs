//! A database into which another one is being moved: empty at first, then filled and kept up in steps, each of which is one transaction,
//! and served from by nobody until it is settled. Where the rows come from is not known here.

mod arrival;
mod step;

use std::time::{Duration, Instant};

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
pub(crate) use arrival::check_settled;
pub use arrival::{Arrival, Standing, arriving, settle};
use arrival::{FIND_ARRIVAL, Seen, seen, settle_on, standing};
pub use step::OpenStep;

/// How many rows go into one statement.
const ROWS: usize = 2_000;

/// How many records are let go of at once.
const PRUNED: i64 = 5_000;

/// Every transaction of a move; there is no other that writes. Rows are found by their keys, whatever the planner believes of tables that
/// were empty a moment ago.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL search_path = dango, pg_temp; SET LOCAL lock_timeout = '10s'; \
                     SET LOCAL statement_timeout = '40s'; SET LOCAL idle_in_transaction_session_timeout = '30s'; \
                     SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; \
                     SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'";

/// Lets go of records for which a segment stands, as a rule does: so many at most.
const PRUNE: &str = "SELECT dango.audit_prune((SELECT coalesce(max(last_seq), 0) FROM dango.audit_segments), $1)";

/// What a move fills beside its tables: what a trigger notes of records, how far it is, and who wrote before it began.
const FILLED: [&str; 3] = ["audit_set_back", "arrival", "writers"];

/// A database into which another one is being moved, as the owner of its schema sees it. Its calls hold up the thread of whoever asks.
pub struct CopyTarget {
    threads: Threads,
    /// None after a failure: what has become of a transaction is not known then.
    connection: Option<Connection>,
    url: DatabaseUrl,
    patience: Duration,
    deadline: Option<Instant>,
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
            deadline: None,
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

    /// Says until when all calls from now on have to be answered, whatever the time that each of them has; or that there is no such end.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
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
                let insert = query("INSERT INTO dango.arrival (one, token, step, copied, noted, settled) VALUES (1, $1, 0, 0, 0, false)");
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

    /// Begins a step, which is done whole or not at all.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`], also where the move is not as far as is said, because somebody else goes on with it.
    pub fn step(&mut self, from: Arrival) -> Result<OpenStep<'_>, StoreFailure> {
        OpenStep::begin(self, from)
    }

    /// Lets go of some of the oldest records for which a segment stands, which are not moved, and says how many went.
    ///
    /// # Errors
    ///
    /// As [`CopyTarget::step`].
    pub fn prune(&mut self, from: Arrival) -> Result<i64, StoreFailure> {
        self.ask(move |connection| {
            Box::pin(async move {
                step::begin(connection, from).await?;
                let prune = query(PRUNE).bind(PRUNED);
                let gone = connection.one(&prune, |row| Columns::of(row).integer()).await?;
                connection.run_all("COMMIT").await?;
                Ok(gone.unwrap_or(0))
            })
        })
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

    /// Takes away everything that a move has put here that is not settled.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`]: then it is as it was, or that is not known; [`StoreFailure::Arriving`] where it is another move.
    pub fn abort(&mut self, token: MoveToken) -> Result<(), StoreFailure> {
        self.ask(move |connection| {
            Box::pin(async move {
                connection.run_all(BEGIN).await?;
                let lock = query(format!("{FIND_ARRIVAL} FOR UPDATE"));
                match connection.one(&lock, seen).await? {
                    Some(Seen {
                        arrival,
                        is_settled: false,
                    }) if arrival.token == token => {}
                    Some(_) => return Err(StoreFailure::Arriving),
                    None => return connection.run_all("ROLLBACK").await,
                }
                connection.run_all(&emptying()).await?;
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

    /// Whether the connection of the last call is still the one of the next.
    fn is_kept(&self) -> Result<(), StoreFailure> {
        self.connection.as_ref().map(|_| ()).ok_or(StoreFailure::Interrupted)
    }

    /// Lets go of the connection, and of the transaction that is under way on it.
    fn let_go(&mut self) {
        self.connection = None;
    }

    /// Runs work on the connection, or on a new one after a failure.
    fn ask<T, W>(&mut self, work: W) -> Result<T, StoreFailure>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c Connection) -> BoxFuture<'c, Result<T, StoreFailure>> + Send + 'static,
    {
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let patience = left.map_or(self.patience, |left| left.min(self.patience));
        let (kept, url) = (self.connection.take(), self.url.clone());
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

/// Empties what a move fills. Nobody was ever served from it, so it is no log that is deleted here, and what watches over one looks away
/// for this transaction.
fn emptying() -> String {
    let names: Vec<String> = TABLES
        .iter()
        .map(|table| table.name)
        .chain(FILLED)
        .map(|name| format!("dango.{name}"))
        .collect();
    let with_triggers = |what: &str| {
        let each: Vec<String> = names
            .iter()
            .map(|name| format!("ALTER TABLE {name} {what} TRIGGER USER; "))
            .collect();
        each.concat()
    };
    format!(
        "{}TRUNCATE {} RESTART IDENTITY; {}",
        with_triggers("DISABLE"),
        names.join(", "),
        with_triggers("ENABLE")
    )
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
