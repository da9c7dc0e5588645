//! Both databases compared row by row, each column of each. Nothing is put right here: what differs ends the move.

use std::collections::BTreeSet;
use std::time::Instant;

use dango_store::copy::{Cell, Cells, TABLES, Table, trim_to_groups};
use dango_store_sqlite::{Moment, Snapshot};

use crate::error::MigrationError;
use crate::follow::{Followed, beginning_of, portions};
use crate::migration::{Copied, MOMENT, Migration, Progress, ROWS};

/// A table of which every row is the same in both databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The table.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: u64,
}

impl Migration {
    /// Brings the new database to this moment and compares every row of both. Others go on writing to the old one: from time to time both
    /// are brought to a later moment, and what that brings is compared by itself.
    ///
    /// # Errors
    ///
    /// [`MigrationError::Different`] where a row differs.
    pub fn compare(&mut self, tell: &mut dyn FnMut(Progress)) -> Result<Vec<Compared>, MigrationError> {
        let mut snapshot = self.follow_now()?;
        let mut begun = Instant::now();
        let mut compared = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            let (mut after, mut rows) = (beginning_of(snapshot.moment(), table)?, 0);
            while let Some((last, some)) = self.copied.compare_some(snapshot.moment(), table, after.as_deref())? {
                (after, rows) = (Some(last), rows + some);
                tell(Progress::Comparing { table: table.name, rows });
                if begun.elapsed() >= MOMENT {
                    drop(snapshot);
                    self.source.forget(self.copied.arrival.noted).map_err(MigrationError::old)?;
                    (snapshot, begun) = (self.follow_now()?, Instant::now());
                    after = after.max(beginning_of(snapshot.moment(), table)?);
                }
            }
            compared.push(Compared { table: table.name, rows });
        }
        Ok(compared)
    }

    /// Brings the new database to this moment and compares what that brought.
    fn follow_now(&mut self) -> Result<Snapshot, MigrationError> {
        let snapshot = self.source.snapshot().map_err(MigrationError::old)?;
        let followed = self.copied.follow(snapshot.moment())?;
        self.copied.compare_followed(snapshot.moment(), &followed)?;
        Ok(snapshot)
    }
}

impl Copied {
    /// Compares what was brought last.
    pub(crate) fn compare_followed(&mut self, moment: Moment<'_>, followed: &Followed) -> Result<(), MigrationError> {
        for (place, keys) in &followed.changed {
            for keys in portions(Some(keys)) {
                self.compare_keys(moment, &TABLES[*place], &keys)?;
            }
        }
        for (table, after) in &followed.appended {
            let mut after = after.clone();
            while let Some((last, _)) = self.compare_some(moment, table, after.as_deref())? {
                after = Some(last);
            }
        }
        Ok(())
    }

    fn compare_keys(&mut self, moment: Moment<'_>, table: &'static Table, keys: &BTreeSet<Cells>) -> Result<(), MigrationError> {
        let old = moment.rows_of(table, keys).map_err(MigrationError::old)?;
        let keys: Vec<Cells> = keys.iter().cloned().collect();
        let new = self.target.rows_of(table, &keys).map_err(MigrationError::new)?;
        match old == new {
            true => Ok(()),
            false => Err(MigrationError::Different { table: table.name }),
        }
    }

    /// Compares the next rows behind a key; answers the last one's key and how many they are, or nothing where there are none.
    fn compare_some(
        &mut self,
        moment: Moment<'_>,
        table: &'static Table,
        after: Option<&[Cell]>,
    ) -> Result<Option<(Cells, u64)>, MigrationError> {
        let mut old = moment.rows(table, after, ROWS).map_err(MigrationError::old)?;
        let mut new = self.target.rows(table, after, ROWS).map_err(MigrationError::new)?;
        trim_to_groups(table, &mut old, ROWS);
        trim_to_groups(table, &mut new, ROWS);
        match old == new {
            true => Ok(old.last().map(|last| (table.key_of(last).to_vec(), old.len() as u64))),
            false => Err(MigrationError::Different { table: table.name }),
        }
    }
}
