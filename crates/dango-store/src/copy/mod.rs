//! Rows as every backend that keeps tables has them, for whoever moves them from one to another: which tables there are, of which
//! columns, and how each is followed while it changes. Nothing is read or written here.

mod table;

pub use table::{Column, Following, Kind, TABLES, Table, position};

/// What a column of a row holds. There is no `Debug`: hashes of passwords are in it.
///
/// Cells of one column are ordered as both engines order them: numbers by size, texts and bytes byte by byte.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    /// Nothing.
    Nothing,
    /// Yes or no.
    Flag(bool),
    /// A number.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// A row, in the order of its table's columns; or a key, which is the first of them.
pub type Cells = Vec<Cell>;

/// By what one move is told from another.
pub type MoveToken = [u8; 16];

/// So many rows at the beginning as are whole groups: those of the last group may go on behind them.
///
/// Where all are of one group nothing is taken away, so a group has to be smaller than what is read at once.
pub fn trim_to_groups(table: &Table, rows: &mut Vec<Cells>, limit: usize) {
    if table.is_unique || rows.len() < limit {
        return;
    }
    let Some(last) = rows.last().map(|row| table.key_of(row).to_vec()) else {
        return;
    };
    if let Some(end) = rows.iter().rposition(|row| table.key_of(row) != last.as_slice()) {
        rows.truncate(end + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_never_cut() {
        let table = &TABLES[position("factor_attempts").expect("it is there")];
        let row = |user: u8, at| vec![Cell::Blob(vec![user]), Cell::Integer(at)];
        let mut rows = vec![row(1, 1), row(2, 1), row(2, 2)];
        trim_to_groups(table, &mut rows, 3);
        assert_eq!(rows.len(), 1);
        let mut all = vec![row(1, 1), row(2, 1), row(2, 2)];
        trim_to_groups(table, &mut all, 4);
        assert_eq!(all.len(), 3, "there was no more");
    }

    #[test]
    fn whom_others_belong_to_comes_before_them() {
        let order: Vec<_> = TABLES.iter().map(|table| table.name).collect();
        for (first, then) in [
            ("users", "sessions"),
            ("recovery_sets", "recovery_codes"),
            ("audit_segments", "audit"),
            ("audit", "audit_head"),
        ] {
            assert!(position(first) < position(then), "{first} before {then}");
        }
        let distinct: std::collections::BTreeSet<_> = order.iter().collect();
        assert_eq!(distinct.len(), order.len());
    }
}
