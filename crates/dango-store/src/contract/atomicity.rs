//! All of a transaction or nothing, and nothing of it seen before.

use std::sync::Arc;
use std::sync::mpsc::channel;

use dango_audit::AuditStoreError;
use dango_identity::{InsertUser, Role, SessionWrite, StoreError};

use super::sample::{at, bytes, chain_key, draft, session, user, user_id};
use super::{Make, sample};
use crate::{BoxFuture, Store, StoreExt, StoreFailure, Transaction};

#[derive(Debug)]
enum Broken {
    OnPurpose,
    Store(StoreFailure),
    Other(#[expect(dead_code, reason = "shown by a test that fails")] String),
}

impl From<StoreFailure> for Broken {
    fn from(failure: StoreFailure) -> Self {
        Self::Store(failure)
    }
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self::Other(format!("{error:?}"))
    }
}

impl From<dango_audit::log::LogError> for Broken {
    fn from(error: dango_audit::log::LogError) -> Self {
        Self::Other(format!("{error:?}"))
    }
}

pub(super) async fn check(make: Make<'_>) {
    everything_is_done_together(make().as_ref()).await;
    an_error_undoes_everything(make().as_ref()).await;
    a_failed_step_is_not_forgotten(make().as_ref()).await;
    work_that_panics_changes_nothing(make().as_ref()).await;
    a_read_changes_nothing(make().as_ref()).await;
    one_job_that_fails_does_not_take_others_with_it(&make());
    a_read_sees_one_moment(&make());
}

/// A user, a session and a record.
fn three_things(tx: &mut dyn Transaction, number: u32) -> BoxFuture<'_, Result<(), Broken>> {
    Box::pin(async move {
        let new = user(number, Role::Viewer, at(0));
        assert_eq!(tx.insert_user(&new).await?, InsertUser::Inserted);
        let record = session(number, new.user.id, new.user.epoch, at(1));
        let written = tx.insert_session(&record, 5).await?;
        assert_eq!(written, SessionWrite::Written { evicted: Vec::new() });
        dango_audit::log::record(
            tx,
            &chain_key(),
            &sample::Counting::from(u64::from(number) << 8),
            &draft(number, at(2)),
        )
        .await?;
        Ok(())
    })
}

/// How many of the three things there are.
async fn count(store: &dyn Store, number: u32) -> usize {
    let digest = dango_identity::TokenDigest::from_bytes(bytes(2, number));
    let count = store.read(move |tx| {
        Box::pin(async move {
            let user = usize::from(tx.find_user(user_id(number)).await?.is_some());
            let session = usize::from(tx.find_session(&digest).await?.is_some());
            let record = usize::from(tx.head().await.map_err(dango_audit::log::LogError::from)?.is_some());
            Ok::<_, Broken>(user + session + record)
        })
    });
    count.await.expect("a store that can be read")
}

async fn everything_is_done_together(store: &dyn Store) {
    store.write(|tx| three_things(tx, 1)).await.expect("written");
    assert_eq!(count(store, 1).await, 3);
}

async fn an_error_undoes_everything(store: &dyn Store) {
    let work = store.write(|tx| {
        Box::pin(async move {
            three_things(tx, 1).await?;
            // Its own changes are there for the work itself.
            assert!(tx.find_user(user_id(1)).await?.is_some());
            Err::<(), _>(Broken::OnPurpose)
        })
    });
    assert!(matches!(work.await, Err(Broken::OnPurpose)));
    assert_eq!(count(store, 1).await, 0);
    store.write(|tx| three_things(tx, 1)).await.expect("the store goes on");
}

