//! Tables for people: columns beside each other, as wide as they have to be; on a narrow terminal cells take several lines.

use std::borrow::Cow;

use comfy_table::{ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr;

/// What stands between two columns.
const GAP: usize = 2;
/// What a column without any text takes.
const LEAST: usize = 1;

/// Where a table is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// On a terminal, to whose width it keeps.
    OnTerminal,
    /// In a file or to another program, which gets every row as one line.
    Elsewhere,
}

/// Lays out a table with its heading, a line feed behind each line. Cells are shown as they are: they hold no control characters.
pub(crate) fn lay_out(heading: &[&str], rows: &[Vec<Cow<'_, str>>], shown: Shown) -> String {
    let mut widths = Vec::with_capacity(heading.len());
    widen(&mut widths, heading.iter().copied());
    rows.iter().for_each(|row| widen(&mut widths, row.iter().map(AsRef::as_ref)));
    let needed = widths.iter().map(|width| width + GAP).sum::<usize>();
    if shown == Shown::OnTerminal && Table::new().width().is_some_and(|width| needed > usize::from(width)) {
        return narrow(heading, rows);
    }
    let mut out = String::with_capacity((needed + 1) * (rows.len() + 1));
    push_line(&mut out, &widths, heading.iter().copied());
    rows.iter()
        .for_each(|row| push_line(&mut out, &widths, row.iter().map(AsRef::as_ref)));
    out
}

fn widen<'c>(widths: &mut Vec<usize>, cells: impl Iterator<Item = &'c str>) {
    for (at, cell) in cells.enumerate() {
        if at == widths.len() {
            widths.push(LEAST);
        }
        widths[at] = widths[at].max(width(cell));
    }
}

fn push_line<'c>(out: &mut String, widths: &[usize], cells: impl Iterator<Item = &'c str>) {
    let begun = out.len();
    for (cell, column) in cells.zip(widths) {
        out.push_str(cell);
        out.extend(std::iter::repeat_n(' ', column - width(cell) + GAP));
    }
    out.truncate(begun + out[begun..].trim_end().len());
    out.push('\n');
}

/// How many places a text takes on a terminal.
fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// The same for a terminal on which it does not fit: it takes ten times as long, for a few rows that somebody reads.
fn narrow(heading: &[&str], rows: &[Vec<Cow<'_, str>>]) -> String {
    let mut table = Table::new();
    table.set_content_arrangement(ContentArrangement::Dynamic);
    printed(table, heading, rows)
}

fn printed(mut table: Table, heading: &[&str], rows: &[Vec<Cow<'_, str>>]) -> String {
    table.load_style(presets::NOTHING).set_header(heading);
    for row in rows {
        table.add_row(row.iter().map(AsRef::as_ref).collect::<Vec<&str>>());
    }
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells(rows: &[Vec<String>]) -> Vec<Vec<Cow<'_, str>>> {
        let row = |row: &Vec<String>| row.iter().map(|cell| Cow::Owned(cell.clone())).collect();
        rows.iter().map(row).collect()
    }

    #[test]
    fn wide_characters_and_those_without_width_are_counted_as_a_terminal_does() {
        let rows = ["東京", "e\u{301}", "👩\u{200d}👧", "plain"].map(|name| vec![name.to_owned(), "x".to_owned()]);
        let text = lay_out(&["NAME", "Y"], &cells(&rows), Shown::Elsewhere);
        assert_eq!(text, "NAME   Y\n東京   x\ne\u{301}      x\n👩\u{200d}👧     x\nplain  x\n");
    }

    #[test]
    fn ten_thousand_rows_are_one_line_each_without_blanks_at_their_ends() {
        let rows: Vec<_> = (0..10_000).map(|number| vec![format!("user{number}"), String::new()]).collect();
        let text = lay_out(&["EMAIL", "ROLE"], &cells(&rows), Shown::Elsewhere);
        assert_eq!(text.lines().count(), 10_001);
        assert!(text.starts_with("EMAIL     ROLE\nuser0\n") && text.ends_with("\nuser9999\n"));
    }

    proptest! {
        /// The crate that prints what does not fit is the counterpart for what does.
        #[test]
        fn what_fits_looks_as_what_does_not_would_if_it_did(rows in proptest::collection::vec(proptest::collection::vec("[ a-z東é👩\u{301}\u{200d}]{0,6}", 3), 0..6)) {
            let (heading, rows) = (["ONE", "", "THREE"], cells(&rows));
            let mut table = Table::new();
            table.set_content_arrangement(ContentArrangement::Disabled);
            prop_assert_eq!(lay_out(&heading, &rows, Shown::Elsewhere), printed(table, &heading, &rows));
        }
    }
}
