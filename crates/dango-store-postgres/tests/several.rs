//! Several stores on one database, as several servers have them: what one does, the others know at once; what breaks, comes back.

mod database;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use dango_identity::{
    AccountKey, ApiKeyRecord, AttemptKey, ClientClass, Email, LockoutPolicy, Role, StoreError, StoredSession, TokenDigest, kind,
};
use dango_store::contract::sample::{at, bytes, chain_key, draft, session, user, user_id};
use dango_store::{Admission, AtTheDoor, Budgets, Job, Store, StoreExt, StoreFailure, contract};
use dango_store_postgres::{PostgresStore, ServingRole, inspect, migrate_alone};
use database::{Databases, OWNER, SERVING};
use pollster::block_on;

/// How long something that must come may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Three stores on one database; each asking goes to the next.
struct Spread {
    stores: Vec<Arc<PostgresStore>>,
    next: AtomicUsize,
}

impl Spread {
    fn over(databases: &Databases, name: &str) -> Self {
        Self {
            stores: (0..3).map(|_| databases.open(name)).collect(),
            next: AtomicUsize::new(0),
        }
    }

    fn next(&self) -> &PostgresStore {
        &self.stores[self.next.fetch_add(1, Ordering::Relaxed) % self.stores.len()]
    }
}

#[async_trait]
impl Store for Spread {
    async fn run_write(&self, job: Job) -> Result<(), StoreFailure> {
        self.next().run_write(job).await
    }

    async fn run_read(&self, job: Job) -> Result<(), StoreFailure> {
        self.next().run_read(job).await
    }

    async fn schema_version(&self) -> Result<u32, StoreFailure> {
        self.next().schema_version().await
    }

    async fn session_at_the_door(
        &self,
        digest: TokenDigest<kind::Session>,
        budgets: Arc<dyn Budgets>,
    ) -> Result<AtTheDoor<StoredSession>, StoreFailure> {
        self.next().session_at_the_door(digest, budgets).await
    }

    async fn api_key_at_the_door(
        &self,
        digest: TokenDigest<kind::ApiKey>,
        budgets: Arc<dyn Budgets>,
    ) -> Result<AtTheDoor<ApiKeyRecord>, StoreFailure> {
        self.next().api_key_at_the_door(digest, budgets).await
    }
}

#[test]
fn three_servers_are_as_one_under_the_contract() {
    let databases = Databases::start();
    contract::check(&|| -> Arc<dyn Store> { Arc::new(Spread::over(&databases, &databases.make())) });
}

struct Known;

impl Budgets for Known {
    fn of_strangers(&self, email: &Email) -> AttemptKey {
        let mut account = [0; 32];
        for (to, from) in account.iter_mut().zip(email.canonical().bytes()) {
            *to = from;
        }
        AttemptKey {
            account: AccountKey::from_bytes(account),
            client: ClientClass::Untrusted,
        }
    }

    fn policy(&self) -> &LockoutPolicy {
        static POLICY: std::sync::LazyLock<LockoutPolicy> = std::sync::LazyLock::new(LockoutPolicy::default);
        &POLICY
    }
}

/// What is seen at the door of a server of a session's user: role, active or not, locked or not; nothing where there is no such session.
fn seen(store: &dyn Store, number: u32) -> Option<(Role, bool, bool)> {
    let asked = store.session_at_the_door(TokenDigest::from_bytes(bytes(2, number)), Arc::new(Known));
    let (_, standing) = block_on(asked).expect("asked").bearer?;
    let is_active = standing.user.activity == dango_identity::Activity::Active;
    Some((standing.user.role, is_active, standing.last_lock.is_some()))
}

fn write<T: Send + 'static>(
    store: &dyn Store,
    work: impl for<'t> FnOnce(&'t mut dyn dango_store::Transaction) -> dango_store::BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
) -> T {
    block_on(store.write(work)).expect("written")
}

