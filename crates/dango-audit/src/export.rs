//! Writing records out: JSON Lines, and CSV (RFC 4180) that no spreadsheet takes for formulas. Which records is decided elsewhere.

use std::io::{self, Write};

use crate::draft::Outcome;
use crate::record::AuditEvent;

/// The columns of the CSV form, in order.
pub const CSV_COLUMNS: [&str; 18] = [
    "seq",
    "at",
    "event",
    "actor.kind",
    "actor.id",
    "actor.label",
    "target.kind",
    "target.id",
    "target.label",
    "outcome",
    "origin.ip",
    "origin.user_agent",
    "origin.session",
    "request_id",
    "details",
    "prev_hash",
    "hash",
    "withheld",
];

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExportFormat {
    /// One JSON object a line, as in a list.
    Jsonl,
    /// A header line, then one record a line.
    Csv,
}

impl ExportFormat {
    /// The form's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
}

/// Writes records one by one, keeping none.
#[derive(Debug)]
pub struct Exporter<W> {
    format: ExportFormat,
    sink: W,
    written: u64,
}

impl<W: Write> Exporter<W> {
    /// Begins an export; CSV gets its header line, also when no record follows.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn begin(format: ExportFormat, mut sink: W) -> io::Result<Self> {
        if format == ExportFormat::Csv {
            let header: Vec<Option<&str>> = CSV_COLUMNS.into_iter().map(Some).collect();
            write_csv_line(&mut sink, &header)?;
        }
        let written = 0;
        Ok(Self { format, sink, written })
    }

    /// Writes a record.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn write(&mut self, event: &AuditEvent) -> io::Result<()> {
        match self.format {
            ExportFormat::Jsonl => writeln!(self.sink, "{}", event.to_json())?,
            ExportFormat::Csv => write_csv(&mut self.sink, event)?,
        }
        self.written += 1;
        Ok(())
    }

    /// Ends the export and says how many records were written.
    ///
    /// # Errors
    ///
    /// What the sink says.
    pub fn finish(mut self) -> io::Result<u64> {
        self.sink.flush()?;
        Ok(self.written)
    }
}

fn write_csv(sink: &mut impl Write, event: &AuditEvent) -> io::Result<()> {
    let (seq, at) = (event.seq.to_string(), event.time());
    let target = event.target.as_ref();
    let is_withheld = event.actor.is_withheld || target.is_some_and(|target| target.is_withheld);
    write_csv_line(
        sink,
        &[
            Some(&seq),
            Some(&at),
            Some(&event.event),
            Some(&event.actor.kind),
            event.actor.id.as_deref(),
            event.actor.label.as_deref(),
            target.map(|target| target.kind.as_str()),
            target.and_then(|target| target.id.as_deref()),
            target.and_then(|target| target.label.as_deref()),
            event.outcome.map(Outcome::as_str),
            event.ip.as_deref(),
            event.user_agent.as_deref(),
            event.session.as_deref(),
            event.request_id.as_deref(),
            Some(&event.details),
            Some(&event.prev_hash),
            Some(&event.hash),
            Some(if is_withheld { "true" } else { "false" }),
        ],
    )
}

fn write_csv_line(sink: &mut impl Write, cells: &[Option<&str>]) -> io::Result<()> {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            sink.write_all(b",")?;
        }
        write_csv_cell(sink, cell.unwrap_or(""))?;
    }
    sink.write_all(b"\r\n")
}

/// Writes a cell. One that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV Injection").
fn write_csv_cell(sink: &mut impl Write, text: &str) -> io::Result<()> {
    const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    let guard = if text.starts_with(FORMULA) { "'" } else { "" };
    if text.contains([',', '"', '\r', '\n']) {
        write!(sink, "\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        write!(sink, "{guard}{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str) -> String {
        let mut out = Vec::new();
        write_csv_cell(&mut out, text).expect("memory");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn no_cell_begins_like_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1"] {
            let written = cell(text);
            let inside = written.strip_prefix('"').unwrap_or(&written);
            assert!(inside.starts_with('\''), "{written:?}");
        }
        assert_eq!(cell("=HYPERLINK(\"a\",\"b\")"), "\"'=HYPERLINK(\"\"a\"\",\"\"b\"\")\"");
    }

    #[test]
    fn commas_quotes_and_line_ends_are_quoted_as_in_rfc_4180() {
        assert_eq!(
            [cell("plain"), cell(""), cell("a,b"), cell("a\"b"), cell("a\r\nb")],
            ["plain", "", "\"a,b\"", "\"a\"\"b\"", "\"a\r\nb\""]
        );
    }
}
