//! What is not heard: a commit that did not arrive, an answer that did not, a server that lost what it had not written, one that lags behind.

mod database;

use std::sync::Arc;
use std::time::Duration;

use dango_core::SystemClock;
use dango_identity::{Role, StoreError, TokenDigest, kind};
use dango_secrets::home::{Claim, Placed, Put, Rows};
use dango_store::contract::sample::{at, bytes, session, user, user_id};
use dango_store::{Store, StoreExt, StoreFailure};
use dango_store_postgres::{CONNECTIONS, DatabaseUrl, PostgresStore, ProjectRows};
use database::{Databases, Nobodys, PASSWORD, SERVING, Way, Wire, until};
use pollster::block_on;

/// Adds a user, and says what it was told.
fn add(store: &dyn Store, number: u32) -> Result<(), String> {
    let added = block_on(store.write(move |tx| {
        Box::pin(async move {
            let _ = tx.insert_user(&user(number, Role::Viewer, at(0))).await?;
            Ok::<_, StoreError>(())
        })
    }));
    added.map_err(|error| StoreFailure::within(&error).map_or_else(|| error.to_string(), |failure| failure.code().to_owned()))
}

fn users(store: &dyn Store) -> Result<usize, StoreError> {
    block_on(store.read(|tx| Box::pin(async move { Ok(tx.users().await?.len()) })))
}

fn hex(number: u32) -> String {
    user_id(number).as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The number of the transaction that made a user, while it is still under way or behind it; nothing where there is none.
const UNDER_WAY: &str = "SELECT backend_xid FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND usename = 'dango'";

/// The power goes while a commit is on its way. The server gives the same number to the next transaction, which is somebody else's.
#[test]
fn a_commit_that_was_lost_with_the_power_is_not_taken_for_somebody_elses() {
    let mut databases = Databases::start_with(&["wal_writer_delay=10s", "autovacuum=off"]);
    for _ in 0..5 {
        let name = databases.make();
        let wire = Wire::to(databases.server.port());
        let (far, near) = (databases.open_through(&wire, &name), databases.open(&name));
        add(&*far, 1).expect("written");
        wire.set(Way::LosesCommit);
        let lost = std::thread::spawn({
            let far = Arc::clone(&far);
            move || add(&*far, 2)
        });
        until("a commit is under way", || wire.has_met_commit());
        let number = databases.server.sql(&name, UNDER_WAY);
        databases.server.cut_power();
        databases.server.restart();
        until("the other goes on", || add(&*near, 3).is_ok());
        let sql = format!("SELECT xmin FROM dango.users WHERE id = '\\x{}'", hex(3));
        let others = databases.server.sql(&name, &sql);
        // Only now can it be asked.
        wire.set(Way::Open);
        wire.cut();
        let told = lost.join().expect("no panic");
        assert_eq!(users(&*near).ok(), Some(2), "what was not written is gone");
        assert!(told.is_err(), "and was not acknowledged");
        assert_ne!(told, Err("store-uncertain".to_owned()), "which is known");
        add(&*far, 4).expect("it goes on");
        if number == others {
            return;
        }
        // Something had been written meanwhile, and the number with it.
    }
    panic!("the number was never given anew");
}

#[test]
fn a_commit_that_did_not_arrive_did_not_happen() {
    let databases = Databases::start();
    let name = databases.make();
    let wire = Wire::to(databases.server.port());
    let store = databases.open_through(&wire, &name);
    add(&*store, 1).expect("written");
    wire.set(Way::LosesCommit);
    std::thread::scope(|threads| {
        let lost = threads.spawn(|| add(&*store, 2));
        until("a commit is under way", || wire.has_met_commit());
        wire.set(Way::Open);
        wire.cut();
        assert_eq!(lost.join().expect("no panic"), Err("store-unavailable".to_owned()));
    });
    assert_eq!(users(&*store).ok(), Some(1));
}

#[test]
fn a_commit_whose_answer_did_not_arrive_did_happen() {
    let databases = Databases::start();
    let name = databases.make();
    let wire = Wire::to(databases.server.port());
    let store = databases.open_through(&wire, &name);
    // The first turn and a later one are told apart from others in different ways.
    for number in 1..=2 {
        wire.set(Way::LosesAnswer);
        std::thread::scope(|threads| {
            let unheard = threads.spawn(|| add(&*store, number));
            until("a commit is under way", || wire.has_met_commit());
            wire.set(Way::Open);
            wire.cut();
            assert_eq!(unheard.join().expect("no panic"), Ok(()));
        });
    }
    assert_eq!(users(&*store).ok(), Some(2));
}

/// Whether a commit waits for a second server.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

/// Commits wait for a second server from here on, which is not there; adds users until one waits, and answers what it is told. Meanwhile
/// something may be done.
fn add_where_no_second_server_is(databases: &Databases, store: &dyn Store, meanwhile: impl FnOnce()) -> Result<(), String> {
    let _ = databases
        .server
        .sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    let _ = databases.server.sql("postgres", "SELECT pg_reload_conf()");
    std::thread::scope(|threads| {
        let mut number = 1;
        let waiting = loop {
            number += 1;
            let adding = threads.spawn(move || add(store, number));
            let waits = || databases.server.sql("postgres", WAITING) != "0";
            until("it waits, or did not have to yet", || adding.is_finished() || waits());
            if !adding.is_finished() {
                break adding;
            }
            adding.join().expect("no panic").expect("it was not told to wait yet");
        };
        assert!(is_let_in(store).is_ok(), "others are let in meanwhile");
        let before = users(store).expect("read");
        meanwhile();
        let told = waiting.join().expect("no panic");
        assert!(is_let_in(store).is_ok() && users(store).expect("read") >= before);
        told
    })
}

fn give_up_the_second_server(databases: &Databases) {
    let _ = databases.server.sql("postgres", "ALTER SYSTEM RESET synchronous_standby_names");
    let _ = databases.server.sql("postgres", "SELECT pg_reload_conf()");
}

/// What is broken off while it waits counts at this server, and is lost with it: nobody may be told that it is kept.
#[test]
fn a_commit_that_waits_for_a_second_server_is_not_broken_off() {
    let databases = Databases::start();
    let name = databases.make();
    let store = databases.open(&name);
    add(&*store, 1).expect("written");
    let rows = ProjectRows::of(Arc::clone(&store));
    let told = add_where_no_second_server_is(&databases, &*store, || {
        // More of them wait than there are places at the door.
        std::thread::scope(|threads| {
            for number in 0..CONNECTIONS {
                let (rows, name) = (&rows, format!("file{number}"));
                let claim = Claim { name, holder: [7; 16] };
                threads.spawn(move || assert!(rows.claim("project", &claim, Duration::from_secs(600)).is_err()));
            }
        });
    });
    assert_eq!(told, Err("store-uncertain".to_owned()));
    assert_ne!(databases.server.sql("postgres", WAITING), "0", "it still waits");
    let seen = users(&*store).expect("read");
    give_up_the_second_server(&databases);
    until("it goes on", || add(&*store, 99).is_ok());
    assert_eq!(
        users(&*store).ok(),
        Some(seen + 2),
        "it was not seen before it could be lost no more"
    );
}

#[test]
fn a_commit_that_somebody_broke_off_while_it_waited_is_not_taken_for_kept() {
    let databases = Databases::start();
    let name = databases.make();
    let store = databases.open(&name);
    add(&*store, 1).expect("written");
    let told = add_where_no_second_server_is(&databases, &*store, || {
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        assert_eq!(databases.server.sql("postgres", sql), "1");
    });
    assert_eq!(told, Err("store-uncertain".to_owned()), "although it is seen");
    give_up_the_second_server(&databases);
    until("it goes on", || add(&*store, 99).is_ok());
}

/// Whether somebody is let in; the failure's code where that cannot be said.
fn is_let_in(store: &dyn Store) -> Result<bool, &'static str> {
    let digest = TokenDigest::<kind::Session>::from_bytes(bytes(2, 1));
    let asked = block_on(store.session_at_the_door(digest, Arc::new(Nobodys)));
    asked.map(|door| door.bearer.is_some()).map_err(|failure| failure.code())
}

