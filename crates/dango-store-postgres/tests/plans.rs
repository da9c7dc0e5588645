//! How PostgreSQL goes about what it is asked: by an index, and through few rows however many there are. It tells so itself (`auto_explain`).
#![allow(clippy::panic, reason = "these are tests")]

mod database;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use dango_audit::query::{ActorFilter, Cursor, Filter, Intents, Order, PageLimit};
use dango_audit::{Erasure, Event, Head, Label, PersonalRefs, Seq, append, log};
use dango_core::Timestamp;
use dango_identity::{
    AccountKey, ApiKeyUse, AttemptKey, AttemptLimit, Client, ClientClass, Email, LockoutPolicy, LoginCompletion, Role, SecurityEpoch,
    SessionTouch, StoreError, TokenDigest, UserId,
};
use dango_store::contract::sample::{
    Counting, active_totp, at, bytes, chain_key, draft, key_id, password_record, recovery, session, session_id, user, user_id,
};
use dango_store::{BoxFuture, Budgets, Store, StoreExt, Transaction, contract};
use dango_store_postgres::PostgresStore;
use database::Databases;
use pollster::block_on;

/// Every statement is told with its plan, those inside of functions too.
const TOLD: [&str; 4] = [
    "shared_preload_libraries=auto_explain",
    "auto_explain.log_min_duration=0",
    "auto_explain.log_nested_statements=on",
    "auto_explain.log_timing=off",
];

/// What reads a whole table because it is asked for all of it, by how it begins. Lists of everybody and chores, none of which a request of
/// everybody's waits for.
const OF_EVERYTHING: &[&str] = &[
    // Everybody, for the list of users.
    "SELECT users.id, email, email_canonical, email_likeness, role, active, invite_expires_at, must_change_password, epoch, created_at, updated_at, last_login_at FROM users ORDER BY",
    "SELECT user_id FROM totp WHERE confirmed_at IS NOT NULL",
    "SELECT user_id, issuer FROM links ORDER BY",
    "SELECT account, device_id, failures, total, level, \"window\", locked_until, last_at FROM attempts WHERE device_id",
    // What is past.
    "SELECT account, device_id FROM attempts WHERE total < $1",
    "SELECT digest FROM sessions WHERE expires_at < $1 OR last_active_at < $2 LIMIT",
    // Everybody's sessions are ended.
    "UPDATE users SET epoch = epoch + 1",
    "DELETE FROM sessions",
    // An import asks once what was imported.
    "SELECT mark FROM imports",
    // The chain is put away, whole.
    "INSERT INTO audit_retired",
    "DELETE FROM audit",
];

/// Those of one row, and of one row for each server.
const OF_ONE_ROW: &[&str] = &["bootstrap_claim", "writers"];

/// How many rows a statement may go through on its way to fifty.
const FEW: u64 = 2_500;

/// A statement and how it went.
struct Told {
    statement: String,
    plan: Vec<String>,
}

impl Told {
    /// What a server has told since its log was so long.
    fn since(databases: &Databases, length: usize) -> Vec<Self> {
        let said = databases.server.log();
        let mut all: Vec<Self> = Vec::new();
        let mut is_plan = false;
        for line in said[length..].lines() {
            match line.strip_prefix('\t') {
                None => {
                    is_plan = line.ends_with("plan:");
                    if is_plan {
                        all.push(Self {
                            statement: String::new(),
                            plan: Vec::new(),
                        });
                    }
                }
                Some(line) => {
                    let Some(told) = all.last_mut().filter(|_| is_plan) else { continue };
                    match line.strip_prefix("Query Text: ") {
                        Some(statement) => told.statement = statement.to_owned(),
                        None => told.plan.push(line.to_owned()),
                    }
                }
            }
        }
        all
    }

    /// The tables that were read from one end to the other.
    fn scanned(&self) -> impl Iterator<Item = &str> {
        self.plan.iter().filter_map(|line| {
            let (_, after) = line.split_once("Seq Scan on ")?;
            after.split_whitespace().next()
        })
    }

