//! The comparisons of what holds people and the log: lists, logins, session checks, appends, verification. The other comparisons are in `cases.rs`.

use std::path::{Path, PathBuf};

use super::cases::{Case, Measure, Ours};
use super::measurement::Contestant;
use super::projects;
use crate::setup::Counterparts;
use crate::step::Failure;

/// An identity key that protects nothing but synthetic people, as its file holds it.
const IDENTITY_KEY: &str = "abababababababababababababababababababababababababababababababab\n";

/// Every user of a project, against the bare rows.
pub(super) fn list(project: &Path, ours: &Ours, counterparts: &Counterparts) -> Result<Case, Failure> {
    let users = 10_000;
    let (database, seeding) = seeded(project, ours, &["--users", &users.to_string()])?;
    let script = format!(
        "import sqlite3\nrows = sqlite3.connect('{}').execute('SELECT email, role, last_login_at, created_at FROM users ORDER BY email')\n\
         count = 0\nfor row in rows:\n    print(*row)\n    count += 1\nprint(count, 'rows')",
        database.display()
    );
    let python = Contestant::new(
        "Python's `sqlite3`, `SELECT` and `print`",
        &counterparts.python,
        &["-c", &script],
        project,
    );
    Ok(Case {
        preparations: vec![seeding],
        goal: Some("To be below 100 ms."),
        ..Case::new(
            format!("`dango auth list-users` with {users} users"),
            vec![
                Contestant::new("`dango auth list-users`", &ours.dango, &["auth", "list-users"], project).answering("user9999.".to_owned()),
                python.answering(format!("{users} rows")),
                Contestant::new("`true`, an empty process", Path::new("true"), &[], project),
            ],
        )
    })
}

/// Whole logins, against what the same cores do if they do nothing but hash.
pub(super) fn log_in(project: &Path, ours: &Ours) -> Result<Case, Failure> {
    projects::with_credentials(project, 0)?;
    let count = "200";
    Ok(Case {
        measure: Measure::PerSecond,
        goal: Some("Logins are to be at least 0.85 of the bare hashes, so *relative* at most 1.18."),
        ..Case::new(
            "Logins with SQLite, each with its session and its audit record",
            vec![
                Contestant::new("logins", &ours.measure, &["logins", count], project).reporting("logins a second: "),
                Contestant::new(
                    "the `argon2` crate alone, on all cores",
                    &ours.measure,
                    &["argon2id", count],
                    project,
                )
                .reporting("hashes a second: "),
            ],
        )
    })
}

/// Who a request is from, against the one row that everything starts with.
pub(super) fn check_sessions(project: &Path, ours: &Ours, counterparts: &Counterparts) -> Result<Case, Failure> {
    let (database, seeding) = seeded(project, ours, &["--users", "10000", "--sessions", "100000"])?;
    let (database, key) = (text(&database)?, text(&project.join(KEY_FILE))?);
    let script = format!(
        "import random, sqlite3, statistics, time\n\
         database = sqlite3.connect('{database}')\n\
         digests = [row for row in database.execute('SELECT digest FROM sessions')]\n\
         random.Random(7).shuffle(digests)\n\
         taken = []\n\
         for digest in digests[:20000]:\n    \
             begun = time.perf_counter()\n    \
             row = database.execute('SELECT * FROM sessions WHERE digest = ?', digest).fetchone()\n    \
             taken.append(time.perf_counter() - begun)\n    \
             assert row\n\
         print('row:', statistics.median(taken) * 1e6)"
    );
    Ok(Case {
        preparations: vec![seeding],
        measure: Measure::Micros,
        goal: Some("A check is to take less than 50 µs."),
        ..Case::new(
            "A session check among 100,000 sessions in SQLite: row, seal, limits, user, second factor",
            vec![
                Contestant::new("`authenticate`", &ours.measure, &["session-checks", &database, &key], project)
                    .reporting("session check: "),
                Contestant::new(
                    "Python's `sqlite3`, the session's row alone",
                    &counterparts.python,
                    &["-c", &script],
                    project,
                )
                .reporting("row: "),
            ],
        )
    })
}

