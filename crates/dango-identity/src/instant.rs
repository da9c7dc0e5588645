//! Arithmetic on points in time that never overflows: what would leave the range stays at its end.

use std::time::Duration;

use dango_core::Timestamp;

/// The point in time that lies a span after another.
pub(crate) fn after(at: Timestamp, span: Duration) -> Timestamp {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_unix_micros(at.unix_micros().saturating_add(micros))
}

/// The point in time that lies a span before another.
pub(crate) fn before(at: Timestamp, span: Duration) -> Timestamp {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_unix_micros(at.unix_micros().saturating_sub(micros))
}

/// How long ago something was; nothing at all where it lies in the future.
pub(crate) fn elapsed(since: Timestamp, now: Timestamp) -> Duration {
    let micros = now.unix_micros().saturating_sub(since.unix_micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(micros: i64) -> Timestamp {
        Timestamp::from_unix_micros(micros)
    }

    #[test]
    fn spans_are_added_and_taken_to_the_microsecond() {
        assert_eq!(after(at(-5), Duration::from_micros(7)), at(2));
        assert_eq!(before(at(2), Duration::from_micros(7)), at(-5));
        assert_eq!(elapsed(at(-5), at(2)), Duration::from_micros(7));
        assert_eq!(elapsed(at(3), at(2)), Duration::ZERO);
    }

    #[test]
    fn the_ends_of_time_are_not_passed() {
        assert_eq!(after(at(i64::MAX - 1), Duration::MAX), at(i64::MAX));
        assert_eq!(elapsed(at(i64::MIN), at(i64::MAX)), Duration::from_micros(i64::MAX as u64));
    }
}
