//! What has changed in the old database since the new one was last as it, brought over in one step. Only tables, or parts of one, that
//! were copied are followed: the rest is still to be read. Keys are held in memory all at once, rows are not.

use std::collections::{BTreeMap, BTreeSet};

use dango_store::copy::{Cell, Cells, Following, TABLES, Table};
use dango_store_postgres::OpenStep;
use dango_store_sqlite::Moment;

use crate::error::MigrationError;
use crate::migration::{Copied, ROWS};

/// What a step brought, for whoever compares it.
pub(crate) struct Followed {
    /// The tables with the keys that had changed.
    pub(crate) changed: BTreeMap<usize, BTreeSet<Cells>>,
    /// The tables to which rows were added, with the key behind which they were.
    pub(crate) appended: Vec<(&'static Table, Option<Cells>)>,
}

impl Followed {
    /// How many keys had changed.
    pub(crate) fn changes(&self) -> usize {
        self.changed.values().map(BTreeSet::len).sum()
    }
}

impl Copied {
    /// Brings the new database to a moment of the old one, as far as it was copied, and answers what was brought.
    pub(crate) fn follow(&mut self, moment: Moment<'_>) -> Result<Followed, MigrationError> {
        let newest = moment.newest_note().map_err(MigrationError::old)?.max(self.arrival.noted);
        let mut changed = moment.noted(self.arrival.noted, newest).map_err(MigrationError::old)?;
        let copied = self.arrival.copied;
        let mut step = self.target.step(self.arrival).map_err(MigrationError::new)?;
        // What is behind the last row that was copied is still to be read.
        changed.retain(|place, _| *place <= copied);
        if let Some(keys) = changed.get_mut(&copied) {
            let last = step.last_key(&TABLES[copied]).map_err(MigrationError::new)?;
            keys.retain(|key| last.as_ref().is_some_and(|last| key <= last));
        }
        for (place, keys) in changed.iter().rev() {
            take_away(&mut step, moment, &TABLES[*place], keys)?;
        }
        let mut appended = Vec::new();
        for (place, table) in TABLES.iter().enumerate().take(copied + 1) {
            match table.following {
                Following::Noted | Following::NotedInPlace => {
                    for keys in portions(changed.get(&place)) {
                        let rows = moment.rows_of(table, &keys).map_err(MigrationError::old)?;
                        step.put(table, rows).map_err(MigrationError::new)?;
                    }
                }
                Following::Appended if place < copied => {
                    let after = end_of(&mut step, moment, table)?;
                    append(&mut step, moment, table, after.clone())?;
                    appended.push((table, after));
                }
                Following::Whole if place < copied => {
                    let rows = moment.rows(table, None, ROWS).map_err(MigrationError::old)?;
                    step.put(table, rows).map_err(MigrationError::new)?;
                    appended.push((table, None));
                }
                Following::Appended | Following::Whole => {}
            }
        }
        self.arrival = step.commit(copied, newest).map_err(MigrationError::new)?;
        Ok(Followed { changed, appended })
    }
}

/// Takes away what has changed in a table, all but the rows that stay where they are.
fn take_away(step: &mut OpenStep<'_>, moment: Moment<'_>, table: &'static Table, keys: &BTreeSet<Cells>) -> Result<(), MigrationError> {
    for keys in portions(Some(keys)) {
        let staying = match table.following {
            Following::NotedInPlace => {
                let rows = moment.rows_of(table, &keys).map_err(MigrationError::old)?;
                rows.iter().map(|row| table.key_of(row).to_vec()).collect()
            }
            _ => BTreeSet::new(),
        };
        step.take_away(table, keys.into_iter().collect(), &staying)
            .map_err(MigrationError::new)?;
    }
    Ok(())
}

/// Brings the rows that were added behind a key.
fn append(step: &mut OpenStep<'_>, moment: Moment<'_>, table: &'static Table, after: Option<Cells>) -> Result<(), MigrationError> {
    let mut after = after;
    loop {
        let rows = moment.rows(table, after.as_deref(), ROWS).map_err(MigrationError::old)?;
        let Some(last) = rows.last() else { return Ok(()) };
        if table.name.starts_with("audit_retired") {
            return Err(MigrationError::BegunAnew);
        }
        after = Some(table.key_of(last).to_vec());
        let is_last = rows.len() < ROWS;
        step.put(table, rows).map_err(MigrationError::new)?;
        if is_last {
            return Ok(());
        }
    }
}

/// Keys, so many at a time as are read and written at once.
pub(crate) fn portions(keys: Option<&BTreeSet<Cells>>) -> impl Iterator<Item = BTreeSet<Cells>> {
    let mut left = keys.into_iter().flatten();
    std::iter::from_fn(move || {
        let some: BTreeSet<Cells> = left.by_ref().take(ROWS).cloned().collect();
        (!some.is_empty()).then_some(some)
    })
}

/// The key behind which rows of a table are still to be brought.
pub(crate) fn end_of(step: &mut OpenStep<'_>, moment: Moment<'_>, table: &'static Table) -> Result<Option<Cells>, MigrationError> {
    let last = step.last_key(table).map_err(MigrationError::new)?;
    Ok(last.max(beginning_of(moment, table)?))
}

/// The key behind which the rows of a table begin that are moved: records of the log for which a segment stands are not.
pub(crate) fn beginning_of(moment: Moment<'_>, table: &Table) -> Result<Option<Cells>, MigrationError> {
    Ok(match table.name {
        "audit" => Some(vec![Cell::Integer(moment.last_sealed().map_err(MigrationError::old)?)]),
        _ => None,
    })
}
