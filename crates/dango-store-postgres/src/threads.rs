//! The threads that connections live on: whoever waits for one may do so on any executor, or on none.

use std::future::Future;

use dango_store::StoreFailure;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// How many there are. They wait for the network most of the time.
const THREADS: usize = 2;

/// A runtime of one's own. Dropped, it ends what is under way.
pub(crate) struct Threads(Option<Runtime>);

impl Threads {
    pub(crate) fn start() -> Result<Self, StoreFailure> {
        let mut threads = Builder::new_multi_thread();
        let threads = threads.worker_threads(THREADS).thread_name("dango-postgres").enable_all();
        Ok(Self(Some(threads.build().map_err(StoreFailure::unavailable)?)))
    }

    /// Lets work run by itself.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.0 {
            runtime.spawn(work);
        }
    }

    /// Runs work and answers what came of it. Where nobody waits for it any more, it is broken off.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreFailure>> + Send + 'static,
    ) -> Result<T, StoreFailure> {
        let (mut answer, answered) = oneshot::channel();
        self.spawn(async move {
            let done = tokio::select! {
                done = work => Some(done),
                () = answer.closed() => None,
            };
            done.map(|done| answer.send(done));
        });
        answered.await.unwrap_or(Err(StoreFailure::Interrupted))
    }

    /// As [`Threads::run`], and holds up the thread of whoever asks.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreFailure>> + Send + 'static,
    ) -> Result<T, StoreFailure> {
        pollster::block_on(self.run(work))
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // It may be dropped on a thread of another runtime, which is not to be held up.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