/// A record in a place that is taken cannot be inserted; the work takes no notice and goes on.
async fn a_failed_step_is_not_forgotten(store: &dyn Store) {
    store.write(|tx| three_things(tx, 1)).await.expect("written");
    let work = store.write(|tx| {
        Box::pin(async move {
            let head = dango_audit::Head::genesis();
            let (record, head) = dango_audit::append(&chain_key(), &head, &draft(2, at(0)), dango_audit::PersonalRefs::default());
            let refused: Result<(), AuditStoreError> = tx.insert(&record, &head.seal(&chain_key())).await;
            assert!(refused.is_err(), "there is a record in that place");
            let _ = tx.insert_user(&user(2, Role::Viewer, at(0))).await;
            Ok::<_, Broken>(())
        })
    });
    assert!(matches!(work.await, Err(Broken::Store(_))));
    let user = store
        .read(|tx| Box::pin(async { Ok::<_, Broken>(tx.find_user(user_id(2)).await?) }))
        .await;
    assert!(
        user.expect("read").is_none(),
        "what came after the failed step was not committed, either"
    );
}

async fn work_that_panics_changes_nothing(store: &dyn Store) {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let work = store.write(|tx| {
        Box::pin(async move {
            three_things(tx, 1).await?;
            std::panic::resume_unwind(Box::new("on purpose"));
            #[expect(unreachable_code, reason = "it says what the answer would be")]
            Ok::<(), Broken>(())
        })
    });
    let ended = work.await;
    std::panic::set_hook(hook);
    assert!(matches!(ended, Err(Broken::Store(StoreFailure::Interrupted))), "{ended:?}");
    assert_eq!(count(store, 1).await, 0);
    store.write(|tx| three_things(tx, 1)).await.expect("the store goes on");
}

async fn a_read_changes_nothing(store: &dyn Store) {
    let _ = store.read(|tx| three_things(tx, 1)).await;
    assert_eq!(count(store, 1).await, 0);
}

/// Many at once, every third of which says no at its end.
fn one_job_that_fails_does_not_take_others_with_it(store: &Arc<dyn Store>) {
    let threads: Vec<_> = (0..30)
        .map(|number| {
            let store = Arc::clone(store);
            std::thread::spawn(move || {
                let work = store.write(move |tx| {
                    Box::pin(async move {
                        three_things(tx, number).await?;
                        if number % 3 == 0 { Err(Broken::OnPurpose) } else { Ok(()) }
                    })
                });
                pollster::block_on(work).is_ok()
            })
        })
        .collect();
    let ended: Vec<bool> = threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
    assert_eq!(ended, (0..30).map(|number| number % 3 != 0).collect::<Vec<_>>());
    let work = store.read(|tx| {
        Box::pin(async move {
            let users = tx.users().await?.len();
            let report = dango_audit::log::verify(tx, &chain_key(), &[]).await?;
            Ok::<_, Broken>((users, report.events, report.is_ok()))
        })
    });
    assert_eq!(pollster::block_on(work).expect("read"), (20, 20, true));
}

/// A reader that has begun does not see what is committed meanwhile.
fn a_read_sees_one_moment(store: &Arc<dyn Store>) {
    let (begun, has_begun) = channel();
    let (changed, has_changed) = channel();
    let reader = std::thread::spawn({
        let store = Arc::clone(store);
        move || {
            let work = store.read(move |tx| {
                Box::pin(async move {
                    let before = tx.users().await?.len();
                    begun.send(()).expect("the test listens");
                    has_changed.recv_timeout(std::time::Duration::from_secs(30)).ok();
                    Ok::<_, Broken>((before, tx.users().await?.len()))
                })
            });
            pollster::block_on(work)
        }
    });
    has_begun.recv().expect("the reader begins");
    // A backend may let the writer wait for the reader, but not for ever.
    let writer = std::thread::spawn({
        let store = Arc::clone(store);
        move || {
            pollster::block_on(store.write(|tx| three_things(tx, 1))).expect("written");
            changed.send(()).ok();
        }
    });
    let (before, after) = reader.join().expect("no panic").expect("read");
    assert_eq!((before, after), (0, 0));
    writer.join().expect("no panic");
}
