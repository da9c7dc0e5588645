//! What it takes to find out who a request is from, asked of PostgreSQL by one after another.

use std::sync::Arc;
use std::time::Instant;

use dango_actions::{Actions, Caller, Setup, SignedIn};
use dango_core::{OsEntropy, SystemClock};
use dango_identity::{Client, PlainToken};
use pollster::block_on;

use super::super::Outcome;
use super::super::sessions::{Still, issue};
use super::filled::{Filled, identity_key};
use dango_core::Clock as _;

const CHECKS: usize = 4_000;

/// Checks tokens whose rows lie among all others, the way a request does: row, seal, limits, user, second factor.
pub(super) fn check(filled: &Filled) -> Outcome {
    let (store, key) = (Arc::new(filled.store()?), identity_key()?);
    let tokens = issue(&*store, &key)?;
    let clock = Arc::new(Still(SystemClock.now()));
    let actions = Actions::new(store, &key, Setup::default(), clock, Arc::new(OsEntropy))?;
    let mut micros = Vec::with_capacity(CHECKS);
    for number in 0..CHECKS {
        let token = PlainToken::parse(&tokens[number * 7 % tokens.len()])?;
        let begun = Instant::now();
        let signed_in = block_on(actions.authenticate(token, Caller::anonymous(Client::default())))?;
        micros.push(begun.elapsed().as_secs_f64() * 1e6);
        assert!(matches!(signed_in, SignedIn::Full(_)), "every session is a full one");
    }
    // The first of each token asks twice: where it led is not known yet.
    let micros = &mut micros[CHECKS / 2..];
    micros.sort_by(f64::total_cmp);
    println!("session check: {:.2}", micros[micros.len() / 2]);
    println!(
        "of which the slowest hundredth takes at least {:.2}",
        micros[micros.len() - micros.len() / 100]
    );
    Ok(())
}
