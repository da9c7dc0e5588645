//! How many tries of one account are open at once: those beyond its budget wait for one to end, instead of being taken for failures.
//!
//! A try counts as a failure from before the password is looked at until it turns out to be right. So more right logins at once than
//! failures are allowed would lock the account, if they did not wait here. It is about one process: the budget itself is in the
//! database, and nothing here ever lets a try pass that is not charged there. For tries at other servers a login waits in `charging`.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use futures_channel::oneshot;

/// How many wait for one account; the rest is sent away.
const WAITING: usize = 256;

/// The tries that are open, by account.
pub(crate) struct Turns {
    /// How many of one account are open at once: as many as may fail.
    at_once: usize,
    accounts: Mutex<HashMap<String, Account>>,
}

#[derive(Default)]
struct Account {
    open: usize,
    /// Those who are open and wait for another to end.
    stalled: Vec<oneshot::Sender<()>>,
    waiting: VecDeque<oneshot::Sender<()>>,
}

/// Too many wait for the same account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Crowded;

/// A try that is open, until it is dropped.
pub(crate) struct Turn<'t> {
    turns: &'t Turns,
    account: String,
}

impl Turns {
    pub(crate) fn new(at_once: u32) -> Self {
        Self {
            at_once: usize::try_from(at_once).unwrap_or(usize::MAX).max(1),
            accounts: Mutex::default(),
        }
    }

    /// Opens a try of an account, once there is room for it.
    pub(crate) async fn take(&self, account: String) -> Result<Turn<'_>, Crowded> {
        let waits = self.with(&account, |state| {
            if state.open < self.at_once {
                state.open += 1;
                return Ok(None);
            }
            // Whoever has gone away waits no more.
            state.waiting.retain(|waiting| !waiting.is_canceled());
            if state.waiting.len() >= WAITING {
                return Err(Crowded);
            }
            let (called, call) = oneshot::channel();
            state.waiting.push_back(called);
            Ok(Some(call))
        })?;
        if let Some(call) = waits {
            let mut waiter = Waiter {
                turns: self,
                account: &account,
                call: Some(call),
            };
            waiter.wait().await;
        }
        Ok(Turn { turns: self, account })
    }

    fn with<T>(&self, account: &str, change: impl FnOnce(&mut Account) -> T) -> T {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let state = accounts.entry(account.to_owned()).or_default();
        let changed = change(state);
        if state.open == 0 && state.waiting.is_empty() {
            accounts.remove(account);
        }
        changed
    }

    /// Ends a try: whoever has waited longest takes its place, and those who wait for an end look again.
    fn end(&self, account: &str) {
        self.with(account, |state| {
            let next = loop {
                match state.waiting.pop_front() {
                    // One who has gone away takes no place.
                    Some(waiting) if waiting.is_canceled() => {}
                    found => break found,
                }
            };
            // The place is the next one's from here on; one who goes away just now gives it back.
            match next.map(|next| next.send(())) {
                Some(Ok(())) => {}
                Some(Err(())) | None => state.open -= 1,
            }
            for stalled in state.stalled.drain(..) {
                // Who no longer waits has nothing to look for.
                let _ = stalled.send(());
            }
        });
    }
}

impl Turn<'_> {
    /// Whether there is another try of the account whose end would be worth waiting for.
    pub(crate) fn has_another(&self) -> bool {
        self.turns.with(&self.account, |state| {
            state.stalled.retain(|stalled| !stalled.is_canceled());
            state.open > state.stalled.len() + 1
        })
    }

    /// Waits until another try of the account has ended; answers false at once where there is none that could.
    pub(crate) async fn wait_for_another(&self) -> bool {
        let call = self.turns.with(&self.account, |state| {
            state.stalled.retain(|stalled| !stalled.is_canceled());
            if state.open <= state.stalled.len() + 1 {
                return None;
            }
            let (called, call) = oneshot::channel();
            state.stalled.push(called);
            Some(call)
        });
        match call {
            Some(call) => call.await.is_ok(),
            None => false,
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.end(&self.account);
    }
}

