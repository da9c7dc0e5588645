//! The statements of a move, put together from the names of tables and columns that stand in the program; and columns of many rows as
//! their values. Nothing runs here.

use dango_store::StoreFailure;
use dango_store::copy::{Cell, Cells, Column, Following, Kind, Table};

use crate::connection::{Statement, Value};

/// A row is not what its table says.
#[derive(Debug, thiserror::Error)]
enum BadRow {
    #[error("column {column} of a row of {table} is not of its kind")]
    Kind { table: &'static str, column: &'static str },
    #[error("column {column} of a row of {table} holds a zero byte, which PostgreSQL does not take in a text")]
    Zero { table: &'static str, column: &'static str },
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

/// Columns of many rows, one parameter each, as a table of the names `c1`, `c2` and so on.
fn unnested(columns: &[Column]) -> String {
    let kind = |column: &Column| match column.kind {
        Kind::Flag => "boolean",
        Kind::Integer => "bigint",
        Kind::Text => "text",
        Kind::Blob => "bytea",
    };
    let numbered = || columns.iter().zip(1..);
    let places: Vec<String> = numbered()
        .map(|(column, number)| format!("${number}::{}[]", kind(column)))
        .collect();
    let names: Vec<String> = numbered().map(|(_, number)| format!("c{number}")).collect();
    format!("unnest({}) AS given ({})", places.join(", "), names.join(", "))
}

/// That a row has a key that was given.
fn is_given(table: &Table) -> String {
    let pairs = table.key_columns().iter().zip(1..);
    let pairs: Vec<String> = pairs
        .map(|(column, number)| format!("kept.\"{}\" = given.c{number}", column.name))
        .collect();
    pairs.join(" AND ")
}

/// Puts rows into a table; where they stay what they are to others, over the old ones.
pub(crate) fn insert(table: &Table) -> String {
    let (name, columns) = (table.name, names(table.columns));
    // It gives numbers itself, and takes these all the same.
    let numbers = if name == "oauth_flows" { "OVERRIDING SYSTEM VALUE " } else { "" };
    let over = match table.following {
        Following::NotedInPlace | Following::Whole => {
            let rest = &table.columns[table.key..];
            let rest: Vec<String> = rest
                .iter()
                .map(|column| format!("\"{0}\" = excluded.\"{0}\"", column.name))
                .collect();
            format!(" ON CONFLICT ({}) DO UPDATE SET {}", names(table.key_columns()), rest.join(", "))
        }
        Following::Noted | Following::Appended => String::new(),
    };
    let order = if name == "audit" { " ORDER BY c1" } else { "" };
    format!(
        "INSERT INTO dango.{name} ({columns}) {numbers}SELECT * FROM {}{order}{over}",
        unnested(table.columns)
    )
}

/// Takes away rows by their keys.
pub(crate) fn delete(table: &Table) -> String {
    format!(
        "DELETE FROM dango.{} AS kept USING {} WHERE {}",
        table.name,
        unnested(table.key_columns()),
        is_given(table)
    )
}

/// Reads rows by their keys.
pub(crate) fn rows_of(table: &Table) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| format!("kept.\"{}\"", column.name)).collect();
    format!(
        "SELECT {} FROM dango.{} AS kept JOIN {} ON {} ORDER BY {}",
        columns.join(", "),
        table.name,
        unnested(table.key_columns()),
        is_given(table),
        order(table)
    )
}

/// Reads so many rows, from the first on or behind a key.
pub(crate) fn rows(table: &Table, is_behind: bool, limit: usize) -> String {
    let places: Vec<String> = (1..=table.key).map(|number| format!("${number}")).collect();
    let behind = match is_behind {
        true => format!("WHERE ({}) > ({}) ", names(table.key_columns()), places.join(", ")),
        false => String::new(),
    };
    format!(
        "SELECT {} FROM dango.{} {behind}ORDER BY {} LIMIT {limit}",
        names(table.columns),
        table.name,
        order(table)
    )
}

/// Reads the key of the last row.
pub(crate) fn last_key(table: &Table) -> String {
    let backwards: Vec<String> = table
        .key_columns()
        .iter()
        .map(|column| format!("\"{}\" DESC", column.name))
        .collect();
    format!(
        "SELECT {} FROM dango.{} ORDER BY {} LIMIT 1",
        names(table.key_columns()),
        table.name,
        backwards.join(", ")
    )
}

/// Gives a statement the next value. Keys have no column that may be empty.
pub(crate) fn bind(statement: Statement, cell: &Cell) -> Statement {
    match cell {
        Cell::Nothing => statement.bind(Option::<Vec<u8>>::None),
        Cell::Flag(flag) => statement.bind(*flag),
        Cell::Integer(number) => statement.bind(*number),
        Cell::Text(text) => statement.bind(text.clone()),
        Cell::Blob(bytes) => statement.bind(bytes.clone()),
    }
}

/// Gives a statement columns of many rows: those that rows, or keys, begin with.
pub(crate) fn bind_columns(
    statement: Statement,
    table: &'static Table,
    columns: &'static [Column],
    rows: &[Cells],
) -> Result<Statement, StoreFailure> {
    let mut statement = statement;
    for (place, column) in columns.iter().enumerate() {
        let bad = || {
            StoreFailure::damaged(BadRow::Kind {
                table: table.name,
                column: column.name,
            })
        };
        let cells = rows.iter().map(|row| row.get(place).unwrap_or(&Cell::Nothing));
        statement = statement.bind(match column.kind {
            Kind::Flag => {
                Value::ManyFlags(many(cells, |cell| if let Cell::Flag(flag) = cell { Some(*flag) } else { None }).ok_or_else(bad)?)
            }
            Kind::Integer => Value::ManyIntegers(
                many(cells, |cell| if let Cell::Integer(number) = cell { Some(*number) } else { None }).ok_or_else(bad)?,
            ),
            Kind::Blob => {
                Value::ManyBlobs(many(cells, |cell| if let Cell::Blob(bytes) = cell { Some(bytes.clone()) } else { None }).ok_or_else(bad)?)
            }
            Kind::Text => {
                let texts = many(cells, |cell| if let Cell::Text(text) = cell { Some(text.clone()) } else { None }).ok_or_else(bad)?;
                if texts.iter().flatten().any(|text| text.contains('\0')) {
                    return Err(StoreFailure::damaged(BadRow::Zero {
                        table: table.name,
                        column: column.name,
                    }));
                }
                Value::ManyTexts(texts)
            }
        });
    }
    Ok(statement)
}

/// What cells hold, all of one kind or nothing.
fn many<'c, T>(cells: impl Iterator<Item = &'c Cell>, of: impl Fn(&Cell) -> Option<T>) -> Option<Vec<Option<T>>> {
    cells
        .map(|cell| match cell {
            Cell::Nothing => Some(None),
            cell => of(cell).map(Some),
        })
        .collect()
}
