//! How long a stored connection is still good, from the times in `[dango.oauth.<name>]`.

use dango_core::Timestamp;

/// A connection that ends within this many days is about to expire.
pub const EXPIRING_DAYS: i64 = 7;

const MICROS_PER_DAY: i64 = 86_400 * 1_000_000;

/// Whether a connection has expired or is about to. Days are whole ones that are left, rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expiry {
    /// No end is known.
    None,
    /// More than [`EXPIRING_DAYS`] are left, be it by a microsecond.
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
    let left = expires_at.unix_micros().saturating_sub(now.unix_micros());
    let days = left / MICROS_PER_DAY;
    if left <= EXPIRING_DAYS * MICROS_PER_DAY {
        Expiry::Expiring { days }
    } else {
        Expiry::Valid { days }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(after("2026-11-28T12:00:01Z"), Expiry::Valid { days: 7 });
        assert_eq!(after("2026-11-29T12:00:00Z"), Expiry::Valid { days: 8 });
        let ends = [Timestamp::from_unix_micros(i64::MAX), Timestamp::from_unix_micros(i64::MIN)];
        assert!(matches!(expiry(Some(ends[0]), ends[1]), Expiry::Valid { .. }));
    }
}
