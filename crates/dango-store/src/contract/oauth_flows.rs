//! OAuth flows: each is given out once, few of one starter wait, and strangers take no room from anybody.

use dango_core::Timestamp;
use dango_identity::{InsertOauthFlow, OauthFlowRecord, OauthFlowRoom, StoreError, TokenDigest};

use super::Make;
use super::sample::{at, bytes, oauth_flow};
use crate::{Store, StoreExt};

const ROOM: OauthFlowRoom = OauthFlowRoom {
    per_starter: 2,
    browsers: 3,
};

pub(super) async fn check(make: Make<'_>) {
    a_flow_comes_back_as_it_went_in_and_once(make().as_ref()).await;
    what_is_too_old_goes_when_another_begins(make().as_ref()).await;
    the_oldest_of_a_starter_makes_room(make().as_ref()).await;
    browsers_beyond_the_room_are_not_begun_and_sessions_are(make().as_ref()).await;
    a_taken_flow_is_back_if_its_transaction_is_undone(make().as_ref()).await;
}

async fn insert(store: &dyn Store, flow: &OauthFlowRecord, now: Timestamp) -> InsertOauthFlow {
    let flow = flow.clone();
    let inserted: Result<_, StoreError> = store
        .write(move |tx| Box::pin(async move { tx.insert_oauth_flow(&flow, ROOM, now).await }))
        .await;
    inserted.expect("written")
}

async fn take(store: &dyn Store, number: u32) -> Option<OauthFlowRecord> {
    let taken: Result<_, StoreError> = store
        .write(move |tx| Box::pin(async move { tx.take_oauth_flow(&TokenDigest::from_bytes(bytes(50, number))).await }))
        .await;
    taken.expect("written")
}

async fn a_flow_comes_back_as_it_went_in_and_once(store: &dyn Store) {
    for (number, starter) in [(1, 1), (2, 2)] {
        let flow = oauth_flow(number, starter, at(0));
        assert_eq!(insert(store, &flow, at(0)).await, InsertOauthFlow::Inserted);
        assert_eq!(insert(store, &flow, at(1)).await, InsertOauthFlow::Crowded, "the same state again");
        assert_eq!(take(store, number).await, Some(flow));
        assert_eq!(take(store, number).await, None, "once");
    }
    assert_eq!(take(store, 9).await, None);
}

async fn what_is_too_old_goes_when_another_begins(store: &dyn Store) {
    let (old, new) = (oauth_flow(1, 2, at(0)), oauth_flow(2, 4, at(600)));
    let _ = insert(store, &old, at(0)).await;
    let _ = insert(store, &new, at(600)).await;
    assert_eq!(take(store, 1).await, None);
    assert_eq!(take(store, 2).await, Some(new));
    let _ = insert(store, &old, at(0)).await;
    assert_eq!(
        take(store, 1).await,
        Some(old),
        "until then it is given out, to be told apart from one that never was"
    );
}

async fn the_oldest_of_a_starter_makes_room(store: &dyn Store) {
    for (number, starter) in [(1, 2), (2, 4), (3, 2), (4, 2)] {
        let inserted = insert(store, &oauth_flow(number, starter, at(0)), at(0)).await;
        assert_eq!(inserted, InsertOauthFlow::Inserted, "{number}");
    }
    let mut waiting = Vec::new();
    for number in 1..=4 {
        waiting.extend(take(store, number).await.map(|_| number));
    }
    assert_eq!(waiting, [2, 3, 4]);
}

async fn browsers_beyond_the_room_are_not_begun_and_sessions_are(store: &dyn Store) {
    use InsertOauthFlow::{Crowded, Inserted};
    for (number, starter, expected) in [
        (1, 1, Inserted),
        (2, 3, Inserted),
        (3, 5, Inserted),
        (4, 7, Crowded),
        (5, 2, Inserted),
    ] {
        assert_eq!(
            insert(store, &oauth_flow(number, starter, at(0)), at(0)).await,
            expected,
            "{number}"
        );
    }
    assert!(take(store, 2).await.is_some());
    assert_eq!(
        insert(store, &oauth_flow(4, 7, at(0)), at(0)).await,
        Inserted,
        "there is room again"
    );
}

async fn a_taken_flow_is_back_if_its_transaction_is_undone(store: &dyn Store) {
    let _ = insert(store, &oauth_flow(1, 2, at(0)), at(0)).await;
    let undone: Result<(), StoreError> = store
        .write(|tx| {
            Box::pin(async move {
                assert!(tx.take_oauth_flow(&TokenDigest::from_bytes(bytes(50, 1))).await?.is_some());
                Err(StoreError::new("enough"))
            })
        })
        .await;
    assert!(undone.is_err());
    assert!(take(store, 1).await.is_some());
}