    /// The most rows that one step of it gave or dropped.
    fn rows(&self) -> u64 {
        let number = |text: &str| text.split(|end: char| !end.is_ascii_digit()).next()?.parse::<u64>().ok();
        let of_line = |line: &String| {
            let dropped = line.split_once("Rows Removed by Filter: ").and_then(|(_, after)| number(after));
            let given = line.split_once("(actual rows=").and_then(|(_, after)| {
                let (_, loops) = after.split_once("loops=")?;
                Some(number(after)? * number(loops)?)
            });
            dropped.or(given)
        };
        self.plan.iter().filter_map(of_line).max().unwrap_or(0)
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{}", self.statement, self.plan.join("\n"))
    }
}

/// Where no index can be used the database reads a table from one end to the other, even if it is told that this is dear.
#[test]
fn every_statement_of_the_contract_has_an_index_unless_it_asks_for_everything() {
    let databases = Databases::start_with(&[&TOLD[..], &["enable_seqscan=off"]].concat());
    let length = databases.server.log().len();
    contract::check(&|| -> Arc<dyn Store> { databases.open(&databases.make()) });
    contract::agrees_with_memory(&|| -> Arc<dyn Store> { databases.open(&databases.make()) }, 6);
    let told = Told::since(&databases, length);
    assert!(told.len() > 1_000, "only {} statements were told", told.len());
    let mut without: BTreeSet<&str> = BTreeSet::new();
    for told in &told {
        let of_ours = told.scanned().any(|table| !of_the_system(table) && !OF_ONE_ROW.contains(&table));
        if of_ours && !OF_EVERYTHING.iter().any(|begins| told.statement.starts_with(begins)) {
            without.insert(&told.statement);
        }
    }
    assert!(
        without.is_empty(),
        "without an index:\n{}",
        without.into_iter().collect::<Vec<_>>().join("\n")
    );
}

/// So many users, and many more of all else; the digests and ids are those of the samples.
const ROWS: &[&str] = &[
    "INSERT INTO users (id, email, email_canonical, email_likeness, role, active, must_change_password, epoch, created_at, updated_at) \
     SELECT UUID(1, n), 'User' || n || '@example.com', 'user' || n || '@example.com', 'user' || n || '@example.com', \
     CASE WHEN n < 20 THEN 'admin' ELSE 'viewer' END, true, false, 0, n, n FROM generate_series(1, 8000) AS n",
    "INSERT INTO passwords (user_id, record, set_at) SELECT id, RECORD, 0 FROM users",
    "INSERT INTO sessions (digest, id, user_id, stage, factors, authenticated_at, stepped_up_at, epoch, created_at, expires_at, last_active_at, mac, attempts) \
     SELECT BYTES(2, n), UUID(2, n), UUID(1, 1 + n % 8000), 'full', 1, 0, 0, 0, n, 1700000000000000, 0, BYTES(9, n), 0 FROM generate_series(1, 50000) AS n",
    "INSERT INTO api_keys (id, family_id, owner_id, name, prefix, digest, administers, allow_list, created_at, mac) \
     SELECT UUID(4, n), UUID(4, n), UUID(1, 1 + n % 8000), 'key', 'dak_' || n, BYTES(4, n), false, '', n, BYTES(9, n) FROM generate_series(1, 20000) AS n",
    "INSERT INTO attempts (account, device_id, failures, total, level, \"window\", last_at) \
     SELECT BYTES(7, n), '', 1, 1, 0, 0, 0 FROM generate_series(1, 20000) AS n",
    "INSERT INTO totp (id, user_id, algorithm, digits, period_seconds, secret, created_at, confirmed_at, last_step) \
     SELECT UUID(3, n), UUID(1, n), 'SHA1', 6, 30, '', 0, 0, 0 FROM generate_series(1, 5000) AS n",
    "INSERT INTO recovery_sets (user_id, id, created_at) SELECT user_id, id, 0 FROM totp",
    "INSERT INTO recovery_codes (user_id, digest) SELECT user_id, sha256(id || n::text::bytea) FROM totp, generate_series(1, 8) AS n",
    "INSERT INTO factor_attempts (user_id, at) SELECT UUID(1, n), 0 FROM generate_series(1, 8000) AS n",
    "INSERT INTO links (issuer, subject, user_id, linked_at) SELECT 'https://id.example.com', n::text, UUID(1, n), 0 FROM generate_series(1, 8000) AS n",
    "INSERT INTO audit_personal (id, lookup, subject, label, salt) SELECT BYTES(8, n), sha256(n::text::bytea), 'user:' || n % 8000, \
     'User' || n % 8000 || '@example.com', '' FROM generate_series(1, 16000) AS n",
    // Two of three are of one kind, and the first of all are of somebody who has long gone: neither is met on the way to what is asked for.
    "INSERT INTO audit (seq, at, event, actor, outcome, origin, details, prev_hash, hash) \
     SELECT n, 1700000000000000 + n::bigint * 1000000, CASE WHEN n <= 20000 THEN 'secret_deleted' WHEN n % 3 = 0 THEN 'secret_set' ELSE 'login_success' END, \
     '{\"kind\":\"user\",\"id\":\"' || CASE WHEN n <= 20000 THEN 'gone' ELSE (n % 8000)::text END || '\",\"personal\":\"' \
     || encode(BYTES(8, 1 + n % 16000), 'hex') || '\"}', 'success', '{}', '{}', '', '' FROM generate_series(1, RECORDS) AS n",
];
const RECORDS: u32 = 60_000;

