//! The one thread that writes: jobs one after another, and one commit for all that were waiting.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dango_store::{Job, StoreFailure, Verdict};
use futures_channel::oneshot;
use futures_util::FutureExt;

use crate::connection::Connection;
use crate::file::OpenedFile;
use crate::moved;
use crate::transaction::SqliteTransaction;

/// The most jobs that are committed together.
const GROUP: usize = 64;
/// How long a group may grow before it is committed, so that other programs get their turn.
const GROUP_TIME: Duration = Duration::from_millis(20);

type Answer = oneshot::Sender<Result<(), StoreFailure>>;

struct Request {
    job: Job,
    answer: Answer,
}

/// The writing thread. Dropped, it finishes what it was asked for and closes the database.
pub(crate) struct Writer {
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(connection: Connection, file: Arc<OpenedFile>) -> Result<Self, StoreFailure> {
        let (requests, received) = channel();
        let thread = std::thread::Builder::new()
            .name("dango-writer".to_owned())
            .spawn(move || serve(connection, &file, &received))
            .map_err(StoreFailure::unavailable)?;
        Ok(Self {
            requests: Some(requests),
            thread: Some(thread),
        })
    }

    /// Runs a job and answers when it is on the disk, or when it is not and never will be.
    pub(crate) async fn run(&self, job: Job) -> Result<(), StoreFailure> {
        let (answer, answered) = oneshot::channel();
        let sent = self.requests.as_ref().map(|requests| requests.send(Request { job, answer }));
        match sent {
            Some(Ok(())) => answered.await.unwrap_or(Err(StoreFailure::Interrupted)),
            _ => Err(StoreFailure::Interrupted),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // It does not panic; and if it did, the database is as it was before the last commit.
            let _ = thread.join();
        }
    }
}

fn serve(mut connection: Connection, file: &OpenedFile, requests: &Receiver<Request>) {
    while let Ok(first) = requests.recv() {
        group(&mut connection, file, first, requests);
    }
    // Closing brings the log into the file. Where that fails, the next one to open it does it.
    drop(connection);
}

/// What a job asks of its transaction, once it has run.
enum Ran {
    Done,
    /// It said so itself.
    RolledBack,
    Failed(StoreFailure),
}

/// Runs a job, and those that wait behind it, in one transaction, and answers all of them.
///
/// Nobody waits for a group to fill: while one is being written to the disk, the next gathers by itself.
fn group(connection: &mut Connection, file: &OpenedFile, first: Request, requests: &Receiver<Request>) {
    if let Err(failure) = file.look() {
        let _ = first.answer.send(Err(failure));
        return;
    }
    let begun = connection.lock("BEGIN IMMEDIATE").and_then(|()| moved::check(connection));
    if let Err(failure) = begun {
        // Should a transaction still be open, because it could not be rolled back, the next job is not to fail for it, too.
        return give_up(connection, vec![first.answer], &failure);
    }
    let begun = Instant::now();
    let mut done: Vec<Answer> = Vec::new();
    let mut next = Some(first);
    while let Some(Request { job, answer }) = next.take() {
        // Work that nobody waits for any more is not begun.
        if answer.is_canceled() {
            next = requests.try_recv().ok();
            continue;
        }
        let ran = if done.is_empty() {
            // Nothing is done yet that must not be undone with it. A large job would also be slow in a savepoint: at each
            // statement SQLite walks through what the savepoint has kept.
            match run(connection, job) {
                Ran::Done => Ok(Ran::Done),
                Ran::RolledBack => return undone(connection, answer, Ok(())),
                Ran::Failed(failure) => return undone(connection, answer, Err(failure)),
            }
        } else {
            in_savepoint(connection, job)
        };
        match ran {
            Ok(Ran::Done) => done.push(answer),
            // They are answered at once: whatever becomes of the others, nothing of theirs happens.
            Ok(Ran::RolledBack) => drop(answer.send(Ok(()))),
            Ok(Ran::Failed(failure)) => drop(answer.send(Err(failure))),
            // SQLite has given up the whole transaction, and with it the jobs before this one.
            Err(failure) => {
                done.push(answer);
                return give_up(connection, done, &failure);
            }
        }
        if done.len() < GROUP && begun.elapsed() < GROUP_TIME {
            next = requests.try_recv().ok();
        }
    }
    if let Err(failure) = connection.run("COMMIT") {
        return give_up(connection, done, &failure);
    }
    // What is written into a file that is gone is kept by nobody.
    let kept = file.look().map(|_| ());
    for answer in done {
        let _ = answer.send(kept.clone());
    }
}

/// Ends a transaction in which one job has run, which is not to happen.
fn undone(connection: &mut Connection, answer: Answer, answered: Result<(), StoreFailure>) {
    // It fails where SQLite has rolled back already.
    let _ = connection.run_all("ROLLBACK");
    let _ = answer.send(answered);
}

/// Ends a transaction of which nothing can happen any more.
fn give_up(connection: &mut Connection, jobs: Vec<Answer>, failure: &StoreFailure) {
    // It fails where SQLite has rolled back already.
    let _ = connection.run_all("ROLLBACK");
    for answer in jobs {
        let _ = answer.send(Err(failure.clone()));
    }
}

/// Runs a job so that it can be undone alone, behind others that are done.
///
/// # Errors
///
/// The transaction as a whole is lost.
fn in_savepoint(connection: &mut Connection, job: Job) -> Result<Ran, StoreFailure> {
    connection.run("SAVEPOINT job")?;
    let ran = run(connection, job);
    let end = match ran {
        Ran::Done => "RELEASE job",
        Ran::RolledBack | Ran::Failed(_) => "ROLLBACK TO job; RELEASE job",
    };
    match (connection.run_all(end), ran) {
        (Ok(()), ran) => Ok(ran),
        // Why the savepoint is gone is what the job met.
        (Err(_), Ran::Failed(failure)) => Err(failure),
        (Err(failure), _) => Err(failure),
    }
}

fn run(connection: &mut Connection, job: Job) -> Ran {
    let mut transaction = SqliteTransaction::new(connection, &|| false);
    let work = AssertUnwindSafe(async { job(&mut transaction).await });
    let verdict = pollster::block_on(work.catch_unwind());
    match (verdict, transaction.into_failure()) {
        (Ok(_), Some(failure)) => Ran::Failed(failure),
        (Ok(Verdict::Commit), None) => Ran::Done,
        (Ok(Verdict::RollBack), None) => Ran::RolledBack,
        (Err(_), _) => Ran::Failed(StoreFailure::Interrupted),
    }
}
