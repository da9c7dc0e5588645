//! How many passwords are hashed at once: as many as there are permits, a few waiting, the rest sent away.

use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Lets as many callers hash at once as there are permits, and as many wait as the queue holds.
///
/// Each hash takes 19 MiB and a core for some 20 ms; without a gate a burst of logins takes the machine's memory. It
/// blocks the thread, so an asynchronous program enters it on a thread that may block.
#[derive(Debug)]
pub struct HashingGate {
    permits: usize,
    queue: usize,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    hashing: usize,
    waiting: usize,
}

impl HashingGate {
    /// A gate with so many permits (the number of cores is right) and a queue of so many places.
    pub fn new(permits: NonZeroUsize, queue: usize) -> Self {
        Self {
            permits: permits.get(),
            queue,
            state: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    /// Runs the work as soon as a permit is free.
    ///
    /// # Errors
    ///
    /// [`Busy`] at once where the queue is full.
    pub fn enter<T>(&self, work: impl FnOnce() -> T) -> Result<T, Busy> {
        let mut state = self.lock();
        if state.hashing >= self.permits {
            if state.waiting >= self.queue {
                return Err(Busy);
            }
            state.waiting += 1;
            while state.hashing >= self.permits {
                state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.waiting -= 1;
        }
        state.hashing += 1;
        drop(state);
        let _leave = Leave(self);
        Ok(work())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the counters are held, and they are whole between any two instructions.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the permit back, also where the work panics.
struct Leave<'gate>(&'gate HashingGate);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.lock().hashing -= 1;
        self.0.freed.notify_one();
    }
}

/// Too many passwords are being hashed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many logins at once")]
pub struct Busy;

impl Busy {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        "busy"
    }

    /// When to try again: a queue empties within a second.
    pub const fn retry_after(self) -> Duration {
        Duration::from_secs(1)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    fn gate(permits: usize, queue: usize) -> HashingGate {
        HashingGate::new(NonZeroUsize::new(permits).expect("not zero"), queue)
    }

    #[test]
    fn never_more_than_the_permits_are_inside_and_everybody_in_the_queue_gets_in() {
        let gate = gate(3, 100);
        let (inside, most, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let start = Barrier::new(50);
        std::thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| {
                    start.wait();
                    for _ in 0..20 {
                        gate.enter(|| {
                            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                            std::thread::yield_now();
                            inside.fetch_sub(1, Ordering::SeqCst);
                        })
                        .expect("a place in the queue");
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 3);
        assert_eq!(done.load(Ordering::SeqCst), 1000);
    }

    #[test]
    fn beyond_the_queue_the_answer_is_busy_at_once() {
        let gate = gate(1, 0);
        let (entered, is_inside) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let door = &gate;
        std::thread::scope(|scope| {
            scope.spawn(move || {
                door.enter(|| {
                    entered.send(()).expect("heard");
                    released.recv().expect("released");
                })
            });
            is_inside.recv().expect("inside");
            assert_eq!(gate.enter(|| ()), Err(Busy));
            release.send(()).expect("heard");
        });
        assert_eq!(gate.enter(|| 7), Ok(7));
    }

    #[test]
    fn a_panic_gives_the_permit_back() {
        let gate = gate(1, 0);
        assert!(catch_unwind(AssertUnwindSafe(|| gate.enter(|| panic!("inside")))).is_err());
        assert_eq!(gate.enter(|| 7), Ok(7));
    }
}
