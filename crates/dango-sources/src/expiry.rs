//! How long a stored connection is still good, from the times in `[dango.oauth.<name>]`.

use dango_core::{ParseTimestampError, Timestamp};

/// A connection that ends within this many days is about to expire.
pub const EXPIRING_DAYS: i64 = 7;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Whether a connection has expired or is about to. Days are whole ones that are left, rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// No end is known.
    None,
    /// More than [`EXPIRING_DAYS`] are left.
    Valid {
        /// The days left.
        days: i64,
    },
    /// [`EXPIRING_DAYS`] or fewer are left.
    Expiring {
        /// The days left.
        days: i64,
    },
    /// The end has come.
    Expired,
}

/// Compares the end of a connection with the time now.
///
/// ```
/// use dango_sources::{Expiry, expiry};
///
/// let now = "2026-11-21T12:00:00Z".parse()?;
/// assert_eq!(expiry(Some("2026-11-28T11:00:00Z".parse()?), now), Expiry::Expiring { days: 6 });
/// assert_eq!(expiry(Some("2026-11-21T12:00:00Z".parse()?), now), Expiry::Expired);
/// # Ok::<(), dango_core::ParseTimestampError>(())
/// ```
pub fn expiry(expires_at: Option<Timestamp>, now: Timestamp) -> Expiry {
    let Some(expires_at) = expires_at else {
        return Expiry::None;
    };
    if now >= expires_at {
        return Expiry::Expired;
    }
    let days = expires_at.unix_micros().saturating_sub(now.unix_micros()) / MICROS_PER_DAY;
    if days <= EXPIRING_DAYS {
        Expiry::Expiring { days }
    } else {
        Expiry::Valid { days }
    }
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
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("RFC 3339")
    }

    #[test]
    fn seven_days_or_less_is_expiring() {
        let now = at("2026-11-21T12:00:00Z");
        let after = |text: &str| expiry(Some(at(text)), now);
        assert_eq!(expiry(None, now), Expiry::None);
        assert_eq!(after("2026-11-21T11:59:59Z"), Expiry::Expired);
        assert_eq!(after("2026-11-21T12:00:01Z"), Expiry::Expiring { days: 0 });
        assert_eq!(after("2026-11-28T12:00:00Z"), Expiry::Expiring { days: 7 });
        assert_eq!(after("2026-11-29T11:59:59Z"), Expiry::Expiring { days: 7 });
        assert_eq!(after("2026-11-29T12:00:00Z"), Expiry::Valid { days: 8 });
        let ends = [Timestamp::from_unix_micros(i64::MAX), Timestamp::from_unix_micros(i64::MIN)];
        assert!(matches!(expiry(Some(ends[0]), ends[1]), Expiry::Valid { .. }));
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

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,45}", offset in any::<i32>()) {
            let _ = parse_metadata_time(&text, offset);
        }
    }
}
