//! A SQLite file of people, sessions and keys moved into PostgreSQL under its server, which is asked meanwhile: what fails, how long whoever writes waits.

use std::error::Error;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dango_identity::{Role, SecurityEpoch, StoreError};
use dango_store::StoreExt;
use dango_store::contract::sample;
use dango_store_sqlite::{Open, SqliteStore};
use dango_tests::{Scratch, dango_server};
use serde_json::{Value, json};

use super::super::Outcome;
use super::super::server::crowd::{Answered, Crowd, Pace};
use super::super::server::house::House;
use super::filled::{Filled, OWNER, PASSWORD_OF_ROLES, SERVING};

/// Where everything is moved; it is made for it, and dropped.
const DATABASE: &str = "arriving";
const READERS: usize = 4;
const WRITERS: usize = 2;
const LOGGING_IN: usize = 4;
/// How long they ask at once before it is looked whether the move is over.
const TURN: Duration = Duration::from_millis(500);
/// How many rows go into one transaction.
const BATCH: u32 = 1_000;

/// Moves as many people as the cluster is to have, and prints what it was for those who worked meanwhile.
pub(super) fn measure(filled: &Filled) -> Outcome {
    let postgres = &filled.postgres;
    let drop_it = format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)");
    let _ = postgres.sql("postgres", &drop_it);
    let _ = postgres.sql("postgres", &format!("CREATE DATABASE {DATABASE} OWNER {OWNER}"));
    let project = Scratch::initialised();
    let file = project.path().join(".dango/dango.db");
    let to = format!("postgres://{SERVING}@127.0.0.1:{}/{DATABASE}", postgres.port());
    let arguments = ["migrate", "--from", "sqlite:.dango/dango.db", "--to", &to, "--json"];
    let migrate = project
        .command(dango_server(), &arguments)
        .env("PGPASSWORD", PASSWORD_OF_ROLES)
        .env("DANGO_SERVER_DATABASE_OWNER_URL", postgres.url(OWNER, PASSWORD_OF_ROLES, DATABASE));
    let mut house = House::claimed(project);
    let people = house.invite(LOGGING_IN);
    fill(&file, u32::try_from(filled.size.users)?)?;
    let (read, logins) = (
        house.get("/api/auth/me")?,
        people.iter().map(|person| house.login(person)).collect::<Vec<_>>(),
    );
    let invited = AtomicUsize::new(0);
    let invite = |_, _| {
        let email = format!("new{}@team.example", invited.fetch_add(1, Ordering::Relaxed));
        // Only a session that has ended has no cookie, and then the answer says so.
        house
            .post("/api/admin/users", &json!({"email": email, "role": "viewer"}))
            .unwrap_or_default()
    };
    let is_over = AtomicBool::new(false);
    let (told, whole, answers) = thread::scope(|scope| {
        let (house, is_over, invite, read, logins) = (&house, &is_over, &invite, &read, &logins);
        let asking = [
            scope.spawn(move || ask(house, READERS, is_over, &|_, _| read.clone())),
            scope.spawn(move || ask(house, WRITERS, is_over, invite)),
            scope.spawn(move || ask(house, LOGGING_IN, is_over, &|client, _| logins[client].clone())),
        ];
        let begun = Instant::now();
        let told = migrate.into_command().stdin(Stdio::null()).output();
        let whole = begun.elapsed();
        is_over.store(true, Ordering::SeqCst);
        let mut answers = Vec::new();
        for asking in asking {
            answers.append(&mut asking.join().map_err(|_| "a thread panicked".to_owned())??);
        }
        Ok::<_, Box<dyn Error>>((told?, whole, answers))
    })?;
    if !told.status.success() {
        return Err(String::from_utf8_lossy(&told.stderr).into());
    }
    let told: Value = serde_json::from_slice(&told.stdout)?;
    drop(house);
    let _ = postgres.sql("postgres", &drop_it);
    let failed = answers.iter().filter(|answer| answer.status >= 300).count();
    let slowest = answers.iter().map(|answer| answer.took).max().unwrap_or_default();
    println!("requests: {}", answers.len());
    println!("failed: {failed}");
    println!("slowest answer, ms: {:.3}", slowest.as_secs_f64() * 1_000.0);
    println!("pause, ms: {}", told["pause_ms"]);
    println!("whole move, ms: {:.3}", whole.as_secs_f64() * 1_000.0);
    match failed {
        0 => Ok(()),
        _ => Err(format!("{failed} of {} requests have failed", answers.len()).into()),
    }
}

/// Asks until the move is over, and once more behind it.
fn ask(house: &House, clients: usize, is_over: &AtomicBool, question: &dyn Fn(usize, usize) -> Vec<u8>) -> Result<Vec<Answered>, String> {
    let mut crowd = Crowd::connect(house.address(), clients).map_err(|error| error.to_string())?;
    let mut answers = Vec::new();
    loop {
        let was_over = is_over.load(Ordering::SeqCst);
        let asked = crowd.ask(Pace::AtOnce, TURN, question);
        answers.append(&mut asked.map_err(|error| error.to_string())?);
        if was_over {
            return Ok(answers);
        }
    }
}

/// Puts so many people into a file, each with a session and an API key.
fn fill(file: &Path, users: u32) -> Outcome {
    let store = SqliteStore::open(file, Open::Existing)?;
    for first in (0..users).step_by(usize::try_from(BATCH)?) {
        let filled = store.write(move |tx| {
            Box::pin(async move {
                for number in first..users.min(first + BATCH) {
                    let (now, id) = (sample::at(i64::from(number)), sample::user_id(number));
                    let _ = tx.insert_user(&sample::user(number, Role::Viewer, now)).await?;
                    let session = sample::session(number, id, SecurityEpoch::default(), now);
                    let _ = tx.insert_session(&session, 10).await?;
                    let _ = tx.insert_api_key(&sample::api_key(number, id, now)).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        pollster::block_on(filled)?;
    }
    Ok(())
}
