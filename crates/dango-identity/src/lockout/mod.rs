//! Lockout: how often a password or a code may be tried. One budget per account and class of client; pure rules, and the trait of their rows.

mod account_key;
mod state;
mod store;

use std::fmt;
use std::time::Duration;

use dango_core::Timestamp;

pub use account_key::AccountKey;
pub use state::{AttemptState, Charge};
pub use store::{AttemptStore, ChargedAttempt, LockView};

use crate::device::TrustedDevice;
use crate::id::{DeviceId, UserId};
use crate::instant::{before, elapsed};

/// Who is trying, as far as lockout tells clients apart.
///
/// Failures of strangers never lock a browser that has logged in to the account before: its tries are counted apart
/// (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientClass {
    /// A browser with a valid device cookie of this account.
    Trusted(DeviceId),
    /// Anybody else.
    Untrusted,
}

impl ClientClass {
    /// The class of a client that showed a device cookie, or none that counts, for this account.
    pub fn of(account: UserId, device: Option<TrustedDevice>) -> Self {
        match device {
            Some(device) if device.user() == account => Self::Trusted(device.device()),
            _ => Self::Untrusted,
        }
    }
}

/// Whose tries by whom: the key of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttemptKey {
    /// The account, whether it exists or not.
    pub account: AccountKey,
    /// The client.
    pub client: ClientClass,
}

/// How many failures are allowed and what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockoutPolicy {
    failures: u32,
    locks: Vec<Duration>,
    quiet: Duration,
    memory: Duration,
    stop: u32,
}

impl LockoutPolicy {
    /// After so many failures a lock; the first lock as long as the first duration, the next as the next, the last for ever after.
    ///
    /// # Errors
    ///
    /// [`InvalidLockoutPolicy`] where there are no failures or no locks, or more failures than the hard stop of 100 allows.
    pub fn new(failures: u32, locks: Vec<Duration>) -> Result<Self, InvalidLockoutPolicy> {
        let valid = (1..=Self::STOP).contains(&failures) && !locks.is_empty() && locks.iter().all(|lock| !lock.is_zero());
        if valid {
            Ok(Self {
                failures,
                locks,
                ..Self::default()
            })
        } else {
            Err(InvalidLockoutPolicy)
        }
    }

    /// How many failures are allowed before the first lock.
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether a lock may have begun less than a span ago, by a try that may still turn out right.
    pub fn has_just_locked(&self, lock: Lock, span: Duration, now: Timestamp) -> bool {
        match lock {
            Lock::Until(end) => self.locks.iter().any(|lasts| {
                let began = before(end, *lasts);
                began <= now && elapsed(began, now) < span
            }),
            Lock::Stopped => false,
        }
    }

    /// After how many failures since the last login nobody may try any more.
    pub const fn stop(&self) -> u32 {
        self.stop
    }

    /// Since when nothing may have happened to a budget in which nothing matters any more
    /// ([`AttemptState::is_spent`]): to one without failures, and to one that counts some.
    pub fn forgotten_since(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        (before(now, self.quiet), before(now, self.memory))
    }

    /// How many failures in a row there may be at most before an administrator has to look (NIST SP 800-63B-4 §3.2.2).
    const STOP: u32 = 100;

    fn lock(&self, level: u32) -> Duration {
        let last = self.locks.len() - 1;
        self.locks[usize::try_from(level).map_or(last, |level| level.min(last))]
    }
}

/// 5 failures; then 15 minutes, an hour, four hours, a day.
impl Default for LockoutPolicy {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Self {
            failures: 5,
            locks: [15, 60, 240, 1440].map(minutes).to_vec(),
            quiet: minutes(24 * 60),
            memory: minutes(30 * 24 * 60),
            stop: Self::STOP,
        }
    }
}

/// A lockout policy under which nobody is ever locked, or everybody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a lockout policy needs 1 to 100 failures and at least one lock that takes time")]
pub struct InvalidLockoutPolicy;

/// Why nobody may try now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Until a point in time.
    Until(Timestamp),
    /// Until an administrator unlocks the account.
    Stopped,
}

impl Lock {
    /// How long to wait, in seconds rounded up, at least one; a stopped account is worth asking about again in a day.
    pub fn retry_after(self, now: Timestamp) -> Duration {
        match self {
            Self::Until(end) => {
                let left = elapsed(now, end);
                let whole = left.as_secs() + u64::from(left.subsec_nanos() > 0);
                Duration::from_secs(whole.max(1))
            }
            Self::Stopped => Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Until(end) => write!(f, "locked until {end}"),
            Self::Stopped => f.write_str("locked until an administrator unlocks it"),
        }
    }
}
