//! The connections that read, each with a thread: made when they are needed, kept for the next.
//!
//! A whole job runs on such a thread, so whoever asks waits once and not at each statement, and is free meanwhile.

use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use dango_store::{Job, StoreFailure};
use futures_channel::oneshot;
use futures_util::FutureExt;

use crate::connection::Connection;
use crate::file::{Disk, FileState, OpenedFile};
use crate::moved;
use crate::transaction::SqliteTransaction;

/// How many idle connections are kept. More are made where more are read from at once.
const KEPT: usize = 4;

/// The connections that nobody reads from just now.
pub(crate) struct Readers {
    file: Arc<OpenedFile>,
    disk: Disk,
    /// Each with the state in which it found the file. In another it is not used again: what it has read may be overtaken by what
    /// somebody has written past SQLite.
    idle: Mutex<Vec<(FileState, Reader)>>,
}

/// A thread with a connection. It ends when it is dropped, after what it is at.
struct Reader {
    requests: Sender<Request>,
    thread: JoinHandle<()>,
}

struct Request {
    job: Job,
    answer: oneshot::Sender<Read>,
}

/// What became of a job on a connection that can be used again, which found the file like this; or why it cannot.
type Read = Result<(FileState, Result<(), StoreFailure>), StoreFailure>;

impl Readers {
    pub(crate) fn new(file: Arc<OpenedFile>, disk: Disk) -> Self {
        Self {
            file,
            disk,
            idle: Mutex::default(),
        }
    }

    /// Runs a job on one moment of the database.
    ///
    /// A connection is kept only when its transaction has ended in order; one whose reader has gone away stops reading and is closed.
    pub(crate) async fn run(&self, job: Job) -> Result<(), StoreFailure> {
        let reader = self.reader()?;
        let (answer, answered) = oneshot::channel();
        let sent = reader.requests.send(Request { job, answer });
        sent.map_err(|_| StoreFailure::Interrupted)?;
        let (state, done) = answered.await.unwrap_or(Err(StoreFailure::Interrupted))?;
        self.keep(state, reader);
        done
    }

    fn reader(&self) -> Result<Reader, StoreFailure> {
        let state = self.file.look()?;
        let overtaken = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            match idle.pop() {
                Some((found, reader)) if found == state => return Ok(reader),
                other => other.into_iter().chain(idle.drain(..)).collect::<Vec<_>>(),
            }
        };
        drop(overtaken);
        Reader::start(Arc::clone(&self.file), self.disk)
    }

    fn keep(&self, state: FileState, reader: Reader) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push((state, reader));
        }
    }
}

/// Closes what is left, so that the writer is the last: only it can bring the log into the file.
impl Drop for Readers {
    fn drop(&mut self) {
        let idle = std::mem::take(self.idle.get_mut().unwrap_or_else(PoisonError::into_inner));
        for (_, Reader { requests, thread }) in idle {
            drop(requests);
            // It does not panic, and it has nothing to lose.
            let _ = thread.join();
        }
    }
}

impl Reader {
    fn start(file: Arc<OpenedFile>, disk: Disk) -> Result<Self, StoreFailure> {
        let (requests, received) = channel();
        let thread = std::thread::Builder::new()
            .name("dango-reader".to_owned())
            .spawn(move || serve(&file, disk, &received))
            .map_err(StoreFailure::unavailable)?;
        Ok(Self { requests, thread })
    }
}

/// Opens the connection and reads until nobody asks any more, or something is wrong with it.
fn serve(file: &OpenedFile, disk: Disk, requests: &Receiver<Request>) {
    let opened = Connection::reader(file.path(), disk).and_then(|connection| {
        // What was opened is what is there now, and not what was put there in between.
        Ok((file.look()?, connection))
    });
    let (state, mut connection) = match opened {
        Ok(opened) => opened,
        Err(failure) => {
            if let Ok(Request { answer, .. }) = requests.recv() {
                let _ = answer.send(Err(failure));
            }
            return;
        }
    };
    while let Ok(Request { job, answer }) = requests.recv() {
        let read = read(&mut connection, job, &|| answer.is_canceled()).map(|done| (state, done));
        let is_usable = read.is_ok();
        let _ = answer.send(read);
        if !is_usable {
            return;
        }
    }
}

/// Runs a job in a transaction.
///
/// # Errors
///
/// The transaction did not begin or did not end in order.
fn read(connection: &mut Connection, job: Job, abandoned: &(dyn Fn() -> bool + Sync)) -> Result<Result<(), StoreFailure>, StoreFailure> {
    connection.run("BEGIN")?;
    // What is read from here on is of this moment.
    moved::check(connection)?;
    let mut transaction = SqliteTransaction::new(connection, abandoned);
    let ran = pollster::block_on(AssertUnwindSafe(async { job(&mut transaction).await }).catch_unwind());
    let failure = transaction.into_failure();
    connection.run("ROLLBACK")?;
    Ok(match (ran, failure) {
        (Err(_), _) => Err(StoreFailure::Interrupted),
        (Ok(_), Some(failure)) => Err(failure),
        (Ok(_), None) => Ok(()),
    })
}