/// Records that are on the disk before they are answered, against a table of one's own.
pub(super) fn append(project: &Path, ours: &Ours, counterparts: &Counterparts) -> Result<Case, Failure> {
    projects::with_credentials(project, 0)?;
    let script = "import os, sqlite3, time\n\
                  database = sqlite3.connect('own.db', isolation_level=None)\n\
                  database.execute('PRAGMA journal_mode=WAL')\n\
                  database.execute('PRAGMA synchronous=FULL')\n\
                  database.execute('CREATE TABLE IF NOT EXISTS log (at REAL, actor TEXT, event TEXT)')\n\
                  begun = time.perf_counter()\n\
                  for _ in range(2000):\n    \
                      database.execute('INSERT INTO log VALUES (?, ?, ?)', (time.time(), 'ada', 'secret_set'))\n\
                  print('inserts:', 2000 / (time.perf_counter() - begun))";
    let appends = |label, threads, count| {
        Contestant::new(label, &ours.measure, &["appends", threads, count], project).reporting("appends a second: ")
    };
    Ok(Case {
        measure: Measure::PerSecond,
        goal: Some("At least 5,000 a second are to be appended by 32 at once."),
        ..Case::new(
            "Appends to the audit log in SQLite, one record in a transaction, each on the disk before the answer",
            vec![
                appends("32 at once, which share commits", "32", "20000"),
                appends("one after the other", "1", "2000"),
                Contestant::new(
                    "Python's `sqlite3`, a plain `INSERT` and commit",
                    &counterparts.python,
                    &["-c", script],
                    project,
                )
                .reporting("inserts: "),
            ],
        )
    })
}

/// Records that are verified out of a database, against a chain as one would write it oneself.
pub(super) fn verify(project: &Path, ours: &Ours, counterparts: &Counterparts) -> Result<Case, Failure> {
    let (database, seeding) = seeded(project, ours, &["--users", "1", "--events", "1000000"])?;
    let (database, key) = (text(&database)?, text(&project.join(KEY_FILE))?);
    let out_of_sqlite =
        |label, what| Contestant::new(label, &ours.measure, &[what, &database, &key], project).reporting("verified a second: ");
    let script = "import hashlib, hmac, json, time\n\
                  record = {'at': '2026-01-01T00:00:00Z', 'actor': 'ada@example.com', 'event': 'secret_set', 'outcome': 'success'}\n\
                  lines = [json.dumps(dict(record, seq=seq)).encode() for seq in range(200000)]\n\
                  begun, last = time.perf_counter(), b''\n\
                  for line in lines:\n    \
                      json.loads(line)\n    \
                      last = hmac.digest(b'key', last + line, 'sha256')\n\
                  print('verified:', len(lines) / (time.perf_counter() - begun))";
    Ok(Case {
        preparations: vec![seeding],
        measure: Measure::PerSecond,
        goal: Some("At least 1,000,000 records a second are to be verified, opening the database and reading them included."),
        ..Case::new(
            "A log of 1,000,000 records in SQLite verified at one moment of it: chain, fields, personal data, end",
            vec![
                out_of_sqlite("opened, read and verified", "verification"),
                out_of_sqlite("the same up to a checkpoint of all of them", "verification-to-checkpoint"),
                Contestant::new(
                    "the rules alone, records in memory, one thread",
                    &ours.verification_rate,
                    &[],
                    project,
                )
                .reporting("verify: ")
                .answering("intact: true".to_owned()),
                Contestant::new(
                    "Python, `json` lines under chained `hmac`",
                    &counterparts.python,
                    &["-c", script],
                    project,
                )
                .reporting("verified: "),
            ],
        )
    })
}

const KEY_FILE: &str = ".dango/identity.key";

/// A project with an identity key, and what fills its database under that key.
fn seeded(project: &Path, ours: &Ours, rows: &[&str]) -> Result<(PathBuf, Contestant), Failure> {
    projects::with_identity_key(project, KEY_FILE, IDENTITY_KEY)?;
    let database = project.join(".dango/dango.db");
    let url = format!("sqlite:{}", text(&database)?);
    let mut arguments = vec!["--database-url", &url, "--identity-key", KEY_FILE];
    arguments.extend(rows);
    Ok((database, Contestant::new("seed", &ours.seed, &arguments, project)))
}

fn text(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().map(str::to_owned);
    text.ok_or_else(|| Failure::new(format!("{} is not valid UTF-8", path.display())))
}
