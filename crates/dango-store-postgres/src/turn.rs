//! A turn at writing: the transaction that has the one row for which all servers wait, and what became of it where nobody said.

use std::time::{Duration, Instant};

use dango_store::StoreFailure;
use futures_util::future::join;

use crate::column::Columns;
use crate::connection::{Connection, Statement, query};
use crate::line::Line;
use crate::migration::{LATEST, let_on, refused_by};

/// How long one asks what became of a commit whose answer was lost.
const DOUBT_TIME: Duration = Duration::from_secs(20);
/// How long one waits before asking again.
const DOUBT_PAUSE: Duration = Duration::from_millis(100);

/// Each statement sees what was committed before it, which is nothing that another writer does meanwhile. What is answered is on the disk:
/// where the database would say so earlier, it is told not to.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL search_path = dango, pg_temp; SET LOCAL lock_timeout = '10s'; \
                     SET LOCAL statement_timeout = '30s'; SET LOCAL idle_in_transaction_session_timeout = '10s'; \
                     SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'; \
                     SELECT FROM turn WHERE one = 1 FOR UPDATE";

/// What is to be known once one has the turn: whether the schema still is one that this version writes. Whoever changes the schema has had
/// the turn, too, and this statement sees what was done.
const HAVE_TURN: &str = concat!("SELECT ", refused_by!("$1"), " FROM dango.turn WHERE one = 1");

/// Makes the name of a writer, which nobody else has or had.
const NAME: &str = "SELECT gen_random_uuid()::text";

/// Counts the turn `$2` of the writer `$1`. At its first, it forgets writers that have been gone for a day.
const COUNT: &str = "WITH gone AS ( \
                       DELETE FROM dango.writers WHERE $2 = 1 AND id <> $1 AND at < (extract(epoch FROM now()) * 1000000)::bigint - 86400000000 \
                     ) INSERT INTO dango.writers (id, turn, at) VALUES ($1, $2, (extract(epoch FROM now()) * 1000000)::bigint) \
                     ON CONFLICT (id) DO UPDATE SET turn = excluded.turn, at = excluded.at";

/// Asks whether the turn `$2` of the writer `$1` is the last one that counts.
const FIND: &str = "SELECT EXISTS (SELECT FROM dango.writers WHERE id = $1 AND turn = $2)";

/// Who writes, and how many turns it has begun. Both together are made by nobody else and never again, so they tell a turn from all others: the
/// database's own numbers of transactions do not, as it gives those anew that were lost with the power.
pub(crate) struct Mark {
    writer: String,
    turn: i64,
}

impl Mark {
    /// A new writer, named by the database.
    pub(crate) async fn make(connection: &Connection) -> Result<Self, StoreFailure> {
        let ask = query(NAME);
        let named = connection.one(&ask, |row| Ok(Columns::of(row).text()?.to_owned()));
        let writer = named.await?.ok_or(StoreFailure::Foreign)?;
        Ok(Self { writer, turn: 0 })
    }

    fn bound_to(&self, sql: &'static str) -> Statement {
        query(sql).bind(self.writer.clone()).bind(self.turn)
    }
}

/// A transaction that has the turn.
pub(crate) struct Turn(Connection);

impl Turn {
    /// Begins a transaction, on the connection that was kept if it still works: nothing has been done yet.
    pub(crate) async fn take(line: &Line, kept: Option<Connection>) -> Result<Self, StoreFailure> {
        if let Some(connection) = kept.filter(|connection| !connection.is_closed()) {
            match Self::begin(connection).await {
                // It broke while it was idle.
                Err(StoreFailure::Unavailable(_)) => {}
                done => return done,
            }
        }
        Self::begin(line.connect().await?).await
    }

    async fn begin(connection: Connection) -> Result<Self, StoreFailure> {
        let ask = query(HAVE_TURN).bind(LATEST);
        let begun = connection.run_all_and_read(BEGIN, &ask, |row| let_on(&mut Columns::of(row)));
        begun.await?.ok_or(StoreFailure::Foreign)?;
        Ok(Self(connection))
    }

    /// What runs in it.
    pub(crate) const fn connection(&self) -> &Connection {
        &self.0
    }

    /// Ends it so that nothing of it happens; answers the connection where it can be used again. Closing it would do that, too.
    pub(crate) async fn give_up(self) -> Option<Connection> {
        self.0.run_all("ROLLBACK").await.is_ok().then_some(self.0)
    }

    /// Ends it so that all of it happens, and says whether it did; and answers the connection where it can be used again.
    pub(crate) async fn commit(self, line: &Line, mark: &mut Mark) -> (Result<(), StoreFailure>, Option<Connection>) {
        mark.turn = mark.turn.saturating_add(1);
        let count = mark.bound_to(COUNT);
        // Both are sent before either is waited for.
        let (counted, committed) = join(self.0.change(&count), self.0.run_all("COMMIT")).await;
        match counted.and(committed) {
            Ok(()) => (Ok(()), Some(self.0)),
            Err(failure) => {
                drop(self.0);
                (outcome(line, mark, failure).await, None)
            }
        }
    }
}

/// What became of a turn whose end was not answered, asked on another connection.
async fn outcome(line: &Line, mark: &Mark, failure: StoreFailure) -> Result<(), StoreFailure> {
    let begun = Instant::now();
    loop {
        match is_counted(line, mark).await {
            Ok(true) => return Ok(()),
            Ok(false) => return Err(failure),
            // It still has the turn, or nobody can be asked yet.
            Err(_) if begun.elapsed() < DOUBT_TIME => tokio::time::sleep(DOUBT_PAUSE).await,
            Err(_) => return Err(StoreFailure::Uncertain),
        }
    }
}

/// Takes the turn, so that the one before has ended in one way or the other, and looks whether it counts.
async fn is_counted(line: &Line, mark: &Mark) -> Result<bool, StoreFailure> {
    let connection = line.connect().await?;
    let find = mark.bound_to(FIND);
    let found = connection.run_all_and_read(BEGIN, &find, |row| Columns::of(row).flag()).await?;
    connection.run_all("ROLLBACK").await?;
    found.ok_or(StoreFailure::Foreign)
}
