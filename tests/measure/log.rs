//! How many records a second are appended to the audit log in SQLite, each on the disk before it is answered, and verified out of it.

use std::path::Path;
use std::time::Instant;

use dango_audit::checkpoint::{Checkpoint, LogName};
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
    let chain = chain_key(&IdentityKey::make(&OsEntropy)?);
    let begun = Instant::now();
    spread(threads, |thread| {
        (thread..count).step_by(threads).try_for_each(|_| record(&store, &chain))
    })?;
    println!("appends a second: {:.2}", count as f64 / begun.elapsed().as_secs_f64());
    Ok(())
}

/// Appends a record, in a transaction of its own.
pub(super) fn record(store: &impl StoreExt, chain: &ChainKey) -> Result<(), StoreFailure> {
    let chain = chain.clone();
    block_on(store.write(move |tx| {
        Box::pin(async move {
            let actor = Actor::cli(None, Some(Label::new("ada")));
            let draft = Draft::new(SystemClock.now(), Event::SecretSet, actor, Stage::Ended(Ending::Success));
            let recorded = log::record(tx, &chain, &OsEntropy, &draft).await;
            recorded.map(|_| ()).map_err(StoreFailure::unavailable)
        })
    }))
}

/// What a log is held against beside itself.
#[derive(Clone, Copy)]
pub(super) enum Against {
    Nothing,
    /// A checkpoint of all of it, as a project keeps one.
    Checkpoint,
}

/// Opens a database and verifies its whole log, as `dango audit verify` does.
pub(super) fn verify(database: &Path, key: &IdentityKey, against: Against) -> Outcome {
    let checkpoints = match against {
        Against::Nothing => Vec::new(),
        Against::Checkpoint => vec![checkpoint(database, key)?],
    };
    let chain = chain_key(key);
    let begun = Instant::now();
    let store = SqliteStore::open(database, Open::Existing)?;
    let verifying = store.read(move |tx| {
        Box::pin(async move {
            let verified = log::verify(tx, &chain, &checkpoints).await;
            verified.map_err(StoreFailure::unavailable)
        })
    });
    let report = block_on(verifying)?;
    let taken = begun.elapsed();
    if !report.is_ok() {
        return Err("the log is not intact".into());
    }
    println!("verified a second: {:.2}", report.events as f64 / taken.as_secs_f64());
    Ok(())
}

fn checkpoint(database: &Path, key: &IdentityKey) -> Result<Checkpoint, Box<dyn std::error::Error>> {
    let (store, chain) = (SqliteStore::open(database, Open::Existing)?, chain_key(key));
    let name: LogName = "dango.example/audit".parse()?;
    let made = store.read(move |tx| {
        Box::pin(async move {
            let made = log::checkpoint(tx, &chain, name).await;
            made.map_err(StoreFailure::unavailable)
        })
    });
    Ok(block_on(made)?)
}

pub(super) fn chain_key(key: &IdentityKey) -> ChainKey {
    ChainKey::from_derived(AuditChainKey::derive(key).expose())
}
