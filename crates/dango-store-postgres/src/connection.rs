//! A connection to the database and what runs on it: the one place that knows the driver.
//!
//! Statements have no names and sessions no state, so that a pooler may hand every transaction to another connection of its own.

use std::borrow::Cow;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dango_store::StoreFailure;
use futures_util::future::{join, join_all, join3};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};

use crate::failure::{BadColumn, NoAnswer, Told};
use crate::tls::Tls;
use crate::url::DatabaseUrl;

/// After how long without an answer a connection is given up. The database gives up before, where it still can.
const PATIENCE: Duration = Duration::from_secs(45);
/// The same for a commit, of which one asks on another connection then.
const COMMIT_PATIENCE: Duration = Duration::from_secs(10);
/// How long connecting may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// One connection; dropped, it is closed, and what the database still does for it is cancelled, unless that may be a commit.
pub(crate) struct Connection {
    client: tokio_postgres::Client,
    tls: Tls,
    runtime: Handle,
    /// How many statements are sent and not answered.
    unanswered: AtomicUsize,
    /// Whether a commit is sent and not answered. One that waits for a second server would be broken off by a cancelling as if it had been
    /// waited for: it would count here, others would see it, and it would be lost with this server.
    is_committing: AtomicBool,
    place: Arc<Place>,
}

/// The place among all connections that one has while it is in use. Whoever keeps the connection going holds it, too: it is free once the
/// database has nothing to do for it any more, not as soon as nobody waits for that.
#[derive(Default)]
struct Place(Mutex<Option<OwnedSemaphorePermit>>);

impl Place {
    fn put(&self, place: Option<OwnedSemaphorePermit>) -> Option<OwnedSemaphorePermit> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), place)
    }
}

impl Connection {
    /// Connects to a database that can be written to and takes every character. The runtime that this runs on keeps the connection going.
    pub(crate) async fn open(url: &DatabaseUrl) -> Result<Self, StoreFailure> {
        let (config, tls) = (config(url), Tls::of(url)?);
        let connected = timeout(CONNECT_PATIENCE, config.connect(tls.clone())).await;
        let (client, connection) = connected.map_err(|_| no_answer(CONNECT_PATIENCE))?.map_err(failure)?;
        let place = Arc::new(Place::default());
        let held = Arc::clone(&place);
        // Why it ended is told to whoever waits for an answer.
        tokio::spawn(async move {
            drop(connection.await);
            drop(held);
        });
        let this = Self {
            client,
            tls,
            runtime: Handle::current(),
            unanswered: AtomicUsize::new(0),
            is_committing: AtomicBool::new(false),
            place,
        };
        let ask = query("SELECT pg_is_in_recovery(), current_setting('server_encoding')");
        let told = this.one(&ask, |row| Ok((row.flag_at(0)?, row.text_at(1)?.map(Arc::from)))).await?;
        match told {
            Some((Some(false), Some(encoding))) if &*encoding == "UTF8" => Ok(this),
            Some((Some(false), Some(found))) => Err(StoreFailure::Encoding { found }),
            // It lags behind, and what was taken away may still be there.
            _ => Err(StoreFailure::ReadOnly),
        }
    }

    /// Whether it is known to be of no use any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Gives it a place, to be held until it is left or the connection has ended.
    pub(crate) fn take(&self, place: OwnedSemaphorePermit) {
        drop(self.place.put(Some(place)));
    }

    /// Leaves its place.
    pub(crate) fn leave(&self) -> Option<OwnedSemaphorePermit> {
        self.place.put(None)
    }

    /// Runs statements without values, one after another, in one go. What they answer is not looked at.
    pub(crate) async fn run_all(&self, sql: &str) -> Result<(), StoreFailure> {
        self.in_time(self.client.batch_execute(sql)).await
    }

    /// The same for statements that take as long as they take, such as an index over a large table. Whether the other side is still
    /// there, the connection itself finds out.
    pub(crate) async fn run_to_end(&self, sql: &str) -> Result<(), StoreFailure> {
        self.client.batch_execute(sql).await.map_err(failure)
    }

    /// Runs statements without values and reads the one row of another behind them, in one go.
    pub(crate) async fn run_all_and_read<T>(
        &self,
        sql: &str,
        statement: &Statement,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreFailure>,
    ) -> Result<Option<T>, StoreFailure> {
        // Both are sent before either is waited for.
        let (ran, found) = join(self.run_all(sql), self.one(statement, read)).await;
        ran?;
        found
    }

