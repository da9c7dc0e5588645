//! Logins of one account at several servers of one database: right ones do not lock it, and wrong ones do.

#![allow(clippy::panic, reason = "a test that finds another answer ends")]

mod world;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use dango_actions::{Setup, Workers};
use dango_identity::{Busy, Role};
use dango_store::{BoxFuture, MemoryStore, Store};
use world::{RIGHT, WRONG, World, block_on, identity_key, password, visitor};

/// Closed until somebody opens it for all.
#[derive(Default)]
struct Latch(Mutex<bool>, Condvar);

impl Latch {
    fn open(&self) {
        *self.0.lock().expect("whole") = true;
        self.1.notify_all();
    }

    fn wait(&self) {
        let mut is_open = self.0.lock().expect("whole");
        while !*is_open {
            is_open = self.1.wait(is_open).expect("whole");
        }
    }
}

/// What one server's tries and rests wait for.
#[derive(Clone)]
struct Paced {
    /// Told before a password is looked at.
    charged: Option<Sender<()>>,
    /// Open where passwords may be looked at; a rest opens it.
    hashing: Arc<Latch>,
    /// Open where rests end.
    rested: Arc<Latch>,
    rests: Arc<AtomicUsize>,
}

impl Paced {
    fn new() -> Self {
        Self {
            charged: None,
            hashing: Arc::default(),
            rested: Arc::default(),
            rests: Arc::default(),
        }
    }
}

impl Workers for Paced {
    fn run(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, Result<(), Busy>> {
        if let Some(charged) = &self.charged {
            charged.send(()).expect("somebody counts");
            self.hashing.wait();
        }
        work();
        Box::pin(std::future::ready(Ok(())))
    }

    fn rest(&self, _: Duration) -> BoxFuture<'static, ()> {
        self.rests.fetch_add(1, Ordering::SeqCst);
        self.hashing.open();
        self.rested.wait();
        Box::pin(std::future::ready(()))
    }
}

fn server(store: &Arc<dyn Store>, workers: Paced, patience: Duration) -> World {
    let setup = Setup {
        workers: Arc::new(workers),
        login_patience: patience,
        ..Setup::default()
    };
    World::with(Arc::clone(store), identity_key(7), setup)
}

fn log_in(world: &World, text: &str) -> &'static str {
    let answer = block_on(world.actions.log_in(&visitor(), "ada@x.example", password(text), None, None));
    answer.map_or_else(|error| error.code(), |_| "ok")
}

fn store_with_ada() -> Arc<dyn Store> {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    World::over(Arc::clone(&store), identity_key(7)).add("ada@x.example", Role::Admin);
    store
}

#[test]
fn right_passwords_at_three_servers_at_once_are_all_let_in() {
    let (store, resting) = (store_with_ada(), Paced::new());
    let (charged, charges) = channel();
    let holding = Paced {
        charged: Some(charged),
        ..resting.clone()
    };
    let patience = Duration::from_secs(86_400);
    let [a, b, c] = [&resting, &holding, &resting].map(|workers| server(&store, workers.clone(), patience));
    std::thread::scope(|scope| {
        // Five are under way at one, so the account is locked for the others.
        let five: Vec<_> = (0..5).map(|_| scope.spawn(|| log_in(&b, RIGHT))).collect();
        charges.iter().take(5).for_each(drop);
        let others: Vec<_> = [&a, &c, &c, &c, &c, &c]
            .map(|server| scope.spawn(move || log_in(server, RIGHT)))
            .into();
        let five: Vec<_> = five.into_iter().map(|login| login.join().expect("no panic")).collect();
        resting.rested.open();
        let others: Vec<_> = others.into_iter().map(|login| login.join().expect("no panic")).collect();
        assert_eq!((five, others), (vec!["ok"; 5], vec!["ok"; 6]));
    });
}

#[test]
fn wrong_passwords_elsewhere_are_waited_for_a_moment_and_old_ones_not_at_all() {
    let (store, workers) = (store_with_ada(), Paced::new());
    workers.rested.open();
    let elsewhere = World::over(Arc::clone(&store), identity_key(7));
    let here = server(&store, workers.clone(), Duration::from_secs(2));
    for _ in 0..5 {
        assert_eq!(log_in(&elsewhere, WRONG), "invalid_credentials");
    }
    assert_eq!((log_in(&here, RIGHT), workers.rests.load(Ordering::SeqCst)), ("account_locked", 6));
    here.pass(3);
    assert_eq!((log_in(&here, RIGHT), workers.rests.load(Ordering::SeqCst)), ("account_locked", 6));
}
