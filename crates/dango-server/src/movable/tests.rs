//! A store whose file is moved under it: every job runs once, whoever waits is answered or sent away.
#![allow(clippy::panic, reason = "these are tests")]

use std::sync::Condvar;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use dango_core::SystemClock;
use dango_store::{MemoryStore, StoreExt};

use super::*;

/// A file that was moved, once it is said to be.
#[derive(Default)]
struct File {
    store: MemoryStore,
    is_moved: AtomicBool,
}

impl File {
    fn check(&self) -> Result<(), StoreFailure> {
        match self.is_moved.load(Ordering::SeqCst) {
            true => Err(StoreFailure::Moved {
                address: "elsewhere".into(),
            }),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl Store for File {
    async fn run_write(&self, job: Job) -> Result<(), StoreFailure> {
        self.check()?;
        self.store.run_write(job).await
    }

    async fn run_read(&self, job: Job) -> Result<(), StoreFailure> {
        self.check()?;
        self.store.run_read(job).await
    }

    async fn schema_version(&self) -> Result<u32, StoreFailure> {
        self.store.schema_version().await
    }

    fn version(&self) -> Result<Option<StoreVersion>, StoreFailure> {
        self.check()?;
        Ok(Some(StoreVersion::from_number(1)))
    }
}

fn count(store: &dyn Store, ran: &Arc<AtomicU32>) -> Result<(), StoreFailure> {
    let (in_write, in_read) = (Arc::clone(ran), Arc::clone(ran));
    pollster::block_on(async {
        store
            .write(move |_| {
                Box::pin(async move {
                    in_write.fetch_add(1, Ordering::SeqCst);
                    Ok::<_, StoreFailure>(())
                })
            })
            .await?;
        store
            .read(move |_| {
                Box::pin(async move {
                    in_read.fetch_add(1, Ordering::SeqCst);
                    Ok::<_, StoreFailure>(())
                })
            })
            .await
    })
}

#[test]
fn every_job_runs_once_wherever_the_rows_are_and_whoever_comes_meanwhile_waits() {
    let (file, new) = (Arc::new(File::default()), Arc::new(MemoryStore::new()));
    let (tries, opened) = (Arc::new(AtomicU32::new(0)), Arc::clone(&new));
    let follow = {
        let tries = Arc::clone(&tries);
        move || match tries.fetch_add(1, Ordering::SeqCst) {
            // It is away at first.
            0 | 1 => Err(Failure::new("not yet")),
            _ => Ok(Followed {
                store: Arc::clone(&opened) as Arc<dyn Store>,
                clock: Arc::new(SystemClock),
            }),
        }
    };
    let place = Whereabouts::new(Box::new(follow));
    let store = MovableStore::new(Arc::clone(&file) as Arc<dyn Store>, Arc::clone(&place));
    let ran = Arc::new(AtomicU32::new(0));
    count(&store, &ran).expect("in the file");
    assert!(place.is_in_file() && store.version().expect("it can be told").is_some());
    file.is_moved.store(true, Ordering::SeqCst);
    assert_eq!(store.version().expect("it can be told"), None, "nothing may be kept any more");
    std::thread::scope(|threads| {
        for _ in 0..16 {
            threads.spawn(|| count(&store, &ran).expect("elsewhere"));
        }
    });
    assert!(!place.is_in_file());
    assert_eq!((ran.load(Ordering::SeqCst), tries.load(Ordering::SeqCst)), (2 + 32, 3));
}

#[test]
fn whoever_waits_for_long_goes_away_while_a_try_hangs_and_one_that_panics_is_not_the_last() {
    let (file, new) = (Arc::new(File::default()), Arc::new(MemoryStore::new()));
    let (tries, is_let_go) = (Arc::new(AtomicU32::new(0)), Arc::new((Mutex::new(false), Condvar::new())));
    let follow = {
        let (tries, is_let_go) = (Arc::clone(&tries), Arc::clone(&is_let_go));
        move || match tries.fetch_add(1, Ordering::SeqCst) {
            0 => {
                let (gone, told) = &*is_let_go;
                drop(told.wait_while(gone.lock().expect("no panic"), |gone| !*gone).expect("no panic"));
                Err(Failure::new("it hung"))
            }
            1 => panic!("it may not be the last"),
            _ => Ok(Followed {
                store: Arc::clone(&new) as Arc<dyn Store>,
                clock: Arc::new(SystemClock),
            }),
        }
    };
    let place = Whereabouts::with_patience(Box::new(follow), Duration::from_millis(100));
    let store = MovableStore::new(Arc::clone(&file) as Arc<dyn Store>, Arc::clone(&place));
    let ran = Arc::new(AtomicU32::new(0));
    file.is_moved.store(true, Ordering::SeqCst);
    assert!(matches!(count(&store, &ran), Err(StoreFailure::Unavailable(_))));
    assert_eq!(
        (ran.load(Ordering::SeqCst), tries.load(Ordering::SeqCst)),
        (0, 1),
        "the first try still hangs"
    );
    *is_let_go.0.lock().expect("no panic") = true;
    is_let_go.1.notify_all();
    let begun = Instant::now();
    while count(&store, &ran).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody tries any more");
    }
    assert_eq!((ran.load(Ordering::SeqCst), tries.load(Ordering::SeqCst)), (2, 3));
}
