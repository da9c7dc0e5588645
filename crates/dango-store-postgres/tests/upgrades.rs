//! The schema becoming another one: what servers of a version do beside a newer schema, and that what every released version has left
//! in a database is served by this one.

mod database;

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use dango_core::{OsEntropy, SystemClock};
use dango_identity::{AccountKey, AttemptKey, ClientClass, Email, LockoutPolicy, Role, StoreError, TokenDigest};
use dango_secrets::home::{Claim, Put, Rows};
use dango_secrets::storage::{self, Edit};
use dango_store::contract::sample::{Counting, api_key, at, bytes, chain_key, draft, session, user, user_id};
use dango_store::{Budgets, Store, StoreExt, StoreFailure};
use dango_store_postgres::{CONNECTIONS, PostgresStore, ProjectRows, inspect, migrate};
use database::{Databases, OWNER, SERVING};
use pollster::block_on;

/// The first version that was released with this backend.
const FIRST: u32 = 5;

/// How long something that must come may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

const PROJECT: &str = "6f1c";

struct Known;

impl Budgets for Known {
    fn of_strangers(&self, _email: &Email) -> AttemptKey {
        AttemptKey {
            account: AccountKey::from_bytes([0; 32]),
            client: ClientClass::Untrusted,
        }
    }

    fn policy(&self) -> &LockoutPolicy {
        static POLICY: std::sync::LazyLock<LockoutPolicy> = std::sync::LazyLock::new(LockoutPolicy::default);
        &POLICY
    }
}

fn known(databases: &Databases, name: &str) -> u32 {
    let newest = databases.server.sql(name, "SELECT max(version) FROM dango.schema_migrations");
    newest.parse().expect("a number")
}

/// A step of the next version, as whoever owns the schema does it.
fn step(version: u32, serves_from: u32) -> String {
    format!(
        "INSERT INTO dango.schema_migrations (version, name, checksum, serves_from) VALUES ({version}, 'later', '\\x00', {serves_from})"
    )
}

fn write(store: &PostgresStore, number: u32) -> Result<(), StoreError> {
    block_on(store.write(move |tx| {
        Box::pin(async move {
            let new = user(number, Role::Admin, at(0));
            let _ = tx.insert_user(&new).await?;
            let _ = tx.insert_session(&session(number, new.user.id, new.user.epoch, at(0)), 5).await?;
            let _ = tx.insert_api_key(&api_key(number, new.user.id, at(0))).await?;
            let entropy = Counting::from(u64::from(number) << 20);
            let recorded = dango_audit::log::record(tx, &chain_key(), &entropy, &draft(number, at(1))).await;
            recorded.map(drop).map_err(StoreError::new)
        })
    }))
}

fn users(store: &PostgresStore) -> Result<usize, StoreError> {
    block_on(store.read(|tx| Box::pin(async move { Ok::<_, StoreError>(tx.users().await?.len()) })))
}

/// The code of the failure that is behind an error; `done` where there is none.
fn ended<T, E: std::error::Error + 'static>(result: Result<T, E>) -> &'static str {
    match result {
        Ok(_) => "done",
        Err(error) => StoreFailure::within(&error).map_or("other", StoreFailure::code),
    }
}

/// Everything that a store may be asked for, and what became of it.
fn asked(store: &Arc<PostgresStore>, number: u32) -> Vec<&'static str> {
    let rows = ProjectRows::of(Arc::clone(store));
    let claim = Claim {
        name: format!("c{number}"),
        holder: [7; 16],
    };
    let claimed = rows.claim(PROJECT, &claim, PATIENCE);
    let put = rows.put(&Put {
        project: PROJECT,
        name: &format!("f{number}"),
        expected: 0,
        key: "0123456789abcdef",
        sealed: b"sealed",
        claim: &claim,
    });
    let session = store.session_at_the_door(TokenDigest::from_bytes(bytes(2, 1)), Arc::new(Known));
    let key = store.api_key_at_the_door(TokenDigest::from_bytes(bytes(2, 1)), Arc::new(Known));
    vec![
        ended(write(store, number)),
        ended(users(store)),
        ended(block_on(session)),
        ended(block_on(key)),
        ended(block_on(store.schema_version())),
        ended(block_on(store.check_writable())),
        ended(rows.projects()),
        ended(claimed),
        ended(put),
        ended(rows.row(PROJECT, "f1")),
        ended(rows.revision(PROJECT, "f1")),
        ended(rows.release(PROJECT, &claim)),
    ]
}

