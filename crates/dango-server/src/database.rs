//! Where people, sessions and the log are kept: a file of this machine, or PostgreSQL. What is in it is known to others.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dango_actions::Premises;
use dango_core::{Clock, SecretValue};
use dango_identity::StoreError;
use dango_secrets::storage;
use dango_store::{Store, StoreExt, StoreFailure};
use dango_store_postgres::{CONNECTIONS, DatabaseUrl, PostgresStore};
use dango_store_sqlite::{Open, SqliteStore};

use crate::failure::Failure;
use crate::settings::{DatabaseSetting, Settings};
use crate::system::System;

/// From which difference of clocks on it is worth a warning.
const SKEW_MICROS: u64 = 2_000_000;

/// The mode bits of everybody but the owner.
const OTHERS: u32 = 0o077;

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
    let mut url = url.clone();
    if !url.has_password() {
        url = match system.secret_variable("PGPASSWORD")? {
            Some(password) => url.with_password(password),
            None => with_password_of_file(system, url)?,
        };
    }
    let Some(file) = url.root_file().map(|file| system.directory.join(file)) else {
        return Ok(url);
    };
    match storage::read(&file) {
        Ok(Some(contents)) => Ok(url.with_roots(contents.bytes().to_vec())),
        Ok(None) => Err(Failure::new(format!("{}: there is no such file", file.display())).hint("sslrootcert names it")),
        Err(error) => Err(Failure::caused_by(&error)),
    }
}

fn with_password_of_file(system: &System, url: DatabaseUrl) -> Result<DatabaseUrl, Failure> {
    let named = system.variable("PGPASSFILE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let of_home = || system.variable("HOME").map(|home| Path::new(home).join(".pgpass"));
    let Some(path) = named.or_else(of_home).map(|path| system.directory.join(path)) else {
        return Ok(url);
    };
    let contents = storage::read(&path).map_err(|error| Failure::caused_by(&error))?;
    let Some(contents) = contents else { return Ok(url) };
    if contents.mode() & OTHERS != 0 {
        return Err(Failure::new(format!("{}: others may read the passwords in it", path.display()))
            .hint(format!("`chmod 600 {}` closes it", path.display())));
    }
    let passwords = SecretValue::from_utf8(contents.bytes().to_vec());
    let passwords = passwords.map_err(|_| Failure::new(format!("{}: it is not UTF-8", path.display())))?;
    Ok(url.with_password_of(passwords.expose()))
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