/// A database with all of it, and with the head of a log that is so long.
fn filled(databases: &Databases) -> Arc<PostgresStore> {
    let name = databases.make();
    let told = |sql: &str| {
        let sql = sql.replace("RECORDS", &RECORDS.to_string());
        sql.replace("RECORD", &format!("'{}'", password_record(1).as_str()))
    };
    // `uuid` and `bytes` of the samples.
    let functions = "CREATE FUNCTION pg_temp.number(n bigint) RETURNS bytea LANGUAGE sql AS $$ SELECT int4send(n::int) $$; \
        CREATE FUNCTION pg_temp.uuid(kind int, n bigint) RETURNS bytea LANGUAGE sql AS \
        $$ SELECT decode('0192' || lpad(to_hex(kind), 2, '0') || '000000' || '700080000000', 'hex') || pg_temp.number(n) $$; \
        CREATE FUNCTION pg_temp.bytes(kind int, n bigint) RETURNS bytea LANGUAGE sql AS \
        $$ SELECT decode(repeat(lpad(to_hex(kind), 2, '0'), 28), 'hex') || pg_temp.number(n) $$;";
    let rows = ROWS
        .iter()
        .map(|sql| told(sql).replace("UUID(", "pg_temp.uuid(").replace("BYTES(", "pg_temp.bytes("));
    let rows = rows.collect::<Vec<_>>().join("; ");
    let begin = "SET search_path = dango, pg_temp; SET session_replication_role = replica; SET auto_explain.log_min_duration = -1;";
    let _ = databases.server.sql(&name, &format!("{begin} {functions} {rows}"));
    let _ = databases.server.sql(&name, "VACUUM ANALYZE");
    let store = databases.open(&name);
    let mut head = Head::genesis();
    let draft = draft(1, at(0));
    for _ in 0..RECORDS {
        head = append(&chain_key(), &head, &draft, PersonalRefs { actor: None, target: None }).1;
    }
    head.seal(&chain_key()).with_row(|row| {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let sql = format!(
            "INSERT INTO dango.audit_head VALUES (1, {}, '\\x{}', {}, '\\x{}', '\\x{}')",
            row.seq,
            hex(row.hash),
            row.count,
            hex(row.frontier),
            hex(row.tag)
        );
        let _ = databases.server.sql(&name, &sql);
    });
    store
}

struct Known;

impl Budgets for Known {
    fn of_strangers(&self, _: &Email) -> AttemptKey {
        budget()
    }

    fn policy(&self) -> &LockoutPolicy {
        static POLICY: std::sync::LazyLock<LockoutPolicy> = std::sync::LazyLock::new(LockoutPolicy::default);
        &POLICY
    }
}

fn budget() -> AttemptKey {
    AttemptKey {
        account: AccountKey::from_bytes(bytes(7, 77)),
        client: ClientClass::Untrusted,
    }
}

