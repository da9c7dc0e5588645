//! The audit log through a store: what is appended verifies, and stays so through erasing, pruning and beginning anew.

use dango_audit::log::{self, LogError};
use dango_audit::query::{ActorFilter, Cursor, Filter, Order, PageLimit};
use dango_audit::{Actor, Draft, Erasure, Event, Outcome, Stage, Subject};
use dango_core::Timestamp;

use super::Make;
use super::sample::{Counting, at, chain_key, draft, user_id};
use crate::{Store, StoreExt, StoreFailure};

#[derive(Debug)]
struct Failed(#[expect(dead_code, reason = "shown by a test that fails")] String);

impl From<StoreFailure> for Failed {
    fn from(error: StoreFailure) -> Self {
        Self(format!("{error:?}"))
    }
}

impl From<LogError> for Failed {
    fn from(error: LogError) -> Self {
        Self(format!("{error:?}"))
    }
}

pub(super) async fn check(make: Make<'_>) {
    lists_are_filtered_and_paged(make().as_ref()).await;
    letting_go_keeps_the_log_whole(make().as_ref()).await;
    a_new_chain_begins_where_the_key_was_lost(make().as_ref()).await;
}

/// 40 records, of users 0 to 3 in turn, a second apart.
async fn fill(store: &dyn Store) {
    for number in 0..40 {
        let work = store.write(move |tx| {
            Box::pin(async move {
                let entropy = Counting::from(u64::from(number) << 16);
                let draft = draft(number % 4, at(number.into()));
                log::record(tx, &chain_key(), &entropy, &draft).await.map_err(Failed::from)
            })
        });
        assert_eq!(work.await.expect("recorded").get(), u64::from(number) + 1);
    }
}

async fn list(store: &dyn Store, filter: Filter) -> Vec<i64> {
    let work = store.read(move |tx| {
        Box::pin(async move {
            let limit = PageLimit::new(7).expect("few");
            Ok::<_, Failed>(log::list(tx, &filter, limit).await?)
        })
    });
    work.await.expect("listed").events.iter().map(|event| event.seq).collect()
}

async fn lists_are_filtered_and_paged(store: &dyn Store) {
    fill(store).await;
    let all = Filter::default;
    assert_eq!(list(store, all()).await, [40, 39, 38, 37, 36, 35, 34]);
    let oldest = Filter {
        order: Order::OldestFirst,
        cursor: Some(Cursor::behind(dango_audit::Seq::new(10))),
        ..all()
    };
    assert_eq!(list(store, oldest).await, [11, 12, 13, 14, 15, 16, 17]);
    let by = |text: &str| Filter {
        actor: Some(ActorFilter::new(text)),
        cursor: Some(Cursor::behind(dango_audit::Seq::new(20))),
        ..all()
    };
    assert_eq!(list(store, by("uSER2@example.com")).await, [19, 15, 11, 7, 3]);
    assert_eq!(list(store, by(&user_id(2).to_string())).await, [19, 15, 11, 7, 3]);
    assert_eq!(list(store, by("nobody")).await, [0; 0]);
    let between = Filter {
        since: Some(at(3)),
        until: Some(Timestamp::from_unix_micros(at(5).unix_micros() - 1)),
        ..all()
    };
    assert_eq!(list(store, between).await, [5, 4]);
    let other = Filter {
        event: Some(Event::LoginFailure),
        ..all()
    };
    assert_eq!(list(store, other).await, [0; 0]);
}

async fn verify(store: &dyn Store) -> (u64, u64, u64) {
    let work = store.read(|tx| Box::pin(async move { Ok::<_, Failed>(log::verify(tx, &chain_key(), &[]).await?) }));
    let report = work.await.expect("verified");
    assert!(report.is_ok(), "{report:?}");
    (report.events, report.pruned, report.erased)
}

async fn letting_go_keeps_the_log_whole(store: &dyn Store) {
    fill(store).await;
    let work = store.write(|tx| {
        Box::pin(async move {
            let subject = Subject::user(&user_id(1).to_string().parse().expect("an id"));
            let record = Draft::new(at(40), Event::PersonalDataErased, Actor::system(), Stage::Ended(Outcome::Success));
            Ok::<_, Failed>(log::erase(tx, &chain_key(), &Counting::from(1 << 40), &Erasure::Subject(subject), record).await?)
        })
    });
    // The one as actor, and the one as target, which has neither address nor agent.
    assert_eq!(work.await.expect("erased"), 2);
    assert_eq!(verify(store).await, (41, 0, 2));
    for (before, left) in [(at(10), 31), (at(10), 31), (at(30), 11)] {
        let work = store.write(move |tx| Box::pin(async move { Ok::<_, Failed>(log::prune(tx, &chain_key(), before).await?) }));
        work.await.expect("pruned");
        assert_eq!(verify(store).await.0, left);
    }
    assert_eq!(
        list(
            store,
            Filter {
                order: Order::OldestFirst,
                ..Filter::default()
            }
        )
        .await[0],
        31
    );
    let work = store.write(|tx| {
        Box::pin(async move {
            let entropy = Counting::from(1 << 41);
            Ok::<_, Failed>(log::record(tx, &chain_key(), &entropy, &draft(1, at(50))).await?)
        })
    });
    assert_eq!(work.await.expect("recorded").get(), 42);
    assert_eq!(verify(store).await, (12, 30, 2));
}

async fn a_new_chain_begins_where_the_key_was_lost(store: &dyn Store) {
    fill(store).await;
    for retired in [40, 1] {
        let work = store.write(|tx| {
            Box::pin(async move {
                let record = Draft::new(at(60), Event::AuditChainStarted, Actor::system(), Stage::Ended(Outcome::Success));
                Ok::<_, Failed>(log::begin_anew(tx, &chain_key(), &Counting::from(1 << 42), record).await?)
            })
        });
        assert_eq!(work.await.expect("begun"), retired);
        assert_eq!(verify(store).await.0, 1);
    }
}
