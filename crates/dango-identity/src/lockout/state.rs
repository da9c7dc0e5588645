//! The state machine of one budget: `Open(n) → … → Locked(until, level) → Open(0, level)`, a hard stop, decay. Pure.

use std::time::Duration;

use dango_core::Timestamp;

use super::{Lock, LockoutPolicy};
use crate::instant::{after, elapsed};

/// One budget of tries. Every field is stored; a key without a row has the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttemptState {
    /// Tries of the present window that have not turned out right.
    pub failures: u32,
    /// All such tries since the last login.
    pub total: u32,
    /// How many locks there were; it picks the length of the next.
    pub level: u32,
    /// Which window this is: a lock that runs out and a decay begin the next, a refund counts only in its own.
    pub window: u64,
    /// When the present lock ends, if there is one.
    pub locked_until: Option<Timestamp>,
    /// When the last try was charged.
    pub last: Option<Timestamp>,
}

/// Whether a try may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Charge {
    /// It may; it is already counted as a failure. The number is that of its window, for the refund.
    Granted {
        /// See [`AttemptState::window`].
        window: u64,
    },
    /// It may not, and is not counted.
    Refused(Lock),
}

impl AttemptState {
    /// What locks this budget at a point in time.
    pub fn lock(&self, policy: &LockoutPolicy, now: Timestamp) -> Option<Lock> {
        if self.total >= policy.stop {
            return Some(Lock::Stopped);
        }
        self.locked_until.filter(|end| now < *end).map(Lock::Until)
    }

    /// Counts a try before it is made, or refuses it.
    ///
    /// Counting first is what makes parallel guesses no cheaper than guesses in a row: a try that is under way has
    /// already been paid for.
    pub fn charge(&mut self, policy: &LockoutPolicy, now: Timestamp) -> Charge {
        self.settle_time(policy, now);
        if let Some(lock) = self.lock(policy, now) {
            return Charge::Refused(lock);
        }
        self.failures = self.failures.saturating_add(1);
        self.total = self.total.saturating_add(1);
        // A clock that was set back does not make a window younger than it is.
        self.last = self.last.max(Some(now));
        if self.failures >= policy.failures {
            self.locked_until = Some(after(now, policy.lock(self.level)));
            self.level = self.level.saturating_add(1);
        }
        Charge::Granted { window: self.window }
    }

    /// Takes a charge back: the try was right. Failures before it stay, and so does a window that has ended since.
    pub fn refund(&mut self, policy: &LockoutPolicy, window: u64) {
        self.total = self.total.saturating_sub(1);
        if self.window != window || self.failures == 0 {
            return;
        }
        if self.failures >= policy.failures {
            // It was this try, or one beside it, that had locked the budget; now there is room for one.
            self.locked_until = None;
            self.level = self.level.saturating_sub(1);
        }
        self.failures -= 1;
    }

    /// Whether the row may be dropped. One that counts failures is kept for a month, so that a patient guesser meets the
    /// hard stop, too; a stopped one is kept until somebody has looked.
    pub fn is_spent(&self, policy: &LockoutPolicy, now: Timestamp) -> bool {
        let quiet = if self.total == 0 { policy.quiet } else { policy.memory };
        self.total < policy.stop && self.is_quiet_for(quiet, now)
    }

    fn settle_time(&mut self, policy: &LockoutPolicy, now: Timestamp) {
        if self.is_quiet_for(policy.quiet, now) {
            let total = self.total;
            *self = Self {
                total,
                window: self.window.saturating_add(1),
                ..Self::default()
            };
        } else if self.locked_until.is_some_and(|end| now >= end) {
            self.failures = 0;
            self.locked_until = None;
            self.window = self.window.saturating_add(1);
        }
    }