/// It lags behind: what was taken away may still be there.
#[test]
fn a_server_that_only_follows_another_is_not_asked() {
    let databases = Databases::start();
    let name = databases.make();
    let wire = Wire::to(databases.server.port());
    let store = databases.open_through(&wire, &name);
    let added = block_on(store.write(|tx| {
        Box::pin(async move {
            let new = user(1, Role::Viewer, at(0));
            let _ = tx.insert_user(&new).await?;
            let _ = tx.insert_session(&session(1, new.user.id, new.user.epoch, at(0)), 5).await?;
            Ok::<_, StoreError>(())
        })
    }));
    added.expect("written");
    assert_eq!(is_let_in(&*store), Ok(true));
    let standby = databases.server.standby();
    let url = DatabaseUrl::parse(&standby.url(SERVING, PASSWORD, &name)).expect("an address");
    let connected = PostgresStore::connect(url, CONNECTIONS, Arc::new(SystemClock));
    assert_eq!(connected.err().map(|failure| failure.code()), Some("store-read-only"));
    wire.lead_to(standby.port());
    wire.cut();
    assert_eq!(is_let_in(&*store), Err("store-read-only"), "at the door");
    let read = users(&*store).expect_err("not read");
    assert_eq!(StoreFailure::within(&read).map(StoreFailure::code), Some("store-read-only"));
    assert_eq!(add(&*store, 2), Err("store-read-only".to_owned()));
    let rows = ProjectRows::of(Arc::clone(&store));
    assert!(rows.revision("project", "file").is_err());
    assert_eq!(standby.sql("postgres", "SELECT pg_promote()"), "t");
    until("it is used once others follow it", || is_let_in(&*store) == Ok(true));
    until("and written to", || add(&*store, 3).is_ok());
}

/// A database may be set to answer before it has written.
#[test]
fn what_a_project_was_told_is_kept_is_on_the_disk() {
    let mut databases = Databases::start_with(&["synchronous_commit=off", "wal_writer_delay=10s", "autovacuum=off"]);
    let name = databases.make();
    let rows = ProjectRows::of(databases.open(&name));
    let claim = Claim {
        name: "file".to_owned(),
        holder: [7; 16],
    };
    assert!(rows.claim("project", &claim, Duration::from_secs(600)).expect("claimed"));
    let put = Put {
        project: "project",
        name: "file",
        claim: &claim,
        expected: 0,
        key: "0123456789abcdef",
        sealed: b"sealed",
    };
    assert_eq!(rows.put(&put).expect("put"), Placed::Done);
    databases.server.cut_power();
    databases.server.restart();
    until("it is there", || rows.revision("project", "file").is_ok());
    assert_eq!(rows.revision("project", "file").expect("read"), Some(1));
}
