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
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;

use crate::connection::Connection;
use crate::line::Line;
use crate::transaction::PostgresTransaction;
use crate::turn::{Mark, Turn};

/// The most jobs that are committed together.
const GROUP: usize = 64;
/// How long a group may grow before it is committed, so that other servers get their turn.
const GROUP_TIME: Duration = Duration::from_millis(20);
/// The most jobs that wait. Whoever comes then is told so at once.
const WAITING: usize = 1_024;
/// How long a job may have waited when it is begun.
const PATIENCE: Duration = Duration::from_secs(10);

type Answer = oneshot::Sender<Result<(), StoreFailure>>;

struct Request {
    job: Job,
    answer: Answer,
    since: Instant,
}

/// The way to the task that writes. Dropped, the task finishes what it was asked for.
pub(crate) struct Writer(Sender<Request>);

impl Writer {
    /// Starts the task on the runtime that this is called on.
    pub(crate) fn start(line: Arc<Line>, mark: Mark) -> Self {
        let (requests, received) = channel(WAITING);
        tokio::spawn(serve(line, mark, Waiting(received)));
        Self(requests)
    }

    /// Runs a job and answers when it is on the disk, or when it is not and never will be.
    pub(crate) async fn run(&self, job: Job) -> Result<(), StoreFailure> {
        let (answer, answered) = oneshot::channel();
        let since = Instant::now();
        self.0.try_send(Request { job, answer, since }).map_err(|refused| match refused {
            tokio::sync::mpsc::error::TrySendError::Full(_) => StoreFailure::Locked,
            tokio::sync::mpsc::error::TrySendError::Closed(_) => StoreFailure::Interrupted,
        })?;
        answered.await.unwrap_or(Err(StoreFailure::Interrupted))
    }
}

/// Jobs that are to be done, the oldest first.
struct Waiting(Receiver<Request>);

impl Waiting {
    /// The next one, as soon as there is one; nothing where none will ever come.
    async fn next(&mut self) -> Option<Request> {
        loop {
            if let Some(wanted) = wanted(self.0.recv().await?) {
                return Some(wanted);
            }
        }
    }

    /// The next one, if it waits already.
    fn next_now(&mut self) -> Option<Request> {
        std::iter::from_fn(|| self.0.try_recv().ok()).find_map(wanted)
    }

    /// Tells all that wait why nothing is done for them: what holds for the first holds for all.
    fn refuse(&mut self, failure: &StoreFailure) {
        while let Ok(Request { answer, .. }) = self.0.try_recv() {
            let _ = answer.send(Err(failure.clone()));
        }
    }
}

/// Work that nobody waits for any more is not begun. Whoever has waited for too long is told so.
fn wanted(request: Request) -> Option<Request> {
    match request.since.elapsed() < PATIENCE {
        true => (!request.answer.is_closed()).then_some(request),
        false => {
            let _ = request.answer.send(Err(StoreFailure::Locked));
            None
        }
    }
}

async fn serve(line: Arc<Line>, mut mark: Mark, mut waiting: Waiting) {
    let mut kept = None;
    while let Some(first) = waiting.next().await {
        kept = match Turn::take(&line, kept.take()).await {
            Ok(turn) => group(&line, &mut mark, turn, first, &mut waiting).await,
            Err(failure) => {
                let _ = first.answer.send(Err(failure.clone()));
                waiting.refuse(&failure);
                None
            }
        };
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
async fn group(line: &Line, mark: &mut Mark, turn: Turn, first: Request, waiting: &mut Waiting) -> Option<Connection> {
    let begun = Instant::now();
    let mut done: Vec<Answer> = Vec::new();
    let mut next = if first.answer.is_closed() {
        waiting.next_now()
    } else {
        Some(first)
    };
    while let Some(Request { job, answer, .. }) = next.take() {
        let ran = if done.is_empty() {
            // Nothing is done yet that must not be undone with it.
            match run(turn.connection(), job).await {
                Ran::Done => Ok(Ran::Done),
                Ran::RolledBack => return undone(turn, answer, Ok(())).await,
                Ran::Failed(failure) => return undone(turn, answer, Err(failure)).await,
            }
        } else {
            in_savepoint(turn.connection(), job).await
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
            next = waiting.next_now();
        }
    }
    if done.is_empty() {
        return turn.give_up().await;
    }
    let (committed, kept) = turn.commit(line, mark).await;
    answer_all(done, &committed);
    kept
}

fn answer_all(jobs: Vec<Answer>, answered: &Result<(), StoreFailure>) {
    for answer in jobs {
        let _ = answer.send(answered.clone());
    }
}

/// Ends a transaction in which one job has run, which is not to happen.
async fn undone(turn: Turn, answer: Answer, answered: Result<(), StoreFailure>) -> Option<Connection> {
    let kept = turn.give_up().await;
    let _ = answer.send(answered);
    kept
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
