//! The version of a store: another after every commit, by whoever, and the same as long as nothing was.

use std::sync::Arc;

use dango_identity::{Role, StoreError};

use super::Make;
use super::sample::{at, user};
use crate::{Admission, Store, StoreExt, StoreVersion};

/// Two stores that were opened on the same rows, as two processes have them.
pub type MakeTwo<'m> = &'m dyn Fn() -> [Arc<dyn Store>; 2];

/// Whether a store knows at once of what another one on the same rows has committed.
pub fn sees_what_others_commit(make: MakeTwo<'_>) {
    let [ours, theirs] = make();
    let mut before = version(&*ours);
    for number in 0..100 {
        assert_eq!(before, version(&*ours), "nothing was committed");
        add(&*theirs, number);
        let after = version(&*ours);
        assert_ne!(before, after, "another store has committed");
        assert_eq!(count(&*ours), count(&*theirs));
        before = after;
    }
}

/// Whether every commit gives a store another version, and nothing else does.
pub fn counts_its_commits(make: Make<'_>) {
    every_commit_makes_another(&*make());
    no_commit_stays_unseen_beside_others(&make());
}

fn every_commit_makes_another(store: &dyn Store) {
    let mut seen = vec![version(store)];
    let door = [Admission::Closed, Admission::Open];
    for number in 0..50 {
        add(store, number);
        seen.push(version(store));
        let set = store.write(move |tx| Box::pin(async move { tx.set_admission(door[number as usize % 2], at(1)).await }));
        let _: bool = pollster::block_on(set).expect("written");
        seen.push(version(store));
        assert_eq!(count(store), number as usize + 1);
        assert_eq!(seen.last(), Some(&version(store)), "reading changes nothing");
    }
    let mut numbers = seen.clone();
    numbers.dedup();
    assert_eq!(numbers, seen);
}

/// What is read after a version is at least as new as the version, whoever asks for it beside.
fn no_commit_stays_unseen_beside_others(store: &Arc<dyn Store>) {
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let store = Arc::clone(store);
            std::thread::spawn(move || {
                for number in 0..25 {
                    let before = version(&*store);
                    add(&*store, thread * 100 + number);
                    assert_ne!(
                        before,
                        version(&*store),
                        "what was answered is committed, and what is committed is seen"
                    );
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    assert_eq!(count(store.as_ref()), 100);
}

fn version(store: &dyn Store) -> StoreVersion {
    let version = store.version().expect("a store that can be used");
    version.expect("a store that nobody has locked")
}

fn add(store: &dyn Store, number: u32) {
    let added: Result<_, StoreError> = pollster::block_on(store.write(move |tx| {
        Box::pin(async move {
            let _ = tx.insert_user(&user(number, Role::Viewer, at(0))).await?;
            Ok(())
        })
    }));
    added.expect("written");
}

fn count(store: &dyn Store) -> usize {
    let users: Result<_, StoreError> = pollster::block_on(store.read(|tx| Box::pin(async move { tx.users().await })));
    users.expect("read").len()
}
