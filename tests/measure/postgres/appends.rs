//! How many records a second several servers append to one log in PostgreSQL, each on the disk before it is answered: the turn at writing alone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use dango_store::StoreFailure;

use super::super::log::{chain_key, record};
use super::super::{Outcome, spread};
use super::filled::{Filled, identity_key};

/// As many ask each server at once.
const ASKING: usize = 32;
const TIME: Duration = Duration::from_secs(4);

/// Appends by so many stores, as so many servers have them, one record in a transaction.
pub(super) fn append(filled: &Filled, stores: usize) -> Outcome {
    let chain = chain_key(&identity_key()?);
    let stores = (0..stores).map(|_| filled.store()).collect::<Result<Vec<_>, _>>()?;
    let (done, begun) = (AtomicU64::new(0), Instant::now());
    spread(ASKING * stores.len(), |thread| {
        while begun.elapsed() < TIME {
            record(&stores[thread % stores.len()], &chain)?;
            done.fetch_add(1, Ordering::Relaxed);
        }
        Ok::<_, StoreFailure>(())
    })?;
    let done = done.into_inner();
    println!("appends a second: {:.2}", done as f64 / begun.elapsed().as_secs_f64());
    Ok(())
}
