//! A move from its beginning to the copy of everything, as it was at some moment. What comes after that stands beside.

use std::time::{Duration, Instant};

use dango_store::StoreFailure;
use dango_store::copy::{Cells, Following, MoveToken, TABLES, Table, trim_to_groups};
use dango_store_postgres::{Arrival, CopyTarget, Standing};
use dango_store_sqlite::{Begun, CopySource, Moment};

use crate::cut::PAUSE;
use crate::error::MigrationError;
use crate::follow::end_of;

/// How many rows are read and written at once.
pub(crate) const ROWS: usize = 2_000;

/// How long one moment of the old database is read: its log of changes cannot be cut back meanwhile.
pub(crate) const MOMENT: Duration = Duration::from_secs(10);

/// How far it is, told from time to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Rows of a table were copied.
    Copying {
        /// The table.
        table: &'static str,
        /// How many, in this call.
        rows: u64,
    },
    /// Rows that had changed were followed.
    Following {
        /// How many keys.
        changes: usize,
    },
    /// Rows of a table were compared.
    Comparing {
        /// The table.
        table: &'static str,
        /// How many.
        rows: u64,
    },
    /// Whoever writes is held back.
    Pausing,
    /// What was left was brought and compared, and whoever writes is still held back.
    Brought,
    /// The old database is marked: from here on the new one counts.
    Marked,
    /// The new database knows it.
    Settled,
    /// The pause would have been too long and is tried again later.
    Resuming,
}

/// A move that has begun.
pub struct Migration {
    pub(crate) source: CopySource,
    pub(crate) begun: Begun,
    pub(crate) copied: Copied,
}

/// The new database, and how far it is.
pub(crate) struct Copied {
    pub(crate) target: CopyTarget,
    pub(crate) arrival: Arrival,
}

impl Migration {
    /// Begins a move, or goes on with the one that has begun; `wanted` says where to, and what a new one is called.
    ///
    /// # Errors
    ///
    /// [`MigrationError`]: nothing was changed, or a move has begun in which nothing was copied.
    pub fn begin(mut source: CopySource, mut target: CopyTarget, wanted: &Begun) -> Result<Self, MigrationError> {
        let before = source.begun().map_err(MigrationError::old)?;
        if let Some(other) = before.as_ref().filter(|before| before.address != wanted.address) {
            return Err(MigrationError::OtherPlace {
                address: other.address.clone(),
            });
        }
        match (target.standing().map_err(MigrationError::new)?, &before) {
            (Standing::Settled(token), Some(begun)) if token == begun.token => return Err(MigrationError::Over),
            (Standing::Taken | Standing::Settled(_), _) => return Err(MigrationError::Taken),
            (Standing::Arriving(arrival), Some(begun)) if arrival.token == begun.token => {}
            (Standing::Arriving(_), _) => return Err(MigrationError::OtherMove),
            (Standing::Empty, _) => {}
        }
        // Changes are noted before the first row is read.
        let begun = source.begin(wanted).map_err(MigrationError::old)?;
        let arrival = match target.standing().map_err(MigrationError::new)? {
            Standing::Arriving(arrival) if arrival.token == begun.token => arrival,
            _ => target.begin(begun.token).map_err(MigrationError::new)?,
        };
        Ok(Self {
            source,
            begun,
            copied: Copied { target, arrival },
        })
    }

    /// Goes on only if the role that is to serve sees this move where it serves from: `seen` is what it found there. A move that has just
    /// begun into another database is taken back at once.
    ///
    /// # Errors
    ///
    /// [`MigrationError::OtherDatabase`].
    pub fn seen_as(mut self, seen: Option<MoveToken>) -> Result<Self, MigrationError> {
        if seen == Some(self.begun.token) {
            return Ok(self);
        }
        if self.copied.arrival.step == 0 {
            abort(&mut self.source, &mut self.copied.target)?;
        }
        Err(MigrationError::OtherDatabase)
    }

