//! A database that was connected to: its writer, its readers, and what is asked at each request.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use dango_core::Clock;
use dango_identity::{ApiKeyRecord, StoredSession, TokenDigest, kind};
use dango_store::{AtTheDoor, Budgets, Job, Store, StoreFailure};

use crate::clock::DatabaseClock;
use crate::connection::Connection;
use crate::door::Door;
use crate::line::Line;
use crate::role::{RoleError, ServingRole};
use crate::threads::Threads;
use crate::url::DatabaseUrl;
use crate::writer::Writer;
use crate::{copy, migration, reading, role};

/// How many connections read at most, unless told otherwise; one more writes.
pub const CONNECTIONS: usize = 8;

/// How often the database's clock is compared with this machine's.
const CLOCK_PERIOD: Duration = Duration::from_secs(30);

/// Users, sessions, keys and the audit log in PostgreSQL, shared by any number of servers.
///
/// It has threads of its own, and whoever waits for an answer may do so on any executor, or on none. A connection that breaks is made
/// anew for the next who asks, so that a database that was away is used again once it is back.
pub struct PostgresStore {
    threads: Threads,
    line: Arc<Line>,
    door: Arc<Door>,
    writer: Arc<Writer>,
    clock: Arc<DatabaseClock>,
    may_rewrite: bool,
}

impl PostgresStore {
    /// Connects to a database whose schema is up to date. It blocks while it does.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`]: it cannot be reached, does not let the role in, has no schema of this version ([`StoreFailure::Missing`],
    /// [`StoreFailure::Newer`]), or the role could change what the log says ([`StoreFailure::Forbidden`]).
    pub fn connect(url: DatabaseUrl, connections: usize, clock: Arc<dyn Clock>) -> Result<Self, StoreFailure> {
        Self::connect_as(ServingRole::Apart, url, connections, clock)
    }

    /// The same as another role than one that serves and does nothing else.
    ///
    /// # Errors
    ///
    /// As [`PostgresStore::connect`].
    pub fn connect_as(role: ServingRole, url: DatabaseUrl, connections: usize, clock: Arc<dyn Clock>) -> Result<Self, StoreFailure> {
        let (threads, clock) = (Threads::start()?, Arc::new(DatabaseClock::new(clock)));
        let line = Arc::new(Line::new(url, Arc::clone(&clock), connections.max(1)));
        let (opening, time) = (Arc::clone(&line), keep_time(Arc::downgrade(&line), Arc::clone(&clock)));
        let begun = threads.wait(async move {
            let may_rewrite = look(&opening.connect().await?, role).await?;
            tokio::spawn(time);
            Ok((Writer::start(opening), may_rewrite))
        });
        let (writer, may_rewrite) = begun?;
        Ok(Self {
            writer: Arc::new(writer),
            may_rewrite,
            threads,
            line,
            door: Arc::default(),
            clock,
        })
    }

    pub(crate) const fn line(&self) -> &Arc<Line> {
        &self.line
    }

    pub(crate) const fn threads(&self) -> &Threads {
        &self.threads
    }

    /// Whether the role could change what the log says, were it not for triggers, which it could take away.
    pub const fn may_rewrite(&self) -> bool {
        self.may_rewrite
    }

    /// The database's time, for everything that several servers have to agree on.
    pub fn clock(&self) -> Arc<DatabaseClock> {
        Arc::clone(&self.clock)
    }
}

/// Refuses a database that cannot be served from by such a role, and answers whether the role could change what the log says.
async fn look(connection: &Connection, role: ServingRole) -> Result<bool, StoreFailure> {
    let found = migration::version(connection).await?;
    if found < migration::LATEST {
        return Err(StoreFailure::Missing);
    }
    migration::check(connection, found).await?;
    copy::check_settled(connection).await?;
    match (role, role::may_rewrite(connection).await?) {
        (ServingRole::Apart, true) => Err(StoreFailure::forbidden(RoleError::MayRewrite)),
        (_, may_rewrite) => Ok(may_rewrite),
    }
}

/// Compares clocks from time to time, as long as there is a store.
async fn keep_time(line: Weak<Line>, clock: Arc<DatabaseClock>) {
    loop {
        tokio::time::sleep(CLOCK_PERIOD).await;
        let Some(line) = line.upgrade() else { return };
        // Where the database is away, the difference stays what it was.
        if let Ok(borrowed) = line.borrow().await
            && clock.measure(&borrowed.connection).await.is_ok()
        {
            line.give_back(borrowed);
        }
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn run_write(&self, job: Job) -> Result<(), StoreFailure> {
        self.writer.run(job).await
    }

    async fn run_read(&self, job: Job) -> Result<(), StoreFailure> {
        let line = Arc::clone(&self.line);
        self.threads.run(async move { reading::read(&line, job).await }).await
    }

    async fn schema_version(&self) -> Result<u32, StoreFailure> {
        let line = Arc::clone(&self.line);
        let read = self.threads.run(async move {
            let borrowed = line.borrow().await?;
            let version = migration::version(&borrowed.connection).await?;
            line.give_back(borrowed);
            Ok(version)
        });
        read.await
    }

    async fn session_at_the_door(
        &self,
        digest: TokenDigest<kind::Session>,
        budgets: Arc<dyn Budgets>,
    ) -> Result<AtTheDoor<StoredSession>, StoreFailure> {
        let (line, door) = (Arc::clone(&self.line), Arc::clone(&self.door));
        let ask = self.threads.run(async move { door.session(&line, &digest, &*budgets).await });
        ask.await
    }

    async fn api_key_at_the_door(
        &self,
        digest: TokenDigest<kind::ApiKey>,
        budgets: Arc<dyn Budgets>,
    ) -> Result<AtTheDoor<ApiKeyRecord>, StoreFailure> {
        let (line, door) = (Arc::clone(&self.line), Arc::clone(&self.door));
        let ask = self.threads.run(async move { door.api_key(&line, &digest, &*budgets).await });
        ask.await
    }
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}
