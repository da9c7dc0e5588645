//! The times of a connection's record as any version of Dango has written them.

use dango_core::{Clock, ParseTimestampError, Timestamp};

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Reads a time of a place whose clock is given. How far local time is ahead depends on the time: the second guess is right but
/// within the hour in which the clocks are moved.
pub(super) fn parse_local(text: &str, clock: &dyn Clock) -> Option<Timestamp> {
    let mut at = parse_metadata_time(text, 0).ok()?;
    for _ in 0..2 {
        at = parse_metadata_time(text, clock.local_offset_seconds(at)).ok()?;
    }
    Some(at)
}

/// Reads a time of `[dango.oauth.<name>]`: RFC 3339, or a date and time without an offset, as earlier versions wrote
/// them (Python's `isoformat()`), which is local time. `local_offset_seconds` is how far local time is ahead of UTC.
///
/// # Errors
///
/// [`ParseTimestampError`] where it is neither.
pub fn parse_metadata_time(text: &str, local_offset_seconds: i32) -> Result<Timestamp, ParseTimestampError> {
    let text = text.trim();
    if !text.is_ascii() || text.len() > 40 || text.len() < 10 {
        return Err(ParseTimestampError);
    }
    let (date, clock) = text.split_at(10);
    let clock = match clock.strip_prefix(['T', 't', ' ']) {
        Some(clock) => clock,
        None if clock.is_empty() => "00:00:00",
        None => return Err(ParseTimestampError),
    };
    if let Ok(at) = format!("{date}T{clock}").parse() {
        return Ok(at);
    }
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    let as_utc: Timestamp = format!("{date}T{clock}{seconds}Z").parse()?;
    let offset = i64::from(local_offset_seconds) * MICROS_PER_SECOND;
    let micros = as_utc.unix_micros().checked_sub(offset).ok_or(ParseTimestampError)?;
    Ok(Timestamp::from_unix_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("RFC 3339")
    }

    #[test]
    fn times_with_an_offset_are_read_as_they_are() {
        for text in [
            "2026-01-02T03:04:05Z",
            "2026-01-02T05:04:05+02:00",
            "2026-01-02 03:04:05+00:00",
            "2026-01-02t03:04:05z",
        ] {
            assert_eq!(parse_metadata_time(text, 3600), Ok(at("2026-01-02T03:04:05Z")), "{text}");
        }
    }

    #[test]
    fn times_without_one_are_local() {
        // As Python's `datetime.now().isoformat()` writes them.
        for text in ["2026-01-02T03:04:05", "2026-01-02 03:04:05", "2026-01-02T03:04:05.000000"] {
            assert_eq!(parse_metadata_time(text, 3600), Ok(at("2026-01-02T02:04:05Z")), "{text}");
            assert_eq!(parse_metadata_time(text, -18_000), Ok(at("2026-01-02T08:04:05Z")), "{text}");
        }
        assert_eq!(parse_metadata_time("2026-01-02T03:04", 0), Ok(at("2026-01-02T03:04:00Z")));
        assert_eq!(parse_metadata_time("2026-01-02", 0), Ok(at("2026-01-02T00:00:00Z")));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "soon",
            "2026-13-01T00:00:00",
            "2026-01-02T",
            "2026-01-02X03:04:05",
            "2026-01-02T25:00:00",
            "２０２６-01-02",
        ] {
            assert!(parse_metadata_time(text, 0).is_err(), "{text}");
        }
    }

    #[test]
    fn no_text_panics() {
        for text in [
            "\u{0}",
            "aaaaaaaaaa",
            "2026-01-02é",
            "é026-01-02T",
            "----------T",
            "2026-01-0２",
            "9999-12-31T23:59:59",
        ] {
            for offset in [i32::MIN, 0, i32::MAX] {
                let _ = parse_metadata_time(text, offset);
            }
        }
    }
}
