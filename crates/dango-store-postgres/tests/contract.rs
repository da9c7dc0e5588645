//! PostgreSQL under the contract that every backend fulfils, and beside the store in memory.

mod database;

use std::sync::Arc;

use dango_store::{Store, contract};
use database::Databases;

#[test]
fn postgres_fulfils_the_contract() {
    let databases = Databases::start();
    contract::check(&|| -> Arc<dyn Store> { databases.open(&databases.make()) });
}

#[test]
fn postgres_answers_what_the_store_in_memory_answers() {
    let databases = Databases::start();
    contract::agrees_with_memory(&|| -> Arc<dyn Store> { databases.open(&databases.make()) }, 12);
}
