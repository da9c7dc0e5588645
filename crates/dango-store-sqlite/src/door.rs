//! What is asked at each request, on the thread of whoever asks: whether anything was committed, and whose a token is.
//!
//! Every other reading is done by a thread of its own, and waiting for one takes ten times as long as a statement, and much longer
//! where the processor is busy.

use std::sync::{Arc, Mutex, PoisonError};

use dango_core::Timestamp;
use dango_identity::{ApiKeyRecord, SecondFactorState, StoredSession, TokenDigest, UserId, kind};
use dango_store::{Admission, AtTheDoor, Budgets, Standing, StoreFailure, StoreVersion};

use crate::column::Columns;
use crate::connection::{Connection, query};
use crate::file::{FileState, OpenedFile};
use crate::moved;
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
            _ => (Connection::hasty_reader(self.file.path())?, None),
        };
        let data = data_version(&connection)?;
        if before != Some(data) {
            // It may be that nobody changes anything here any more.
            moved::check(&connection)?;
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
            let row = moment
                .0
                .one(&query(session::FIND_SESSION).bind(digest.as_bytes().to_vec()), session::stored)?;
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
            let row = moment
                .0
                .one(&query(api_key::FIND_KEY).bind(digest.as_bytes().to_vec()), api_key::key)?;
            moment.at_the_door(row, |row| row.owner, budgets)
        })
    }

    /// Reads one moment. A connection on which anything failed is not used again.
    fn read<T>(&self, work: impl FnOnce(&Moment<'_>) -> Result<T, StoreFailure>) -> Result<T, StoreFailure> {
        let (state, connection) = self.connection()?;
        connection.run("BEGIN")?;
        moved::check(&connection)?;
        let answer = work(&Moment(&connection))?;
        connection.run("ROLLBACK")?;
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
        let connection = Connection::hasty_reader(self.file.path())?;
        // What was opened is what is there now, and not what was put there in between.
        Ok((self.file.look()?, connection))
    }
}

/// A connection inside a transaction.
struct Moment<'c>(&'c Connection);

impl Moment<'_> {
    fn at_the_door<R>(&self, row: Option<R>, owner: fn(&R) -> UserId, budgets: &dyn Budgets) -> Result<AtTheDoor<R>, StoreFailure> {
        let admission = self.0.one(&query(settings::FIND_ADMISSION), settings::admission)?;
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
        let by_owner = |sql| query(sql).bind(owner.as_bytes().to_vec());
        let Some(user) = self.0.one(&by_owner(user::FIND_USER), user::user)? else {
            return Ok(None);
        };
        let totp = self.0.one(&by_owner(factor::FIND_ACTIVE_TOTP), |_| Ok(()))?.is_some();
        let budget = budgets.of_strangers(&user.email);
        let find = query(attempt::FIND_BUDGET).bind(budget.account.as_bytes().to_vec());
        let tries = self.0.one(&find.bind(attempt::device(&budget.client)), attempt::budget)?;
        Ok(Some(Standing {
            second_factor: if totp {
                SecondFactorState::Active
            } else {
                SecondFactorState::Absent
            },
            totp_enabled: totp,
            oauth_provider: self
                .0
                .one(&by_owner(link::FIND_FIRST_ISSUER), |row| Ok(Columns::of(row).text()?.to_owned()))?,
            // At the beginning of time every lock is still to run out.
            last_lock: tries.and_then(|tries| tries.state.lock(budgets.policy(), Timestamp::from_unix_micros(i64::MIN))),
            user,
        }))
    }
}

fn data_version(connection: &Connection) -> Result<i64, StoreFailure> {
    let found = connection.one(&query("PRAGMA data_version"), |row| Columns::of(row).integer());
    found?.ok_or_else(|| StoreFailure::unavailable("SQLite does not say which version of the data it sees"))
}