#[test]
fn what_requests_wait_for_goes_through_few_rows_however_many_there_are() {
    let databases = Databases::start_with(&[&TOLD[..], &["auto_explain.log_analyze=on"]].concat());
    let store = filled(&databases);
    for (what, asked) in [
        ("the door", door as fn(&PostgresStore)),
        ("pages of the log", pages),
        ("what people do", people),
    ] {
        let length = databases.server.log().len();
        // More often than a function's plan is made for the values at hand.
        for _ in 0..7 {
            asked(&store);
        }
        let told = Told::since(&databases, length);
        assert!(told.len() >= 14, "{what}: only {} statements were told", told.len());
        for told in told {
            assert!(told.scanned().all(is_small), "{what}: a whole table is read:\n{told}");
            assert!(told.rows() <= FEW, "{what}: many rows are gone through:\n{told}");
        }
    }
}

/// Those of which there is one row, or next to none.
fn is_small(table: &str) -> bool {
    [
        "audit_head",
        "audit_segments",
        "audit_set_back",
        "bootstrap_claim",
        "invites",
        "oauth_flows",
        "settings",
        "turn",
        "writers",
    ]
    .contains(&table)
        || of_the_system(table)
}

/// What the driver and the migrations ask about.
fn of_the_system(table: &str) -> bool {
    table.starts_with("pg_") || table == "schema_migrations"
}

fn door(store: &PostgresStore) {
    let found = block_on(store.session_at_the_door(TokenDigest::from_bytes(bytes(2, 40_000)), Arc::new(Known)));
    assert!(found.expect("asked").bearer.is_some());
    let found = block_on(store.api_key_at_the_door(TokenDigest::from_bytes(bytes(4, 15_000)), Arc::new(Known)));
    assert!(found.expect("asked").bearer.is_some());
    let found = block_on(store.session_at_the_door(TokenDigest::from_bytes(bytes(3, 1)), Arc::new(Known)));
    assert!(found.expect("asked").bearer.is_none());
}

fn pages(store: &PostgresStore) {
    let all = Filter::default;
    let after = |seconds: i64| Some(at(seconds));
    let behind = |seq: u64| Some(Cursor::behind(Seq::new(seq)));
    let (set, gone) = (Some(Event::SecretSet), Some(Event::SecretDeleted));
    let by = |text: &str| Some(ActorFilter::new(text));
    let half = i64::from(RECORDS) / 2;
    let filters = [
        (50, all()),
        (
            50,
            Filter {
                cursor: behind(30_000),
                ..all()
            },
        ),
        (
            50,
            Filter {
                intents: Intents::LeftOut,
                ..all()
            },
        ),
        (50, Filter { event: set, ..all() }),
        (
            50,
            Filter {
                event: set,
                cursor: behind(30_000),
                ..all()
            },
        ),
        // All of them are far from where the list begins.
        (50, Filter { event: gone, ..all() }),
        (
            0,
            Filter {
                event: Some(Event::UserDeleted),
                ..all()
            },
        ),
        (
            0,
            Filter {
                event: gone,
                since: after(half),
                ..all()
            },
        ),
        (
            50,
            Filter {
                since: after(half),
                until: after(half + 600),
                ..all()
            },
        ),
        (
            50,
            Filter {
                since: after(half),
                ..all()
            },
        ),
        (
            50,
            Filter {
                until: after(half),
                ..all()
            },
        ),
        (
            10,
            Filter {
                since: after(half),
                until: after(half + 9),
                ..all()
            },
        ),
        (
            0,
            Filter {
                since: after(10 * half),
                ..all()
            },
        ),
        // The last page of a span of time does not look for more before it.
        (
            5,
            Filter {
                since: after(half),
                cursor: behind(30_005),
                ..all()
            },
        ),
        (5, Filter { actor: by("77"), ..all() }),
        (
            50,
            Filter {
                actor: by("gone"),
                ..all()
            },
        ),
        (
            50,
            Filter {
                actor: by("gone"),
                event: gone,
                until: after(half / 2),
                ..all()
            },
        ),
        (
            0,
            Filter {
                actor: by("gone"),
                since: after(half),
                ..all()
            },
        ),
        (
            8,
            Filter {
                actor: by("uSER77@example.com"),
                ..all()
            },
        ),
        (
            0,
            Filter {
                actor: by("nobody"),
                ..all()
            },
        ),
    ];
    for (count, filter) in filters {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            // Which way a cursor leads depends on the order.
            let filter = Filter { order, ..filter.clone() };
            let listed = read(store, move |tx| {
                Box::pin(async move { log::list(tx, &filter, PageLimit::default()).await.map_err(StoreError::new) })
            });
            if order == Order::NewestFirst {
                assert_eq!(listed.events.len(), count, "{listed:?}");
            }
        }
    }
}