    /// Runs statements in a transaction of their own, which `begin` begins and which is committed, all in one go; answers what each answered
    /// once it is committed.
    pub(crate) async fn alone(&self, begin: &str, statements: &[&Statement]) -> Result<Vec<Vec<tokio_postgres::Row>>, StoreFailure> {
        // All are sent before any is waited for. Where one fails, the rest does, and so does the commit.
        let answers = join_all(statements.iter().map(|statement| self.rows(statement)));
        let (begun, answers, committed) = self.committing(join3(self.run_all(begin), answers, self.run_all("COMMIT"))).await;
        begun?;
        let answers = answers.into_iter().collect::<Result<_, _>>()?;
        committed?;
        Ok(answers)
    }

    /// Runs the last statement of a transaction and commits, both in one go; says how many rows the statement changed. It does not wait for long.
    pub(crate) async fn change_and_commit(&self, statement: &Statement) -> Result<u64, StoreFailure> {
        // Both are sent before either is waited for.
        let both = self.committing(join(self.change(statement), self.run_all("COMMIT")));
        let (changed, committed) = timeout(COMMIT_PATIENCE, both).await.map_err(|_| no_answer(COMMIT_PATIENCE))?;
        changed.and_then(|changed| committed.map(|()| changed))
    }

    /// Waits for what a commit belongs to. Whoever stops waiting leaves the database to its end.
    async fn committing<T>(&self, work: impl Future<Output = T>) -> T {
        self.is_committing.store(true, Ordering::Relaxed);
        let done = work.await;
        self.is_committing
            .store(self.unanswered.load(Ordering::Relaxed) > 0, Ordering::Relaxed);
        done
    }

    /// Runs a statement and says how many rows it changed.
    pub(crate) async fn change(&self, statement: &Statement) -> Result<u64, StoreFailure> {
        self.in_time(self.client.execute_typed(&statement.sql, &statement.parameters()))
            .await
    }

    /// Reads every row.
    pub(crate) async fn rows(&self, statement: &Statement) -> Result<Vec<tokio_postgres::Row>, StoreFailure> {
        self.in_time(self.client.query_typed(&statement.sql, &statement.parameters())).await
    }

    /// Reads the one row that there may be.
    pub(crate) async fn one<T>(
        &self,
        statement: &Statement,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreFailure>,
    ) -> Result<Option<T>, StoreFailure> {
        let rows = self.rows(statement).await?;
        rows.first().map(|row| read(&Row(row))).transpose()
    }

    async fn in_time<T>(&self, answer: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, StoreFailure> {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        let answered = timeout(PATIENCE, answer).await.map_err(|_| no_answer(PATIENCE))?;
        // Not where nobody waited so long: then the database is still at it.
        self.unanswered.fetch_sub(1, Ordering::Relaxed);
        answered.map_err(failure)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.unanswered.load(Ordering::Relaxed) == 0 || self.is_closed() {
            return;
        }
        if self.is_committing.load(Ordering::Relaxed) {
            // It may last for as long as there is no second server. Others are not to wait for that.
            drop(self.leave());
            return;
        }
        let (cancel, tls) = (self.client.cancel_token(), self.tls.clone());
        // Where it does not get there, the database's own limits hold.
        self.runtime
            .spawn(async move { drop(timeout(CONNECT_PATIENCE, cancel.cancel_query(tls)).await) });
    }
}

fn config(url: &DatabaseUrl) -> tokio_postgres::Config {
    let mut config = tokio_postgres::Config::new();
    config
        .host(url.host())
        .port(url.port())
        .user(url.user())
        .dbname(url.database())
        .application_name("dango")
        .ssl_mode(match url.is_encrypted() {
            true => tokio_postgres::config::SslMode::Require,
            false => tokio_postgres::config::SslMode::Disable,
        })
        .connect_timeout(CONNECT_PATIENCE)
        .tcp_user_timeout(PATIENCE)
        .keepalives_idle(Duration::from_secs(10))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3);
    if let Some(password) = url.password() {
        config.password(password);
    }
    config
}

fn no_answer(patience: Duration) -> StoreFailure {
    StoreFailure::unavailable(NoAnswer {
        seconds: patience.as_secs(),
    })
}

