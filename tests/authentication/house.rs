//! One database, opened as a server and as a command at the terminal open it: two stores on one file, under one key and one clock.

#![allow(dead_code, unreachable_pub, reason = "the test and the measurement use their parts")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use dango_actions::{Actions, Caller, Grant, Permit, Setup, SignedIn};
use dango_core::{Clock, OsEntropy, SecretValue, Timestamp};
use dango_identity::{
    AuthFactor, Client, FactorSet, IdentityKey, NewSession, PlainToken, Role, SecurityEpoch, SessionId, SessionLimits, Sessions, Stage,
    StoreError, UserId, kind,
};
use dango_store::contract::sample::{user, user_id};
use dango_store::{BoxFuture, Job, Store, StoreExt, StoreFailure, Transaction};
use dango_store_sqlite::{Open, SqliteStore};

pub struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.load(Ordering::SeqCst))
    }

    fn local_offset_seconds(&self, _: Timestamp) -> i32 {
        0
    }
}

/// A store that cannot tell whether anything was committed, and reads by transactions: whoever uses it remembers nothing.
pub struct Forgetful(pub Arc<SqliteStore>);

#[async_trait]
impl Store for Forgetful {
    async fn run_write(&self, job: Job) -> Result<(), StoreFailure> {
        self.0.run_write(job).await
    }

    async fn run_read(&self, job: Job) -> Result<(), StoreFailure> {
        self.0.run_read(job).await
    }

    async fn schema_version(&self) -> Result<u32, StoreFailure> {
        self.0.schema_version().await
    }
}

pub struct House {
    /// Remembers who was there.
    pub server: Actions,
    /// Reads everything again each time.
    pub forgetful: Actions,
    /// Another process, as far as the database can tell.
    pub command: Actions,
    pub store: Arc<SqliteStore>,
    pub others: Arc<SqliteStore>,
    pub clock: Arc<ManualClock>,
    pub sessions: Sessions,
    pub path: PathBuf,
}

pub fn identity_key() -> IdentityKey {
    IdentityKey::parse(&SecretValue::new("07".repeat(32)).expect("hex")).expect("a key")
}

impl House {
    pub fn new(directory: &Path) -> Self {
        let path = directory.join("dango.db");
        let open = || Arc::new(SqliteStore::open(&path, Open::OrCreate).expect("opened"));
        let (store, others) = (open(), open());
        let clock = Arc::new(ManualClock(AtomicI64::new(1_795_000_000_000_000)));
        let actions = |store: Arc<dyn Store>| {
            Actions::new(
                store,
                &identity_key(),
                Setup::default(),
                Arc::clone(&clock) as Arc<dyn Clock>,
                Arc::new(OsEntropy),
            )
            .expect("random")
        };
        Self {
            server: actions(Arc::clone(&store) as Arc<dyn Store>),
            forgetful: actions(Arc::new(Forgetful(Arc::clone(&store)))),
            command: actions(Arc::clone(&others) as Arc<dyn Store>),
            sessions: Sessions::new(&identity_key(), SessionLimits::default()),
            store,
            others,
            clock,
            path,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// Something that another process commits.
    pub fn elsewhere<T, F>(&self, work: F) -> T
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut dyn Transaction) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        pollster::block_on(self.others.write(work)).expect("written")
    }

    pub fn add(&self, number: u32, role: Role) {
        let new = user(number, role, self.now());
        self.elsewhere(move |tx| Box::pin(async move { tx.insert_user(&new).await.map(|_| ()) }));
    }

    /// Begins a session without a password, which would take a while; another process does.
    pub fn begin(&self, number: u32) -> Option<(String, SessionId)> {
        let (sessions, now) = (Sessions::new(&identity_key(), SessionLimits::default()), self.now());
        self.elsewhere(move |tx| {
            Box::pin(async move {
                let Some(user) = tx.find_user(user_id(number)).await? else {
                    return Ok(None);
                };
                let issued = sessions.begin(tx, session_of(user.id, user.epoch), now, &OsEntropy).await;
                let issued = issued.map_err(StoreError::new)?;
                Ok(Some((issued.token.expose().to_owned(), issued.session.record().id)))
            })
        })
    }

    pub fn permit<G: Grant>(&self) -> Permit<G> {
        pollster::block_on(self.command.permit::<G>(&Caller::cli(Some(1000), Some("ada")))).expect("the machine's user may")
    }
}

pub fn session_of(user: UserId, epoch: SecurityEpoch) -> NewSession {
    NewSession {
        user,
        epoch,
        factors: FactorSet::of(AuthFactor::Password),
        stage: Stage::Full,
        client: browser(),
        device: None,
    }
}

pub fn browser() -> Client {
    Client {
        address: Some([192, 0, 2, 7].into()),
        user_agent: Some(dango_identity::UserAgent::new("Firefox/140")),
    }
}

pub fn visitor() -> Caller {
    Caller::anonymous(browser())
}

pub fn token(text: &str) -> PlainToken<kind::Session> {
    PlainToken::parse(text).expect("a token")
}

/// What a request is told, as one text.
pub fn ask(actions: &Actions, text: &str) -> String {
    match pollster::block_on(actions.authenticate(token(text), visitor())) {
        Ok(signed_in) => {
            let stage = match &signed_in {
                SignedIn::Partial(_) => "partial".to_owned(),
                SignedIn::Restricted(_, obligation) => format!("restricted {obligation:?}"),
                SignedIn::Full(_) => "full".to_owned(),
            };
            format!("{stage} {:?} {:?}", signed_in.user(), signed_in.view())
        }
        Err(error) => error.code().to_owned(),
    }
}
