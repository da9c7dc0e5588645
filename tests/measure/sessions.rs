//! What it takes to find out who a request is from, in a database with many sessions.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use dango_actions::{Actions, Caller, Setup, SignedIn};
use dango_core::{Clock, OsEntropy, SystemClock, Timestamp};
use dango_identity::{
    AuthFactor, Client, FactorSet, IdentityKey, IssueSessionError, NewSession, PlainToken, SessionLimits, Sessions, Stage, StoreError,
};
use dango_store::StoreExt;
use dango_store_sqlite::{Open, SqliteStore};
use pollster::block_on;

use super::Outcome;

const TOKENS: usize = 2_000;
const CHECKS: usize = 20_000;

/// Checks tokens whose rows lie all over the table, the way a request does: row, seal, limits, user, second factor.
pub(super) fn check(database: &Path, key: &IdentityKey) -> Outcome {
    let store = Arc::new(SqliteStore::open(database, Open::Existing)?);
    let tokens = issue(&*store, key)?;
    let actions = Actions::new(
        store,
        key,
        Setup::default(),
        Arc::new(Still(SystemClock.now())),
        Arc::new(OsEntropy),
    )?;
    let mut micros = Vec::with_capacity(CHECKS);
    for number in 0..CHECKS {
        let token = PlainToken::parse(&tokens[number * 7 % tokens.len()])?;
        let begun = Instant::now();
        let signed_in = block_on(actions.authenticate(token, Caller::anonymous(Client::default())))?;
        micros.push(begun.elapsed().as_secs_f64() * 1e6);
        assert!(matches!(signed_in, SignedIn::Full(_)), "every session is a full one");
    }
    micros.sort_by(f64::total_cmp);
    println!("session check: {:.2}", micros[CHECKS / 2]);
    println!("of which the slowest hundredth takes at least {:.2}", micros[CHECKS - CHECKS / 100]);
    Ok(())
}

/// Time that stands still: no session becomes old enough for its use to be written down.
#[derive(Debug)]
pub(super) struct Still(pub(super) Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn local_offset_seconds(&self, _: Timestamp) -> i32 {
        0
    }
}

/// Begins sessions of as many people, and answers their tokens.
pub(super) fn issue(store: &impl StoreExt, key: &IdentityKey) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let sessions = Sessions::new(key, SessionLimits::default());
    let issuing = store.write(move |tx| {
        Box::pin(async move {
            let (users, now) = (tx.users().await?, SystemClock.now());
            let mut tokens = Vec::with_capacity(TOKENS);
            for user in users.iter().take(TOKENS) {
                let new = NewSession {
                    user: user.id,
                    epoch: user.epoch,
                    factors: FactorSet::of(AuthFactor::Password),
                    stage: Stage::Full,
                    client: Client::default(),
                    device: None,
                };
                let issued = match sessions.begin(tx, new, now, &OsEntropy).await {
                    Ok(issued) => issued,
                    Err(IssueSessionError::Store(error)) => return Err(error),
                    Err(error) => return Err(StoreError::new(error)),
                };
                tokens.push(issued.token.expose().to_owned());
            }
            Ok::<_, StoreError>(tokens)
        })
    });
    let tokens = block_on(issuing)?;
    match tokens.len() {
        0 => Err("there is nobody to have a session".into()),
        _ => Ok(tokens),
    }
}
