//! How often somebody may fail to prove who they are, from one address: the last minute is counted exactly, successes are not.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dango_core::{Clock, Timestamp};
use futures_channel::oneshot;

const WINDOW: Duration = Duration::from_secs(60);
const WINDOW_MICROS: i64 = 60_000_000;
/// How many addresses are remembered. Beyond that the one that has been quiet longest is forgotten.
const ADDRESSES: usize = 20_000;
/// How many tries of one address wait for others of it to end. The rest is sent away.
const WAITING: usize = 256;
/// How many wait in all. Who waits is a request in flight, and there has to be room for those who only read.
const WAITING_IN_ALL: usize = 512;

/// Counts failures by address. It is kept in memory: the budget of an account, which guards secrets, is in the database.
///
/// A try takes one of the places that are left before anything is looked at, so parallel ones cannot pass together; where all places
/// are taken by tries whose end is open, the next one waits for it, because a success must not be refused.
pub(crate) struct FailureLimiter {
    quota: u32,
    addresses: Mutex<HashMap<IpAddr, Tries>>,
    waiting: AtomicUsize,
}

impl std::fmt::Debug for Charge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Charge").field("ends", &self.ends).finish_non_exhaustive()
    }
}

/// A place, or the turn to get one.
enum Entered<'l> {
    Charged(Charge),
    Waits(oneshot::Receiver<Charge>, Waits<'l>),
}

/// Somebody who waits, until it is dropped.
struct Waits<'l>(&'l AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is known of one address.
#[derive(Default)]
struct Tries {
    /// When it failed, oldest first.
    failures: VecDeque<i64>,
    /// Tries whose end is open.
    open: usize,
    waiting: VecDeque<oneshot::Sender<Charge>>,
}

/// Where somebody stands, for the `RateLimit` header fields (draft-ietf-httpapi-ratelimit-headers-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) quota: u32,
    pub(crate) remaining: u32,
    /// Until there is more again: for failures until the oldest is a minute old, for requests until one is left or, where some are,
    /// until all are.
    pub(crate) reset: Duration,
}

/// Why a try was not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotCharged {
    /// The last minute holds too many failures.
    Spent(Standing),
    /// Too many tries of the address wait already.
    Crowded,
}

/// A try that takes a place. Dropped it is a failure, so that nobody tries for nothing by hanging up.
pub(crate) struct Charge {
    /// Nothing for a place that was never taken.
    limiter: Option<Arc<FailureLimiter>>,
    key: IpAddr,
    at: i64,
    ends: Ends,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Failed,
    /// Nothing failed, or nothing was tried.
    Free,
}

impl Charge {
    /// Gives the place back, because the try was none that failed.
    pub(crate) fn refund(mut self) {
        self.ends = Ends::Free;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if let Some(limiter) = self.limiter.take() {
            limiter.end(self);
        }
    }
}

impl FailureLimiter {
    pub(crate) fn new(quota: u32) -> Self {
        Self {
            quota,
            addresses: Mutex::default(),
            waiting: AtomicUsize::new(0),
        }
    }

    /// The window in which failures count.
    pub(crate) const fn window(&self) -> Duration {
        WINDOW
    }

    /// Takes a place for a try, as soon as there is one; refused where the last minute holds too many failures.
    pub(crate) async fn charge(self: &Arc<Self>, address: Option<IpAddr>, clock: &dyn Clock) -> Result<Charge, NotCharged> {
        let key = network(address);
        loop {
            let (turn, _waits) = match self.enter(key, clock.now())? {
                Entered::Charged(charge) => return Ok(charge),
                Entered::Waits(turn, waits) => (turn, waits),
            };
            // Without a place the wait is over because the failures have become too many.
            if let Ok(mut charge) = turn.await {
                charge.at = clock.now().unix_micros();
                charge.ends = Ends::Failed;
                return Ok(charge);
            }
        }
    }

