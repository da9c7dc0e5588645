//! Where work that blocks is done, such as hashing a password; asynchronous programs bring threads of their own.

use std::sync::{Arc, Mutex, PoisonError};

use dango_store::BoxFuture;

use crate::fault::Fault;

/// Runs work that takes a core for some 20 ms and may have to wait for its turn.
///
/// A server runs it on threads that may block; a command line has nothing else to do: [`InPlace`].
pub trait Workers: Send + Sync {
    /// Runs the work to its end, or drops it.
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()>;
}

/// Runs work on the thread that asks for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct InPlace;

impl Workers for InPlace {
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        work();
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
    run.await;
    let done = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    done.ok_or(Fault::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Dropping;

    impl Workers for Dropping {
        fn run(&self, _: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
            Box::pin(std::future::ready(()))
        }
    }

    #[test]
    fn work_that_was_dropped_is_a_fault_and_not_an_answer() {
        assert_eq!(pollster::block_on(offload(&InPlace, || 7)).ok(), Some(7));
        let dropped = pollster::block_on(offload(&Dropping, || 7));
        assert!(matches!(dropped, Err(Fault::Interrupted)));
    }
}