#[test]
fn what_one_server_takes_away_the_next_request_at_another_does_not_have() {
    let databases = Databases::start();
    let name = databases.make();
    let (here, there) = (databases.open(&name), databases.open(&name));
    for number in 1..=3 {
        write(&*here, move |tx| {
            Box::pin(async move {
                let new = user(number, Role::Admin, at(0));
                let _ = tx.insert_user(&new).await?;
                let _ = tx.insert_session(&session(number, new.user.id, new.user.epoch, at(0)), 5).await?;
                Ok(())
            })
        });
    }
    let all = |expected| {
        [seen(&*here, 1), seen(&*there, 1), seen(&*there, 1)]
            .iter()
            .all(|seen| *seen == expected)
    };
    assert!(all(Some((Role::Admin, true, false))));
    write(&*here, |tx| {
        Box::pin(async move {
            let email = "User1@example.com".parse().expect("an address");
            for _ in 0..50 {
                let _ = tx.charge_attempt(&Known.of_strangers(&email), Known.policy(), at(0)).await?;
            }
            Ok(())
        })
    });
    assert!(all(Some((Role::Admin, true, true))), "a lock");
    let _ = write(&*here, |tx| {
        Box::pin(async move { tx.change_role(user_id(1), Role::Viewer, at(1)).await })
    });
    assert!(all(Some((Role::Viewer, true, true))), "another role");
    // The address is another, and with it the account's code: what is remembered of it helps no longer.
    let other: Email = "other@example.com".parse().expect("an address");
    let _ = write(&*there, move |tx| {
        Box::pin(async move { tx.change_email(user_id(2), &other, at(1)).await })
    });
    assert_eq!(seen(&*here, 2), None, "sessions end with the address");
    assert!(write(&*there, |tx| Box::pin(async move {
        tx.end_session(&TokenDigest::from_bytes(bytes(2, 3))).await
    })));
    assert_eq!(seen(&*here, 3), None, "a session that was ended elsewhere");
    write(&*there, |tx| {
        Box::pin(async move { tx.set_admission(Admission::Closed, at(2)).await })
    });
    let asked = here.session_at_the_door(TokenDigest::from_bytes(bytes(2, 1)), Arc::new(Known));
    assert_eq!(block_on(asked).expect("asked").admission, Admission::Closed);
    let _ = write(&*there, |tx| Box::pin(async move { tx.deactivate_user(user_id(1), at(3)).await }));
    assert!(all(None), "sessions end with the account");
}

/// Runs a statement as a role and says by which error it was refused; `allowed` where it was not.
fn refused_to(databases: &Databases, name: &str, role: &str, statement: &str) -> String {
    let attempt = format!(
        "SET ROLE {role}; CREATE TEMP TABLE told (word text); DO $body$ BEGIN {statement}; INSERT INTO told VALUES ('allowed'); \
         EXCEPTION WHEN OTHERS THEN INSERT INTO told VALUES (SQLSTATE); END $body$; SELECT word FROM told"
    );
    databases.server.sql(name, &attempt)
}

#[test]
fn the_role_that_serves_cannot_change_what_the_log_says_and_the_owner_not_by_mistake() {
    let databases = Databases::start();
    let name = databases.make();
    let store = databases.open(&name);
    write(&*store, |tx| {
        Box::pin(async move {
            let entropy = contract::sample::Counting::from(1);
            dango_audit::log::record(tx, &chain_key(), &entropy, &draft(1, at(0)))
                .await
                .map_err(StoreError::new)
        })
    });
    for statement in [
        "UPDATE dango.audit SET at = 0",
        "DELETE FROM dango.audit",
        "TRUNCATE dango.audit",
        "UPDATE dango.audit_segments SET hash = ''",
        "UPDATE dango.audit_personal SET label = ''",
        "INSERT INTO dango.audit_retired SELECT 1, * FROM dango.audit",
        "DELETE FROM dango.audit_head",
        "ALTER TABLE dango.audit DISABLE TRIGGER ALL",
        "CREATE TABLE dango.other (one int)",
        "UPDATE dango.schema_migrations SET name = ''",
    ] {
        assert_eq!(refused_to(&databases, &name, SERVING, statement), "42501", "{statement}");
    }
    for statement in [
        "UPDATE dango.audit SET at = 0",
        "DELETE FROM dango.audit",
        "TRUNCATE dango.audit",
        "DELETE FROM dango.audit_head",
        "INSERT INTO dango.audit SELECT seq + 2, at, event, actor, target, outcome, origin, request_id, details, prev_hash, hash FROM dango.audit",
    ] {
        for role in [OWNER, "postgres"] {
            assert_eq!(refused_to(&databases, &name, role, statement), "23514", "{role}: {statement}");
        }
    }
    // A function of the owner lets nothing go for which no segment stands.
    assert_eq!(
        refused_to(&databases, &name, SERVING, "PERFORM dango.audit_prune(1, 10)"),
        "allowed"
    );
    assert_eq!(databases.server.sql(&name, "SELECT count(*) FROM dango.audit"), "1");
    let clock = Arc::new(dango_core::SystemClock);
    let as_owner = PostgresStore::connect(databases.url(OWNER, &name), 1, Arc::clone(&clock) as _);
    assert_eq!(as_owner.err().map(|failure| failure.code()), Some("store-forbidden"));
    let alone = |role| PostgresStore::connect_as(ServingRole::Any, databases.url(role, &name), 1, Arc::clone(&clock) as _);
    let may_rewrite = |role| alone(role).expect("it serves").may_rewrite();
    assert_eq!((may_rewrite(OWNER), may_rewrite(SERVING)), (true, false));
    let one_role = dango_store_postgres::migrate(databases.url(OWNER, &name), OWNER);
    assert_eq!(one_role.err().map(|failure| failure.code()), Some("store-forbidden"));
}

