//! A store in a file that may be moved into PostgreSQL while it is served from: whoever asks is answered from there afterwards, without a
//! restart. How it is moved is not known here.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use dango_core::{Clock, Timestamp};
use dango_identity::{ApiKeyRecord, StoredSession, TokenDigest, kind};
use dango_store::{AtTheDoor, Budgets, Job, Store, StoreFailure, StoreVersion, Verdict};
use tokio::sync::oneshot;

use crate::failure::Failure;

/// How long a request waits for the database that the file was moved to.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it is before that database is tried again.
const PAUSE: Duration = Duration::from_millis(250);
/// How often it is logged that it cannot be opened.
const COMPLAINT: Duration = Duration::from_secs(30);

/// The store that a file was moved to, with the time that counts there.
pub(crate) struct Followed {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Opens the store that the file was moved to.
type Follow = Box<dyn Fn() -> Result<Followed, Failure> + Send + Sync>;

/// Who waits, until when, and where the answer goes.
type Caller = (Instant, oneshot::Sender<Result<(), StoreFailure>>);

/// Where the rows are: in the file, until they were moved.
pub(crate) struct Whereabouts {
    followed: OnceLock<Followed>,
    waiting: Mutex<Waiting>,
    follow: Follow,
    patience: Duration,
}

/// Who waits until the new store is open.
#[derive(Default)]
struct Waiting {
    is_under_way: bool,
    callers: Vec<Caller>,
}

/// The database that was moved to cannot be opened by this server.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the database that everything was moved to cannot be used; the log says why")]
struct Unopened;

impl Whereabouts {
    pub(crate) fn new(follow: Follow) -> Arc<Self> {
        Self::with_patience(follow, PATIENCE)
    }

    fn with_patience(follow: Follow, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            followed: OnceLock::new(),
            waiting: Mutex::default(),
            follow,
            patience,
        })
    }

    /// Whether the rows are still in the file, as far as it is known.
    pub(crate) fn is_in_file(&self) -> bool {
        self.followed.get().is_none()
    }

    fn store(&self) -> Option<Arc<dyn Store>> {
        self.followed.get().map(|followed| Arc::clone(&followed.store))
    }

    /// The store that the file was moved to, once it is open.
    async fn follow(self: &Arc<Self>) -> Result<Arc<dyn Store>, StoreFailure> {
        let (answer, answered) = oneshot::channel();
        {
            let mut waiting = self.waiting();
            if let Some(store) = self.store() {
                return Ok(store);
            }
            waiting.callers.push((Instant::now() + self.patience, answer));
            if !waiting.is_under_way {
                let place = Arc::downgrade(self);
                let begun = std::thread::Builder::new()
                    .name("dango-moving".to_owned())
                    .spawn(move || go_on(&place));
                begun.map_err(StoreFailure::unavailable)?;
                waiting.is_under_way = true;
            }
        }
        answered.await.unwrap_or(Err(StoreFailure::Interrupted))?;
        self.store().ok_or(StoreFailure::Interrupted)
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends those away who have waited for long.
    fn send_away(&self) {
        let now = Instant::now();
        let overdue = |(deadline, _): &mut Caller| *deadline <= now;
        let overdue = self.waiting().callers.extract_if(.., overdue).collect::<Vec<_>>();
        for (_, caller) in overdue {
            let _ = caller.send(Err(StoreFailure::unavailable(Unopened)));
        }
    }
}

/// Opens the new store, however often that takes, and answers those who wait; those who have waited for long go away unanswered, also
/// while one try takes long.
fn go_on(place: &Weak<Whereabouts>) {
    let mut complained: Option<Instant> = None;
    while let Some(trying) = place.upgrade() {
        let (tell, told) = channel();
        let begun = std::thread::Builder::new().name("dango-following".to_owned()).spawn(move || {
            let _ = tell.send((trying.follow)());
        });
        let done = match begun {
            Ok(_) => wait_for(place, &told),
            Err(error) => Some(Err(Failure::new(format!("cannot start a thread: {error}")))),
        };
        let (Some(place), Some(done)) = (place.upgrade(), done) else {
            return;
        };
        match done {
            Ok(followed) => {
                let _ = place.followed.set(followed);
                for (_, caller) in place.waiting().callers.drain(..) {
                    let _ = caller.send(Ok(()));
                }
                return;
            }
            Err(failure) => {
                if complained.is_none_or(|complained| complained.elapsed() >= COMPLAINT) {
                    failure.log();
                    complained = Some(Instant::now());
                }
                place.send_away();
            }
        }
        drop(place);
        std::thread::sleep(PAUSE);
    }
}

