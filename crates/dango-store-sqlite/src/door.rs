//! What is asked at each request, on the thread of whoever asks: whether anything was committed, and whose a token is.
//!
//! The driver of the other connections has a thread for each and waits for it at every statement, which takes ten times as long
//! as the statement and much longer where the processor is busy. This one runs on the same SQLite and calls it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dango_core::Timestamp;
use dango_identity::{ApiKeyRecord, SecondFactorState, StoredSession, TokenDigest, UserId, kind};
use dango_store::{Admission, AtTheDoor, Budgets, Standing, StoreFailure, StoreVersion};
use rusqlite::{Connection, OpenFlags, Row, ToSql};

use crate::column::{Cells, Columns};
use crate::failure::{BadColumn, failure_of_code};
use crate::file::{FileState, OpenedFile};
use crate::tables::{api_key, attempt, factor, link, session, settings, user};

/// How many idle connections are kept: as many as read at once where there are many cores.
const KEPT: usize = 8;

/// The connections for what every request asks. Made when they are needed.
pub(crate) struct Door {
    file: Arc<OpenedFile>,
    watcher: Mutex<Watcher>,
    /// Each with the state in which it found the file, as readers have it.
    idle: Mutex<Vec<(FileState, Connection)>>,
}

/// Counts the states of the database that were seen.
#[derive(Default)]
struct Watcher {
    number: u64,
    /// SQLite's number for what others have committed means something on one connection only, which writes nothing itself.
    seen: Option<(Connection, i64, FileState)>,
}

impl Door {
    pub(crate) fn new(file: Arc<OpenedFile>) -> Self {
        Self {
            file,
            watcher: Mutex::default(),
            idle: Mutex::default(),
        }
    }

    /// Which state the database is in (<https://www.sqlite.org/pragma.html#pragma_data_version>).
    pub(crate) fn version(&self) -> Result<StoreVersion, StoreFailure> {
        let state = self.file.look()?;
        let watcher = &mut *self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        // After a failure it begins anew, with a number that was never given.
        let (connection, before) = match watcher.seen.take() {
            Some((connection, data, found)) if found == state => (connection, Some(data)),
            _ => (self.connect()?, None),
        };
        let data = data_version(&connection)?;
        if before != Some(data) {
            watcher.number += 1;
        }
        watcher.seen = Some((connection, data, state));
        Ok(StoreVersion::from_number(watcher.number))
    }

    /// See [`dango_store::Store::session_at_the_door`].
    pub(crate) fn session(
        &self,
        digest: &TokenDigest<kind::Session>,
        budgets: &dyn Budgets,
    ) -> Result<AtTheDoor<StoredSession>, StoreFailure> {
        self.read(|moment| {
            let row = moment.one(session::FIND_SESSION, &[&digest.as_bytes()], |row| session::stored(row))?;
            moment.at_the_door(row, |row| row.record.user, budgets)
        })
    }

    /// See [`dango_store::Store::api_key_at_the_door`].
    pub(crate) fn api_key(
        &self,
        digest: &TokenDigest<kind::ApiKey>,
        budgets: &dyn Budgets,
    ) -> Result<AtTheDoor<ApiKeyRecord>, StoreFailure> {
        self.read(|moment| {
            let row = moment.one(api_key::FIND_KEY, &[&digest.as_bytes()], |row| api_key::key(row))?;
            moment.at_the_door(row, |row| row.owner, budgets)
        })
    }

    /// Reads one moment. A connection on which anything failed is not used again.
    fn read<T>(&self, work: impl FnOnce(&Moment<'_>) -> Result<T, StoreFailure>) -> Result<T, StoreFailure> {
        let (state, connection) = self.connection()?;
        run(&connection, "BEGIN")?;
        let answer = work(&Moment(&connection))?;
        run(&connection, "ROLLBACK")?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push((state, connection));
        }
        Ok(answer)
    }

