//! What a database that is being moved holds at one moment: rows, counts, and the keys that were noted.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use dango_store::StoreFailure;
use dango_store::copy::{Cell, Cells, Column, Kind, TABLES, Table, position};

use crate::column::Columns;
use crate::connection::{Connection, Row, Statement, Value, query};

/// What a database holds at one moment.
#[derive(Clone, Copy)]
pub struct Moment<'c>(&'c Connection);

impl<'c> Moment<'c> {
    pub(super) const fn of(connection: &'c Connection) -> Self {
        Self(connection)
    }

    /// The number of the newest note; 0 where there is none.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be read, as with everything here.
    pub fn newest_note(self) -> Result<i64, StoreFailure> {
        let ask = query("SELECT coalesce(max(number), 0) FROM migration_notes");
        Ok(self.0.one(&ask, |row| Columns::of(row).integer())?.unwrap_or(0))
    }

    /// The keys that were noted behind one number up to another, by the place of their table.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`], also where a note is of no table that is known.
    pub fn noted(self, after: i64, up_to: i64) -> Result<BTreeMap<usize, BTreeSet<Cells>>, StoreFailure> {
        let mut noted: BTreeMap<usize, BTreeSet<Cells>> = BTreeMap::new();
        let ask = query("SELECT DISTINCT name, a, b FROM migration_notes WHERE number > ?1 AND number <= ?2");
        self.0.each(&ask.bind(after).bind(up_to), |row| {
            let name = Columns::of(row).text()?;
            let place = position(name).ok_or_else(|| StoreFailure::damaged("a note is of no table that is known"))?;
            let key = cells(row, 1, TABLES[place].key_columns())?;
            noted.entry(place).or_default().insert(key);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(noted)
    }

    /// So many rows of a table, in the order of the key, behind one.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`], also where a row is not what its table says.
    pub fn rows(self, table: &Table, after: Option<&[Cell]>, limit: usize) -> Result<Vec<Cells>, StoreFailure> {
        let (columns, key) = (names(table.columns), names(table.key_columns()));
        let from = if after.is_some() {
            format!("WHERE ({key}) > ({})", places(table.key))
        } else {
            String::new()
        };
        // Rows of one group are in one order, too.
        let sql = format!(
            "SELECT {columns} FROM {} {from} ORDER BY {} LIMIT {limit}",
            table.name,
            order(table)
        );
        self.all(table, bind_all(query(sql), after.unwrap_or_default()))
    }

    /// The rows with these keys, in the order of the keys.
    ///
    /// # Errors
    ///
    /// As [`Moment::rows`].
    pub fn rows_of(self, table: &Table, keys: &BTreeSet<Cells>) -> Result<Vec<Cells>, StoreFailure> {
        let sql = format!(
            "SELECT {} FROM {} WHERE ({}) = ({}) ORDER BY {}",
            names(table.columns),
            table.name,
            names(table.key_columns()),
            places(table.key),
            order(table)
        );
        let mut found = Vec::new();
        for key in keys {
            found.append(&mut self.all(table, bind_all(query(sql.clone()), key))?);
        }
        Ok(found)
    }

    /// How many rows a table has.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be read.
    pub fn count(self, table: &Table) -> Result<u64, StoreFailure> {
        let ask = query(format!("SELECT count(*) FROM {}", table.name));
        Ok(self.0.one(&ask, |row| Columns::of(row).number())?.unwrap_or(0))
    }

    /// The place of the last record for which a segment stands; 0 where there is no segment. Records up to there are about to go.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be read.
    pub fn last_sealed(self) -> Result<i64, StoreFailure> {
        let ask = query("SELECT coalesce(max(last_seq), 0) FROM audit_segments");
        Ok(self.0.one(&ask, |row| Columns::of(row).integer())?.unwrap_or(0))
    }

    fn all(self, table: &Table, statement: Statement) -> Result<Vec<Cells>, StoreFailure> {
        let mut found = Vec::new();
        self.0.each(&statement, |row| {
            found.push(cells(row, 0, table.columns)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }
}

/// Columns with commas between. Some have names that are words of SQL.
fn names(columns: &[Column]) -> String {
    let names: Vec<String> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
    names.join(", ")
}

/// The order of the key, and that of all columns within a group.
fn order(table: &Table) -> String {
    match table.is_unique {
        true => names(table.key_columns()),
        false => names(table.columns),
    }
}

/// So many places for values, with commas between.
fn places(count: usize) -> String {
    let places: Vec<String> = (1..=count).map(|number| format!("?{number}")).collect();
    places.join(", ")
}

fn bind_all(statement: Statement, cells: &[Cell]) -> Statement {
    cells.iter().fold(statement, |statement, cell| {
        statement.bind(match cell {
            Cell::Nothing => Value::Nothing,
            Cell::Flag(flag) => Value::from(*flag),
            Cell::Integer(number) => Value::Integer(*number),
            Cell::Text(text) => Value::from(text.clone()),
            Cell::Blob(bytes) => Value::Blob(bytes.clone()),
        })
    })
}

/// The columns of a row from one place on.
fn cells(row: &Row<'_>, from: usize, columns: &[Column]) -> Result<Cells, StoreFailure> {
    let cell = |(place, column): (usize, &Column)| {
        Ok(match column.kind {
            Kind::Flag => row.integer_at(place)?.map(|number| Cell::Flag(number != 0)),
            Kind::Integer => row.integer_at(place)?.map(Cell::Integer),
            Kind::Text => row.text_at(place)?.map(|text| Cell::Text(text.to_owned())),
            Kind::Blob => row.blob_at(place)?.map(|bytes| Cell::Blob(bytes.to_vec())),
        }
        .unwrap_or(Cell::Nothing))
    };
    let places = from..from + columns.len();
    places.zip(columns).map(cell).collect()
}
