//! SQLite under the contract that every backend fulfils, and beside the store in memory.

use std::cell::RefCell;
use std::sync::Arc;

use dango_store::contract;
use dango_store_sqlite::{Open, SqliteStore};
use tempfile::TempDir;

#[test]
fn sqlite_fulfils_the_contract() {
    let directories: RefCell<Vec<TempDir>> = RefCell::default();
    let make = || -> Arc<dyn dango_store::Store> {
        let directory = tempfile::tempdir().expect("a directory");
        let store = SqliteStore::open(&directory.path().join("dango.db"), Open::OrCreate).expect("opened");
        directories.borrow_mut().push(directory);
        Arc::new(store)
    };
    contract::check(&make);
    contract::counts_its_commits(&make);
}

#[test]
fn sqlite_answers_what_the_store_in_memory_answers() {
    let directory = tempfile::tempdir().expect("a directory");
    let number = std::cell::Cell::new(0);
    let make = || -> Arc<dyn dango_store::Store> {
        number.set(number.get() + 1);
        let path = directory.path().join(format!("{}.db", number.get()));
        Arc::new(SqliteStore::open(&path, Open::OrCreate).expect("opened"))
    };
    contract::agrees_with_memory(&make, 96);
}

#[test]
fn what_another_store_on_the_same_file_commits_is_seen_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dango.db");
    let open = || -> Arc<dyn dango_store::Store> { Arc::new(SqliteStore::open(&path, Open::OrCreate).expect("opened")) };
    contract::sees_what_others_commit(&|| [open(), open()]);
}
