//! A turn at writing: the transaction that has the one row for which all servers wait, and what became of it where nobody said.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use dango_store::StoreFailure;
use tokio::time::{sleep, timeout};

use crate::column::Columns;
use crate::connection::{Connection, Row, Statement, query};
use crate::line::Line;
use crate::migration::{LATEST, let_on, refused_by};

/// How long one waits for the turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one who has waited in vain pauses at most before the next try: what a pooler lends out is lent to others meanwhile.
const PAUSE: Duration = Duration::from_millis(100);
/// From when on one who has waited in vain keeps a place in line for longer.
const LONG: Duration = Duration::from_secs(2);
/// How long one asks what became of a commit whose answer was lost.
const DOUBT_TIME: Duration = Duration::from_secs(20);
/// How long one waits before asking again.
const DOUBT_PAUSE: Duration = Duration::from_millis(100);

/// Each statement sees what was committed before it, which is nothing that another writer does meanwhile. What is answered is on the disk:
/// where the database would say so earlier, it is told not to.
///
/// One waits in line for the turn, and not for long: behind a pooler, who waits in a transaction has a connection that others may need, those at
/// the door among them. So few servers follow one another without a pause, and many keep none to themselves. Whoever leaves the line is the
/// last when they come back: after a while they stay for longer, or where many wait it would be chance whose turn ever comes.
macro_rules! begin {
    ($in_line:literal) => {
        concat!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL search_path = dango, pg_temp; SET LOCAL lock_timeout = '",
            $in_line,
            "'; SET LOCAL statement_timeout = '30s'; SET LOCAL idle_in_transaction_session_timeout = '10s'; \
             SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'; \
             SELECT FROM turn WHERE one = 1 FOR UPDATE; SET LOCAL lock_timeout = '10s'"
        )
    };
}

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

/// Writes that turn once more as it is, so that there is something to commit.
const AGAIN: &str = "UPDATE dango.writers SET at = at WHERE id = $1 AND turn = $2";

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
        let ask = query(HAVE_TURN).bind(LATEST);
        let read = |row: &Row<'_>| let_on(&mut Columns::of(row));
        if let Some(connection) = kept.filter(|connection| !connection.is_closed()) {
            match in_line(&connection, &ask, read).await {
                // It broke while it was idle.
                Err(StoreFailure::Unavailable(_)) => {}
                begun => return begun.map(|()| Self(connection)),
            }
        }
        let connection = line.connect().await?;
        in_line(&connection, &ask, read).await?;
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
        match self.0.change_and_commit(&mark.bound_to(COUNT)).await {
            Ok(_) => (Ok(()), Some(self.0)),
            Err(failure) => {
                drop(self.0);
                (outcome(line, mark, failure).await, None)
            }
        }
    }
}

/// Begins a transaction, waits for the turn, and reads what is to be known then.
async fn in_line<T>(
    connection: &Connection,
    ask: &Statement,
    read: impl Fn(&Row<'_>) -> Result<T, StoreFailure>,
) -> Result<T, StoreFailure> {
    let since = Instant::now();
    loop {
        let begin = if since.elapsed() < LONG { begin!("200ms") } else { begin!("1s") };
        match connection.run_all_and_read(begin, ask, &read).await {
            Err(StoreFailure::Locked) if since.elapsed() < PATIENCE => {
                connection.run_all("ROLLBACK").await?;
                sleep(a_while()).await;
            }
            begun => return begun?.ok_or(StoreFailure::Foreign),
        }
    }
}

/// A pause that is not the same for any two who begin it together.
fn a_while() -> Duration {
    let chance = u32::from(RandomState::new().hash_one(()).to_le_bytes()[0]);
    PAUSE / 5 + PAUSE * 4 / 5 * chance / u32::from(u8::MAX)
}

/// What became of a turn whose end was not answered, asked on another connection.
async fn outcome(line: &Line, mark: &Mark, failure: StoreFailure) -> Result<(), StoreFailure> {
    match timeout(DOUBT_TIME, asked(line, mark)).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(failure),
        Err(_) => Err(StoreFailure::Uncertain),
    }
}

async fn asked(line: &Line, mark: &Mark) -> bool {
    loop {
        match is_counted(line, mark).await {
            Ok(is_counted) => return is_counted,
            // It still has the turn, or nobody can be asked yet.
            Err(_) => sleep(DOUBT_PAUSE).await,
        }
    }
}

/// Takes the turn, so that the one before has ended in one way or the other, and looks whether it counts.
///
/// That it can be seen is not enough: where commits wait for a second server, one that was broken off while it waited is seen here and
/// would be lost with this server. So it is committed once more, by a turn of its own, and what that has waited for is there for the first.
async fn is_counted(line: &Line, mark: &Mark) -> Result<bool, StoreFailure> {
    let connection = line.connect().await?;
    let is_there = in_line(&connection, &mark.bound_to(FIND), |row| Columns::of(row).flag()).await?;
    if !is_there {
        connection.run_all("ROLLBACK").await?;
        return Ok(false);
    }
    Ok(connection.change_and_commit(&mark.bound_to(AGAIN)).await? == 1)
}
