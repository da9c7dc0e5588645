//! What the parts of an import share: how what was taken is recognised, and how earlier versions wrote times.

use dango_core::Timestamp;
use dango_store::ImportMark;
use sha2::{Digest, Sha256};

/// The mark of a thing: what kind it is, and what tells it from others of its kind.
pub(super) fn mark(kind: &'static str, name: &[u8]) -> ImportMark {
    let hash = Sha256::new()
        .chain_update("dango:import:v1:")
        .chain_update(kind)
        .chain_update([0])
        .chain_update(name)
        .finalize();
    ImportMark::from_bytes(hash.into())
}

/// Reads a time as Python writes it: with an offset, or without one in UTC.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    let text = text.trim().replacen(' ', "T", 1);
    text.parse().or_else(|_| format!("{text}Z").parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_python_writes_them() {
        for text in [
            "2026-11-22T02:15:28.667037+00:00",
            "2026-11-22T03:15:28+01:00",
            "2026-11-22T02:15:28",
            "2026-11-22 02:15:28",
            "2026-11-22 02:15:28.000001+00:00",
        ] {
            assert_eq!(
                parse_time(text).map(|at| at.to_string()).as_deref(),
                Some("2026-11-22T02:15:28Z"),
                "{text}"
            );
        }
        for text in ["", "now", "2026-11-22", "1700000000", "2026-13-22T02:15:28"] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn a_user_and_a_line_never_share_a_mark() {
        assert_ne!(mark("user", b"x"), mark("event", b"x"));
        assert_ne!(mark("user", b"x"), mark("user", b"y"));
    }
}