fn failure(error: tokio_postgres::Error) -> StoreFailure {
    match error.as_db_error() {
        Some(told) => Told::new(told.code().code(), told.message(), told.constraint()).into_failure(),
        None => StoreFailure::unavailable(error),
    }
}

/// A statement with its values. Its text is in the program, or put together from names that are.
pub(crate) struct Statement {
    sql: Cow<'static, str>,
    values: Vec<Value>,
}

/// A statement without values, yet.
pub(crate) fn query(sql: impl Into<Cow<'static, str>>) -> Statement {
    Statement {
        sql: sql.into(),
        values: Vec::new(),
    }
}

impl Statement {
    /// Gives it the next value: the first is `$1`.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    fn parameters(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.values.iter().map(Value::parameter).collect()
    }
}

/// What a column holds, or that it holds nothing: the database wants to know of what kind it would be.
pub(crate) enum Value {
    Flag(Option<bool>),
    Integer(Option<i64>),
    Text(Option<Cow<'static, str>>),
    Blob(Option<Vec<u8>>),
    Blobs(Vec<Vec<u8>>),
    /// A column of many rows.
    ManyFlags(Vec<Option<bool>>),
    ManyIntegers(Vec<Option<i64>>),
    ManyTexts(Vec<Option<String>>),
    ManyBlobs(Vec<Option<Vec<u8>>>),
}

impl Value {
    fn parameter(&self) -> (&(dyn ToSql + Sync), Type) {
        match self {
            Self::Flag(flag) => (flag, Type::BOOL),
            Self::Integer(number) => (number, Type::INT8),
            Self::Text(text) => (text, Type::TEXT),
            Self::Blob(bytes) => (bytes, Type::BYTEA),
            Self::Blobs(all) => (all, Type::BYTEA_ARRAY),
            Self::ManyFlags(all) => (all, Type::BOOL_ARRAY),
            Self::ManyIntegers(all) => (all, Type::INT8_ARRAY),
            Self::ManyTexts(all) => (all, Type::TEXT_ARRAY),
            Self::ManyBlobs(all) => (all, Type::BYTEA_ARRAY),
        }
    }
}

/// A text as the database takes it: it knows no zero byte. What is stored has none; what is looked for is then not found.
fn storable(text: Cow<'static, str>) -> Cow<'static, str> {
    match text.contains('\0') {
        true => Cow::Owned(text.replace('\0', "\u{fffd}")),
        false => text,
    }
}

impl From<Vec<Vec<u8>>> for Value {
    fn from(all: Vec<Vec<u8>>) -> Self {
        Self::Blobs(all)
    }
}

/// What a value is made of, and of what kind the column is where there is none.
macro_rules! from_values {
    ($($kind:ident of $from:ty, $convert:expr;)*) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$kind(Some($convert(value)))
            }
        }

        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                Self::$kind(value.map($convert))
            }
        }
    )*};
}

from_values! {
    Flag of bool, std::convert::identity;
    Integer of u8, i64::from;
    Integer of u32, i64::from;
    Integer of i64, std::convert::identity;
    Text of &'static str, |text| storable(Cow::Borrowed(text));
    Text of String, |text| storable(Cow::Owned(text));
    Blob of Vec<u8>, std::convert::identity;
}

/// A row as the driver has it.
pub(crate) type RowBytes = tokio_postgres::Row;

/// A row that was read. What is asked for as one thing and is another is damage.
pub(crate) struct Row<'r>(pub(crate) &'r tokio_postgres::Row);

impl<'r> Row<'r> {
    pub(crate) fn flag_at(&self, at: usize) -> Result<Option<bool>, StoreFailure> {
        self.0.try_get(at).map_err(|_| bad(at))
    }

    pub(crate) fn integer_at(&self, at: usize) -> Result<Option<i64>, StoreFailure> {
        self.0.try_get(at).map_err(|_| bad(at))
    }

    pub(crate) fn text_at(&self, at: usize) -> Result<Option<&'r str>, StoreFailure> {
        self.0.try_get(at).map_err(|_| bad(at))
    }

    pub(crate) fn blob_at(&self, at: usize) -> Result<Option<&'r [u8]>, StoreFailure> {
        self.0.try_get(at).map_err(|_| bad(at))
    }
}

fn bad(column: usize) -> StoreFailure {
    StoreFailure::damaged(BadColumn { column })
}
