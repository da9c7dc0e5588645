//! How long sessions last, how many there may be, and how often one may guess.

use std::time::Duration;

use dango_core::Timestamp;

use crate::instant::before;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A shipped set of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionProfile {
    /// 24 hours idle, 30 days in all.
    #[default]
    Standard,
    /// 1 hour idle, 24 hours in all (NIST SP 800-63B-4, AAL2).
    Nist,
}

impl SessionProfile {
    /// The limits of this profile.
    pub const fn limits(self) -> SessionLimits {
        let standard = SessionLimits {
            idle: Duration::from_secs(24 * 60 * 60),
            absolute: Duration::from_secs(30 * 24 * 60 * 60),
            partial: Duration::from_secs(5 * 60),
            partial_attempts: 5,
            step_up: Duration::from_secs(10 * 60),
            touch_every: MINUTE,
            parallel: 20,
        };
        match self {
            Self::Standard => standard,
            Self::Nist => SessionLimits {
                idle: HOUR,
                absolute: Duration::from_secs(24 * 60 * 60),
                ..standard
            },
        }
    }
}

/// How long sessions last, how many a user has, and how often one may guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// How long a session lasts without a request.
    pub idle: Duration,
    /// How long a session lasts in all, whatever is done with it.
    pub absolute: Duration,
    /// How long a second factor may take.
    pub partial: Duration,
    /// How many codes one partial session may try.
    pub partial_attempts: u32,
    /// How old a proof may be for what needs a fresh one.
    pub step_up: Duration,
    /// How often, at most, a session's last request is written down. A session may seem idle for this much too long.
    pub touch_every: Duration,
    /// How many sessions a user may have; a further one ends the oldest. Partial ones are counted apart, by the same number.
    pub parallel: u32,
}

impl SessionLimits {
    /// Before when a session has expired, or was used last, that ended longer than a span ago.
    pub fn ended_for(&self, span: Duration, now: Timestamp) -> (Timestamp, Timestamp) {
        let ended = before(now, span);
        (ended, before(ended, self.idle))
    }
}

impl Default for SessionLimits {
    fn default() -> Self {
        SessionProfile::default().limits()
    }
}
