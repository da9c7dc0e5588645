//! The canonical bytes of a record, version 1 (`docs/formats/audit.md`): what is authenticated is what stands in the columns, byte for byte.

/// The version of the encoding, its first byte.
pub const ENCODING_VERSION: u8 = 1;

/// The length that stands for a member that is not there.
const ABSENT: u32 = u32::MAX;

/// A record's columns as they stand in a database, whoever wrote them.
///
/// Text columns must come back as the bytes that were written: a type that reorders JSON members is none for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'a> {
    /// The place in the chain, from 1.
    pub seq: i64,
    /// When, in microseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// The event's name.
    pub event: &'a str,
    /// JSON: `kind`, `id`, `personal`.
    pub actor: &'a str,
    /// JSON: `kind`, `id`, `personal`.
    pub target: Option<&'a str>,
    /// `success`, `failure`, `denied`; nothing for an intent.
    pub outcome: Option<&'a str>,
    /// JSON: `session`.
    pub origin: &'a str,
    /// The request's id.
    pub request_id: Option<&'a str>,
    /// JSON: the details.
    pub details: &'a str,
    /// The hash of the record before; 32 bytes unless somebody changed it.
    pub prev_hash: &'a [u8],
    /// The hash of this record; 32 bytes unless somebody changed it.
    pub hash: &'a [u8],
}

/// Appends the canonical bytes of a row, without its hashes.
pub(crate) fn push_leaf(out: &mut Vec<u8>, row: &Row<'_>) {
    out.push(ENCODING_VERSION);
    out.extend_from_slice(&row.seq.to_be_bytes());
    out.extend_from_slice(&row.at.to_be_bytes());
    push_field(out, Some(row.event.as_bytes()));
    push_field(out, Some(row.actor.as_bytes()));
    push_field(out, row.target.map(str::as_bytes));
    push_field(out, row.outcome.map(str::as_bytes));
    push_field(out, Some(row.origin.as_bytes()));
    push_field(out, row.request_id.map(str::as_bytes));
    push_field(out, Some(row.details.as_bytes()));
}

/// The canonical bytes of a row, without its hashes: the leaf of the Merkle tree.
pub fn canonical_bytes(row: &Row<'_>) -> Vec<u8> {
    let mut leaf = Vec::with_capacity(512);
    push_leaf(&mut leaf, row);
    leaf
}

/// Appends a field: its length in 4 bytes, big-endian, then its bytes; one that is not there has the length 2³² − 1 and no bytes.
pub(crate) fn push_field(out: &mut Vec<u8>, field: Option<&[u8]>) {
    let Some(bytes) = field else {
        out.extend_from_slice(&ABSENT.to_be_bytes());
        return;
    };
    // Longer ones are made by nobody here, and a database's row ends before; the rest is hashed so that no change goes unseen.
    let length = u32::try_from(bytes.len()).unwrap_or(ABSENT - 1).min(ABSENT - 1);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Columns = (
        i64,
        i64,
        String,
        String,
        Option<String>,
        Option<String>,
        String,
        Option<String>,
        String,
    );

    fn row(columns: &Columns) -> Row<'_> {
        let (seq, at, event, actor, target, outcome, origin, request_id, details) = columns;
        Row {
            seq: *seq,
            at: *at,
            event,
            actor,
            target: target.as_deref(),
            outcome: outcome.as_deref(),
            origin,
            request_id: request_id.as_deref(),
            details,
            prev_hash: &[],
            hash: &[],
        }
    }

    /// Short texts of few characters, so that equal parts at other places come up.
    fn columns() -> impl Strategy<Value = Columns> {
        let text = || "[a\u{0}\u{1}]{0,3}";
        let maybe = || proptest::option::of("[a\u{0}\u{1}]{0,3}");
        (0..3_i64, -1..2_i64, text(), text(), maybe(), maybe(), text(), maybe(), text())
    }

    /// Reads the encoding back, which shows that no two rows have the same.
    fn decode(mut bytes: &[u8]) -> Columns {
        fn take<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
            let (taken, rest) = bytes.split_at(length);
            *bytes = rest;
            taken
        }
        fn field(bytes: &mut &[u8]) -> Option<String> {
            let length = u32::from_be_bytes(take(bytes, 4).try_into().expect("4"));
            (length != ABSENT).then(|| String::from_utf8(take(bytes, length as usize).to_vec()).expect("UTF-8"))
        }
        assert_eq!(take(&mut bytes, 1), [1]);
        let mut number = || i64::from_be_bytes(take(&mut bytes, 8).try_into().expect("8"));
        let (seq, at) = (number(), number());
        let mut next = || field(&mut bytes);
        let columns = (
            seq,
            at,
            next().expect("there"),
            next().expect("there"),
            next(),
            next(),
            next().expect("there"),
            next(),
            next().expect("there"),
        );
        assert!(bytes.is_empty());
        columns
    }

    proptest! {
        #[test]
        fn the_encoding_can_be_read_back_so_no_two_rows_share_one(columns in columns()) {
            prop_assert_eq!(decode(&canonical_bytes(&row(&columns))), columns);
        }

        #[test]
        fn two_rows_have_the_same_bytes_only_if_they_are_the_same(one in columns(), other in columns()) {
            prop_assert_eq!(canonical_bytes(&row(&one)) == canonical_bytes(&row(&other)), one == other);
        }
    }

    #[test]
    fn nothing_and_an_empty_text_are_told_apart() {
        let one = (1, 0, String::new(), String::new(), None, None, String::new(), None, String::new());
        let mut other = one.clone();
        other.4 = Some(String::new());
        assert_ne!(canonical_bytes(&row(&one)), canonical_bytes(&row(&other)));
    }
}
