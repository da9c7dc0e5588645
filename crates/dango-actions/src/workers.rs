//! Where work that blocks is done, such as hashing a password; asynchronous programs bring threads of their own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dango_identity::Busy;
use dango_store::BoxFuture;

use crate::fault::Fault;

/// Runs work that takes a core for some 20 ms and may have to wait for its turn.
///
/// A server runs it on threads that may block; a command line has nothing else to do: [`InPlace`].
pub trait Workers: Send + Sync {
    /// Runs the work to its end; or drops it, at once where too much work is waiting already.
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<(), Busy>>;

    /// Lets others go on for so long.
    fn rest(&self, span: Duration) -> BoxFuture<'static, ()>;

    /// Takes what is to be done whenever nothing was asked for a while: giving back what was kept for the next work. Whoever cannot
    /// tell that drops it, and then it is kept.
    fn when_quiet(&self, _tidy: Box<dyn Fn() + Send + Sync>) {}
}

/// Runs work on the thread that asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct InPlace;

impl Workers for InPlace {
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<(), Busy>> {
        work();
        Box::pin(std::future::ready(Ok(())))
    }

    fn rest(&self, span: Duration) -> BoxFuture<'static, ()> {
        std::thread::sleep(span);
        Box::pin(std::future::ready(()))
    }
}

/// Runs work and hands over what came of it.
pub(crate) async fn offload<T: Send + 'static>(workers: &dyn Workers, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    let slot = Arc::new(Mutex::new(None));
    let filled = Arc::clone(&slot);
    let run = workers.run(Box::new(move || {
        let done = work();
        *filled.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
    }));
    run.await.map_err(Fault::Busy)?;
    let done = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    done.ok_or(Fault::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Dropping;

    impl Workers for Dropping {
        fn run(&self, _: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<(), Busy>> {
            Box::pin(std::future::ready(Ok(())))
        }

        fn rest(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::ready(()))
        }
    }

    struct Full;

    impl Workers for Full {
        fn run(&self, _: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<(), Busy>> {
            Box::pin(std::future::ready(Err(Busy)))
        }

        fn rest(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::ready(()))
        }
    }

    #[test]
    fn work_for_which_there_is_no_room_is_sent_away_with_a_time_to_come_again() {
        let refused = pollster::block_on(offload(&Full, || 7)).err();
        assert!(refused.is_some_and(|fault| fault.code() == "busy" && fault.retry_after().is_some()));
    }

    #[test]
    fn work_that_was_dropped_is_a_fault_and_not_an_answer() {
        assert_eq!(pollster::block_on(offload(&InPlace, || 7)).ok(), Some(7));
        let dropped = pollster::block_on(offload(&Dropping, || 7));
        assert!(matches!(dropped, Err(Fault::Interrupted)));
    }
}