#[test]
fn one_role_makes_its_own_schema_however_many_begin_at_once_and_nobody_makes_anothers() {
    let databases = Databases::start();
    let sql = |statement: &str| databases.server.sql("postgres", statement);
    let _ = sql(&format!("CREATE DATABASE own OWNER {OWNER}"));
    let _ = sql(&format!("CREATE DATABASE other OWNER {OWNER}"));
    let own = || migrate_alone(databases.url(OWNER, "own"));
    let done: Vec<_> = std::thread::scope(|scope| {
        let begun: Vec<_> = (0..12).map(|_| scope.spawn(own)).collect();
        begun.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    let found = inspect(databases.url(OWNER, "own")).expect("it is there");
    assert!(found.schema_version == found.latest && found.may_rewrite && found.may_migrate);
    // Neither in a database that is another's, nor over a schema that is.
    let code = |role, name| migrate_alone(databases.url(role, name)).err().map(|failure| failure.code());
    assert_eq!(code(SERVING, "other"), Some("store-forbidden"));
    databases.server.role("root", database::PASSWORD);
    let _ = sql("ALTER ROLE root SUPERUSER");
    assert_eq!(code("root", "own"), Some("store-forbidden"));
    assert_eq!(databases.server.sql("other", "SELECT to_regnamespace('dango') IS NULL"), "t");
}

#[test]
fn a_database_that_was_away_is_used_again_once_it_is_back() {
    let mut databases = Databases::start();
    let name = databases.make();
    let store = databases.open(&name);
    let add = |number| -> Result<(), StoreError> {
        block_on(store.write(move |tx| {
            Box::pin(async move {
                let _ = tx.insert_user(&user(number, Role::Viewer, at(0))).await?;
                Ok(())
            })
        }))
    };
    let count = || block_on(store.read(|tx| Box::pin(async move { Ok::<_, StoreError>(tx.users().await?.len()) })));
    add(1).expect("written");
    assert_eq!(count().expect("read"), 1);
    databases.server.kill();
    // The processes behind open connections end once they notice.
    let begun = Instant::now();
    while count().is_ok() {
        assert!(begun.elapsed() < PATIENCE, "nothing is answered from memory");
    }
    assert!(add(2).is_err() && count().is_err());
    let asked = store.session_at_the_door(TokenDigest::from_bytes(bytes(2, 1)), Arc::new(Known));
    assert_eq!(block_on(asked).err().map(|failure| failure.code()), Some("store-unavailable"));
    databases.server.restart();
    let begun = Instant::now();
    while add(3).is_err() {
        assert!(begun.elapsed() < PATIENCE, "it is used again");
    }
    assert_eq!(
        count().expect("read"),
        2,
        "what was acknowledged is there, and what was refused is not"
    );
}

/// Connections are cut at any moment, commits included: what was acknowledged is there, and what failed is not, unless it says that
/// this is not known.
#[test]
fn a_connection_that_breaks_at_any_moment_loses_and_invents_nothing() {
    let databases = Databases::start();
    let name = databases.make();
    let stores: Vec<_> = (0..3).map(|_| databases.open(&name)).collect();
    let (is_over, ended) = (AtomicBool::new(false), Mutex::new((Vec::new(), Vec::new())));
    std::thread::scope(|threads| {
        let writers: Vec<_> = (0..6_u32)
            .map(|writer| {
                let (stores, ended) = (&stores, &ended);
                threads.spawn(move || {
                    for number in 0..40 {
                        let number = writer * 1000 + number;
                        let work = stores[writer as usize % 3].write(move |tx| {
                            Box::pin(async move {
                                let _ = tx.insert_user(&user(number, Role::Viewer, at(0))).await?;
                                let entropy = contract::sample::Counting::from(u64::from(number) << 20);
                                dango_audit::log::record(tx, &chain_key(), &entropy, &draft(number, at(1)))
                                    .await
                                    .map_err(StoreError::new)
                            })
                        });
                        let written: Result<_, StoreError> = block_on(work);
                        let is_known = !matches!(
                            written.as_ref().err().and_then(|error| StoreFailure::within(error)),
                            Some(StoreFailure::Uncertain)
                        );
                        let mut ended = ended.lock().expect("no panic");
                        match written {
                            Ok(_) => ended.0.push(number),
                            Err(_) if is_known => ended.1.push(number),
                            Err(_) => {}
                        }
                    }
                })
            })
            .collect();
        threads.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let cut =
                    format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{SERVING}' AND random() < 0.3");
                let _ = databases.server.sql("postgres", &cut);
            }
        });
        for writer in writers {
            writer.join().expect("no panic");
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let (acknowledged, refused) = ended.into_inner().expect("no panic");
    let last = &stores[0];
    let read = block_on(last.read(|tx| {
        Box::pin(async move {
            let users: Vec<_> = tx.users().await?.into_iter().map(|user| user.id).collect();
            let report = dango_audit::log::verify(tx, &chain_key(), &[]).await.map_err(StoreError::new)?;
            Ok::<_, StoreError>((users, report.events, report.is_ok()))
        })
    }));
    let (users, events, is_ok) = read.expect("read");
    assert!(!acknowledged.is_empty(), "something was written between the cuts");
    for number in acknowledged {
        assert!(users.contains(&user_id(number)), "{number} was acknowledged");
    }
    for number in refused {
        assert!(!users.contains(&user_id(number)), "{number} was refused");
    }
    assert!(is_ok, "the chain verifies");
    assert_eq!(events, users.len() as u64, "each has both its user and its record");
}
