//! How often somebody may fail to prove who they are, from one address: the last minute is counted exactly, successes are not.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dango_core::Timestamp;

const WINDOW: Duration = Duration::from_secs(60);
const WINDOW_MICROS: i64 = 60_000_000;
/// How many addresses are remembered. Beyond that the one that has been quiet longest is forgotten.
const ADDRESSES: usize = 20_000;

/// Counts failures by address. It is kept in memory: the budget of an account, which guards secrets, is in the database.
pub(crate) struct FailureLimiter {
    quota: u32,
    failures: Mutex<HashMap<IpAddr, VecDeque<i64>>>,
}

/// Where somebody stands, for the `RateLimit` header fields (draft-ietf-httpapi-ratelimit-headers-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) quota: u32,
    pub(crate) remaining: u32,
    /// Until the oldest failure is a minute old.
    pub(crate) reset: Duration,
}

/// A try that was charged before anything was looked at, so that parallel ones cannot pass together.
pub(crate) struct Charge {
    key: IpAddr,
    at: i64,
}

impl FailureLimiter {
    pub(crate) fn new(quota: u32) -> Self {
        Self {
            quota,
            failures: Mutex::default(),
        }
    }

    /// The window in which failures count.
    pub(crate) const fn window(&self) -> Duration {
        WINDOW
    }

    /// Charges a try; refused where the last minute holds too many.
    pub(crate) fn charge(&self, address: Option<IpAddr>, now: Timestamp) -> Result<Charge, Standing> {
        let (key, at) = (network(address), now.unix_micros());
        let mut all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= ADDRESSES && !all.contains_key(&key) {
            forget_quietest(&mut all, at);
        }
        let tries = all.entry(key).or_default();
        drop_old(tries, at);
        if tries.len() >= self.quota as usize {
            return Err(standing(self.quota, tries, at));
        }
        tries.push_back(at);
        Ok(Charge { key, at })
    }

    /// Takes a charge back, because the try was none that failed.
    pub(crate) fn refund(&self, charge: &Charge) {
        let mut all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tries) = all.get_mut(&charge.key) {
            if let Some(place) = tries.iter().rposition(|at| *at == charge.at) {
                tries.remove(place);
            }
            if tries.is_empty() {
                all.remove(&charge.key);
            }
        }
    }

    /// Where an address stands now.
    pub(crate) fn standing(&self, address: Option<IpAddr>, now: Timestamp) -> Standing {
        let mut all = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(&network(address)) {
            Some(tries) => {
                drop_old(tries, now.unix_micros());
                standing(self.quota, tries, now.unix_micros())
            }
            None => standing(self.quota, &VecDeque::new(), now.unix_micros()),
        }
    }
}

fn standing(quota: u32, tries: &VecDeque<i64>, now: i64) -> Standing {
    let used = u32::try_from(tries.len()).unwrap_or(u32::MAX);
    let left = tries.front().map_or(0, |oldest| (oldest + WINDOW_MICROS).saturating_sub(now));
    Standing {
        quota,
        remaining: quota.saturating_sub(used),
        reset: Duration::from_micros(u64::try_from(left).unwrap_or(0)),
    }
}

/// What is older than the window, and what a clock that was set back has put into the future.
fn drop_old(tries: &mut VecDeque<i64>, now: i64) {
    while tries.front().is_some_and(|at| now.saturating_sub(*at) >= WINDOW_MICROS) {
        tries.pop_front();
    }
    for at in tries.iter_mut().filter(|at| **at > now) {
        *at = now;
    }
}

fn forget_quietest(all: &mut HashMap<IpAddr, VecDeque<i64>>, now: i64) {
    all.retain(|_, tries| {
        drop_old(tries, now);
        !tries.is_empty()
    });
    if all.len() >= ADDRESSES {
        let quietest = all.iter().min_by_key(|(_, tries)| tries.back().copied()).map(|(key, _)| *key);
        if let Some(quietest) = quietest {
            all.remove(&quietest);
        }
    }
}

/// Whoever has one IPv6 address has the other 2⁶⁴ of its network, too.
fn network(address: Option<IpAddr>) -> IpAddr {
    match address {
        Some(IpAddr::V6(address)) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        Some(address) => address,
        None => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(1_700_000_000_000_000 + seconds * 1_000_000)
    }

    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn sixty_failures_in_any_minute_and_not_one_more() {
        let limiter = FailureLimiter::new(60);
        for second in 0..60 {
            assert!(limiter.charge(address("192.0.2.1"), at(second)).is_ok(), "{second}");
        }
        let refused = limiter.charge(address("192.0.2.1"), at(59)).err();
        assert_eq!(
            refused.map(|standing| (standing.remaining, standing.reset)),
            Some((0, Duration::from_secs(1)))
        );
        // Another address is another matter; a second later one failure is a minute old.
        assert!(limiter.charge(address("192.0.2.2"), at(59)).is_ok());
        assert!(limiter.charge(address("192.0.2.1"), at(60)).is_ok());
        assert!(limiter.charge(address("192.0.2.1"), at(60)).is_err());
    }

    #[test]
    fn a_success_costs_nothing() {
        let limiter = FailureLimiter::new(1);
        for _ in 0..100 {
            let Ok(charge) = limiter.charge(address("192.0.2.1"), at(0)) else {
                panic!("no room")
            };
            limiter.refund(&charge);
        }
        assert_eq!(limiter.standing(address("192.0.2.1"), at(0)).remaining, 1);
    }

    #[test]
    fn addresses_of_one_64_count_as_one() {
        let limiter = FailureLimiter::new(2);
        assert!(limiter.charge(address("2001:db8::1"), at(0)).is_ok());
        assert!(limiter.charge(address("2001:db8::ffff:1"), at(0)).is_ok());
        assert!(limiter.charge(address("2001:db8::2"), at(0)).is_err());
        assert!(limiter.charge(address("2001:db8:0:1::2"), at(0)).is_ok());
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out_for_longer_than_a_minute() {
        let limiter = FailureLimiter::new(1);
        assert!(limiter.charge(address("192.0.2.1"), at(100_000)).is_ok());
        assert!(limiter.charge(address("192.0.2.1"), at(0)).is_err());
        assert!(limiter.charge(address("192.0.2.1"), at(60)).is_ok());
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let limiter = FailureLimiter::new(2);
        for number in 0..(u32::try_from(ADDRESSES).unwrap_or(0) + 50) {
            let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(number));
            assert!(limiter.charge(Some(address), at(0)).is_ok());
        }
        assert!(limiter.failures.lock().expect("not poisoned").len() <= ADDRESSES);
    }
}