/// Somebody who waits for a place, and gives it back if it comes after they have gone.
struct Waiter<'t> {
    turns: &'t Turns,
    account: &'t str,
    call: Option<oneshot::Receiver<()>>,
}

impl Waiter<'_> {
    async fn wait(&mut self) {
        if let Some(call) = &mut self.call {
            // A call that can never come would be a bug here; then there is no place to wait for.
            let _ = call.await;
        }
        self.call = None;
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let Some(mut call) = self.call.take() else { return };
        // No call comes after this; one that has come brought a place with it.
        call.close();
        if matches!(call.try_recv(), Ok(Some(()))) {
            self.turns.end(self.account);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn take<'t>(turns: &'t Turns, account: &str) -> impl Future<Output = Result<Turn<'t>, Crowded>> + use<'t> {
        turns.take(account.to_owned())
    }

    #[test]
    fn what_is_beyond_the_budget_waits_for_its_turn_in_order() {
        let turns = Turns::new(2);
        let one = take(&turns, "ada").now_or_never();
        let two = take(&turns, "ada").now_or_never();
        assert!(matches!((&one, &two), (Some(Ok(_)), Some(Ok(_)))));
        let (mut third, mut fourth) = (Box::pin(take(&turns, "ada")), Box::pin(take(&turns, "ada")));
        assert!((&mut third).now_or_never().is_none() && (&mut fourth).now_or_never().is_none());
        assert!(
            matches!(take(&turns, "eve").now_or_never(), Some(Ok(_))),
            "another account is another matter"
        );
        drop(one);
        assert!((&mut fourth).now_or_never().is_none());
        let third = (&mut third).now_or_never();
        assert!(matches!(third, Some(Ok(_))));
        drop((two, third));
        assert!(matches!((&mut fourth).now_or_never(), Some(Ok(_))));
        drop(fourth);
        assert!(turns.accounts.lock().expect("whole").is_empty());
    }

    #[test]
    fn whoever_goes_away_takes_no_place_with_them() {
        let turns = Turns::new(1);
        let one = take(&turns, "ada").now_or_never();
        let mut gone = Box::pin(take(&turns, "ada"));
        let mut called_and_gone = Box::pin(take(&turns, "ada"));
        assert!((&mut gone).now_or_never().is_none() && (&mut called_and_gone).now_or_never().is_none());
        drop(gone);
        drop(one);
        // The place is theirs, and they never come for it.
        drop(called_and_gone);
        assert!(matches!(take(&turns, "ada").now_or_never(), Some(Ok(_))));
        assert!(turns.accounts.lock().expect("whole").is_empty());
    }

    #[test]
    fn nobody_waits_for_those_who_wait_themselves() {
        let turns = Turns::new(5);
        let alone = take(&turns, "ada").now_or_never().and_then(Result::ok).expect("room");
        assert_eq!(alone.wait_for_another().now_or_never(), Some(false));
        let other = take(&turns, "ada").now_or_never().and_then(Result::ok).expect("room");
        let mut stalled = Box::pin(alone.wait_for_another());
        assert_eq!((&mut stalled).now_or_never(), None);
        assert_eq!(other.wait_for_another().now_or_never(), Some(false));
        drop(other);
        assert_eq!((&mut stalled).now_or_never(), Some(true));
        drop(stalled);
        assert_eq!(alone.wait_for_another().now_or_never(), Some(false));
    }

    #[test]
    fn a_crowd_is_sent_away() {
        let turns = Turns::new(1);
        let _one = take(&turns, "ada").now_or_never();
        let mut crowd: Vec<_> = (0..WAITING).map(|_| Box::pin(take(&turns, "ada"))).collect();
        assert!(crowd.iter_mut().all(|one| one.now_or_never().is_none()));
        assert_eq!(take(&turns, "ada").now_or_never().map(|turn| turn.err()), Some(Some(Crowded)));
        crowd.clear();
        assert!(take(&turns, "ada").now_or_never().is_none());
    }
}
