//! Measures what it takes to find out who a request is from, among 100,000 sessions of 10,000 users.
//!
//! `cargo run --release -p dango-tests --example authentication_rate`
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program of its own measures and prints"
)]

mod house;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dango_actions::Actions;
use dango_core::OsEntropy;
use dango_identity::{Role, SecurityEpoch, SessionLimits, Sessions, StoreError};
use dango_store::contract::sample::{user, user_id};
use dango_store::{Store, StoreExt};
use house::{House, identity_key, session_of, token, visitor};

const USERS: u32 = 10_000;
const SESSIONS: u32 = 100_000;
const ASKED: usize = 20_000;

fn main() {
    let directory = tempfile::tempdir().expect("a directory");
    let house = House::new(directory.path());
    let tokens = fill(&house);
    let some: Vec<&str> = (0..ASKED).map(|number| tokens[number * 7_919 % tokens.len()].as_str()).collect();
    let ask = |actions: &Actions, text: &str| {
        let begun = Instant::now();
        let known = pollster::block_on(actions.authenticate(token(text), visitor())).is_ok();
        assert!(known);
        begun.elapsed()
    };
    let version = (0..ASKED).map(|_| {
        let begun = Instant::now();
        let _ = house.store.version().expect("open");
        begun.elapsed()
    });
    print("version", version.collect());
    print("first time (read)", some.iter().map(|text| ask(&house.server, text)).collect());
    print(
        "one again and again (remembered)",
        some.iter().map(|_| ask(&house.server, some[0])).collect(),
    );
    let few = &some[..10_000];
    print("10,000 in turn", few.iter().map(|text| ask(&house.server, text)).collect());
    print(
        "10,000 in turn (remembered)",
        few.iter().map(|text| ask(&house.server, text)).collect(),
    );
    print(
        "by transactions, without memory",
        some[..2_000].iter().map(|text| ask(&house.forgetful, text)).collect(),
    );
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for text in &some[..2] {
            let house = &house;
            scope.spawn(move || (0..100_000).for_each(|_| assert!(ask(&house.server, text) > Duration::ZERO)));
        }
    });
    println!(
        "two threads at once, remembered: {:.0} a second",
        200_000.0 / begun.elapsed().as_secs_f64()
    );
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    std::hint::spin_loop()
                }
            });
        }
        commit(&house);
        print(
            "first time (read), machine busy",
            some[..5_000].iter().map(|text| ask(&house.server, text)).collect(),
        );
        print(
            "again (remembered), machine busy",
            (0..20_000).map(|_| ask(&house.server, some[0])).collect(),
        );
        print(
            "by transactions, machine busy",
            some[..500].iter().map(|text| ask(&house.forgetful, text)).collect(),
        );
        done.store(true, Ordering::Relaxed);
    });
}

/// Something that makes everything that was read overtaken.
fn commit(house: &House) {
    let now = house.now();
    house.elsewhere(move |tx| Box::pin(async move { tx.change_role(user_id(1), Role::Editor, now).await.map(|_| ()) }));
}

fn fill(house: &House) -> Vec<String> {
    let mut tokens = Vec::new();
    for first in (0..SESSIONS).step_by(10_000) {
        let now = house.now();
        let work = house.others.write(move |tx| {
            Box::pin(async move {
                let (sessions, mut made) = (Sessions::new(&identity_key(), SessionLimits::default()), Vec::new());
                for number in first..first + 10_000 {
                    if number < USERS {
                        let _ = tx.insert_user(&user(number, Role::Viewer, now)).await?;
                    }
                    let new = session_of(user_id(number % USERS), SecurityEpoch::default());
                    let issued = sessions.begin(tx, new, now, &OsEntropy).await.map_err(StoreError::new)?;
                    made.push(issued.token.expose().to_owned());
                }
                Ok::<_, StoreError>(made)
            })
        });
        tokens.extend(pollster::block_on(work).expect("filled"));
    }
    tokens
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[times.len() * percent / 100];
    println!("{what}: median {:.1?}, p99 {:.1?}", at(50), at(99));
}
