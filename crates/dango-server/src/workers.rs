//! The threads that hash passwords: as many as cores, behind every thread that answers requests, with a queue that has an end.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use dango_actions::Workers;
use dango_identity::Busy;
use dango_store::BoxFuture;
use tokio::sync::oneshot;

use crate::process;

type Work = Box<dyn FnOnce() + Send>;

struct Job {
    work: Work,
    done: oneshot::Sender<()>,
}

/// Threads of low priority. While they hash, a request that only reads is answered as if they were not there.
pub(crate) struct Hashers {
    jobs: SyncSender<Job>,
}

impl Hashers {
    /// Starts so many threads; so many jobs wait for them, and the next is sent away.
    pub(crate) fn start(threads: NonZeroUsize, queue: usize) -> std::io::Result<Arc<Self>> {
        let (jobs, received) = sync_channel(queue);
        let received = Arc::new(Mutex::new(received));
        for _ in 0..threads.get() {
            let received = Arc::clone(&received);
            std::thread::Builder::new().name("dango-hashing".to_owned()).spawn(move || {
                process::step_back();
                work_off(&received);
            })?;
        }
        Ok(Arc::new(Self { jobs }))
    }
}

impl Workers for Hashers {
    fn run(&self, work: Work) -> BoxFuture<'static, Result<(), Busy>> {
        let (done, waits) = oneshot::channel();
        match self.jobs.try_send(Job { work, done }) {
            // Where the work panics nobody answers; that it left nothing behind is found out by whoever asked for it.
            Ok(()) => Box::pin(async move { waits.await.or(Ok(())) }),
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Box::pin(std::future::ready(Err(Busy))),
        }
    }
}

fn work_off(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { work, done }) = next else { return };
        // Whoever has gone away in the meantime needs no hash.
        if done.is_closed() {
            continue;
        }
        // A panic ends the work and not the thread.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        let _ = done.send(());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn hashers(queue: usize) -> Arc<Hashers> {
        Hashers::start(NonZeroUsize::MIN, queue).expect("threads")
    }

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
            .block_on(future)
    }

    #[test]
    fn work_beyond_the_queue_is_sent_away_at_once_and_the_rest_is_done() {
        let hashers = hashers(1);
        let ((begun, has_begun), (release, released), (count, counted)) = (channel(), channel::<()>(), channel());
        let first = hashers.run(Box::new(move || {
            begun.send(()).expect("heard");
            released.recv().expect("released");
        }));
        has_begun.recv().expect("the thread works");
        let second = hashers.run(Box::new(move || count.send(2).expect("heard")));
        assert_eq!(wait(hashers.run(Box::new(|| ()))), Err(Busy));
        release.send(()).expect("heard");
        assert_eq!((wait(first), wait(second)), (Ok(()), Ok(())));
        assert_eq!(counted.recv(), Ok(2));
    }

    #[test]
    fn a_panic_ends_neither_the_thread_nor_the_one_who_waits() {
        let hashers = hashers(4);
        assert_eq!(wait(hashers.run(Box::new(|| panic!("as a test")))), Ok(()));
        assert_eq!(wait(hashers.run(Box::new(|| ()))), Ok(()));
    }

    #[test]
    fn work_that_nobody_waits_for_any_more_is_not_done() {
        let hashers = hashers(4);
        let ((release, released), (done, was_done)) = (channel::<()>(), channel());
        let first = hashers.run(Box::new(move || released.recv().expect("released")));
        drop(hashers.run(Box::new(move || done.send(()).expect("heard"))));
        release.send(()).expect("heard");
        assert_eq!(wait(first), Ok(()));
        assert_eq!(wait(hashers.run(Box::new(|| ()))), Ok(()));
        assert!(was_done.try_recv().is_err());
    }
}