/// What a login, a request and a list of one's own need. Each time with the same rows, so that it can be asked again.
fn people(store: &PostgresStore) {
    let (who, epoch, now) = (user_id(77), SecurityEpoch::default(), at(0));
    let found = read(store, move |tx| {
        Box::pin(async move {
            let email: Email = "user77@example.com".parse().map_err(StoreError::new)?;
            assert!(tx.find_user_by_email(&email).await?.is_some() && tx.find_candidate_by_email(&email).await?.is_some());
            assert!(tx.find_user(who).await?.is_some() && tx.find_candidate(who).await?.is_some());
            assert!(!tx.sessions_of(who).await?.is_empty() && !tx.api_keys_of(who).await?.is_empty());
            assert!(tx.active_totp(who).await?.is_some() && tx.pending_totp(who).await?.is_none());
            assert_eq!((tx.factors_of(who).await?.len(), tx.links_of(who).await?.len()), (2, 1));
            assert!(tx.find_lock(&budget(), &LockoutPolicy::default(), now).await?.is_none());
            tx.find_session(&TokenDigest::from_bytes(bytes(2, 40_000)))
                .await
                .map_err(StoreError::new)
        })
    });
    assert!(found.is_some());
    write(store, move |tx| {
        Box::pin(async move {
            let _ = tx.charge_attempt(&budget(), &LockoutPolicy::default(), now).await?;
            tx.clear_attempts(&budget()).await?;
            tx.unlock_account(&budget().account, &LockoutPolicy::default(), now).await?;
            let proven = password_record(1);
            let login = LoginCompletion {
                user: who,
                epoch,
                password: Some(&proven),
                upgrade: None,
                now,
            };
            assert!(tx.complete_login(&login).await?);
            let fresh = session(90_000, who, epoch, now);
            let _ = tx.insert_session(&fresh, 20).await?;
            let touch = SessionTouch {
                last_active: at(1),
                mac: bytes(9, 1),
            };
            assert!(tx.touch_session(&fresh.digest, &touch).await?);
            assert!(tx.end_session(&fresh.digest).await?);
            assert!(!tx.end_session_of(who, session_id(90_000)).await?);
            let used = ApiKeyUse {
                at: now,
                client: Client::default(),
            };
            tx.touch_api_key(key_id(15_000), &used, now).await?;
            let limit = AttemptLimit {
                attempts: 5,
                window: Duration::from_secs(60),
            };
            let _ = tx.charge_factor_attempt(who, limit, now).await?;
            tx.refund_factor_attempt(who, now).await?;
            log::record(tx, &chain_key(), &Counting::from(1), &draft(77, now))
                .await
                .map_err(StoreError::new)?;
            let nobody = Label::new("nobody@example.com");
            tx.erase(&Erasure::Label(nobody)).await.map_err(StoreError::new)?;
            // Somebody with everything comes and goes.
            let (fresh, theirs) = (user(90_001, Role::Viewer, now), user_id(90_001));
            let _ = tx.insert_user(&fresh).await?;
            let _ = tx
                .put_active_totp(&active_totp(90_001, theirs, now), &recovery(90_001, theirs, now))
                .await?;
            let _ = tx.insert_session(&session(90_002, theirs, epoch, now), 20).await?;
            tx.end_sessions_of(theirs).await?;
            tx.remove_factors(theirs).await?;
            gone(tx, theirs).await
        })
    });
}

