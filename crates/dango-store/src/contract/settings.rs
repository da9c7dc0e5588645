//! The settings, and the facts about all users at once, which must be those that are told about each.

use std::collections::{HashMap, HashSet};

use dango_identity::{ExternalIdentity, InsertLink, InsertUser, Link, Role, StoreError};

use super::Make;
use super::sample::{active_totp, at, pending_totp, recovery, user, user_id};
use crate::{Admission, Store, StoreExt};

pub(super) async fn check(make: Make<'_>) {
    the_door_stays_as_it_was_left(make().as_ref()).await;
    facts_about_everybody_are_those_about_each(make().as_ref()).await;
}

async fn set(store: &dyn Store, admission: Admission) -> bool {
    let work = store.write(move |tx| Box::pin(async move { tx.set_admission(admission, at(1)).await }));
    work.await.expect("written")
}

async fn admission(store: &dyn Store) -> Admission {
    let read: Result<Admission, StoreError> = store.read(|tx| Box::pin(async { tx.admission().await })).await;
    read.expect("read")
}

async fn the_door_stays_as_it_was_left(store: &dyn Store) {
    assert_eq!(admission(store).await, Admission::Open);
    for (wanted, is_change) in [
        (Admission::Open, false),
        (Admission::Closed, true),
        (Admission::Closed, false),
        (Admission::Open, true),
        (Admission::Open, false),
        (Admission::Closed, true),
    ] {
        assert_eq!(set(store, wanted).await, is_change, "{wanted:?}");
        assert_eq!(admission(store).await, wanted);
    }
}

async fn facts_about_everybody_are_those_about_each(store: &dyn Store) {
    let filled: Result<(), StoreError> = store
        .write(|tx| {
            Box::pin(async move {
                for number in 0..4 {
                    assert_eq!(tx.insert_user(&user(number, Role::Viewer, at(0))).await?, InsertUser::Inserted);
                }
                // 0 has an app, 1 has only begun to enrol one.
                let app = active_totp(10, user_id(0), at(0));
                assert!(tx.put_active_totp(&app, &recovery(11, user_id(0), at(0))).await?);
                assert!(tx.put_pending_totp(&pending_totp(12, user_id(1), at(0))).await?);
                let link = Link {
                    user: user_id(2),
                    identity: ExternalIdentity::new("https://accounts.example", "two").expect("an identity"),
                    linked_at: at(5),
                };
                assert_eq!(tx.insert_first_link(&link).await?, InsertLink::Inserted);
                Ok(())
            })
        })
        .await;
    filled.expect("filled");
    let read: Result<_, StoreError> = store
        .read(|tx| Box::pin(async move { Ok((tx.enrolled_users().await?, tx.first_issuers().await?)) }))
        .await;
    let (enrolled, issuers) = read.expect("read");
    assert_eq!(enrolled, HashSet::from([user_id(0)]));
    assert_eq!(issuers, HashMap::from([(user_id(2), "https://accounts.example".to_owned())]));
}
