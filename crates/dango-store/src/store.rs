//! Where transactions come from: the object-safe port that a backend implements, and its typed face.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use dango_identity::{ApiKeyRecord, StoredSession, TokenDigest, kind};
use futures_util::FutureExt;

use crate::bearer::{AtTheDoor, Budgets, api_key_at_the_door, session_at_the_door};
use crate::failure::StoreFailure;
use crate::transaction::Transaction;

/// A future on the heap that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What is to become of a transaction whose work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Everything that was done through it happens.
    Commit,
    /// Nothing of it happens.
    RollBack,
}

/// Work inside a transaction, without the type of what comes of it; [`StoreExt`] makes one.
pub type Job = Box<dyn for<'t> FnOnce(&'t mut dyn Transaction) -> BoxFuture<'t, Verdict> + Send>;

/// A state of the whole store. Two that are equal, of one opened store, say that nothing was committed in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StoreVersion(u64);

impl StoreVersion {
    /// The version that a backend counts by a number.
    pub const fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// A backend: where users, sessions, keys and the audit log are kept. Use it through [`StoreExt`].
///
/// A backend must hold to this, and the suite in `contract` checks it:
///
/// - the work of one transaction happens wholly or not at all, whatever fails, whoever else writes, wherever the power goes;
/// - a transaction of which one step failed is not committed, even if the work went on as if nothing were wrong;
/// - once a write has been answered it is on the disk;
/// - what a read sees is one moment, in which no transaction is half done;
/// - work that panics changes nothing and does not stop the store.
#[async_trait]
pub trait Store: Send + Sync {
    /// Runs a job in a transaction that may change things, and answers when it is committed or rolled back.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it could not begin, a step of it failed, or it could not commit: then nothing of it happened, unless it is
    /// [`StoreFailure::Uncertain`]. A job that itself decided to roll back is no failure.
    async fn run_write(&self, job: Job) -> Result<(), StoreFailure>;

    /// Runs a job that changes nothing, on one moment of the store. What it tries to change is refused or thrown away.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it could not begin or a step of it failed.
    async fn run_read(&self, job: Job) -> Result<(), StoreFailure>;

    /// The number of the newest migration that the store has been through.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be read.
    async fn schema_version(&self) -> Result<u32, StoreFailure>;

    /// Whether it could be written to, found out without changing anything or waiting for whoever writes, where the backend can.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`]: why not.
    async fn check_writable(&self) -> Result<(), StoreFailure> {
        self.run_write(Box::new(|_| Box::pin(std::future::ready(Verdict::RollBack)))).await
    }

    /// Which state the store is in: another one after everything that is committed, by this process or any other. It takes
    /// microseconds and waits for nobody, so what was read may be kept and used as long as the version from *before* the reading
    /// is still this one.
    ///
    /// Nothing where the backend cannot tell so cheaply, as here: then nothing that was read may be kept.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if the store can no longer be used: its file is gone, is another one, or cannot be read.
    fn version(&self) -> Result<Option<StoreVersion>, StoreFailure> {
        Ok(None)
    }

    /// Reads at one moment what a request asks about whoever shows the token of a session.
    ///
    /// A backend that does it faster than a transaction answers the same.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be read.
    async fn session_at_the_door(
        &self,
        digest: TokenDigest<kind::Session>,
        budgets: Arc<dyn Budgets>,
    ) -> Result<AtTheDoor<StoredSession>, StoreFailure> {
        session_at_the_door(self, digest, budgets).await
    }

    /// As [`Store::session_at_the_door`], for an API key.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be read.
    async fn api_key_at_the_door(
        &self,
        digest: TokenDigest<kind::ApiKey>,
        budgets: Arc<dyn Budgets>,
    ) -> Result<AtTheDoor<ApiKeyRecord>, StoreFailure> {
        api_key_at_the_door(self, digest, budgets).await
    }
}

/// [`Store`] with the types of what the work answers.
pub trait StoreExt: Store {
    /// Begins a transaction, does the work, and commits it if the work says `Ok`; an `Err` rolls everything back.
    ///
    /// The work runs wherever the backend wants, so it owns what it needs. It must wait for nothing but the transaction: no
    /// hashing of passwords, no network.
    ///
    /// # Errors
    ///
    /// What the work says, or `E` made of a [`StoreFailure`] if the transaction could not begin or commit. Nothing happened then.
    fn write<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, E>> + Send
    where
        F: for<'t> FnOnce(&'t mut dyn Transaction) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreFailure> + Send + 'static,
    {
        let (job, answer) = erase(work);
        async move {
            let ran = self.run_write(job).await;
            answer.after(ran)
        }
    }

    /// Does work that changes nothing, on one moment of the store.
    ///
    /// # Errors
    ///
    /// As [`StoreExt::write`].
    fn read<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, E>> + Send
    where
        F: for<'t> FnOnce(&'t mut dyn Transaction) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreFailure> + Send + 'static,
    {
        let (job, answer) = erase(work);
        async move {
            let ran = self.run_read(job).await;
            answer.after(ran)
        }
    }
}

impl<S: Store + ?Sized> StoreExt for S {}

/// Where the job leaves what the work answered.
struct Answer<T, E>(Arc<Mutex<Option<Result<T, E>>>>);

impl<T, E: From<StoreFailure>> Answer<T, E> {
    /// The work's own error comes first: it says more than that the transaction was rolled back because of it.
    fn after(self, ran: Result<(), StoreFailure>) -> Result<T, E> {
        let answer = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (answer, ran) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(failure)) => Err(failure.into()),
            (Some(Ok(answer)), Ok(())) => Ok(answer),
            (None, Ok(())) => Err(StoreFailure::Interrupted.into()),
        }
    }
}

fn erase<T, E, F>(work: F) -> (Job, Answer<T, E>)
where
    F: for<'t> FnOnce(&'t mut dyn Transaction) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let slot = Arc::new(Mutex::new(None));
    let answer = Answer(Arc::clone(&slot));
    let job: Job = Box::new(move |tx| {
        work(tx)
            .map(move |answer| {
                let verdict = if answer.is_ok() { Verdict::Commit } else { Verdict::RollBack };
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
                verdict
            })
            .boxed()
    });
    (job, answer)
}
