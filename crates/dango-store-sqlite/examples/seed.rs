//! Fills a database with users, sessions and audit records, for measurements: `cargo xtask seed` runs it.
//!
//! Every row is made by the rules of the domains. Without `--identity-key FILE` they are made under a key that is thrown away:
//! the sessions then open nothing, and nobody else can add to the log.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own reads its arguments and talks to whoever started it"
)]

use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use dango_audit::{Actor, ChainKey, Draft, Event, Label, Origin, Outcome, Stage as AuditStage, UserAgent as AuditAgent, log};
use dango_core::{Clock, Entropy, EntropyError, OsEntropy, SecretValue, SystemClock, Timestamp};
use dango_identity::{
    AuditChainKey, AuthFactor, Client, FactorSet, HashingCost, HashingGate, IdentityKey, NewSession, NewUser, Password, PasswordHasher,
    Pepper, Role, SessionLimits, Sessions, Stage, StoredPassword, UserAgent, UserId,
};
use dango_store::{StoreExt, StoreFailure, Transaction};
use dango_store_sqlite::{Open, SqliteStore};

type Error = Box<dyn std::error::Error + Send + Sync>;

const USAGE: &str = "usage: seed --database-url sqlite:PATH [--users N] [--sessions N] [--events N] [--identity-key FILE]";
/// What every user's password is.
const PASSWORD: &str = "seeded for measurements only";
/// How many rows go into one transaction.
const BATCH: u32 = 2_000;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Request {
    database: Option<PathBuf>,
    users: u32,
    sessions: u32,
    events: u32,
    identity_key: Option<PathBuf>,
}

fn request() -> Result<Request, Error> {
    let mut request = Request::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        match name.as_str() {
            "--database-url" => {
                let path = value.strip_prefix("sqlite:").ok_or("only sqlite:PATH can be filled")?;
                request.database = Some(path.strip_prefix("//").unwrap_or(path).into());
            }
            "--users" => request.users = value.parse()?,
            "--sessions" => request.sessions = value.parse()?,
            "--events" => request.events = value.parse()?,
            "--identity-key" => request.identity_key = Some(value.into()),
            _ => return Err(USAGE.into()),
        }
    }
    Ok(request)
}

fn run() -> Result<(), Error> {
    let request = request()?;
    let path = request.database.as_ref().ok_or(USAGE)?;
    let key = match &request.identity_key {
        Some(file) => IdentityKey::parse_file(&SecretValue::new(std::fs::read_to_string(file)?)?)?,
        None => IdentityKey::make(&OsEntropy)?,
    };
    let seed = Arc::new(Seed::new(&key)?);
    let store = SqliteStore::open(path, Open::OrCreate)?;
    let begun = Instant::now();
    for (rows, count) in [
        (Rows::Users, request.users),
        (Rows::Sessions, request.sessions),
        (Rows::Events, request.events),
    ] {
        for first in (0..count).step_by(BATCH as usize) {
            add(&store, &seed, rows, first..count.min(first + BATCH))?;
        }
    }
    drop(store);
    println!(
        "{} users, {} sessions and {} records in {:.1} s; every password is `{PASSWORD}`",
        request.users,
        request.sessions,
        request.events,
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

/// What is added.
#[derive(Clone, Copy)]
enum Rows {
    Users,
    Sessions,
    Events,
}

fn add(store: &SqliteStore, seed: &Arc<Seed>, rows: Rows, batch: Range<u32>) -> Result<(), Error> {
    let seed = Arc::clone(seed);
    let work = store.write(move |tx| {
        Box::pin(async move {
            let added = match rows {
                Rows::Users => seed.add_users(tx, batch).await,
                Rows::Sessions => seed.add_sessions(tx, batch).await,
                Rows::Events => seed.add_events(tx, batch).await,
            };
            added.map_err(Failed)
        })
    });
    pollster::block_on(work).map_err(|Failed(error)| error)
}

/// An error of whatever kind.
struct Failed(Error);

impl From<StoreFailure> for Failed {
    fn from(failure: StoreFailure) -> Self {
        Self(failure.into())
    }
}

/// What rows are made with.
struct Seed {
    sessions: Sessions,
    chain: ChainKey,
    password: StoredPassword,
    now: Timestamp,
    /// Tells the addresses of one run from those of another.
    run: String,
}

impl Seed {
    fn new(key: &IdentityKey) -> Result<Self, Error> {
        let now = SystemClock.now();
        let gate = Arc::new(HashingGate::new(NonZeroUsize::MIN, 1));
        let hasher = PasswordHasher::new(HashingCost::default(), Pepper::derive(key), Vec::new(), gate, &OsEntropy)?;
        let record = hasher.hash(&Password::new(PASSWORD.to_owned())?, &OsEntropy)?;
        Ok(Self {
            sessions: Sessions::new(key, SessionLimits::default()),
            chain: ChainKey::from_derived(AuditChainKey::derive(key).expose()),
            password: StoredPassword::chosen(record, now),
            now,
            run: format!("{:x}", now.unix_micros()),
        })
    }

    async fn add_users(&self, tx: &mut dyn Transaction, batch: Range<u32>) -> Result<(), Error> {
        for number in batch {
            let email = format!("user{number}.{}@example.com", self.run).parse()?;
            let role = [Role::Admin, Role::Editor, Role::Viewer][number as usize % 3];
            let new = NewUser::with_password(email, role, self.password.clone(), self.now, &OsEntropy)?;
            let _ = tx.insert_user(&new).await?;
        }
        Ok(())
    }

    /// Sessions of the users who are there, in turn. Nobody has more than the limit: their oldest end.
    async fn add_sessions(&self, tx: &mut dyn Transaction, batch: Range<u32>) -> Result<(), Error> {
        let users = tx.users().await?;
        if users.is_empty() {
            return Err("there are no users to have sessions: ask for some with --users".into());
        }
        let agent = UserAgent::new("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
        for number in batch {
            let user = &users[number as usize % users.len()];
            let login = NewSession {
                user: user.id,
                epoch: user.epoch,
                factors: FactorSet::of(AuthFactor::Password),
                stage: Stage::Full,
                client: Client {
                    address: Some([192, 0, 2, number.to_le_bytes()[0]].into()),
                    user_agent: Some(agent.clone()),
                },
                device: None,
            };
            self.sessions.begin(tx, login, self.now, &OsEntropy).await?;
        }
        Ok(())
    }

    /// What a thousand people did.
    async fn add_events(&self, tx: &mut dyn Transaction, batch: Range<u32>) -> Result<(), Error> {
        for number in batch {
            let person = number % 1_000;
            let id = UserId::make(self.now, &Numbers(person))?.to_string().parse()?;
            let label = Label::new(&format!("user{person}@example.com"));
            let origin = Origin {
                ip: Some([192, 0, 2, person.to_le_bytes()[0]].into()),
                user_agent: Some(AuditAgent::new("Mozilla/5.0 (X11; Linux x86_64; rv:140.0)")),
                session: None,
            };
            let event = [Event::LoginSuccess, Event::SecretSet, Event::SecretDeleted][number as usize % 3];
            let draft = Draft::new(self.now, event, Actor::user(id, label), AuditStage::Ended(Outcome::Success)).from(origin);
            log::record(tx, &self.chain, &OsEntropy, &draft).await?;
        }
        Ok(())
    }
}

/// The same bytes for the same number.
struct Numbers(u32);

impl Entropy for Numbers {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyError> {
        for (byte, number) in buffer.iter_mut().zip(self.0.to_be_bytes().into_iter().cycle()) {
            *byte = number;
        }
        Ok(())
    }
}
