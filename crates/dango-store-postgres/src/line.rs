//! Connections to one database: how many there may be, and those that nobody uses just now.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dango_store::StoreFailure;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::clock::DatabaseClock;
use crate::connection::Connection;
use crate::url::DatabaseUrl;

/// How long one waits for a connection while all are in use.
const PATIENCE: Duration = Duration::from_secs(10);

/// The connections that read, and the way to new ones.
pub(crate) struct Line {
    url: DatabaseUrl,
    clock: Arc<DatabaseClock>,
    room: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

/// A connection that has a place among those that there may be. Dropped, it is closed, and its place is free once the database has done with
/// it.
pub(crate) struct Borrowed {
    pub(crate) connection: Connection,
    /// Whether it was used before, so that it may have broken since.
    pub(crate) is_old: bool,
}

/// All connections are in use, and have been for long.
#[derive(Debug, thiserror::Error)]
#[error("all connections to the database are in use")]
struct Crowded;

impl Line {
    pub(crate) fn new(url: DatabaseUrl, clock: Arc<DatabaseClock>, connections: usize) -> Self {
        Self {
            url,
            clock,
            room: Arc::new(Semaphore::new(connections)),
            idle: Mutex::default(),
        }
    }

    /// Makes a connection that does not count among those that read.
    pub(crate) async fn connect(&self) -> Result<Connection, StoreFailure> {
        let connection = Connection::open(&self.url).await?;
        self.clock.measure(&connection).await?;
        Ok(connection)
    }

    /// Borrows a connection that is idle, or makes one.
    pub(crate) async fn borrow(&self) -> Result<Borrowed, StoreFailure> {
        let place = timeout(PATIENCE, Arc::clone(&self.room).acquire_owned()).await;
        let place = place.map_err(|_| StoreFailure::unavailable(Crowded))?;
        let place = place.map_err(|_| StoreFailure::Interrupted)?;
        let (connection, is_old) = match self.pop() {
            Some(connection) => (connection, true),
            None => (self.connect().await?, false),
        };
        connection.take(place);
        Ok(Borrowed { connection, is_old })
    }

    /// Puts a new connection in the place of one that has broken. So may have all others that were idle.
    pub(crate) async fn renew(&self, broken: Borrowed) -> Result<Borrowed, StoreFailure> {
        let others = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        drop(others);
        let place = broken.connection.leave();
        drop(broken);
        let connection = self.connect().await?;
        if let Some(place) = place {
            connection.take(place);
        }
        Ok(Borrowed { connection, is_old: false })
    }

    /// Takes back a connection that is in no transaction.
    pub(crate) fn give_back(&self, borrowed: Borrowed) {
        if !borrowed.connection.is_closed() {
            let place = borrowed.connection.leave();
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(borrowed.connection);
            // Only now: whoever comes then finds it, and makes no other.
            drop(place);
        }
    }

    fn pop(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| idle.pop()).find(|connection| !connection.is_closed())
    }
}
