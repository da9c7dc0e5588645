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
mod tests;
