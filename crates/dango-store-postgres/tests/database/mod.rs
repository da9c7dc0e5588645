//! Databases to try the backend with: on a real server, each with an owner and a role that serves. What is tried stands beside.
#![allow(
    dead_code,
    unreachable_pub,
    unfulfilled_lint_expectations,
    unused_imports,
    clippy::disallowed_methods,
    clippy::panic,
    reason = "not every test needs all of it, and the files of the servers are shared with the end-to-end tests, a crate with leave to do this"
)]

#[path = "../../../../tests/src/pooler.rs"]
mod pooler;
#[path = "../../../../tests/src/postgres.rs"]
mod postgres;
mod wire;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use dango_core::SystemClock;
use dango_identity::{AccountKey, AttemptKey, ClientClass, Email, LockoutPolicy};
use dango_store::Budgets;
use dango_store_postgres::{CONNECTIONS, DatabaseUrl, PostgresStore, migrate};

pub use pooler::Pooler;
pub use postgres::Postgres;
pub use wire::{Way, Wire};

/// How long something that must come may take on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The role that serves.
pub const SERVING: &str = "dango";
/// The role that owns the schema.
pub const OWNER: &str = "dango_owner";
/// The password of both.
pub const PASSWORD: &str = "canary7b1e";

/// A server with databases.
pub struct Databases {
    pub server: Postgres,
    made: AtomicU32,
}

impl Databases {
    /// Starts a server and makes the roles.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with settings.
    pub fn start_with(settings: &[&str]) -> Self {
        let server = Postgres::with(settings);
        server.role(SERVING, PASSWORD);
        server.role(OWNER, PASSWORD);
        let this = Self {
            server,
            made: AtomicU32::new(0),
        };
        let _ = this.server.sql("postgres", &format!("CREATE DATABASE first OWNER {OWNER}"));
        migrate(this.url(OWNER, "first"), SERVING).expect("migrated");
        this
    }

    /// Makes another database, whose schema is up to date and in which nothing is.
    pub fn make(&self) -> String {
        let name = format!("d{}", self.made.fetch_add(1, Ordering::Relaxed));
        let _ = self
            .server
            .sql("postgres", &format!("CREATE DATABASE {name} OWNER {OWNER} TEMPLATE first"));
        name
    }

    /// The address of a database as a role sees it.
    pub fn url(&self, role: &str, database: &str) -> DatabaseUrl {
        DatabaseUrl::parse(&self.server.url(role, PASSWORD, database)).expect("an address")
    }

    /// A store on a database.
    pub fn open(&self, database: &str) -> Arc<PostgresStore> {
        let store = PostgresStore::connect(self.url(SERVING, database), CONNECTIONS, Arc::new(SystemClock));
        Arc::new(store.expect("opened"))
    }

    /// The same through a pooler.
    pub fn open_pooled(&self, pooler: &Pooler, database: &str) -> Arc<PostgresStore> {
        let url = DatabaseUrl::parse(&pooler.url(SERVING, PASSWORD, database)).expect("an address");
        Arc::new(PostgresStore::connect(url, CONNECTIONS, Arc::new(SystemClock)).expect("opened"))
    }

    /// A pooler in front of it.
    pub fn pooler(&self) -> Pooler {
        Pooler::start(self.server.port(), &[SERVING], PASSWORD)
    }

    /// The same through something on the way to it.
    pub fn open_through(&self, wire: &Wire, database: &str) -> Arc<PostgresStore> {
        let url = DatabaseUrl::parse(&format!("postgres://{SERVING}:{PASSWORD}@127.0.0.1:{}/{database}", wire.port()));
        let store = PostgresStore::connect(url.expect("an address"), CONNECTIONS, Arc::new(SystemClock));
        Arc::new(store.expect("opened"))
    }

    /// Locks something of a database as somebody else, for so many seconds, and comes back once it is locked.
    pub fn hold(&'static self, database: &str, lock: &str, seconds: u32) -> std::thread::JoinHandle<()> {
        let (name, lock) = (database.to_owned(), lock.to_owned());
        let holder = std::thread::spawn(move || self.lock(&name, &lock, seconds));
        self.until_locked(database);
        holder
    }

    /// Locks something of a database as somebody else, and comes back after so many seconds.
    pub fn lock(&self, database: &str, lock: &str, seconds: u32) {
        let statement = format!("BEGIN; {lock}; SELECT pg_sleep({seconds}); COMMIT");
        drop(self.server.sql(database, &statement));
    }

    /// Waits until [`Databases::lock`] has what it locks.
    pub fn until_locked(&self, database: &str) {
        let is_held = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
        until("it is locked", || self.server.sql(database, is_held) != "0");
    }
}

/// Waits until something is so.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whose budgets do not matter.
pub struct Nobodys;

impl Budgets for Nobodys {
    fn of_strangers(&self, _: &Email) -> AttemptKey {
        AttemptKey {
            account: AccountKey::from_bytes([0; 32]),
            client: ClientClass::Untrusted,
        }
    }

    fn policy(&self) -> &LockoutPolicy {
        static POLICY: LazyLock<LockoutPolicy> = LazyLock::new(LockoutPolicy::default);
        &POLICY
    }
}
