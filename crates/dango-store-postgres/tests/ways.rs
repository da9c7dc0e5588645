//! The ways to a database: through a pooler that hands every transaction to another connection, and through TLS to the right server alone.

mod database;

use std::sync::Arc;
use std::time::{Duration, Instant};

use dango_core::SystemClock;
use dango_identity::{StoreError, TokenDigest, kind};
use dango_store::contract::sample::bytes;
use dango_store::{Store, StoreExt, StoreFailure, contract};
use dango_store_postgres::{CONNECTIONS, DatabaseUrl, PostgresStore, inspect, migrate};
use database::{Databases, Nobodys, OWNER, PASSWORD, SERVING, until};
use pollster::block_on;
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// How long something that must come may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn write(store: &dyn Store) -> Result<(), StoreError> {
    block_on(store.write(|tx| {
        Box::pin(async move {
            let _ = tx.users().await?;
            Ok::<_, StoreError>(())
        })
    }))
}

fn try_connect(url: &DatabaseUrl) -> Result<PostgresStore, StoreFailure> {
    PostgresStore::connect(url.clone(), CONNECTIONS, Arc::new(SystemClock))
}

/// Connects as soon as it is possible.
fn connect(url: &DatabaseUrl) -> PostgresStore {
    let begun = Instant::now();
    loop {
        match try_connect(url) {
            Ok(store) => return store,
            Err(failure) => assert!(begun.elapsed() < PATIENCE, "{failure:?}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_pooler_that_hands_out_transactions_changes_nothing() {
    let databases = Databases::start();
    let pooler = databases.pooler();
    contract::check(&|| -> Arc<dyn Store> { databases.open_pooled(&pooler, &databases.make()) });
}

/// Four connections for all, and five that wait for their turn at writing: none of them keeps one while it waits.
#[test]
fn who_waits_for_a_turn_behind_a_pooler_keeps_nobody_out() {
    let databases = Databases::start();
    let pooler = databases.pooler();
    let name = databases.make();
    let stores: Vec<_> = (0..5).map(|_| databases.open_pooled(&pooler, &name)).collect();
    std::thread::scope(|threads| {
        let holder = threads.spawn(|| databases.lock(&name, "SELECT FROM dango.turn FOR UPDATE", 6));
        databases.until_locked(&name);
        let writers: Vec<_> = stores.iter().map(|store| threads.spawn(|| write(&**store))).collect();
        let waiting = "SELECT count(*) > 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        until("they wait", || databases.server.sql(&name, waiting) == "t");
        for store in stores.iter().cycle().take(20) {
            let digest = TokenDigest::<kind::Session>::from_bytes(bytes(2, 1));
            let asked = block_on(store.session_at_the_door(digest, Arc::new(Nobodys)));
            assert!(asked.is_ok(), "{:?}", asked.err());
        }
        assert!(!holder.is_finished(), "they were let in while the others waited");
        for writer in writers {
            writer.join().expect("no panic").expect("each has its turn");
        }
    });
}

#[test]
fn who_has_waited_for_a_turn_for_long_stays_in_line() {
    let databases = Databases::start();
    let name = databases.make();
    let store = databases.open(&name);
    std::thread::scope(|threads| {
        let holder = threads.spawn(|| databases.lock(&name, "SELECT FROM dango.turn FOR UPDATE", 6));
        databases.until_locked(&name);
        let writer = threads.spawn(|| write(&*store));
        let stays = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND now() - query_start > interval '600 ms'";
        until("it stays", || databases.server.sql(&name, stays) == "t");
        assert!(!holder.is_finished());
        writer.join().expect("no panic").expect("it has its turn");
    });
}

#[test]
fn the_right_server_is_spoken_to_and_no_other() {
    let databases = Databases::start();
    let name = databases.make();
    let authority = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority")
    };
    let (right, other) = (authority("right"), authority("other"));
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, &right).expect("signed");
    databases.server.write("server.crt", &certificate.pem());
    databases.server.write("server.key", &key.serialize_pem());
    let _ = databases.server.sql("postgres", "ALTER SYSTEM SET ssl = on");
    let _ = databases.server.sql("postgres", "SELECT pg_reload_conf()");
    let url = |host: &str, mode: &str, roots: &str| {
        let text = format!(
            "postgres://{SERVING}:{PASSWORD}@{host}:{}/{name}?sslmode={mode}&sslrootcert=x",
            databases.server.port()
        );
        DatabaseUrl::parse(&text).expect("an address").with_roots(roots.as_bytes().to_vec())
    };
    let (right, other) = (right.pem(), other.pem());
    drop(connect(&url("localhost", "verify-full", &right)));
    let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'dango' AND ssl";
    let store = try_connect(&url("localhost", "require", &right)).expect("as strict as verify-full");
    block_on(store.schema_version()).expect("read");
    assert_ne!(databases.server.sql("postgres", encrypted), "0");
    drop(store);
    assert!(
        try_connect(&url("127.0.0.1", "verify-ca", &right)).is_ok(),
        "any name of the right authority"
    );
    for (host, mode, roots) in [
        ("127.0.0.1", "verify-full", &right),
        ("127.0.0.1", "require", &right),
        ("localhost", "verify-full", &other),
        ("localhost", "verify-ca", &other),
        ("localhost", "verify-full", &"no certificate".to_owned()),
    ] {
        let refused = try_connect(&url(host, mode, roots)).err();
        assert_eq!(refused.map(|failure| failure.code()), Some("store-unavailable"), "{host} {mode}");
    }
    // A server that does not encrypt is not spoken to, either.
    let _ = databases.server.sql("postgres", "ALTER SYSTEM SET ssl = off");
    let _ = databases.server.sql("postgres", "SELECT pg_reload_conf()");
    let begun = Instant::now();
    while try_connect(&url("localhost", "verify-full", &right)).is_ok() {
        assert!(begun.elapsed() < PATIENCE, "the server stops to encrypt");
    }
}

#[test]
fn a_database_that_knows_some_characters_only_is_refused() {
    let databases = Databases::start();
    let sql = format!("CREATE DATABASE latin OWNER {OWNER} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    let _ = databases.server.sql("postgres", &sql);
    let url = |role| databases.url(role, "latin");
    for refused in [
        migrate(url(OWNER), SERVING).map(drop),
        inspect(url(SERVING)).map(drop),
        try_connect(&url(SERVING)).map(drop),
    ] {
        let refused = refused.expect_err("refused");
        assert_eq!(refused.code(), "store-encoding");
        assert!(refused.to_string().contains("LATIN1"), "{refused}");
    }
}

#[test]
fn a_wrong_password_is_told_and_not_repeated() {
    let databases = Databases::start();
    let name = databases.make();
    let url = databases.server.url(SERVING, "canary99", &name);
    let failure = try_connect(&DatabaseUrl::parse(&url).expect("an address")).expect_err("refused");
    assert_eq!(failure.code(), "store-forbidden");
    let missing = databases.server.url(SERVING, PASSWORD, "nowhere");
    let missing = try_connect(&DatabaseUrl::parse(&missing).expect("an address")).expect_err("refused");
    assert_eq!(missing.code(), "store-missing");
    assert!(!format!("{failure} {failure:?} {missing:?}").contains("canary"));
}
