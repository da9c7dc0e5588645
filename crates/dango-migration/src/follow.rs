//! What has changed in the old database since the new one was last as it, brought over in one step. Only tables, or parts of one, that
//! were copied are followed: the rest is still to be read.

use std::collections::BTreeSet;

use dango_store::copy::{Cell, Cells, Following, TABLES, Table};
use dango_store_postgres::{Put, Step};
use dango_store_sqlite::Moment;

use crate::error::MigrationError;
use crate::migration::{Copied, ROWS};

/// What a step brought, for whoever compares it.
pub(crate) struct Followed {
    /// The tables with the keys that had changed.
    pub(crate) changed: Vec<(&'static Table, BTreeSet<Cells>)>,
    /// The tables to which rows were added, with the key behind which they were.
    pub(crate) appended: Vec<(&'static Table, Option<Cells>)>,
}

impl Followed {
    /// How many keys had changed.
    pub(crate) fn changes(&self) -> usize {
        self.changed.iter().map(|(_, keys)| keys.len()).sum()
    }
}

impl Copied {
    /// Brings the new database to a moment of the old one, as far as it was copied, and answers what was brought.
    pub(crate) fn follow(&mut self, moment: Moment<'_>) -> Result<Followed, MigrationError> {
        let newest = moment.newest_note().map_err(MigrationError::old)?.max(self.arrival.noted);
        let noted = moment.noted(self.arrival.noted, newest).map_err(MigrationError::old)?;
        let mut followed = Followed {
            changed: Vec::new(),
            appended: Vec::new(),
        };
        let mut puts = Vec::new();
        for (place, table) in TABLES.iter().enumerate().take(self.arrival.copied + 1) {
            let is_copied = place < self.arrival.copied;
            match table.following {
                Following::Noted | Following::NotedInPlace => {
                    let Some(mut keys) = noted.get(&place).cloned() else { continue };
                    if !is_copied {
                        // What is behind the last row that was copied is still to be read.
                        let last = self.target.last_key(table).map_err(MigrationError::new)?;
                        keys.retain(|key| last.as_ref().is_some_and(|last| key <= last));
                    }
                    puts.push(Put {
                        table,
                        changed: keys.iter().cloned().collect(),
                        rows: moment.rows_of(table, &keys).map_err(MigrationError::old)?,
                    });
                    followed.changed.push((table, keys));
                }
                Following::Appended if is_copied => {
                    let after = self.end_of(moment, table)?;
                    let rows = self.append(moment, table, after.clone())?;
                    puts.push(Put {
                        table,
                        changed: Vec::new(),
                        rows,
                    });
                    followed.appended.push((table, after));
                }
                Following::Whole if is_copied => {
                    puts.push(Put {
                        table,
                        changed: Vec::new(),
                        rows: moment.rows(table, None, ROWS).map_err(MigrationError::old)?,
                    });
                    followed.appended.push((table, None));
                }
                Following::Appended | Following::Whole => {}
            }
        }
        self.step(Step {
            puts,
            copied: self.arrival.copied,
            noted: newest,
        })?;
        Ok(followed)
    }

    /// The key behind which rows of a table are still to be brought.
    pub(crate) fn end_of(&mut self, moment: Moment<'_>, table: &'static Table) -> Result<Option<Cells>, MigrationError> {
        let last = self.target.last_key(table).map_err(MigrationError::new)?;
        Ok(last.max(beginning_of(moment, table)?))
    }

    /// Brings rows that were added, all but the last few, and answers those.
    fn append(&mut self, moment: Moment<'_>, table: &'static Table, after: Option<Cells>) -> Result<Vec<Cells>, MigrationError> {
        let mut after = after;
        loop {
            let rows = moment.rows(table, after.as_deref(), ROWS).map_err(MigrationError::old)?;
            if !rows.is_empty() && table.name.starts_with("audit_retired") {
                return Err(MigrationError::BegunAnew);
            }
            if rows.len() < ROWS {
                return Ok(rows);
            }
            after = rows.last().map(|row| table.key_of(row).to_vec());
            self.step(Step {
                puts: vec![Put {
                    table,
                    changed: Vec::new(),
                    rows,
                }],
                copied: self.arrival.copied,
                noted: self.arrival.noted,
            })?;
        }
    }
}

/// The key behind which the rows of a table begin that are moved: records of the log for which a segment stands are not.
pub(crate) fn beginning_of(moment: Moment<'_>, table: &Table) -> Result<Option<Cells>, MigrationError> {
    Ok(match table.name {
        "audit" => Some(vec![Cell::Integer(moment.last_sealed().map_err(MigrationError::old)?)]),
        _ => None,
    })
}
