//! How many requests a minute one sender may send: a bucket for each that fills again evenly, in memory and bounded. Who counts as one
//! sender, and what for, is the dispatcher's to say.

use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dango_core::Timestamp;

use crate::limiter::Standing;

/// The time in which a whole bucket fills again.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);
const WINDOW_MICROS: i64 = 60_000_000;
/// How many senders are remembered at once. Beyond that those who have used least of their bucket begin with a full one.
const SENDERS: usize = 20_000;

/// Counts requests by sender: the generic cell rate algorithm (ITU-T I.371, Annex A), so that a sender is one number.
///
/// A bucket holds the requests of a whole minute, so a burst is welcome; after it they come back one by one.
pub(crate) struct RateLimiter<K> {
    quota: NonZeroU32,
    /// When each bucket will be full again, in microseconds. Who is not in here has a full one.
    full_at: Mutex<HashMap<K, i64>>,
}

impl<K: Copy + Eq + Hash> RateLimiter<K> {
    /// A limiter of so many requests a minute; none where there is no limit.
    pub(crate) fn new(quota: u32) -> Option<Self> {
        let quota = NonZeroU32::new(quota)?;
        Some(Self {
            quota,
            full_at: Mutex::default(),
        })
    }

    /// Takes a request out of a sender's bucket; answers what is left in it.
    ///
    /// # Errors
    ///
    /// Where the sender stands whose bucket has none: the time until there is one.
    pub(crate) fn charge(&self, sender: K, now: Timestamp) -> Result<Standing, Standing> {
        let now = now.unix_micros();
        let mut all = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= SENDERS && !all.contains_key(&sender) {
            make_room(&mut all, now);
        }
        let full_at = all.entry(sender).or_insert(now);
        // A bucket is never emptier than empty, wherever a clock that was set back has left it.
        let before = (*full_at).clamp(now, now.saturating_add(WINDOW_MICROS));
        let after = before.saturating_add(self.micros_each());
        if after.saturating_sub(now) > WINDOW_MICROS {
            *full_at = before;
            return Err(self.standing(0, after.saturating_sub(now) - WINDOW_MICROS));
        }
        *full_at = after;
        let used = after.saturating_sub(now);
        let left = u32::try_from((WINDOW_MICROS - used) / self.micros_each()).unwrap_or(u32::MAX);
        Ok(self.standing(left, used))
    }

    fn standing(&self, remaining: u32, reset: i64) -> Standing {
        Standing {
            quota: self.quota.get(),
            remaining,
            reset: Duration::from_micros(u64::try_from(reset).unwrap_or(0)),
        }
    }

    /// How long one request takes to come back.
    fn micros_each(&self) -> i64 {
        WINDOW_MICROS / i64::from(self.quota.get())
    }
}

/// Forgets full buckets, and where that is not enough the fuller half of the others: to look for room at each newcomer would be dear.
fn make_room<K: Eq + Hash>(all: &mut HashMap<K, i64>, now: i64) {
    all.retain(|_, full_at| *full_at > now);
    if all.len() > SENDERS / 2 {
        let mut times: Vec<i64> = all.values().copied().collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        let mut spare = SENDERS / 2;
        all.retain(|_, full_at| {
            // Where many are alike, half of them go, too.
            let stays = *full_at > median || (*full_at == median && spare > 0);
            spare = spare.saturating_sub(usize::from(stays && *full_at == median));
            stays
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_unix_micros(1_700_000_000_000_000 + micros)
    }

    fn limiter(quota: u32) -> RateLimiter<u64> {
        RateLimiter::new(quota).expect("a limit")
    }

    #[test]
    fn a_bucket_holds_a_minutes_requests_and_fills_again_evenly() {
        let limiter = limiter(60);
        for left in (0..60).rev() {
            let standing = limiter.charge(1, at(0)).expect("there is one left");
            assert_eq!((standing.quota, standing.remaining), (60, left));
        }
        let refused = limiter.charge(1, at(0)).expect_err("it is empty");
        assert_eq!((refused.remaining, refused.reset), (0, Duration::from_secs(1)));
        // To be refused costs nothing: who keeps asking is let in as soon as who waits.
        for _ in 0..1000 {
            assert!(limiter.charge(1, at(999_999)).is_err());
        }
        assert!(limiter.charge(1, at(1_000_000)).is_ok() && limiter.charge(1, at(1_000_000)).is_err());
        // Another has a bucket of their own.
        assert_eq!(limiter.charge(2, at(0)).expect("full").remaining, 59);
        // A minute later it is full, and never more than that.
        assert_eq!(limiter.charge(1, at(3_600_000_000)).expect("full").remaining, 59);
    }

    #[test]
    fn over_any_hour_nobody_gets_more_than_the_quota_of_each_minute_and_one_bucket() {
        for quota in [1, 7, 600, 1_000_000] {
            let limiter = limiter(quota);
            let mut let_in = 0_u64;
            for tenth in 0..36_000_i64 {
                for _ in 0..3 {
                    let_in += u64::from(limiter.charge(1, at(tenth * 100_000)).is_ok());
                }
            }
            let most = 60 * u64::from(quota) + u64::from(quota);
            assert!(let_in <= most.min(108_000), "{quota}: {let_in}");
            assert!(let_in >= (59 * u64::from(quota)).min(108_000), "{quota}: {let_in}");
        }
    }

    #[test]
    fn no_limit_is_no_limiter() {
        assert!(RateLimiter::<u64>::new(0).is_none());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out_for_longer_than_a_minute() {
        let limiter = limiter(1);
        assert!(limiter.charge(1, at(100_000_000_000)).is_ok());
        assert!(limiter.charge(1, at(0)).is_err());
        assert!(limiter.charge(1, at(60_000_000)).is_ok());
    }

    #[test]
    fn strangers_cannot_fill_the_memory_and_whoever_has_used_most_is_remembered() {
        let limiter = limiter(2);
        let spent = u64::MAX;
        assert!(limiter.charge(spent, at(0)).is_ok() && limiter.charge(spent, at(0)).is_ok());
        for number in 0..5 * SENDERS as u64 {
            assert!(limiter.charge(number, at(0)).is_ok(), "{number}");
        }
        assert!(limiter.full_at.lock().expect("whole").len() <= SENDERS);
        assert!(limiter.charge(spent, at(0)).is_err());
    }
}