    fn connection(&self) -> Result<(FileState, Connection), StoreFailure> {
        let state = self.file.look()?;
        let overtaken = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            match idle.pop() {
                Some((found, connection)) if found == state => return Ok((state, connection)),
                other => other.into_iter().chain(idle.drain(..)).collect::<Vec<_>>(),
            }
        };
        drop(overtaken);
        let connection = self.connect()?;
        // What was opened is what is there now, and not what was put there in between.
        Ok((self.file.look()?, connection))
    }

    fn connect(&self) -> Result<Connection, StoreFailure> {
        // One thread has a connection at a time, so it needs no lock of its own.
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let connection = Connection::open_with_flags(self.file.path(), flags).map_err(failure)?;
        // Whoever asks is not to be held up; see `crate::connection` for the rest.
        connection.busy_timeout(Duration::ZERO).map_err(failure)?;
        connection
            .execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY")
            .map_err(failure)?;
        Ok(connection)
    }
}

/// A connection inside a transaction.
struct Moment<'c>(&'c Connection);

impl Moment<'_> {
    fn one<T>(
        &self,
        sql: &'static str,
        values: &[&dyn ToSql],
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreFailure>,
    ) -> Result<Option<T>, StoreFailure> {
        let mut statement = self.0.prepare_cached(sql).map_err(failure)?;
        let mut rows = statement.query(values).map_err(failure)?;
        rows.next().map_err(failure)?.map(read).transpose()
    }

    fn at_the_door<R>(&self, row: Option<R>, owner: fn(&R) -> UserId, budgets: &dyn Budgets) -> Result<AtTheDoor<R>, StoreFailure> {
        let admission = self.one(settings::FIND_ADMISSION, &[], |row| settings::admission(row))?;
        let bearer = match row {
            Some(row) => self.standing(owner(&row), budgets)?.map(|standing| (row, standing)),
            None => None,
        };
        Ok(AtTheDoor {
            admission: admission.unwrap_or(Admission::default()),
            bearer,
        })
    }

    fn standing(&self, owner: UserId, budgets: &dyn Budgets) -> Result<Option<Standing>, StoreFailure> {
        let id = owner.as_bytes();
        let Some(user) = self.one(user::FIND_USER, &[&id], |row| user::user(row))? else {
            return Ok(None);
        };
        let totp = self.one(factor::FIND_ACTIVE_TOTP, &[&id], |_| Ok(()))?.is_some();
        let budget = budgets.of_strangers(&user.email);
        let (account, device) = (budget.account.as_bytes(), attempt::device(&budget.client));
        let tries = self.one(attempt::FIND_BUDGET, &[&account, &device], |row| attempt::budget(row))?;
        Ok(Some(Standing {
            second_factor: if totp {
                SecondFactorState::Active
            } else {
                SecondFactorState::Absent
            },
            totp_enabled: totp,
            oauth_provider: self.one(link::FIND_FIRST_ISSUER, &[&id], |row| Ok(Columns::of(row).text()?.to_owned()))?,
            // At the beginning of time every lock is still to run out.
            last_lock: tries.and_then(|tries| tries.state.lock(budgets.policy(), Timestamp::from_unix_micros(i64::MIN))),
            user,
        }))
    }
}

fn run(connection: &Connection, sql: &'static str) -> Result<(), StoreFailure> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    statement.execute(()).map(|_| ()).map_err(failure)
}

fn data_version(connection: &Connection) -> Result<i64, StoreFailure> {
    let mut statement = connection.prepare_cached("PRAGMA data_version").map_err(failure)?;
    statement.query_row((), |row| row.get(0)).map_err(failure)
}

fn failure(error: rusqlite::Error) -> StoreFailure {
    match error.sqlite_error().map(|error| error.extended_code) {
        Some(code) => failure_of_code(code.unsigned_abs(), error),
        None => StoreFailure::unavailable(error),
    }
}

impl Cells for Row<'_> {
    fn integer_at(&self, at: usize) -> Result<Option<i64>, StoreFailure> {
        let cell = self.get_ref(at).map_err(failure)?;
        cell.as_i64_or_null().map_err(|_| StoreFailure::damaged(BadColumn { column: at }))
    }

    fn text_at(&self, at: usize) -> Result<Option<&str>, StoreFailure> {
        let cell = self.get_ref(at).map_err(failure)?;
        cell.as_str_or_null().map_err(|_| StoreFailure::damaged(BadColumn { column: at }))
    }

    fn blob_at(&self, at: usize) -> Result<Option<&[u8]>, StoreFailure> {
        let cell = self.get_ref(at).map_err(failure)?;
        cell.as_blob_or_null().map_err(|_| StoreFailure::damaged(BadColumn { column: at }))
    }
}
