//! The cut-over: for a moment nobody writes, the rest is brought and compared, and from then on the other database counts.

use std::time::{Duration, Instant};

use dango_core::Clock;
use dango_identity::SealedColumn;
use dango_store::copy::TABLES;
use dango_store_sqlite::{Begun, Moment};

use crate::error::{MigrationError, Side};
use crate::migration::{Copied, Migration, Progress};

/// How few changes are left before anybody is held back.
const FEW: usize = 500;

/// With how many notes a pause is let go of again at once: what is left has grown while the lock was waited for.
const MANY: i64 = 5_000;

/// How often what is left may be brought before it is few enough, and how often a pause is tried.
const ROUNDS: usize = 20;

/// The longest pause, whatever either database does in it. Whoever writes waits for ten seconds before giving up.
pub(crate) const PAUSE: Duration = Duration::from_secs(5);

/// How long whoever was held back has between two pauses.
const BETWEEN: Duration = Duration::from_secs(1);

/// How long it may take for one call otherwise.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// For how long it is tried to tell the new database that it counts.
const SETTLING: Duration = Duration::from_secs(20);

/// How long it is before that is tried again.
const AGAIN: Duration = Duration::from_millis(250);

/// A move that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutOver {
    /// For how long whoever writes was held back.
    pub pause: Duration,
    /// How many changes were brought over meanwhile.
    pub changes: usize,
    /// Whether the new database knows already that it counts. If not, the next server that comes with the mark of the old one tells it,
    /// or [`crate::finish`].
    pub is_settled: bool,
}

impl Migration {
    /// Where the move goes, and what it is called.
    pub const fn begun(&self) -> &Begun {
        &self.begun
    }

    /// Holds back whoever writes, brings the rest, compares it, and marks the old database as moved. From then on the new one counts.
    ///
    /// Everything was copied before, and compared. The password of the new one is left for servers that follow, sealed.
    ///
    /// # Errors
    ///
    /// [`MigrationError`]: the old one counts as before, nobody is held back any more, and the next call goes on.
    pub fn cut_over(
        mut self,
        password: Option<SealedColumn>,
        clock: &dyn Clock,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<CutOver, MigrationError> {
        for _ in 0..ROUNDS {
            self.come_close(tell)?;
            tell(Progress::Pausing);
            if let Some((pause, changes)) = self.try_to_cut(password.clone(), clock, tell)? {
                tell(Progress::Marked);
                let is_settled = self.settle();
                if is_settled {
                    tell(Progress::Settled);
                }
                self.source.bring_log_in();
                return Ok(CutOver {
                    pause,
                    changes,
                    is_settled,
                });
            }
            tell(Progress::Resuming);
            std::thread::sleep(BETWEEN);
            self.copied.look_again()?;
        }
        Err(MigrationError::Busy)
    }

    /// Tells the new database that it counts, and says whether that was done.
    fn settle(&mut self) -> bool {
        let begun = Instant::now();
        self.copied.target.set_deadline(Some(begun + SETTLING));
        while self.copied.target.settle(self.begun.token).is_err() {
            if begun.elapsed() >= SETTLING {
                return false;
            }
            std::thread::sleep(AGAIN);
        }
        true
    }

    /// Follows until little is left.
    fn come_close(&mut self, tell: &mut dyn FnMut(Progress)) -> Result<(), MigrationError> {
        for _ in 0..ROUNDS {
            let snapshot = self.source.snapshot().map_err(MigrationError::old)?;
            let changes = bring(&mut self.copied, snapshot.moment())?;
            drop(snapshot);
            tell(Progress::Following { changes });
            self.source.forget(self.copied.arrival.noted).map_err(MigrationError::old)?;
            self.copied.prune()?;
            if changes <= FEW {
                break;
            }
        }
        Ok(())
    }

    /// Cuts over, unless it takes too long: then everything is as before, but for what is known of the new database.
    fn try_to_cut(
        &mut self,
        password: Option<SealedColumn>,
        clock: &dyn Clock,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Option<(Duration, usize)>, MigrationError> {
        let held = self.source.hold().map_err(MigrationError::old)?;
        let paused = Instant::now();
        if is_much(&self.copied, held.moment())? {
            return Ok(None);
        }
        self.copied.target.set_deadline(Some(paused + PAUSE));
        let brought = bring_all(&mut self.copied, held.moment());
        self.copied.target.set_deadline(None);
        if paused.elapsed() >= PAUSE && matches!(brought, Ok(_) | Err(MigrationError::Store { side: Side::New, .. })) {
            return Ok(None);
        }
        let Some(changes) = brought? else { return Ok(None) };
        tell(Progress::Brought);
        held.finish(&self.begun, password, clock.now().unix_micros())
            .map_err(MigrationError::old)?;
        Ok(Some((paused.elapsed(), changes)))
    }
}

impl Copied {
    /// Lets go of records that went in the old database, in portions.
    fn prune(&mut self) -> Result<(), MigrationError> {
        while self.target.prune(self.arrival).map_err(MigrationError::new)? > 0 {}
        Ok(())
    }
}

/// Whether more was written while the lock was waited for than belongs into a pause.
fn is_much(copied: &Copied, moment: Moment<'_>) -> Result<bool, MigrationError> {
    let newest = moment.newest_note().map_err(MigrationError::old)?;
    Ok(newest.saturating_sub(copied.arrival.noted) > MANY)
}

/// Brings what is left and compares it.
fn bring(copied: &mut Copied, moment: Moment<'_>) -> Result<usize, MigrationError> {
    let followed = copied.follow(moment)?;
    copied.compare_followed(moment, &followed)?;
    Ok(followed.changes())
}

/// The same in a pause. A segment that is new stands for records that go meanwhile, which takes as long as they are many: not now then.
fn bring_all(copied: &mut Copied, moment: Moment<'_>) -> Result<Option<usize>, MigrationError> {
    for table in TABLES.iter().filter(|table| table.name == "audit_segments") {
        let last = copied.target.last_key(table).map_err(MigrationError::new)?;
        if !moment.rows(table, last.as_deref(), 1).map_err(MigrationError::old)?.is_empty() {
            return Ok(None);
        }
    }
    bring(copied, moment).map(Some)
}