    /// Nothing was tried for a while, counted from the end of the last lock.
    fn is_quiet_for(&self, span: Duration, now: Timestamp) -> bool {
        let since = self.last.max(self.locked_until);
        since.is_some_and(|since| elapsed(since, now) >= span)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: u64 = 60;
    const DAY: u64 = 24 * 60 * MINUTE;

    fn at(seconds: u64) -> Timestamp {
        after(Timestamp::from_unix_micros(1_700_000_000_000_000), Duration::from_secs(seconds))
    }

    fn granted(state: &mut AttemptState, seconds: u64) -> bool {
        matches!(state.charge(&LockoutPolicy::default(), at(seconds)), Charge::Granted { .. })
    }

    fn fail(state: &mut AttemptState, times: u32, seconds: u64) {
        for _ in 0..times {
            assert!(granted(state, seconds));
        }
    }

    #[test]
    fn five_failures_lock_for_fifteen_minutes_to_the_second() {
        let mut state = AttemptState::default();
        fail(&mut state, 5, 0);
        let refused = state.charge(&LockoutPolicy::default(), at(1));
        assert_eq!(refused, Charge::Refused(Lock::Until(at(15 * MINUTE))));
        assert_eq!(Lock::Until(at(15 * MINUTE)).retry_after(at(1)), Duration::from_secs(899));
        assert!(!granted(&mut state, 15 * MINUTE - 1));
        assert!(granted(&mut state, 15 * MINUTE));
    }

    #[test]
    fn a_refused_try_costs_nothing_and_prolongs_nothing() {
        let mut state = AttemptState::default();
        fail(&mut state, 5, 0);
        let before = state;
        for second in 0..15 * MINUTE {
            assert!(!granted(&mut state, second));
        }
        assert_eq!(state, before);
    }

    #[test]
    fn locks_grow_longer_and_shrink_back_after_a_quiet_day() {
        let mut state = AttemptState::default();
        let mut now = 0;
        for minutes in [15, 60, 240, 1440, 1440] {
            fail(&mut state, 5, now);
            assert_eq!(
                state.lock(&LockoutPolicy::default(), at(now)),
                Some(Lock::Until(at(now + minutes * MINUTE))),
                "{minutes}"
            );
            now += minutes * MINUTE;
        }
        now += DAY;
        fail(&mut state, 5, now);
        assert_eq!(state.locked_until, Some(at(now + 15 * MINUTE)));
        assert_eq!(state.total, 30);
    }

    #[test]
    fn four_failures_are_forgotten_after_a_quiet_day_but_not_before() {
        let mut state = AttemptState::default();
        fail(&mut state, 4, 0);
        let mut later = state;
        fail(&mut state, 1, DAY - 1);
        assert!(!granted(&mut state, DAY - 1));
        fail(&mut later, 4, DAY);
        assert!(granted(&mut later, DAY));
    }

    #[test]
    fn the_hundredth_failure_in_a_row_is_the_last_whatever_the_time() {
        let mut state = AttemptState::default();
        let mut tries = 0;
        for week in 0..1000 {
            if granted(&mut state, week * 7 * DAY) {
                tries += 1;
            }
        }
        assert_eq!(tries, 100);
        assert_eq!(state.lock(&LockoutPolicy::default(), at(u64::from(u32::MAX))), Some(Lock::Stopped));
        assert!(!state.is_spent(&LockoutPolicy::default(), at(u64::from(u32::MAX))));
    }

    #[test]
    fn a_row_is_dropped_when_nothing_in_it_matters_any_more() {
        let policy = LockoutPolicy::default();
        let mut state = AttemptState::default();
        fail(&mut state, 1, 0);
        assert!(!state.is_spent(&policy, at(29 * DAY)) && state.is_spent(&policy, at(30 * DAY)));
        state.refund(&policy, 0);
        assert!(!state.is_spent(&policy, at(DAY - 1)) && state.is_spent(&policy, at(DAY)));
    }

    #[test]
    fn a_right_try_takes_back_its_own_charge_and_no_other() {
        let policy = LockoutPolicy::default();
        let mut state = AttemptState::default();
        fail(&mut state, 4, 0);
        let Charge::Granted { window } = state.charge(&policy, at(1)) else {
            panic!("granted")
        };
        assert!(state.lock(&policy, at(2)).is_some(), "no sixth try beside a fifth");
        state.refund(&policy, window);
        assert_eq!((state.failures, state.total, state.level, state.locked_until), (4, 4, 0, None));
        assert!(granted(&mut state, 3));
        assert!(!granted(&mut state, 3));
        assert_eq!(state.locked_until, Some(at(3 + 15 * MINUTE)));
    }

    #[test]
    fn a_refund_that_comes_after_its_window_does_not_open_the_next_one() {
        let policy = LockoutPolicy::default();
        let mut state = AttemptState::default();
        let Charge::Granted { window } = state.charge(&policy, at(0)) else {
            panic!("granted")
        };
        fail(&mut state, 4, 0);
        fail(&mut state, 5, 15 * MINUTE);
        let locked = state.locked_until;
        state.refund(&policy, window);
        assert_eq!((state.failures, state.locked_until), (5, locked));
    }

    #[test]
    fn a_right_password_before_every_wrong_code_does_not_reset_anything() {
        let policy = LockoutPolicy::default();
        let mut state = AttemptState::default();
        let mut codes = 0;
        while let Charge::Granted { window } = state.charge(&policy, at(0)) {
            state.refund(&policy, window);
            if !granted(&mut state, 0) {
                break;
            }
            codes += 1;
        }
        assert_eq!(codes, 5);
    }

    #[test]
    fn a_clock_that_is_set_back_unlocks_nothing() {
        let mut state = AttemptState::default();
        fail(&mut state, 5, 10 * MINUTE);
        assert!(!granted(&mut state, 0));
        assert!(!granted(&mut state, 24 * MINUTE));
        assert!(granted(&mut state, 25 * MINUTE));
    }

    proptest! {
        /// Whatever the order and the times: in any 15 minutes at most five tries that were wrong, in all at most 100.
        #[test]
        fn wrong_tries_never_exceed_the_budget(steps in prop::collection::vec((0_u64..2000, any::<bool>()), 1..400)) {
            let policy = LockoutPolicy::default();
            let mut state = AttemptState::default();
            let (mut now, mut wrong) = (0, Vec::new());
            for (wait, right) in steps {
                now += wait;
                if let Charge::Granted { window } = state.charge(&policy, at(now)) {
                    if right {
                        state.refund(&policy, window);
                    } else {
                        wrong.push(now);
                    }
                }
            }
            prop_assert!(wrong.len() <= 100);
            for six in wrong.windows(6) {
                prop_assert!(six[5] - six[4] >= 15 * MINUTE || six.windows(2).any(|pair| pair[1] - pair[0] >= 15 * MINUTE), "{:?}", six);
            }
        }
    }
}
