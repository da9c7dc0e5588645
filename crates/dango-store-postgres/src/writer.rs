//! The one connection that writes: jobs one after another, and one commit for all that were waiting.
//!
//! All servers take turns: whoever writes holds one row from the first statement to the commit. A job runs once and cannot be run
//! again, so nothing may make the database give it up in the middle: behind that row nobody else changes what it has read, there is no
//! serialization that fails and no deadlock.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dango_store::{Job, StoreFailure, Verdict};
use futures_util::FutureExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::column::Columns;
use crate::connection::{Connection, query};
use crate::line::Line;
use crate::migration::{LATEST, let_on, refused_by};
use crate::transaction::PostgresTransaction;

/// The most jobs that are committed together.
const GROUP: usize = 64;
/// How long a group may grow before it is committed, so that other servers get their turn.
const GROUP_TIME: Duration = Duration::from_millis(20);
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

/// What is to be known once one has the turn: whether the schema still is one that this version writes, and by which number the
/// transaction can be asked about later. Whoever changes the schema has had the turn, too, and this statement sees what was done.
const HAVE_TURN: &str = concat!(
    "SELECT ",
    refused_by!("$1"),
    ", pg_current_xact_id()::text FROM dango.turn WHERE one = 1"
);

type Answer = oneshot::Sender<Result<(), StoreFailure>>;

struct Request {
    job: Job,
    answer: Answer,
}

/// The way to the task that writes. Dropped, the task finishes what it was asked for.
pub(crate) struct Writer(UnboundedSender<Request>);

impl Writer {
    /// Starts the task on the runtime that this is called on.
    pub(crate) fn start(line: Arc<Line>) -> Self {
        let (requests, received) = unbounded_channel();
        tokio::spawn(serve(line, received));
        Self(requests)
    }

    /// Runs a job and answers when it is on the disk, or when it is not and never will be.
    pub(crate) async fn run(&self, job: Job) -> Result<(), StoreFailure> {
        let (answer, answered) = oneshot::channel();
        let sent = self.0.send(Request { job, answer });
        sent.map_err(|_| StoreFailure::Interrupted)?;
        answered.await.unwrap_or(Err(StoreFailure::Interrupted))
    }
}

async fn serve(line: Arc<Line>, mut requests: UnboundedReceiver<Request>) {
    let mut kept = None;
    while let Some(first) = requests.recv().await {
        kept = group(&line, kept, first, &mut requests).await;
    }
}

/// A transaction that has the turn.
struct Turn {
    connection: Connection,
    /// Its number, for [`outcome`].
    number: String,
}

impl Turn {
    /// Begins a transaction, on the connection that was kept if it still works: nothing has been done yet.
    async fn take(line: &Line, kept: Option<Connection>) -> Result<Self, StoreFailure> {
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
        let number = connection.run_all_and_read(BEGIN, &ask, |row| {
            let columns = &mut Columns::of(row);
            let_on(columns)?;
            Ok(columns.text()?.to_owned())
        });
        let number = number.await?.ok_or(StoreFailure::Foreign)?;
        Ok(Self { connection, number })
    }
}

/// What a job asks of its transaction, once it has run.
enum Ran {
    Done,
    /// It said so itself.
    RolledBack,
    Failed(StoreFailure),
}

