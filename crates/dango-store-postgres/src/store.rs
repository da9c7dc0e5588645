//! A database that was connected to: its writer, its readers, and what is asked at each request.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use dango_core::Clock;
use dango_identity::{ApiKeyRecord, StoredSession, TokenDigest, kind};
use dango_store::{AtTheDoor, Budgets, Job, Store, StoreFailure};

use crate::clock::DatabaseClock;
use crate::column::Columns;
use crate::connection::{Connection, Row, query};
use crate::door::Door;
use crate::line::Line;
use crate::migration::refused_by;
use crate::role::{RoleError, ServingRole};
use crate::threads::Threads;
use crate::turn::Mark;
use crate::url::DatabaseUrl;
use crate::writer::Writer;
use crate::{copy, migration, reading, role};

/// How many connections read at most, unless told otherwise; one more writes.
pub const CONNECTIONS: usize = 8;

/// Whether a transaction could change nothing: this is a standby, or whoever runs it has said so.
const IS_READ_ONLY: &str = concat!(
    "SELECT ",
    refused_by!("$1"),
    ", pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'"
);

/// How often the database's clock is compared with this machine's.
const CLOCK_PERIOD: Duration = Duration::from_secs(30);

/// Users, sessions, keys and the audit log in PostgreSQL, shared by any number of servers.
///
/// It has threads of its own, and whoever waits for an answer may do so on any executor, or on none. A connection that breaks is made
/// anew for the next who asks, so that a database that was away is used again once it is back.
pub struct PostgresStore {
    /// For the door, the writer, and whatever else is short.
    threads: Threads,
    /// For jobs that read, of which some read the whole log.
    readers: Threads,
    /// Connections for what is one short statement: whoever reads for long keeps nobody out.
    short: Arc<Line>,
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
        let (threads, readers) = (Threads::start()?, Threads::start()?);
        let clock = Arc::new(DatabaseClock::new(clock));
        let long = (connections / 2).max(1);
        let line = Arc::new(Line::new(url.clone(), Arc::clone(&clock), long));
        let short = Arc::new(Line::new(url, Arc::clone(&clock), connections.saturating_sub(long).max(1)));
        let (opening, time) = (Arc::clone(&short), keep_time(Arc::downgrade(&short), Arc::clone(&clock)));
        let begun = threads.wait(async move {
            let connection = opening.connect().await?;
            let may_rewrite = look(&connection, role).await?;
            let mark = Mark::make(&connection).await?;
            tokio::spawn(time);
            Ok((Writer::start(opening, mark), may_rewrite))
        });
        let (writer, may_rewrite) = begun?;
        Ok(Self {
            writer: Arc::new(writer),
            may_rewrite,
            threads,
            readers,
            short,
            line,
            door: Arc::default(),
            clock,
        })
    }

    /// Connections for what is one short statement.
    pub(crate) const fn short(&self) -> &Arc<Line> {
        &self.short
    }

    /// The threads that [`PostgresStore::short`] lives on.
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
        self.readers.run(async move { reading::read(&line, job).await }).await
    }

    async fn schema_version(&self) -> Result<u32, StoreFailure> {
        let line = Arc::clone(&self.short);
        let read = self.threads.run(async move {
            let borrowed = line.borrow().await?;
            let version = migration::version(&borrowed.connection).await?;
            line.give_back(borrowed);
            Ok(version)
        });
        read.await
    }

    async fn check_writable(&self) -> Result<(), StoreFailure> {
        let line = Arc::clone(&self.short);
        let asked = self.threads.run(async move {
            let mut borrowed = line.borrow().await?;
            let ask = query(IS_READ_ONLY).bind(migration::LATEST);
            let read = |row: &Row<'_>| {
                let columns = &mut Columns::of(row);
                migration::let_on(columns)?;
                columns.flag()
            };
            let mut told = borrowed.connection.one(&ask, read).await;
            if told.is_err() && borrowed.is_old {
                borrowed = line.renew(borrowed).await?;
                told = borrowed.connection.one(&ask, read).await;
            }
            let told = told?;
            line.give_back(borrowed);
            match told {
                Some(false) => Ok(()),
                Some(true) | None => Err(StoreFailure::ReadOnly),
            }
        });
        asked.await
    }

    async fn session_at_the_door(
        &self,
        digest: TokenDigest<kind::Session>,
        budgets: Arc<dyn Budgets>,
    ) -> Result<AtTheDoor<StoredSession>, StoreFailure> {
        let (line, door) = (Arc::clone(&self.short), Arc::clone(&self.door));
        let ask = self.threads.run(async move { door.session(&line, &digest, &*budgets).await });
        ask.await
    }

    async fn api_key_at_the_door(
        &self,
        digest: TokenDigest<kind::ApiKey>,
        budgets: Arc<dyn Budgets>,
    ) -> Result<AtTheDoor<ApiKeyRecord>, StoreFailure> {
        let (line, door) = (Arc::clone(&self.short), Arc::clone(&self.door));
        let ask = self.threads.run(async move { door.api_key(&line, &digest, &*budgets).await });
        ask.await
    }
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}
