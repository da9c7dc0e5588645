//! Measures the store on a database in a directory of its own: opening, a session check, appends to the log, a list of users.
//!
//! `cargo run --release -p dango-store-sqlite --example measure`. A directory that is given is used instead of a temporary one.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program of its own reads its arguments and prints what it measured"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dango_audit::log;
use dango_core::OsEntropy;
use dango_identity::{Role, SecurityEpoch, StoreError, TokenDigest};
use dango_store::contract::sample::{at, bytes, chain_key, draft, session, user, user_id};
use dango_store::{StoreExt, StoreFailure};
use dango_store_sqlite::{Open, SqliteStore};

type Error = Box<dyn std::error::Error>;

const USERS: u32 = 10_000;
const SESSIONS: u32 = 100_000;
const THREADS: u32 = 32;

fn main() -> Result<(), Error> {
    let temporary = tempfile::tempdir()?;
    let directory = std::env::args().nth(1).map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    one_command(&directory.join("small.db"))?;
    let path = directory.join("large.db");
    fill(&path)?;
    one_command(&path)?;
    let store = Arc::new(SqliteStore::open(&path, Open::Existing)?);
    session_checks(&store)?;
    list_of_users(&store)?;
    appends(&store)?;
    verification(&store)
}

/// What a single command costs: open, one audited change, close.
fn one_command(path: &Path) -> Result<(), Error> {
    drop(SqliteStore::open(path, Open::OrCreate)?);
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..50 {
        let begun = Instant::now();
        let store = SqliteStore::open(path, Open::OrCreate)?;
        parts[0].push(begun.elapsed());
        let begun = Instant::now();
        record(&store)?;
        parts[1].push(begun.elapsed());
        let begun = Instant::now();
        drop(store);
        parts[2].push(begun.elapsed());
    }
    let [open, write, close] = parts.map(median);
    println!("one command: open {open:.1?}, one audited commit {write:.1?}, close {close:.1?}");
    Ok(())
}

fn record(store: &SqliteStore) -> Result<(), StoreFailure> {
    pollster::block_on(store.write(|tx| {
        Box::pin(async move {
            let recorded = log::record(tx, &chain_key(), &OsEntropy, &draft(1, at(0))).await;
            recorded.map(|_| ()).map_err(StoreFailure::unavailable)
        })
    }))
}

fn fill(path: &Path) -> Result<(), Error> {
    let store = SqliteStore::open(path, Open::OrCreate)?;
    for first in (0..SESSIONS).step_by(5_000) {
        let work = store.write(move |tx| {
            Box::pin(async move {
                for number in first..first + 5_000 {
                    if number < USERS {
                        let _ = tx.insert_user(&user(number, Role::Viewer, at(i64::from(number)))).await?;
                    }
                    let owner = user_id(number % USERS.min(first + 5_000));
                    let _ = tx
                        .insert_session(&session(number, owner, SecurityEpoch::default(), at(0)), 1_000)
                        .await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        pollster::block_on(work)?;
    }
    Ok(())
}

fn session_checks(store: &SqliteStore) -> Result<(), Error> {
    let mut times = Vec::new();
    for number in 0..20_000_u32 {
        let digest = TokenDigest::from_bytes(bytes(2, number.wrapping_mul(2_654_435_761) % SESSIONS));
        let begun = Instant::now();
        let found = pollster::block_on(store.read(move |tx| Box::pin(async move { tx.find_session(&digest).await })))?;
        times.push(begun.elapsed());
        assert!(found.is_some());
    }
    println!(
        "session check among {SESSIONS}: median {:.1?}, p99 {:.1?}",
        median(times.clone()),
        percentile(times, 99)
    );
    Ok(())
}

fn list_of_users(store: &SqliteStore) -> Result<(), Error> {
    let mut times = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        let users = pollster::block_on(store.read(|tx| Box::pin(async move { tx.users().await })))?;
        times.push(begun.elapsed());
        assert_eq!(users.len(), USERS as usize);
    }
    println!("list of {USERS} users: median {:.1?}", median(times));
    Ok(())
}

fn appends(store: &Arc<SqliteStore>) -> Result<(), Error> {
    for threads in [1, THREADS] {
        let each = 20_000 / threads;
        let begun = Instant::now();
        let running: Vec<_> = (0..threads)
            .map(|_| {
                let store = Arc::clone(store);
                std::thread::spawn(move || (0..each).try_for_each(|_| record(&store)))
            })
            .collect();
        for thread in running {
            thread.join().map_err(|_| "a thread panicked")??;
        }
        let rate = f64::from(each * threads) / begun.elapsed().as_secs_f64();
        println!("appends to the log by {threads} at once: {rate:.0} a second");
    }
    Ok(())
}

fn verification(store: &SqliteStore) -> Result<(), Error> {
    let begun = Instant::now();
    let work = store.read(|tx| Box::pin(async move { log::verify(tx, &chain_key(), &[]).await.map_err(StoreFailure::unavailable) }));
    let report = pollster::block_on(work)?;
    assert!(report.is_ok());
    println!(
        "verification: {:.0} records a second",
        report.events as f64 / begun.elapsed().as_secs_f64()
    );
    Ok(())
}

fn median(times: Vec<Duration>) -> Duration {
    percentile(times, 50)
}

fn percentile(mut times: Vec<Duration>, percent: usize) -> Duration {
    times.sort_unstable();
    times[times.len() * percent / 100]
}
