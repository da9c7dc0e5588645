//! What a connection is doing, shared between the bytes that come in, the requests that are answered, and the clock that ends it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::head::{BadHead, Framing};
use crate::limits::Limits;

/// What was found out about the next request of a connection before hyper read it.
pub(super) type Verdict = Result<Framing, BadHead>;

/// One connection's state. Times are milliseconds since it began, plus one; 0 is none.
pub(super) struct Talk {
    begun: Instant,
    /// Requests whose answers are not wholly taken yet.
    active: AtomicU32,
    /// When a request last began or ended.
    moved: AtomicU64,
    /// When the first byte of a head came that is not whole yet; a connection begins with one.
    head: AtomicU64,
    verdicts: Mutex<VecDeque<Verdict>>,
}

impl Talk {
    pub(super) fn begin() -> Arc<Self> {
        Arc::new(Self {
            begun: Instant::now(),
            active: AtomicU32::new(0),
            moved: AtomicU64::new(1),
            head: AtomicU64::new(1),
            verdicts: Mutex::default(),
        })
    }

    /// Bytes of a head have come.
    pub(super) fn head_goes_on(&self) {
        if self.head.load(Ordering::Relaxed) == 0 {
            self.head.store(self.now(), Ordering::Relaxed);
        }
    }

    /// A head is whole.
    pub(super) fn head_is_whole(&self, verdict: Verdict) {
        self.head.store(0, Ordering::Relaxed);
        self.verdicts().push_back(verdict);
    }

    /// What was found out about the request that is answered next.
    pub(super) fn next_verdict(&self) -> Option<Verdict> {
        self.verdicts().pop_front()
    }

    /// A request begins; it ends when what is answered is dropped.
    pub(super) fn begin_request(self: &Arc<Self>) -> Exchange {
        self.head.store(0, Ordering::Relaxed);
        self.active.fetch_add(1, Ordering::Relaxed);
        self.moved.store(self.now(), Ordering::Relaxed);
        Exchange(Arc::clone(self))
    }

    /// When it has to be looked at again, and whether the connection has had its time already.
    pub(super) fn patience(&self, limits: &Limits) -> Patience {
        let now = self.now();
        let (head, moved) = (self.head.load(Ordering::Relaxed), self.moved.load(Ordering::Relaxed));
        let (since, limit) = match (self.active.load(Ordering::Relaxed), head) {
            (0, 0) => (moved, limits.idle),
            (0, head) => (head, limits.header),
            _ => (moved, limits.exchange),
        };
        let gone = Duration::from_millis(now.saturating_sub(since));
        match limit.checked_sub(gone) {
            Some(left) if !left.is_zero() => Patience::Left(left),
            _ => Patience::None,
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    fn verdicts(&self) -> std::sync::MutexGuard<'_, VecDeque<Verdict>> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How much longer a connection is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    Left(Duration),
    None,
}

/// A request that is being answered.
pub(super) struct Exchange(Arc<Talk>);

impl Drop for Exchange {
    fn drop(&mut self) {
        self.0.moved.store(self.0.now(), Ordering::Relaxed);
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(talk: &Talk) -> Duration {
        let limits = Limits {
            header: Duration::from_secs(1000),
            idle: Duration::from_secs(2000),
            exchange: Duration::from_secs(3000),
            ..Limits::default()
        };
        match talk.patience(&limits) {
            Patience::Left(left) => left,
            Patience::None => Duration::ZERO,
        }
    }

    #[test]
    fn heads_requests_and_silence_have_times_of_their_own() {
        let talk = Talk::begin();
        let is_about = |seconds: u64| left(&talk).as_secs().abs_diff(seconds) <= 60;
        assert!(is_about(1000), "the first head is waited for at once");
        talk.head_is_whole(Ok(Framing::Length(0)));
        let (one, two) = (talk.begin_request(), talk.begin_request());
        assert!(is_about(3000));
        drop(one);
        assert!(is_about(3000));
        drop(two);
        assert!(is_about(2000));
        talk.head_goes_on();
        assert!(is_about(1000));
        let none = Limits {
            header: Duration::ZERO,
            ..Limits::default()
        };
        assert_eq!(talk.patience(&none), Patience::None);
    }
}
