//! A log that is longer than what is read at once: lists of it are those of the store in memory, whichever way they are found.

use std::sync::Arc;

use dango_audit::log::{self, LogError};
use dango_audit::query::{ActorFilter, Cursor, Filter, Intents, Order, PageLimit};
use dango_audit::{Event, Report, Seq};
use dango_core::Timestamp;
use dango_store::contract::sample::{Counting, at, chain_key, draft, user_id};
use dango_store::{MemoryStore, Store, StoreExt, StoreFailure};
use dango_store_sqlite::{Open, SqliteStore};
use pollster::block_on;

const RECORDS: u32 = 3_000;

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

/// When a record was made: a clock is put back by an hour in the middle of the log.
fn time(number: u32) -> Timestamp {
    at(i64::from(number) - if number > RECORDS / 2 { 3_600 } else { 0 })
}

/// Nearly everything is done by user 0, the rest by user 1.
fn fill(store: &dyn Store) {
    let filled = store.write(|tx| {
        Box::pin(async move {
            for number in 0..RECORDS {
                let draft = draft(u32::from(number % 100 == 7), time(number));
                log::record(tx, &chain_key(), &Counting::from(u64::from(number) << 16), &draft).await?;
            }
            Ok::<_, Failed>(())
        })
    });
    block_on(filled).expect("filled");
}

fn list(store: &dyn Store, filter: &Filter) -> (Vec<i64>, Option<Cursor>) {
    let filter = filter.clone();
    let listed = store.read(move |tx| {
        Box::pin(async move {
            let limit = PageLimit::new(5).expect("few");
            Ok::<_, Failed>(log::list(tx, &filter, limit).await?)
        })
    });
    let page = block_on(listed).expect("listed");
    (page.events.iter().map(|event| event.seq).collect(), page.next_cursor)
}

fn verify(store: &dyn Store) -> Report {
    let verified = store.read(|tx| Box::pin(async move { Ok::<_, Failed>(log::verify(tx, &chain_key(), &[]).await?) }));
    block_on(verified).expect("verified")
}

fn filters() -> Vec<Filter> {
    let names = [
        user_id(0).to_string(),
        user_id(1).to_string(),
        "user0@example.com".to_owned(),
        "nobody".to_owned(),
    ];
    let actors: Vec<_> = names.iter().map(|name| Some(ActorFilter::new(name))).chain([None]).collect();
    let times = [
        None,
        Some(time(700)),
        Some(time(RECORDS / 2 + 1)),
        Some(time(RECORDS - 3)),
        Some(at(9_999_999)),
    ];
    let cursors = [None, Some(1), Some(1_234), Some(u64::from(RECORDS)), Some(u64::MAX)];
    let mut filters = Vec::new();
    for order in [Order::NewestFirst, Order::OldestFirst] {
        for actor in &actors {
            for event in [None, Some(Event::LoginFailure)] {
                for (since, until) in times.iter().flat_map(|since| times.iter().map(move |until| (*since, *until))) {
                    filters.extend(cursors.map(|cursor| Filter {
                        since,
                        until,
                        event,
                        actor: actor.clone(),
                        cursor: cursor.map(|seq| Cursor::behind(Seq::new(seq))),
                        order,
                        intents: Intents::Included,
                    }));
                }
            }
        }
    }
    filters
}

#[test]
fn a_long_log_is_listed_and_verified_as_in_memory() {
    let directory = tempfile::tempdir().expect("a directory");
    let sqlite = SqliteStore::open(&directory.path().join("dango.db"), Open::OrCreate).expect("opened");
    let stores: [Arc<dyn Store>; 2] = [Arc::new(sqlite), Arc::new(MemoryStore::new())];
    stores.iter().for_each(|store| fill(store.as_ref()));
    let reports = stores.each_ref().map(|store| verify(store.as_ref()));
    assert_eq!(reports[0], reports[1]);
    assert!(reports[0].is_ok() && reports[0].events == u64::from(RECORDS));
    // The model copies the log for each list, so it is asked about a part of them all.
    for filter in filters().into_iter().step_by(23) {
        assert_eq!(list(stores[0].as_ref(), &filter), list(stores[1].as_ref(), &filter), "{filter:?}");
    }
}
