//! The threads that hash passwords: as many as cores, behind every thread that answers requests, with a queue that has an end.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use dango_actions::Workers;
use dango_identity::Busy;
use dango_store::BoxFuture;
use tokio::sync::oneshot;

use crate::process;

/// After how long without work what is kept for the next is given back: an office of people who log in one after the other still
/// finds it warm.
const QUIET: Duration = Duration::from_secs(5);

type Work = Box<dyn FnOnce() + Send>;

type Tidy = Box<dyn Fn() + Send + Sync>;

struct Job {
    work: Work,
    done: oneshot::Sender<()>,
}

/// Threads of low priority. While they hash, a request that only reads is answered as if they were not there.
pub(crate) struct Hashers {
    jobs: SyncSender<Job>,
    tidy: Arc<OnceLock<Tidy>>,
}

/// Where the threads wait for work, one of them at a time.
struct Queue {
    received: Receiver<Job>,
    /// Whether there was work since it was last tidied up.
    is_untidy: bool,
    quiet: Duration,
}

impl Hashers {
    /// Starts so many threads; so many jobs wait for them, and the next is sent away.
    pub(crate) fn start(threads: NonZeroUsize, queue: usize) -> std::io::Result<Arc<Self>> {
        Self::start_with(threads, queue, QUIET)
    }

    fn start_with(threads: NonZeroUsize, queue: usize, quiet: Duration) -> std::io::Result<Arc<Self>> {
        let (jobs, received) = sync_channel(queue);
        let tidy = Arc::new(OnceLock::new());
        let queue = Arc::new(Mutex::new(Queue {
            received,
            is_untidy: false,
            quiet,
        }));
        for _ in 0..threads.get() {
            let (queue, tidy) = (Arc::clone(&queue), Arc::clone(&tidy));
            std::thread::Builder::new().name("dango-hashing".to_owned()).spawn(move || {
                process::step_back();
                work_off(&queue, &tidy);
            })?;
        }
        Ok(Arc::new(Self { jobs, tidy }))
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

    fn rest(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span))
    }

    fn when_quiet(&self, tidy: Tidy) {
        // These threads work for one; what a second one keeps, it keeps.
        let _ = self.tidy.set(tidy);
    }
}

/// What a thread does next.
enum Next {
    Job(Job),
    Tidy,
    Nothing,
}

impl Queue {
    fn next(&mut self) -> Next {
        let next = match self.is_untidy {
            true => self.received.recv_timeout(self.quiet),
            false => self.received.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        self.is_untidy = next.is_ok();
        match next {
            Ok(job) => Next::Job(job),
            Err(RecvTimeoutError::Timeout) => Next::Tidy,
            Err(RecvTimeoutError::Disconnected) => Next::Nothing,
        }
    }
}

fn work_off(queue: &Mutex<Queue>, tidy: &OnceLock<Tidy>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        match next {
            // Whoever has gone away in the meantime needs no hash.
            Next::Job(Job { done, .. }) if done.is_closed() => {}
            Next::Job(Job { work, done }) => {
                // A panic ends the work and not the thread.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
                let _ = done.send(());
            }
            Next::Tidy => {
                if let Some(tidy) = tidy.get() {
                    tidy();
                }
            }
            Next::Nothing => return,
        }
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

    #[test]
    fn what_is_kept_is_given_back_once_after_work_and_a_quiet_while() {
        let hashers = Hashers::start_with(NonZeroUsize::MIN, 4, Duration::from_millis(1)).expect("threads");
        let (tidied, was_tidied) = channel();
        hashers.when_quiet(Box::new(move || tidied.send(()).expect("heard")));
        for _ in 0..2 {
            assert_eq!(wait(hashers.run(Box::new(|| ()))), Ok(()));
            assert_eq!(was_tidied.recv(), Ok(()));
        }
        // The thread waits for work and for nothing else now.
        assert_eq!(wait(hashers.run(Box::new(|| ()))), Ok(()));
        drop(hashers);
        assert!(was_tidied.iter().count() <= 1);
    }
}
