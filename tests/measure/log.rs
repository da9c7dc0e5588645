//! How many records a second are appended to the audit log in SQLite, each on the disk before it is answered, and verified out of it.

use std::path::Path;
use std::time::Instant;

use dango_audit::{Actor, ChainKey, Draft, Event, Label, Outcome as Ending, Stage, log};
use dango_core::{Clock, OsEntropy, SystemClock};
use dango_identity::{AuditChainKey, IdentityKey};
use dango_store::{StoreExt, StoreFailure};
use dango_store_sqlite::{Open, SqliteStore};
use pollster::block_on;

use super::{Outcome, spread};

/// Appends so many records by so many threads, one record in a transaction.
pub(super) fn append(folder: &Path, threads: usize, count: usize) -> Outcome {
    let store = SqliteStore::open(&folder.join("log.db"), Open::OrCreate)?;
    let key = IdentityKey::make(&OsEntropy)?;
    let begun = Instant::now();
    spread(threads, |thread| {
        (thread..count).step_by(threads).try_for_each(|_| record(&store, &key))
    })?;
    println!("appends a second: {:.2}", count as f64 / begun.elapsed().as_secs_f64());
    Ok(())
}

fn record(store: &SqliteStore, key: &IdentityKey) -> Result<(), StoreFailure> {
    let chain = chain_key(key);
    block_on(store.write(move |tx| {
        Box::pin(async move {
            let actor = Actor::cli(None, Some(Label::new("ada")));
            let draft = Draft::new(SystemClock.now(), Event::SecretSet, actor, Stage::Ended(Ending::Success));
            let recorded = log::record(tx, &chain, &OsEntropy, &draft).await;
            recorded.map(|_| ()).map_err(StoreFailure::unavailable)
        })
    }))
}

/// Verifies the whole log of a database, as `dango audit verify` does.
pub(super) fn verify(database: &Path, key: &IdentityKey) -> Outcome {
    let store = SqliteStore::open(database, Open::Existing)?;
    let chain = chain_key(key);
    let begun = Instant::now();
    let verifying = store.read(move |tx| Box::pin(async move { log::verify(tx, &chain, &[]).await.map_err(StoreFailure::unavailable) }));
    let report = block_on(verifying)?;
    if !report.is_ok() {
        return Err("the log is not intact".into());
    }
    println!("verified a second: {:.2}", report.events as f64 / begun.elapsed().as_secs_f64());
    Ok(())
}

fn chain_key(key: &IdentityKey) -> ChainKey {
    ChainKey::from_derived(AuditChainKey::derive(key).expose())
}
