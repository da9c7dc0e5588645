//! The time of the database, which all servers share: this machine's clock, corrected by how far it is off.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use dango_core::{Clock, Timestamp};
use dango_store::StoreFailure;

use crate::column::Columns;
use crate::connection::{Connection, query};

/// What took longer to answer says too little about the time.
const TOO_LONG: i64 = 1_000_000;

/// A clock that tells the database's time without asking for it. Until the first measurement it is this machine's.
pub struct DatabaseClock {
    own: Arc<dyn Clock>,
    ahead: AtomicI64,
}

impl DatabaseClock {
    pub(crate) fn new(own: Arc<dyn Clock>) -> Self {
        Self {
            own,
            ahead: AtomicI64::new(0),
        }
    }

    /// By how many microseconds the database's clock is ahead of this machine's, as it was measured last.
    pub fn ahead_micros(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    /// Asks the database for its time and keeps the difference.
    pub(crate) async fn measure(&self, connection: &Connection) -> Result<(), StoreFailure> {
        let asked = self.own.now().unix_micros();
        let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        let told = connection.one(&query(sql), |row| Columns::of(row).integer()).await?;
        let answered = self.own.now().unix_micros();
        if let Some(told) = told
            && (0..TOO_LONG).contains(&answered.saturating_sub(asked))
        {
            self.ahead.store(told.saturating_sub(asked.midpoint(answered)), Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.own.now().unix_micros().saturating_add(self.ahead_micros()))
    }

    fn local_offset_seconds(&self, at: Timestamp) -> i32 {
        self.own.local_offset_seconds(at)
    }
}
