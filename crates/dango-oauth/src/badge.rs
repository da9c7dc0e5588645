//! How long a connection is still good, for its badge. The end is that of the grant, never that of an access token which
//! is renewed by itself.

use dango_core::Timestamp;

/// A connection that ends within this many days is about to expire.
pub const EXPIRING_DAYS: i64 = 7;

const DAY_MICROS: i64 = 86_400 * 1_000_000;

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// More than seven days are left, or no end is known.
    Valid,
    /// Seven days or less are left, to the microsecond.
    Expiring,
    /// The end has come.
    Expired,
}

impl Status {
    /// The name, as the command line and the HTTP interface spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
        }
    }
}

/// Says how a connection stands whose grant ends at a time.
pub fn status(expires_at: Option<Timestamp>, now: Timestamp) -> Status {
    let Some(end) = expires_at else { return Status::Valid };
    match end.unix_micros().saturating_sub(now.unix_micros()) {
        left if left <= 0 => Status::Expired,
        left if left <= EXPIRING_DAYS * DAY_MICROS => Status::Expiring,
        _ => Status::Valid,
    }
}

/// The whole days that are left, rounded down; 0 behind the end.
pub fn days_until_expiry(expires_at: Option<Timestamp>, now: Timestamp) -> Option<i64> {
    expires_at.map(|end| (end.unix_micros().saturating_sub(now.unix_micros()) / DAY_MICROS).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("RFC 3339")
    }

    #[test]
    fn seven_days_to_the_second_divide_valid_from_expiring() {
        let end = Some(at("2026-11-28T12:00:00Z"));
        for (now, expected, days) in [
            ("2026-11-21T11:59:59Z", Status::Valid, 7),
            ("2026-11-21T12:00:00Z", Status::Expiring, 7),
            ("2026-11-21T12:00:01Z", Status::Expiring, 6),
            ("2026-11-28T11:59:59Z", Status::Expiring, 0),
            ("2026-11-28T12:00:00Z", Status::Expired, 0),
            ("2026-12-28T12:00:00Z", Status::Expired, 0),
        ] {
            assert_eq!(status(end, at(now)), expected, "{now}");
            assert_eq!(days_until_expiry(end, at(now)), Some(days), "{now}");
        }
        assert_eq!(status(None, at("2026-11-21T12:00:00Z")), Status::Valid);
        let extremes = [Timestamp::from_unix_micros(i64::MIN), Timestamp::from_unix_micros(i64::MAX)];
        assert_eq!(status(Some(extremes[1]), extremes[0]), Status::Valid);
        assert_eq!(status(Some(extremes[0]), extremes[1]), Status::Expired);
    }
}
