//! What threads tell a ceremony that waits: that it was interrupted, or the answer that somebody pasted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use dango_oauth::CallbackAnswer;

/// Something that happened on another thread.
pub(super) enum Happening {
    /// Somebody wants it to end.
    Interrupted,
    /// The answer, which belongs to the request that waits.
    Pasted(CallbackAnswer),
}

/// A queue that wakes who waits for it. Clones are the same queue.
#[derive(Clone, Default)]
pub(super) struct Inbox(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    happenings: VecDeque<Happening>,
    waker: Option<Waker>,
}

impl Inbox {
    pub(super) fn put(&self, happening: Happening) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.happenings.push_back(happening);
        if let Some(waker) = waiting.waker.take() {
            waker.wake();
        }
    }

    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Happening> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.happenings.pop_front() {
            Some(happening) => Poll::Ready(happening),
            None => {
                waiting.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[test]
    fn what_another_thread_tells_wakes_who_waits() {
        let inbox = Inbox::default();
        let teller = inbox.clone();
        let thread = std::thread::spawn(move || teller.put(Happening::Interrupted));
        let told = pollster::block_on(poll_fn(|context| inbox.poll(context)));
        assert!(matches!(told, Happening::Interrupted));
        thread.join().expect("ended");
    }
}
