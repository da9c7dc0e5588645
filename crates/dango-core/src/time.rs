//! Points in time and the clock they are read from.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// A point in time: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Makes a timestamp from microseconds since the epoch.
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn unix_micros(self) -> i64 {
        self.0
    }
}

/// Writes RFC 3339 in UTC with `Z`, whole seconds (`2026-11-21T21:34:00Z`).
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.div_euclid(1_000_000);
        let text = OffsetDateTime::from_unix_timestamp(seconds)
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok());
        // Years outside 0000–9999 have no RFC 3339 form; the number is still true.
        match text {
            Some(text) => f.write_str(&text),
            None => write!(f, "{seconds}s"),
        }
    }
}

/// A text that is not an RFC 3339 date and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time such as 2026-11-21T21:34:00Z")]
pub struct ParseTimestampError;

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|_| ParseTimestampError)?
            .to_offset(UtcOffset::UTC);
        i64::try_from(at.unix_timestamp_nanos().div_euclid(1000))
            .map(Self)
            .map_err(|_| ParseTimestampError)
    }
}

/// Where the time comes from; everything that needs it takes one.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// How many seconds local time was ahead of UTC at a point in time; 0 where the system does not say.
    fn local_offset_seconds(&self, at: Timestamp) -> i32;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's clock")]
    fn now(&self) -> Timestamp {
        let now = SystemTime::now();
        let micros = match now.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |micros| -micros),
        };
        Timestamp(micros)
    }

    fn local_offset_seconds(&self, at: Timestamp) -> i32 {
        let at = OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1_000_000));
        let offset = at.ok().and_then(|at| UtcOffset::local_offset_at(at).ok());
        offset.map_or(0, UtcOffset::whole_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_any_offset_and_written_in_utc() {
        let at: Timestamp = "2026-11-21T23:34:05.25+02:00".parse().expect("RFC 3339");
        assert_eq!(at.to_string(), "2026-11-21T21:34:05Z");
        assert_eq!(at.unix_micros() % 1_000_000, 250_000);
        assert!("2026-11-21".parse::<Timestamp>().is_err());
        assert!("2026-11-21T21:34:05".parse::<Timestamp>().is_err());
    }

    #[test]
    fn times_before_the_epoch_round_down() {
        assert_eq!(Timestamp::from_unix_micros(-1).to_string(), "1969-12-31T23:59:59Z");
    }
}
