//! A small world for the tests of this crate: one key, one store, people with passwords, and time that stands still unless moved.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dango_core::{OsEntropy, SecretValue, Timestamp};

use crate::account::{InsertUser, NewUser, StoredPassword, User, UserStore};
use crate::instant::after;
use crate::key::{IdentityKey, TokenKey};
use crate::lockout::LockoutPolicy;
use crate::login::LoginRules;
use crate::memory::MemoryStore;
use crate::password::{HashingCost, HashingGate, Password, PasswordHasher, PasswordRecord, Pepper};
use crate::role::Role;
use crate::session::{SessionProfile, Sessions};

pub(crate) use pollster::block_on;

pub(crate) const RIGHT: &str = "correct horse battery staple";
pub(crate) const WRONG: &str = "correct horse battery stable";

/// The moment at which everything begins.
pub(crate) const START: Timestamp = Timestamp::from_unix_micros(1_700_000_000_000_000);

/// So many seconds after the beginning.
pub(crate) fn at(seconds: u64) -> Timestamp {
    after(START, Duration::from_secs(seconds))
}

pub(crate) fn password(text: &str) -> Password {
    Password::new(text.to_owned()).expect("short enough")
}

pub(crate) fn identity_key() -> IdentityKey {
    IdentityKey::parse(&SecretValue::new("0a".repeat(32)).expect("text")).expect("a key")
}

pub(crate) fn token_key() -> TokenKey {
    TokenKey::derive(&identity_key())
}

pub(crate) fn rules() -> LoginRules {
    LoginRules::new(&identity_key(), LockoutPolicy::default())
}

pub(crate) fn sessions() -> Sessions {
    Sessions::new(&identity_key(), SessionProfile::Standard.limits())
}

pub(crate) fn hasher() -> &'static PasswordHasher {
    static HASHER: OnceLock<PasswordHasher> = OnceLock::new();
    HASHER.get_or_init(|| {
        let gate = Arc::new(HashingGate::new(NonZeroUsize::new(2).expect("not zero"), 1000));
        PasswordHasher::new(HashingCost::FLOOR, Pepper::derive(&identity_key()), Vec::new(), gate, &OsEntropy).expect("random")
    })
}

/// What one computation of Argon2id costs: memory, passes, lanes, whether it is keyed, bytes of salt and of output.
pub(crate) type HashWork = (u32, u32, u32, bool, usize, usize);

thread_local! {
    static HASHES: RefCell<Vec<HashWork>> = const { RefCell::new(Vec::new()) };
}

/// Notes a computation that this thread is about to do.
pub(crate) fn note_hash(work: HashWork) {
    HASHES.with_borrow_mut(|hashes| hashes.push(work));
}

/// Does something on this thread and tells what was hashed meanwhile.
pub(crate) fn hashes_of<T>(work: impl FnOnce() -> T) -> (T, Vec<HashWork>) {
    HASHES.take();
    (work(), HASHES.take())
}

/// The hash of [`RIGHT`], computed once.
pub(crate) fn right_record() -> PasswordRecord {
    static RECORD: OnceLock<PasswordRecord> = OnceLock::new();
    RECORD
        .get_or_init(|| hasher().hash(&password(RIGHT), &OsEntropy).expect("hashed"))
        .clone()
}

/// Inserts a user with the password [`RIGHT`].
pub(crate) fn add_user(store: &MemoryStore, email: &str, role: Role) -> User {
    let stored = StoredPassword::chosen(right_record(), START);
    add_user_with(store, email, role, stored)
}

pub(crate) fn add_user_with(store: &MemoryStore, email: &str, role: Role, stored: StoredPassword) -> User {
    let new = NewUser::with_password(email.parse().expect("an address"), role, stored, START, &OsEntropy).expect("random");
    assert_eq!(block_on(store.clone().insert_user(&new)).ok(), Some(InsertUser::Inserted));
    new.user
}

/// Runs the same thing in so many threads at once and collects the answers.
pub(crate) fn race<T: Send>(times: usize, run: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = std::sync::Barrier::new(times);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..times)
            .map(|number| {
                let (start, run) = (&start, &run);
                scope.spawn(move || {
                    start.wait();
                    run(number)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}