    /// Copies every table and follows what changes meanwhile, until everything is as it was at some moment.
    ///
    /// # Errors
    ///
    /// [`MigrationError`]: what was copied stays, and the next call goes on with it.
    pub fn copy(&mut self, tell: &mut dyn FnMut(Progress)) -> Result<(), MigrationError> {
        let mut told = 0;
        loop {
            let snapshot = self.source.snapshot().map_err(MigrationError::old)?;
            let changes = self.copied.follow(snapshot.moment())?.changes();
            tell(Progress::Following { changes });
            let begun = Instant::now();
            let mut after: Option<Cells> = None;
            while begun.elapsed() < MOMENT
                && let Some(table) = TABLES.get(self.copied.arrival.copied)
            {
                let copied = self.copied.copy_some(snapshot.moment(), table, &mut after)?;
                told += copied;
                tell(Progress::Copying {
                    table: table.name,
                    rows: told,
                });
                if TABLES.get(self.copied.arrival.copied).is_none_or(|next| next.name != table.name) {
                    told = 0;
                }
            }
            drop(snapshot);
            self.source.forget(self.copied.arrival.noted).map_err(MigrationError::old)?;
            if self.copied.arrival.copied == TABLES.len() {
                return Ok(());
            }
        }
    }
}

impl Copied {
    /// Copies the next rows of a table as they are at a moment that was followed, and says how many.
    fn copy_some(&mut self, moment: Moment<'_>, table: &'static Table, after: &mut Option<Cells>) -> Result<u64, MigrationError> {
        let mut step = self.target.step(self.arrival).map_err(MigrationError::new)?;
        if after.is_none() {
            *after = end_of(&mut step, moment, table)?;
        }
        // The one row of such a table comes with whatever is followed.
        let is_whole = table.following == Following::Whole;
        let mut rows = match is_whole {
            true => moment.rows(table, None, ROWS),
            false => moment.rows(table, after.as_deref(), ROWS),
        }
        .map_err(MigrationError::old)?;
        let is_last = rows.len() < ROWS;
        trim_to_groups(table, &mut rows, ROWS);
        let last = rows.last().map(|row| table.key_of(row).to_vec());
        let copied = rows.len() as u64;
        step.put(table, rows).map_err(MigrationError::new)?;
        let done = step.commit(self.arrival.copied + usize::from(is_last), self.arrival.noted);
        self.arrival = done.map_err(MigrationError::new)?;
        *after = if is_last { None } else { last };
        Ok(copied)
    }

    /// Asks anew how far the move is, after a step of which that is not known.
    pub(crate) fn look_again(&mut self) -> Result<(), MigrationError> {
        match self.target.standing().map_err(MigrationError::new)? {
            Standing::Arriving(arrival) if arrival.token == self.arrival.token => self.arrival = arrival,
            _ => return Err(MigrationError::OtherMove),
        }
        Ok(())
    }
}

/// Takes everything back that a move has put into either database. The old one is held meanwhile, so that nobody cuts over, and counts as
/// before.
///
/// # Errors
///
/// [`MigrationError`]: of another file's move nothing is taken away, and there is no way back from one that is over.
pub fn abort(source: &mut CopySource, target: &mut CopyTarget) -> Result<(), MigrationError> {
    let held = source.hold().map_err(MigrationError::old)?;
    target.set_deadline(Some(Instant::now() + PAUSE));
    let taken_away = take_away(target, held.begun().map_err(MigrationError::old)?.as_ref());
    target.set_deadline(None);
    taken_away?;
    held.abort().map_err(MigrationError::old)
}

fn take_away(target: &mut CopyTarget, begun: Option<&Begun>) -> Result<(), MigrationError> {
    match (target.standing().map_err(MigrationError::new)?, begun) {
        (Standing::Arriving(arrival), Some(begun)) if arrival.token == begun.token => {
            target.abort(arrival.token).map_err(MigrationError::new)
        }
        (Standing::Settled(token), Some(begun)) if token == begun.token => Err(MigrationError::Over),
        (Standing::Arriving(_), _) => Err(MigrationError::OtherMove),
        // Nothing of it is there, or not any more.
        (Standing::Empty | Standing::Taken | Standing::Settled(_), _) => Ok(()),
    }
}

/// Finishes a move after whose cut-over the program was interrupted: the new database counts. Answers whether that was left to do.
///
/// # Errors
///
/// [`MigrationError::OtherMove`] where something else is or was moved into the new database, [`MigrationError::Unknown`] where nothing is
/// known of any move.
pub fn finish(target: &mut CopyTarget, token: MoveToken) -> Result<bool, MigrationError> {
    match target.standing().map_err(MigrationError::new)? {
        Standing::Arriving(_) => match target.settle(token) {
            Ok(()) => Ok(true),
            Err(StoreFailure::Arriving) => Err(MigrationError::OtherMove),
            Err(failure) => Err(MigrationError::new(failure)),
        },
        Standing::Settled(settled) if settled == token => Ok(false),
        Standing::Settled(_) => Err(MigrationError::OtherMove),
        Standing::Empty | Standing::Taken => Err(MigrationError::Unknown),
    }
}