/// What one try has come to; nothing where nobody needs it any more.
fn wait_for(place: &Weak<Whereabouts>, told: &Receiver<Result<Followed, Failure>>) -> Option<Result<Followed, Failure>> {
    loop {
        match told.recv_timeout(PAUSE) {
            Ok(done) => return Some(done),
            Err(RecvTimeoutError::Timeout) => place.upgrade()?.send_away(),
            Err(RecvTimeoutError::Disconnected) => {
                return Some(Err(Failure::new("the database could not be opened: its thread has ended")));
            }
        }
    }
}

/// The store in the file, and after it the one to which that was moved.
pub(crate) struct MovableStore {
    file: Arc<dyn Store>,
    place: Arc<Whereabouts>,
}

/// A job that is lent to a store, and comes back if the store did not begin it.
struct Lent(Arc<Mutex<Option<Job>>>);

impl Lent {
    fn of(job: Job) -> Self {
        Self(Arc::new(Mutex::new(Some(job))))
    }

    fn to_run(&self) -> Job {
        let slot = Arc::clone(&self.0);
        Box::new(move |tx| {
            let job = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            match job {
                Some(job) => job(tx),
                // Only where a store runs one job twice.
                None => Box::pin(std::future::ready(Verdict::RollBack)),
            }
        })
    }

    fn back(self) -> Result<Job, StoreFailure> {
        let job = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        job.ok_or(StoreFailure::Interrupted)
    }
}

impl MovableStore {
    pub(crate) fn new(file: Arc<dyn Store>, place: Arc<Whereabouts>) -> Self {
        Self { file, place }
    }
}

#[async_trait]
impl Store for MovableStore {
    async fn run_write(&self, job: Job) -> Result<(), StoreFailure> {
        if let Some(store) = self.place.store() {
            return store.run_write(job).await;
        }
        let lent = Lent::of(job);
        match self.file.run_write(lent.to_run()).await {
            Err(StoreFailure::Moved { .. }) => self.place.follow().await?.run_write(lent.back()?).await,
            done => done,
        }
    }

    async fn run_read(&self, job: Job) -> Result<(), StoreFailure> {
        if let Some(store) = self.place.store() {
            return store.run_read(job).await;
        }
        let lent = Lent::of(job);
        match self.file.run_read(lent.to_run()).await {
            Err(StoreFailure::Moved { .. }) => self.place.follow().await?.run_read(lent.back()?).await,
            done => done,
        }
    }

    async fn schema_version(&self) -> Result<u32, StoreFailure> {
        match self.place.store() {
            Some(store) => store.schema_version().await,
            None => self.file.schema_version().await,
        }
    }

    async fn check_writable(&self) -> Result<(), StoreFailure> {
        if let Some(store) = self.place.store() {
            return store.check_writable().await;
        }
        match self.file.check_writable().await {
            Err(StoreFailure::Moved { .. }) => self.place.follow().await?.check_writable().await,
            checked => checked,
        }
    }

    fn version(&self) -> Result<Option<StoreVersion>, StoreFailure> {
        match self.place.store() {
            Some(store) => store.version(),
            None => match self.file.version() {
                // Whoever reads next follows.
                Err(StoreFailure::Moved { .. }) => Ok(None),
                version => version,
            },
        }
    }

    async fn session_at_the_door(
        &self,
        digest: TokenDigest<kind::Session>,
        budgets: Arc<dyn Budgets>,
    ) -> Result<AtTheDoor<StoredSession>, StoreFailure> {
        if let Some(store) = self.place.store() {
            return store.session_at_the_door(digest, budgets).await;
        }
        match self.file.session_at_the_door(digest, Arc::clone(&budgets)).await {
            Err(StoreFailure::Moved { .. }) => self.place.follow().await?.session_at_the_door(digest, budgets).await,
            found => found,
        }
    }

    async fn api_key_at_the_door(
        &self,
        digest: TokenDigest<kind::ApiKey>,
        budgets: Arc<dyn Budgets>,
    ) -> Result<AtTheDoor<ApiKeyRecord>, StoreFailure> {
        if let Some(store) = self.place.store() {
            return store.api_key_at_the_door(digest, budgets).await;
        }
        match self.file.api_key_at_the_door(digest, Arc::clone(&budgets)).await {
            Err(StoreFailure::Moved { .. }) => self.place.follow().await?.api_key_at_the_door(digest, budgets).await,
            found => found,
        }
    }
}

/// This machine's clock, and after a move that of the database.
pub(crate) struct MovableClock {
    own: Arc<dyn Clock>,
    place: Arc<Whereabouts>,
}

impl MovableClock {
    pub(crate) fn new(own: Arc<dyn Clock>, place: Arc<Whereabouts>) -> Self {
        Self { own, place }
    }

    fn clock(&self) -> &dyn Clock {
        self.place.followed.get().map_or(&*self.own, |followed| &*followed.clock)
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        self.clock().now()
    }

    fn local_offset_seconds(&self, at: Timestamp) -> i32 {
        self.clock().local_offset_seconds(at)
    }
}

#[cfg(test)]
mod tests;