#[test]
fn a_newer_schema_is_served_from_while_each_of_its_steps_allows_it() {
    let databases = Databases::start();
    let name = databases.make();
    let store = databases.open(&name);
    let connect = || PostgresStore::connect(databases.url(SERVING, &name), CONNECTIONS, Arc::new(SystemClock));
    let version = known(&databases, &name);
    assert_eq!(asked(&store, 1), ["done"; 12]);

    let added = format!(
        "CREATE TABLE dango.teams (one int); GRANT INSERT ON dango.teams TO {SERVING}; {}",
        step(version + 1, version)
    );
    let _ = databases.server.sql(&name, &added);
    assert_eq!(asked(&store, 2), ["done"; 12]);
    assert_eq!(block_on(store.schema_version()).expect("asked"), version + 1);
    assert_eq!(ended(connect()), "done");
    let found = inspect(databases.url(SERVING, &name)).expect("looked at");
    assert_eq!((found.schema_version, found.latest), (version + 1, version));
    // Whoever owns the schema and has an older program changes nothing of what that does not know.
    assert_eq!(migrate(databases.url(OWNER, &name), SERVING).expect("nothing to do"), version + 1);
    let may = format!("SELECT has_table_privilege('{SERVING}', 'dango.teams', 'INSERT')");
    assert_eq!(databases.server.sql(&name, &may), "t");

    // One step is enough, whatever comes behind it.
    let _ = databases.server.sql(&name, &step(version + 2, version + 2));
    let _ = databases.server.sql(&name, &step(version + 3, version));
    assert_eq!(asked(&store, 3), ["store-newer"; 12]);
    assert_eq!(ended(connect()), "store-newer");
    assert_eq!(ended(inspect(databases.url(SERVING, &name))), "store-newer");
    assert_eq!(ended(migrate(databases.url(OWNER, &name), SERVING)), "store-newer");
    let counts = "SELECT (SELECT count(*) FROM dango.users), (SELECT count(*) FROM dango.project_files)";
    assert_eq!(databases.server.sql(&name, counts), "2|2", "nothing was written");

    let back = format!("DELETE FROM dango.schema_migrations WHERE version > {}", version + 1);
    let _ = databases.server.sql(&name, &back);
    assert_eq!(asked(&store, 4), ["done"; 12], "without another connection");
}

/// A writer that waits for its turn while the schema becomes another one has read nothing yet and does not begin.
#[test]
fn who_waits_while_the_schema_changes_finds_it_changed() {
    let databases = Databases::start();
    let name = databases.make();
    let store = databases.open(&name);
    assert_eq!(ended(write(&store, 1)), "done");
    let version = known(&databases, &name);
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    thread::scope(|threads| {
        // The step waits until somebody waits for it.
        let change = format!(
            "BEGIN; SELECT FROM dango.turn FOR UPDATE; DO $$ BEGIN WHILE ({waiting}) = 0 LOOP PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); \
             END LOOP; END $$; {}; COMMIT",
            step(version + 1, version + 1)
        );
        let (server, name) = (&databases.server, &name);
        threads.spawn(move || server.sql(name, &change));
        let begun = Instant::now();
        let has_turn = "SELECT count(*) FROM pg_locks WHERE relation = 'dango.turn'::regclass AND mode = 'RowShareLock' AND granted";
        while server.sql(name, has_turn) == "0" {
            assert!(begun.elapsed() < PATIENCE, "it begins");
        }
        assert_eq!(ended(write(&store, 2)), "store-newer");
    });
    assert_eq!(databases.server.sql(&name, "SELECT count(*) FROM dango.users"), "1");
}

