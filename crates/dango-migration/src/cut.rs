//! The cut-over: for a moment nobody writes, the rest is brought and compared, and from then on the other database counts.

use std::time::{Duration, Instant};

use dango_core::Clock;
use dango_identity::SealedColumn;
use dango_store_sqlite::{Begun, Moment};

use crate::error::MigrationError;
use crate::migration::{Copied, Migration, Progress};

/// How few changes are left before anybody is held back.
const FEW: usize = 500;

/// How often what is left may be brought before it is few enough, and how often a pause is tried.
const ROUNDS: usize = 20;

/// The longest pause. Whoever writes waits for ten seconds before giving up.
const PAUSE: Duration = Duration::from_secs(5);

/// How long it may take for one call otherwise.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long the new database may take for one call while whoever writes is held back.
const ANSWER: Duration = Duration::from_secs(3);

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
            match self.try_to_cut(password.clone(), clock)? {
                Some((pause, changes)) => {
                    let is_settled = self.copied.target.settle(self.begun.token).is_ok();
                    return Ok(CutOver {
                        pause,
                        changes,
                        is_settled,
                    });
                }
                None => tell(Progress::Resuming),
            }
        }
        Err(MigrationError::Busy)
    }

    /// Follows until little is left.
    fn come_close(&mut self, tell: &mut dyn FnMut(Progress)) -> Result<(), MigrationError> {
        for _ in 0..ROUNDS {
            let snapshot = self.source.snapshot().map_err(MigrationError::old)?;
            let changes = self.copied.follow(snapshot.moment())?.changes();
            drop(snapshot);
            tell(Progress::Following { changes });
            self.source.forget(self.copied.arrival.noted).map_err(MigrationError::old)?;
            if changes <= FEW {
                break;
            }
        }
        Ok(())
    }

    /// Cuts over, unless it takes too long: then everything is as before.
    fn try_to_cut(&mut self, password: Option<SealedColumn>, clock: &dyn Clock) -> Result<Option<(Duration, usize)>, MigrationError> {
        let held = self.source.hold().map_err(MigrationError::old)?;
        let paused = Instant::now();
        self.copied.target.set_patience(ANSWER);
        let brought = bring(&mut self.copied, held.moment());
        self.copied.target.set_patience(PATIENCE);
        let changes = brought?;
        if paused.elapsed() > PAUSE {
            return Ok(None);
        }
        held.finish(&self.begun, password, clock.now().unix_micros())
            .map_err(MigrationError::old)?;
        Ok(Some((paused.elapsed(), changes)))
    }
}

/// Brings what is left and compares it.
fn bring(copied: &mut Copied, moment: Moment<'_>) -> Result<usize, MigrationError> {
    let followed = copied.follow(moment)?;
    copied.compare_followed(moment, &followed)?;
    Ok(followed.changes())
}
