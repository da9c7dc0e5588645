//! Whether credentials are due: their age held against `rotate_every`. Where the age comes from is the caller's.

use dango_core::{SourceName, Timestamp};
use dango_sources::{RotateEvery, SourcesFile};

const DAY_MICROS: i64 = 86_400_000_000;

/// How credentials stand to the policy of their source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// There is no policy, so they may be of any age.
    NoPolicy,
    /// They are young enough, for so many whole days more.
    InTime {
        /// The days, 0 on the last one.
        days: i64,
    },
    /// They are too old, since so many whole days.
    Overdue {
        /// The days, 0 on the first one.
        days: i64,
    },
    /// There is a policy, and nobody knows their age. Nobody can say that it is kept, so it counts as not kept.
    Unknown,
}

impl Due {
    /// Whether the credentials are to be replaced.
    pub const fn is_due(self) -> bool {
        matches!(self, Self::Overdue { .. } | Self::Unknown)
    }

    /// A stable word for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoPolicy => "no_policy",
            Self::InTime { .. } => "in_time",
            Self::Overdue { .. } => "overdue",
            Self::Unknown => "unknown",
        }
    }
}

/// Judges credentials that were stored at a point in time. One that is not yet reached, because a clock was wrong, counts as now.
pub fn judge(every: Option<RotateEvery>, since: Option<Timestamp>, now: Timestamp) -> Due {
    let Some(every) = every else { return Due::NoPolicy };
    let Some(since) = since else { return Due::Unknown };
    let age = now.unix_micros().saturating_sub(since.unix_micros()).max(0);
    let allowed = i64::try_from(every.duration().as_micros()).unwrap_or(i64::MAX);
    match age > allowed {
        true => Due::Overdue {
            days: (age - allowed) / DAY_MICROS,
        },
        false => Due::InTime {
            days: (allowed - age) / DAY_MICROS,
        },
    }
}

/// The sources whose credentials are due, in the order of the file. One that is switched off, or of which no credential is stored, is not.
///
/// `since` says of a source when the oldest of its credentials was stored: `None` where it has none, `Some(None)` where nobody knows.
pub fn overdue(
    sources: &SourcesFile,
    since: &dyn Fn(&SourceName) -> Option<Option<Timestamp>>,
    now: Timestamp,
) -> Vec<(SourceName, RotateEvery, Due)> {
    let with_policy = sources.sources().iter().filter(|source| source.is_enabled());
    let judged = with_policy.filter_map(|source| {
        let every = source.rotate_every()?;
        Some((source.name().clone(), every, judge(Some(every), since(source.name())?, now)))
    });
    judged.filter(|(.., due)| due.is_due()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_unix_micros(number * DAY_MICROS)
    }

    #[test]
    fn the_last_moment_of_the_interval_is_in_time_and_the_next_is_not() {
        let every = Some("90d".parse().expect("an interval"));
        let moment = Timestamp::from_unix_micros(90 * DAY_MICROS + 1);
        assert_eq!(judge(every, Some(day(0)), day(90)), Due::InTime { days: 0 });
        assert_eq!(judge(every, Some(day(0)), moment), Due::Overdue { days: 0 });
        assert_eq!(judge(every, Some(day(0)), day(95)), Due::Overdue { days: 5 });
        assert_eq!(judge(every, Some(day(10)), day(40)), Due::InTime { days: 60 });
    }

    #[test]
    fn what_nobody_knows_is_due_only_where_there_is_a_policy() {
        let every = Some("1d".parse().expect("an interval"));
        assert_eq!(judge(every, None, day(1)), Due::Unknown);
        assert_eq!(judge(None, None, day(1)), Due::NoPolicy);
        assert_eq!(judge(None, Some(day(0)), day(9_999)), Due::NoPolicy);
        // A clock that was ahead when the value was stored.
        assert_eq!(judge(every, Some(day(5)), day(1)), Due::InTime { days: 1 });
    }

    #[test]
    fn sources_without_credentials_or_out_of_use_are_not_due() {
        let text = "sources:\n  - {name: old, type: stripe, rotate_every: 1d}\n  - {name: new, type: stripe, rotate_every: 30d}\n  \
            - {name: off, type: stripe, rotate_every: 1d, enabled: false}\n  - {name: bare, type: stripe, rotate_every: 1d}\n  \
            - {name: unknown, type: stripe, rotate_every: 1d}\n  - {name: free, type: stripe}\n";
        let sources = SourcesFile::parse(text).expect("reads");
        let since = |name: &SourceName| match name.as_str() {
            "bare" => None,
            "unknown" => Some(None),
            _ => Some(Some(day(0))),
        };
        let due = overdue(&sources, &since, day(10));
        let due: Vec<_> = due.iter().map(|(name, _, due)| (name.as_str(), due.code())).collect();
        assert_eq!(due, [("old", "overdue"), ("unknown", "unknown")]);
    }
}
