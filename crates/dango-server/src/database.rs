//! Where people, sessions and the log are kept: a file of this machine, or PostgreSQL. What is in it is known to others.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dango_actions::Premises;
use dango_core::Clock;
use dango_identity::StoreError;
use dango_store::{Store, StoreExt, StoreFailure};
use dango_store_postgres::{CONNECTIONS, DatabaseUrl, PostgresStore, Surroundings};
use dango_store_sqlite::{Open, SqliteStore};

use crate::failure::Failure;
use crate::settings::{DatabaseSetting, Settings};
use crate::system::System;

/// From which difference of clocks on it is worth a warning.
const SKEW_MICROS: u64 = 2_000_000;

/// A database that is not opened yet.
pub(crate) enum Database {
    /// A file, whose path the premises know.
    File,
    /// PostgreSQL, with the password that the environment had for it.
    Postgres(Box<DatabaseUrl>),
}

/// A database that was opened.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    /// The time on which all agree who use it.
    pub(crate) clock: Arc<dyn Clock>,
}

impl Database {
    /// What the settings and the environment say.
    pub(crate) fn of(system: &System, settings: &Settings) -> Result<Self, Failure> {
        Ok(match &settings.database {
            None | Some(DatabaseSetting::File(_)) => Self::File,
            Some(DatabaseSetting::Postgres(url)) => Self::Postgres(Box::new(complete(system, url)?)),
        })
    }

    /// Whether it is a file of this machine.
    pub(crate) const fn is_file(&self) -> bool {
        matches!(self, Self::File)
    }

    /// What is called by it in messages.
    pub(crate) fn name<'a>(&'a self, premises: &'a Premises) -> Name<'a> {
        match self {
            Self::File => Name::File(premises.database()),
            Self::Postgres(url) => Name::Postgres(url),
        }
    }

    /// Opens it; `open` is for files alone.
    pub(crate) fn open(&self, system: &System, settings: &Settings, premises: &Premises, open: Open) -> Result<Opened, Failure> {
        let opened = match self {
            Self::File => SqliteStore::open(premises.database(), open).map(|store| Opened {
                store: Arc::new(store),
                clock: Arc::clone(&system.clock),
            }),
            Self::Postgres(url) => {
                let connections = settings.database_connections.map_or(CONNECTIONS, std::num::NonZeroUsize::get);
                PostgresStore::connect((**url).clone(), connections, Arc::clone(&system.clock)).map(|store| {
                    let clock = store.clock();
                    tell_of_skew(clock.ahead_micros());
                    Opened {
                        store: Arc::new(store),
                        clock,
                    }
                })
            }
        };
        opened.map_err(|failure| self.failure(failure).at(self.name(premises)))
    }

    /// A failure of the store with what can be done about it here.
    pub(crate) fn failure(&self, failure: StoreFailure) -> Failure {
        match (self, &failure) {
            (Self::Postgres(_), StoreFailure::Missing) => Failure::new("the schema of this version of Dango is not in the database")
                .hint("`dango-server migrate` makes it or brings it up to date, as its owner: see --database-owner-url"),
            (Self::Postgres(_), StoreFailure::Forbidden(_)) => Failure::caused_by(&failure)
                .hint("the role needs its password (DANGO_SERVER_DATABASE_URL, PGPASSWORD or PGPASSFILE), and the rights that `dango-server migrate` gives it"),
            (Self::Postgres(_), StoreFailure::Foreign) => Failure::new("its schema `dango` is not Dango's, so it is left alone")
                .hint("give Dango a database of its own"),
            _ => failure.into(),
        }
    }
}

/// Brings PostgreSQL's schema up to date as its owner, for the role of the address that is served from.
pub(crate) fn migrate(system: &System, settings: &Settings, database: &Database, serving: &DatabaseUrl) -> Result<u32, Failure> {
    let Some(owner) = &settings.database_owner else {
        return Err(Failure::new("the schema is made by its owner, whose address is not given")
            .hint("give it in DANGO_SERVER_DATABASE_OWNER_URL, or as --database-owner-url without a password"));
    };
    let owner = complete(system, owner)?;
    let migrated = dango_store_postgres::migrate(owner.clone(), serving.user());
    migrated.map_err(|failure| database.failure(failure).at(&owner))
}

/// Whether nobody and nothing has ever been in it: then, and only then, a key may be made for it.
pub(crate) fn is_fresh(store: &dyn Store) -> Result<bool, Failure> {
    let asked = store.read(|tx| {
        Box::pin(async move {
            let has_log = tx.head().await.map_err(StoreError::new)?.is_some();
            Ok::<_, StoreError>(!has_log && tx.users().await?.is_empty())
        })
    });
    pollster::block_on(asked).map_err(|error| Failure::caused_by(&error))
}

/// An address with the password and the authorities that the environment has for it.
pub(crate) fn complete(system: &System, url: &DatabaseUrl) -> Result<DatabaseUrl, Failure> {
    let surroundings = Surroundings {
        password: match url.has_password() {
            true => None,
            false => system.secret_variable("PGPASSWORD")?,
        },
        password_file: system.variable("PGPASSFILE").map(PathBuf::from),
        home: system.variable("HOME").map(PathBuf::from),
        directory: system.directory.clone(),
    };
    surroundings.complete(url.clone()).map_err(|error| {
        let failure = Failure::caused_by(&error);
        error.hint().into_iter().fold(failure, Failure::hint)
    })
}

fn tell_of_skew(ahead: i64) {
    if ahead.unsigned_abs() >= SKEW_MICROS {
        let seconds = ahead / 1_000_000;
        tracing::warn!(
            seconds,
            "the database's clock is ahead of this machine's by so much; the database's counts"
        );
    }
}

/// A database's name.
pub(crate) enum Name<'a> {
    File(&'a Path),
    Postgres(&'a DatabaseUrl),
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}
