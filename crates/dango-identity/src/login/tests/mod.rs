//! The login ceremony against the store in memory: gates, budgets, races.

mod password;
mod second_factor;

use dango_core::{OsEntropy, Timestamp};

use super::*;
use crate::account::{StoredPassword, User};
use crate::memory::MemoryStore;
use crate::session::{AnySession, Full, Partial, Session};
use crate::testing::{block_on, hasher, password, rules, sessions};

/// What a client learns of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Done(Option<Obligation>),
    SecondFactor,
    Invalid,
    Locked(Lock),
}

fn untrusted(_: &User) -> ClientClass {
    ClientClass::Untrusted
}

fn begin(store: &MemoryStore, email: &str, now: Timestamp) -> Result<LoginAttempt, BeginLoginError> {
    block_on(rules().begin_login(&mut store.clone(), email, &untrusted, now))
}

fn settle(store: &MemoryStore, checked: CheckedLogin, now: Timestamp) -> Result<LoginStep, LoginError> {
    block_on(checked.settle(&rules(), &mut store.clone(), now))
}

fn log_in_as(store: &MemoryStore, email: &str, typed: &str, client: ClientClass, now: Timestamp) -> Answer {
    let classify = move |_: &User| client;
    let attempt = match block_on(rules().begin_login(&mut store.clone(), email, &classify, now)) {
        Ok(attempt) => attempt,
        Err(BeginLoginError::Locked { lock, .. }) => return Answer::Locked(lock),
        Err(error) => panic!("{error}"),
    };
    let checked = attempt.verify(hasher(), &password(typed), &OsEntropy);
    match settle(store, checked, now) {
        Ok(LoginStep::Done(authenticated)) => Answer::Done(authenticated.obligation()),
        Ok(LoginStep::SecondFactor(_)) => Answer::SecondFactor,
        Err(LoginError::InvalidCredentials) => Answer::Invalid,
        Err(error) => panic!("{error}"),
    }
}

fn log_in(store: &MemoryStore, email: &str, typed: &str, now: Timestamp) -> Answer {
    log_in_as(store, email, typed, ClientClass::Untrusted, now)
}

fn step(store: &MemoryStore, email: &str, typed: &str, now: Timestamp) -> LoginStep {
    let checked = begin(store, email, now)
        .expect("admitted")
        .verify(hasher(), &password(typed), &OsEntropy);
    settle(store, checked, now).expect("right")
}

fn open_session(store: &MemoryStore, step: LoginStep, now: Timestamp) -> AnySession {
    let new = match step {
        LoginStep::Done(authenticated) => authenticated.into_session(Default::default(), None),
        LoginStep::SecondFactor(pending) => pending.into_session(Default::default(), None),
    };
    let issued = block_on(sessions().begin(&mut store.clone(), new, now, &OsEntropy)).expect("issued");
    issued.session
}

fn full_session(store: &MemoryStore, email: &str, typed: &str, now: Timestamp) -> Session<Full> {
    match open_session(store, step(store, email, typed, now), now) {
        AnySession::Full(session) => session,
        other => panic!("{other:?}"),
    }
}

fn partial_session(store: &MemoryStore, email: &str, typed: &str, now: Timestamp) -> Session<Partial> {
    match open_session(store, step(store, email, typed, now), now) {
        AnySession::Partial(session) => session,
        other => panic!("{other:?}"),
    }
}

fn stored(store: &MemoryStore, user: &User) -> StoredPassword {
    let candidate = block_on(store.clone().find_candidate(user.id)).expect("found").expect("there");
    candidate.password.expect("a password")
}