async fn gone(tx: &mut dyn Transaction, user: UserId) -> Result<(), StoreError> {
    let _ = tx.deactivate_user(user, at(0)).await?;
    let _ = tx.delete_user(user).await?;
    assert!(tx.find_user(user).await?.is_none());
    Ok(())
}

fn read<T: Send + 'static>(
    store: &PostgresStore,
    work: impl for<'t> FnOnce(&'t mut dyn Transaction) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
) -> T {
    block_on(store.read(work)).expect("read")
}

fn write<T: Send + 'static>(
    store: &PostgresStore,
    work: impl for<'t> FnOnce(&'t mut dyn Transaction) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
) -> T {
    block_on(store.write(work)).expect("written")
}

/// What an index of the log is made with may be asked by several workers at once, or is not offered to them: such an index is made
/// anew, and a dump restored.
#[test]
fn a_log_of_many_records_is_indexed_anew_and_read_where_the_database_uses_several_workers() {
    let databases = Databases::start();
    let name = databases.make();
    let row = "'{\"kind\":\"user\",\"id\":\"' || n % 8000 || '\",\"personal\":null}'";
    let sql = format!(
        "SET session_replication_role = replica; INSERT INTO dango.audit (seq, at, event, actor, origin, details, prev_hash, hash) \
         SELECT n, n, 'secret_set', {row}, '{{}}', '{{}}', '', '' FROM generate_series(1, 20000) AS n; ANALYZE dango.audit; \
         SET min_parallel_table_scan_size = 0; SET min_parallel_index_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; \
         SET max_parallel_maintenance_workers = 4; SET max_parallel_workers_per_gather = 4; REINDEX TABLE dango.audit; SET enable_indexscan = off; \
         SET enable_bitmapscan = off; SELECT count(*) FROM dango.audit WHERE dango.json_member(actor, 'id') = '77'"
    );
    assert_eq!(databases.server.sql(&name, &sql), "3");
}

/// Records of a clock that was put back, and on, and back again: each span of time has those that the model says, in both orders.
#[test]
fn a_span_of_time_has_its_records_though_clocks_were_put_back() {
    let databases = Databases::start();
    let store = databases.open(&databases.make());
    let times: Vec<i64> = (0..10)
        .chain(3600..3610)
        .chain(5..9)
        .chain(3590..3595)
        .chain(100_000..100_003)
        .chain(3600..3640)
        .collect();
    for second in times.clone() {
        write(&store, move |tx| {
            Box::pin(async move {
                let entropy = Counting::from(second.unsigned_abs() << 16);
                log::record(tx, &chain_key(), &entropy, &draft(1, at(second)))
                    .await
                    .map_err(StoreError::new)
            })
        });
    }
    let bounds = [
        -5, 0, 4, 7, 9, 12, 3_589, 3_592, 3_600, 3_609, 3_620, 4_000, 99_999, 100_001, 200_000,
    ];
    for since in bounds.map(Some).into_iter().chain([None]) {
        for until in bounds.map(Some).into_iter().chain([None]) {
            for order in [Order::NewestFirst, Order::OldestFirst] {
                let instant = |second: Option<i64>| -> Option<Timestamp> { second.map(at) };
                let filter = Filter {
                    since: instant(since),
                    until: instant(until),
                    order,
                    ..Filter::default()
                };
                let listed = read(&store, move |tx| {
                    let limit = PageLimit::new(200).expect("few");
                    Box::pin(async move { log::list(tx, &filter, limit).await.map_err(StoreError::new) })
                });
                let places = listed.events.iter().map(|event| event.seq).collect::<Vec<_>>();
                let is_within = |second: &i64| since.is_none_or(|since| *second >= since) && until.is_none_or(|until| *second <= until);
                let mut expected: Vec<i64> = (1..)
                    .zip(&times)
                    .filter(|(_, second)| is_within(second))
                    .map(|(place, _)| place)
                    .collect();
                if order == Order::NewestFirst {
                    expected.reverse();
                }
                assert_eq!(places, expected, "{since:?} {until:?} {order:?}");
            }
        }
    }
}
