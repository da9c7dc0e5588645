//! Columns of the audit log as they are lent to whoever reads or verifies it.

use dango_audit::retention::{SealedSegment, SegmentRow};
use dango_audit::{HeadRow, PersonalRow, Row, SealedHead};

use crate::connection;

/// Lends a record's columns. What cannot be read is lent empty: a verification then finds it.
pub(super) fn record<'r>(row: &connection::Row<'r>) -> Row<'r> {
    Row {
        seq: integer(row, 0),
        at: integer(row, 1),
        event: text(row, 2),
        actor: text(row, 3),
        target: row.text_at(4).unwrap_or(Some("")),
        outcome: row.text_at(5).unwrap_or(Some("")),
        origin: text(row, 6),
        request_id: row.text_at(7).unwrap_or(Some("")),
        details: text(row, 8),
        prev_hash: blob(row, 9),
        hash: blob(row, 10),
    }
}

/// Lends the columns `id, subject, label, ip, user_agent, salt`.
pub(super) fn personal<'r>(row: &connection::Row<'r>) -> PersonalRow<'r> {
    PersonalRow {
        id: blob(row, 0),
        subject: text(row, 1),
        label: row.text_at(2).unwrap_or(Some("")),
        ip: row.text_at(3).unwrap_or(Some("")),
        user_agent: row.text_at(4).unwrap_or(Some("")),
        salt: blob(row, 5),
    }
}

pub(super) fn head(row: &connection::Row<'_>) -> SealedHead {
    SealedHead::from_row(HeadRow {
        seq: integer(row, 0),
        hash: blob(row, 1),
        count: integer(row, 2),
        frontier: blob(row, 3),
        tag: blob(row, 4),
    })
}

pub(super) fn segment(row: &connection::Row<'_>) -> SealedSegment {
    SealedSegment::from_row(SegmentRow {
        first_seq: integer(row, 0),
        last_seq: integer(row, 1),
        first_at: integer(row, 2),
        last_at: integer(row, 3),
        hash: blob(row, 4),
        frontier: blob(row, 5),
        tag: blob(row, 6),
    })
}

pub(super) fn integer(row: &connection::Row<'_>, at: usize) -> i64 {
    row.integer_at(at).ok().flatten().unwrap_or_default()
}

pub(super) fn text<'r>(row: &connection::Row<'r>, at: usize) -> &'r str {
    row.text_at(at).ok().flatten().unwrap_or_default()
}

pub(super) fn blob<'r>(row: &connection::Row<'r>, at: usize) -> &'r [u8] {
    row.blob_at(at).ok().flatten().unwrap_or_default()
}