/// A long step of somebody else is waited for; whatever keeps this one from its tables is not waited for at once, since others would wait
/// behind it, but tried again.
#[test]
fn whoever_migrates_waits_for_others_who_do_and_holds_nobody_up() {
    let databases = Databases::start();
    let name = databases.make();
    // A database of the version before.
    let newest = known(&databases, &name);
    let before = format!("DROP TABLE dango.oauth_flows; DELETE FROM dango.schema_migrations WHERE version = {newest}");
    let _ = databases.server.sql(&name, &before);
    // Somebody else's step, which lasts, and behind it somebody who writes for longer than a lock is waited for.
    let held = "SELECT FROM dango.turn FOR UPDATE; SELECT pg_advisory_lock(1684956015); SELECT pg_sleep(31); \
                SELECT pg_advisory_unlock(1684956015)";
    let migrated = thread::scope(|threads| {
        threads.spawn(|| databases.lock(&name, held, 4));
        databases.until_locked(&name);
        migrate(databases.url(OWNER, &name), SERVING)
    });
    assert_eq!(migrated.map_err(|failure| failure.code()), Ok(newest));
}

fn fixture(version: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/schema-{version}.sql"))
}

/// What a server has left in a database: a dump, without what differs from one dump to the next.
fn dump(databases: &Databases) -> String {
    let name = databases.make();
    let store = databases.open(&name);
    assert_eq!(asked(&store, 1), ["done"; 12]);
    assert_eq!(ended(write(&store, 2)), "done");
    let dump = databases.server.dump(&name, "dango");
    // Programs of other versions do not know these, and nothing depends on them.
    let is_kept = |line: &&str| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict") && !line.starts_with("-- Dumped");
    let lines: Vec<&str> = dump.lines().filter(is_kept).collect();
    lines.join("\n") + "\n"
}

#[test]
fn what_every_released_version_has_left_is_brought_up_to_date_and_served() {
    let databases = Databases::start();
    let newest = known(&databases, "first");
    let missing = fixture(newest);
    if !missing.exists() {
        std::fs::create_dir_all(missing.parent().expect("a folder")).expect("a folder of ours");
        let dump = zeroize::Zeroizing::new(dump(&databases).into_bytes());
        storage::update(&missing, &OsEntropy, |_| Ok::<_, Infallible>(Edit::Replace(dump.clone(), ()))).expect("written");
        panic!("{} was made: it belongs to what is committed", missing.display());
    }
    for version in FIRST..=newest {
        let name = format!("of{version}");
        let server = &databases.server;
        let _ = server.sql("postgres", &format!("CREATE DATABASE {name} OWNER {OWNER}"));
        server.restore(&name, &std::fs::read_to_string(fixture(version)).expect("each version has one"));
        let migrated = migrate(databases.url(OWNER, &name), SERVING);
        assert_eq!(
            migrated.as_ref().ok(),
            Some(&newest),
            "{migrated:?}: a step that was released is never changed; one that was not has its dump made anew where that is deleted"
        );
        let store = databases.open(&name);
        assert_eq!(asked(&store, 3), ["done"; 12], "from {version}");
        assert_eq!(users(&store).expect("read"), 3);
        let session = store.session_at_the_door(TokenDigest::from_bytes(bytes(2, 1)), Arc::new(Known));
        let (_, standing) = block_on(session).expect("asked").bearer.expect("people are still logged in");
        assert_eq!(standing.user.id, user_id(1));
        let report = block_on(
            store.read(|tx| Box::pin(async move { dango_audit::log::verify(tx, &chain_key(), &[]).await.map_err(StoreError::new) })),
        );
        let report = report.expect("read");
        assert_eq!((report.is_ok(), report.events), (true, 3), "one chain");
    }
}
