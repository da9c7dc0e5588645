//! The marks of what was taken over: kept with the transaction that made them, and each made once.

use std::collections::HashSet;

use dango_identity::StoreError;

use super::Make;
use super::sample::{at, bytes};
use crate::{ImportMark, Store, StoreExt};

pub(super) async fn check(make: Make<'_>) {
    a_mark_is_made_once(make().as_ref()).await;
    a_mark_is_undone_with_its_transaction(make().as_ref()).await;
}

const fn mark(number: u32) -> ImportMark {
    ImportMark::from_bytes(bytes(9, number))
}

async fn marks(store: &dyn Store) -> HashSet<ImportMark> {
    let read: Result<_, StoreError> = store.read(|tx| Box::pin(async { tx.import_marks().await })).await;
    read.expect("read")
}

async fn a_mark_is_made_once(store: &dyn Store) {
    assert!(marks(store).await.is_empty());
    for (number, is_new) in [(1, true), (1, false), (2, true), (1, false)] {
        let made: Result<bool, StoreError> = store
            .write(move |tx| Box::pin(async move { tx.mark_imported(mark(number), at(1)).await }))
            .await;
        assert_eq!(made.expect("written"), is_new, "{number}");
    }
    assert_eq!(marks(store).await, HashSet::from([mark(1), mark(2)]));
}

async fn a_mark_is_undone_with_its_transaction(store: &dyn Store) {
    let undone: Result<(), StoreError> = store
        .write(|tx| {
            Box::pin(async move {
                assert!(tx.mark_imported(mark(1), at(1)).await?);
                Err(StoreError::new("enough"))
            })
        })
        .await;
    assert!(undone.is_err());
    assert!(marks(store).await.is_empty());
}