/// Runs a job, and those that wait behind it, in one transaction, and answers all of them. Gives back the connection if it can be used
/// again.
///
/// Nobody waits for a group to fill: while one is being written to the disk, the next gathers by itself.
async fn group(line: &Line, kept: Option<Connection>, first: Request, requests: &mut UnboundedReceiver<Request>) -> Option<Connection> {
    let turn = match Turn::take(line, kept).await {
        Ok(turn) => turn,
        Err(failure) => {
            let _ = first.answer.send(Err(failure));
            return None;
        }
    };
    let begun = Instant::now();
    let mut done: Vec<Answer> = Vec::new();
    let mut next = Some(first);
    while let Some(Request { job, answer }) = next.take() {
        // Work that nobody waits for any more is not begun.
        if answer.is_closed() {
            next = requests.try_recv().ok();
            continue;
        }
        let ran = if done.is_empty() {
            // Nothing is done yet that must not be undone with it.
            match run(&turn.connection, job).await {
                Ran::Done => Ok(Ran::Done),
                Ran::RolledBack => return undone(turn, answer, Ok(())).await,
                Ran::Failed(failure) => return undone(turn, answer, Err(failure)).await,
            }
        } else {
            in_savepoint(&turn.connection, job).await
        };
        match ran {
            Ok(Ran::Done) => done.push(answer),
            // They are answered at once: whatever becomes of the others, nothing of theirs happens.
            Ok(Ran::RolledBack) => drop(answer.send(Ok(()))),
            Ok(Ran::Failed(failure)) => drop(answer.send(Err(failure))),
            // The whole transaction is lost, and with it the jobs before this one.
            Err(failure) => {
                done.push(answer);
                answer_all(done, &Err(failure));
                return None;
            }
        }
        if done.len() < GROUP && begun.elapsed() < GROUP_TIME {
            next = requests.try_recv().ok();
        }
    }
    let committed = turn.connection.run_all("COMMIT").await;
    let is_usable = committed.is_ok();
    let committed = match committed {
        Err(failure) => outcome(line, &turn.number, failure).await,
        done => done,
    };
    answer_all(done, &committed);
    is_usable.then_some(turn.connection)
}

fn answer_all(jobs: Vec<Answer>, answered: &Result<(), StoreFailure>) {
    for answer in jobs {
        let _ = answer.send(answered.clone());
    }
}

/// Ends a transaction in which one job has run, which is not to happen. Closing the connection would do that, too.
async fn undone(turn: Turn, answer: Answer, answered: Result<(), StoreFailure>) -> Option<Connection> {
    let is_usable = turn.connection.run_all("ROLLBACK").await.is_ok();
    let _ = answer.send(answered);
    is_usable.then_some(turn.connection)
}

/// What became of a transaction whose commit was not answered, asked on another connection.
async fn outcome(line: &Line, number: &str, failure: StoreFailure) -> Result<(), StoreFailure> {
    let begun = Instant::now();
    loop {
        match status(line, number).await {
            Ok(Some(Status::Committed)) => return Ok(()),
            Ok(Some(Status::Aborted)) => return Err(failure),
            // Its end is still to come, or nobody can be asked yet.
            _ if begun.elapsed() < DOUBT_TIME => tokio::time::sleep(DOUBT_PAUSE).await,
            _ => return Err(StoreFailure::Uncertain),
        }
    }
}

enum Status {
    Committed,
    Aborted,
}

/// Asks what became of a transaction; nothing where it is still under way, or so old that it is forgotten.
async fn status(line: &Line, number: &str) -> Result<Option<Status>, StoreFailure> {
    let ask = query("SELECT pg_xact_status($1::xid8)").bind(number.to_owned());
    let connection = line.connect().await?;
    let told = connection.one(&ask, |row| {
        Ok(match Columns::of(row).optional_text()? {
            Some("committed") => Some(Status::Committed),
            Some("aborted") => Some(Status::Aborted),
            _ => None,
        })
    });
    Ok(told.await?.flatten())
}

/// Runs a job so that it can be undone alone, behind others that are done.
///
/// # Errors
///
/// The transaction as a whole is lost.
async fn in_savepoint(connection: &Connection, job: Job) -> Result<Ran, StoreFailure> {
    connection.run_all("SAVEPOINT job").await?;
    let ran = run(connection, job).await;
    let end = match ran {
        Ran::Done => "RELEASE SAVEPOINT job",
        Ran::RolledBack | Ran::Failed(_) => "ROLLBACK TO SAVEPOINT job; RELEASE SAVEPOINT job",
    };
    match (connection.run_all(end).await, ran) {
        (Ok(()), ran) => Ok(ran),
        // Why the savepoint is gone is what the job met.
        (Err(_), Ran::Failed(failure)) => Err(failure),
        (Err(failure), _) => Err(failure),
    }
}

async fn run(connection: &Connection, job: Job) -> Ran {
    let mut transaction = PostgresTransaction::new(connection);
    let verdict = AssertUnwindSafe(async { job(&mut transaction).await }).catch_unwind().await;
    match (verdict, transaction.into_failure()) {
        (Ok(_), Some(failure)) => Ran::Failed(failure),
        (Ok(Verdict::Commit), None) => Ran::Done,
        (Ok(Verdict::RollBack), None) => Ran::RolledBack,
        (Err(_), _) => Ran::Failed(StoreFailure::Interrupted),
    }
}