    fn enter(self: &Arc<Self>, key: IpAddr, now: Timestamp) -> Result<Entered<'_>, NotCharged> {
        let at = now.unix_micros();
        let mut all = self.lock();
        if all.len() >= ADDRESSES && !all.contains_key(&key) {
            forget_quietest(&mut all, at);
        }
        let tries = all.entry(key).or_default();
        tries.drop_old(at);
        if tries.failures.len() >= self.quota as usize {
            return Err(NotCharged::Spent(tries.standing(self.quota, at)));
        }
        if tries.failures.len() + tries.open < self.quota as usize {
            tries.open += 1;
            return Ok(Entered::Charged(self.place(key, at, Ends::Failed)));
        }
        if tries.waiting.len() >= WAITING || self.waiting.load(Ordering::Relaxed) >= WAITING_IN_ALL {
            return Err(NotCharged::Crowded);
        }
        let (sender, turn) = oneshot::channel();
        tries.waiting.push_back(sender);
        // Only those who hold the lock add to it, so it is never exceeded.
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Ok(Entered::Waits(turn, Waits(&self.waiting)))
    }

    /// Where an address stands now.
    pub(crate) fn standing(&self, address: Option<IpAddr>, now: Timestamp) -> Standing {
        let at = now.unix_micros();
        match self.lock().get_mut(&network(address)) {
            Some(tries) => {
                tries.drop_old(at);
                tries.standing(self.quota, at)
            }
            None => Tries::default().standing(self.quota, at),
        }
    }

    /// What becomes of a place whose try has ended: whoever waits longest gets it, if one is left.
    fn end(self: &Arc<Self>, charge: &Charge) {
        let mut gone = VecDeque::new();
        let mut all = self.lock();
        let Some(tries) = all.get_mut(&charge.key) else { return };
        tries.open = tries.open.saturating_sub(1);
        if charge.ends == Ends::Failed {
            tries.failures.push_back(charge.at);
        }
        if tries.failures.len() >= self.quota as usize {
            gone = std::mem::take(&mut tries.waiting);
        }
        while tries.failures.len() + tries.open < self.quota as usize {
            let Some(next) = tries.waiting.pop_front() else { break };
            // Until its owner has it nothing is tried. One whose owner has hung up goes to the next.
            match next.send(self.place(charge.key, charge.at, Ends::Free)) {
                Ok(()) => tries.open += 1,
                Err(mut place) => place.limiter = None,
            }
        }
        if tries.open == 0 && tries.failures.is_empty() {
            all.remove(&charge.key);
        }
        drop(all);
        drop(gone);
    }

    fn place(self: &Arc<Self>, key: IpAddr, at: i64, ends: Ends) -> Charge {
        Charge {
            limiter: Some(Arc::clone(self)),
            key,
            at,
            ends,
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, Tries>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tries {
    fn standing(&self, quota: u32, now: i64) -> Standing {
        let used = u32::try_from(self.failures.len()).unwrap_or(u32::MAX);
        let oldest = self.failures.front();
        let left = oldest.map_or(0, |oldest| (oldest + WINDOW_MICROS).saturating_sub(now));
        Standing {
            quota,
            remaining: quota.saturating_sub(used),
            reset: Duration::from_micros(u64::try_from(left).unwrap_or(0)),
        }
    }

    /// What is older than the window, and what a clock that was set back has put into the future.
    fn drop_old(&mut self, now: i64) {
        while self.failures.front().is_some_and(|at| now.saturating_sub(*at) >= WINDOW_MICROS) {
            self.failures.pop_front();
        }
        for at in self.failures.iter_mut().filter(|at| **at > now) {
            *at = now;
        }
    }
}

fn forget_quietest(all: &mut HashMap<IpAddr, Tries>, now: i64) {
    all.retain(|_, tries| {
        tries.drop_old(now);
        tries.open > 0 || !tries.failures.is_empty()
    });
    if all.len() >= ADDRESSES {
        let quiet = all.iter().filter(|(_, tries)| tries.open == 0);
        let quietest = quiet.min_by_key(|(_, tries)| tries.failures.back().copied()).map(|(key, _)| *key);
        if let Some(quietest) = quietest {
            all.remove(&quietest);
        }
    }
}

/// Whom an address stands for: whoever has one IPv6 address has the other 2⁶⁴ of its network, too.
pub(crate) fn network(address: Option<IpAddr>) -> IpAddr {
    match address {
        Some(IpAddr::V6(address)) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        Some(address) => address,
        None => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicI64;

    use futures_util::FutureExt;

    use super::*;

    struct Standstill(AtomicI64);

    impl Clock for Standstill {
        fn now(&self) -> Timestamp {
            Timestamp::from_unix_micros(1_700_000_000_000_000 + self.0.load(Ordering::SeqCst) * 1_000_000)
        }

        fn local_offset_seconds(&self, _: Timestamp) -> i32 {
            0
        }
    }

    fn at(seconds: i64) -> Standstill {
        Standstill(AtomicI64::new(seconds))
    }

    fn limiter(quota: u32) -> Arc<FailureLimiter> {
        Arc::new(FailureLimiter::new(quota))
    }

    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    /// A try that fails at once; whether it was let through.
    fn fails(limiter: &Arc<FailureLimiter>, from: Option<IpAddr>, seconds: i64) -> bool {
        let charged = limiter.charge(from, &at(seconds)).now_or_never();
        charged.expect("nothing is open").map(drop).is_ok()
    }

    #[test]
    fn sixty_failures_in_any_minute_and_not_one_more() {
        let limiter = limiter(60);
        for second in 0..60 {
            assert!(fails(&limiter, address("192.0.2.1"), second), "{second}");
        }
        let refused = limiter.charge(address("192.0.2.1"), &at(59)).now_or_never().expect("at once").err();
        let reset = Duration::from_secs(1);
        let standing = Standing {
            quota: 60,
            remaining: 0,
            reset,
        };
        assert_eq!(refused, Some(NotCharged::Spent(standing)));
        // Another address is another matter; a second later one failure is a minute old.
        assert!(fails(&limiter, address("192.0.2.2"), 59));
        assert!(fails(&limiter, address("192.0.2.1"), 60));
        assert!(!fails(&limiter, address("192.0.2.1"), 60));
    }

    #[test]
    fn a_success_costs_nothing() {
        let limiter = limiter(1);
        for _ in 0..100 {
            let charge = limiter.charge(address("192.0.2.1"), &at(0)).now_or_never().expect("at once");
            charge.expect("no failure yet").refund();
        }
        assert_eq!(limiter.standing(address("192.0.2.1"), at(0).now()).remaining, 1);
        assert!(limiter.lock().is_empty());
    }

    #[test]
    fn parallel_tries_wait_for_each_other_and_only_failures_refuse_them() {
        let (limiter, clock) = (limiter(2), at(0));
        let charge = || limiter.charge(address("192.0.2.1"), &clock);
        let one = charge().now_or_never().expect("at once").expect("a place");
        let two = charge().now_or_never().expect("at once").expect("a place");
        let (mut third, mut fourth, mut gone) = (Box::pin(charge()), Box::pin(charge()), Box::pin(charge()));
        assert!((&mut gone).now_or_never().is_none() && (&mut third).now_or_never().is_none());
        assert!((&mut fourth).now_or_never().is_none());
        // Whoever hung up while waiting keeps nobody else from the place, before it is theirs and after.
        drop(gone);
        one.refund();
        let third = (&mut third).now_or_never().expect("the place of the first").expect("a place");
        assert!((&mut fourth).now_or_never().is_none());
        third.refund();
        drop(fourth);
        let fifth = charge().now_or_never().expect("at once").expect("a place");
        let mut sixth = Box::pin(charge());
        assert!((&mut sixth).now_or_never().is_none());
        drop((two, fifth));
        let refused = (&mut sixth).now_or_never().expect("no place will ever come").err();
        assert!(matches!(refused, Some(NotCharged::Spent(_))));
    }

    #[test]
    fn few_wait_and_the_rest_is_sent_away() {
        let (limiter, clock) = (limiter(1), at(0));
        let charge = || limiter.charge(address("192.0.2.1"), &clock);
        let open = charge().now_or_never().expect("at once").expect("a place");
        let mut waiting: Vec<_> = (0..WAITING).map(|_| Box::pin(charge())).collect();
        assert!(waiting.iter_mut().all(|turn| turn.now_or_never().is_none()));
        assert_eq!(charge().now_or_never().expect("at once").err(), Some(NotCharged::Crowded));
        drop(open);
        for turn in waiting {
            assert!(matches!(turn.now_or_never().expect("refused").err(), Some(NotCharged::Spent(_))));
        }
    }

    #[test]
    fn those_who_wait_take_no_more_than_their_share_of_all_requests() {
        let (limiter, clock) = (limiter(1), at(0));
        let from = |number: usize| limiter.charge(address(&format!("192.0.2.{number}")), &clock);
        let open: Vec<_> = (0..4).filter_map(|number| from(number).now_or_never()?.ok()).collect();
        let mut waiting: Vec<_> = (0..WAITING_IN_ALL).map(|number| Box::pin(from(number % 4))).collect();
        assert!(waiting.iter_mut().all(|turn| turn.now_or_never().is_none()));
        assert_eq!(from(3).now_or_never().expect("at once").err(), Some(NotCharged::Crowded));
        assert!(matches!(from(5).now_or_never(), Some(Ok(_))), "who need not wait is let in");
        waiting.pop();
        assert!(from(3).now_or_never().is_none(), "who has gone away has left a place");
        drop(open);
        drop(waiting);
        assert_eq!(limiter.waiting.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn addresses_of_one_64_count_as_one() {
        let limiter = limiter(2);
        assert!(fails(&limiter, address("2001:db8::1"), 0));
        assert!(fails(&limiter, address("2001:db8::ffff:1"), 0));
        assert!(!fails(&limiter, address("2001:db8::2"), 0));
        assert!(fails(&limiter, address("2001:db8:0:1::2"), 0));
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out_for_longer_than_a_minute() {
        let limiter = limiter(1);
        assert!(fails(&limiter, address("192.0.2.1"), 100_000));
        assert!(!fails(&limiter, address("192.0.2.1"), 0));
        assert!(fails(&limiter, address("192.0.2.1"), 60));
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let limiter = limiter(2);
        for number in 0..(u32::try_from(ADDRESSES).unwrap_or(0) + 50) {
            let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(number));
            assert!(fails(&limiter, Some(address), 0));
        }
        assert!(limiter.lock().len() <= ADDRESSES);
    }
}
