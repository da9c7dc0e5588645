//! The store in memory under the contract that every backend fulfils.

use std::sync::Arc;

use dango_store::MemoryStore;
use dango_store::contract;

#[test]
fn the_store_in_memory_fulfils_the_contract() {
    contract::check(&|| Arc::new(MemoryStore::new()));
    contract::counts_its_commits(&|| Arc::new(MemoryStore::new()));
}
