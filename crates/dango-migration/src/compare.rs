//! Both databases compared row by row, each column of each. Nothing is put right here: what differs ends the move.

use std::collections::BTreeSet;

use dango_store::copy::{Cells, TABLES, Table, trim_to_groups};
use dango_store_sqlite::Moment;

use crate::error::MigrationError;
use crate::follow::{Followed, beginning_of};
use crate::migration::{Copied, Migration, Progress, ROWS};

/// A table of which every row is the same in both databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The table.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: u64,
}

impl Migration {
    /// Brings the new database to this moment and compares every row of both at it. Others go on writing to the old one.
    ///
    /// # Errors
    ///
    /// [`MigrationError::Different`] where a row differs.
    pub fn compare(&mut self, tell: &mut dyn FnMut(Progress)) -> Result<Vec<Compared>, MigrationError> {
        let snapshot = self.source.snapshot().map_err(MigrationError::old)?;
        self.copied.follow(snapshot.moment())?;
        let mut compared = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            let beginning = beginning_of(snapshot.moment(), table)?;
            let rows = self.copied.compare_behind(snapshot.moment(), table, beginning, tell)?;
            compared.push(Compared { table: table.name, rows });
        }
        Ok(compared)
    }
}

impl Copied {
    /// Compares what was brought last.
    pub(crate) fn compare_followed(&mut self, moment: Moment<'_>, followed: &Followed) -> Result<(), MigrationError> {
        for (table, keys) in &followed.changed {
            self.compare_keys(moment, table, keys)?;
        }
        for (table, after) in &followed.appended {
            self.compare_behind(moment, table, after.clone(), &mut |_| ())?;
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

    /// Compares the rows behind a key, and says how many there are.
    fn compare_behind(
        &mut self,
        moment: Moment<'_>,
        table: &'static Table,
        after: Option<Cells>,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<u64, MigrationError> {
        let (mut after, mut count) = (after, 0);
        loop {
            let mut old = moment.rows(table, after.as_deref(), ROWS).map_err(MigrationError::old)?;
            let mut new = self.target.rows(table, after.as_deref(), ROWS).map_err(MigrationError::new)?;
            trim_to_groups(table, &mut old, ROWS);
            trim_to_groups(table, &mut new, ROWS);
            if old != new {
                return Err(MigrationError::Different { table: table.name });
            }
            let Some(last) = old.last() else { return Ok(count) };
            after = Some(table.key_of(last).to_vec());
            count += old.len() as u64;
            tell(Progress::Comparing {
                table: table.name,
                rows: count,
            });
        }
    }
}
