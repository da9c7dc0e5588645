//! Where people, sessions and the log are kept: a file of this machine, or PostgreSQL. What is in it is known to others.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dango_actions::Premises;
use dango_core::Clock;
use dango_identity::{IdentityKey, StoreError, open_handover};
use dango_store::{Store, StoreExt, StoreFailure};
use dango_store_postgres::{
    CONNECTIONS, DatabaseClock, DatabaseUrl, Inspected, PostgresStore, ProjectRows, ServingRole, Surroundings, settle,
};
use dango_store_sqlite::{Open, SqliteStore, moved_to};

use crate::failure::Failure;
use crate::movable::{Followed, MovableClock, MovableStore, Whereabouts};
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
    /// What servers share beside it.
    pub(crate) shared: Option<Shared>,
    /// For a file: whether the rows are still there.
    pub(crate) place: Option<Arc<Whereabouts>>,
}

/// What only a database has that servers share.
#[derive(Clone)]
pub(crate) struct Shared {
    /// Where the files of projects may be.
    pub(crate) rows: Arc<ProjectRows>,
    /// Its own time, and by how much this machine's is off.
    pub(crate) clock: Arc<DatabaseClock>,
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

    /// Opens it; `open` is for files alone. A schema that is missing or older is made or brought up to date by whoever may.
    pub(crate) fn open(&self, system: &System, settings: &Settings, premises: &Premises, open: Open) -> Result<Opened, Failure> {
        match self {
            Self::File => {
                let store =
                    SqliteStore::open(premises.database(), open).map_err(|failure| self.failure(failure).at(self.name(premises)))?;
                let key = premises.identity_key().load()?;
                let (beside, settings, path) = (system.beside(), settings.clone(), premises.database().to_owned());
                let place = Whereabouts::new(Box::new(move || follow(&beside, &settings, &path, key.as_ref())));
                Ok(Opened {
                    store: Arc::new(MovableStore::new(Arc::new(store), Arc::clone(&place))),
                    clock: Arc::new(MovableClock::new(Arc::clone(&system.clock), Arc::clone(&place))),
                    place: Some(place),
                    shared: None,
                })
            }
            Self::Postgres(url) => {
                let store = self.connect(system, settings, url)?;
                let clock = store.clock();
                tell_of_skew(clock.ahead_micros());
                if store.may_rewrite() {
                    tracing::warn!("{MAY_REWRITE}: {TWO_ROLES}");
                }
                let store = Arc::new(store);
                Ok(Opened {
                    shared: Some(Shared {
                        rows: Arc::new(ProjectRows::of(Arc::clone(&store))),
                        clock: Arc::clone(&clock),
                    }),
                    store,
                    clock,
                    place: None,
                })
            }
        }
    }

    fn connect(&self, system: &System, settings: &Settings, url: &DatabaseUrl) -> Result<PostgresStore, Failure> {
        let role = match settings.database_owner {
            Some(_) => ServingRole::Apart,
            None => ServingRole::Any,
        };
        let connections = settings.database_connections.map_or(CONNECTIONS, std::num::NonZeroUsize::get);
        let connect = || PostgresStore::connect_as(role, url.clone(), connections, Arc::clone(&system.clock));
        let connected = match (connect(), role) {
            // The owner may have it to give what this role lacks.
            (Err(StoreFailure::Missing), _) | (Err(StoreFailure::Forbidden(_)), ServingRole::Apart) => {
                let version = migrate(system, settings, self, url)?;
                tracing::info!("{url} has schema {version}");
                connect()
            }
            (connected, _) => connected,
        };
        connected.map_err(|failure| self.failure(failure).at(url))
    }

    /// A failure of the store with what can be done about it here.
    pub(crate) fn failure(&self, failure: StoreFailure) -> Failure {
        match (self, &failure) {
            (Self::Postgres(_), StoreFailure::Missing) => {
                Failure::new("there is no such database").hint("`createdb` makes one, and the server makes the rest")
            }
            (Self::Postgres(_), StoreFailure::Forbidden(_)) => Failure::caused_by(&failure)
                .hint("the role needs its password (DANGO_SERVER_DATABASE_URL, PGPASSWORD or PGPASSFILE), and the rights that `dango-server migrate` gives it"),
            (Self::Postgres(_), StoreFailure::Foreign) => Failure::new("its schema `dango` is not Dango's, so it is left alone")
                .hint("give Dango a database of its own"),
            _ => failure.into(),
        }
    }
}

/// Opens the database that a file was moved to while it was served from, with the password that was left for that.
fn follow(system: &System, settings: &Settings, path: &Path, key: Option<&IdentityKey>) -> Result<Followed, Failure> {
    let moved = moved_to(path)?.ok_or_else(|| Failure::from(StoreFailure::Gone))?;
    let url = DatabaseUrl::parse(&moved.address).map_err(|error| Failure::caused_by(&error))?;
    let left = key
        .zip(moved.password)
        .map(|(key, sealed)| open_handover(key, &moved.address, &sealed));
    let left = left.transpose().map_err(|error| Failure::caused_by(&error))?;
    let url = complete(system, &left.map_or(url.clone(), |password| url.with_password(password)))?;
    let database = Database::Postgres(Box::new(url.clone()));
    settle(url.clone(), moved.token).map_err(|failure| database.failure(failure).at(&url))?;
    let store = database.connect(system, settings, &url)?;
    let clock = store.clock();
    tell_of_skew(clock.ahead_micros());
    tracing::warn!(
        "people, sessions and the log were moved to {url}, and are served from there: say so in the settings before the next start \
         (DANGO_SERVER_DATABASE_URL={})",
        moved.address
    );
    Ok(Followed {
        store: Arc::new(store),
        clock,
    })
}

/// What is said of a role that can take the triggers of the log away.
pub(crate) const MAY_REWRITE: &str = "the role that serves could take the triggers away that keep the audit log from being rewritten";
/// What can be done about it.
pub(crate) const TWO_ROLES: &str = "two roles are safer: one that owns the schema, in --database-owner-url, and another one that serves";

/// Brings PostgreSQL's schema up to date, for the role of the address that is served from: as its owner, where an address is given for
/// that, else as the same role.
pub(crate) fn migrate(system: &System, settings: &Settings, database: &Database, serving: &DatabaseUrl) -> Result<u32, Failure> {
    if let Some(owner) = &settings.database_owner {
        let owner = complete(system, owner)?;
        let migrated = dango_store_postgres::migrate(owner.clone(), serving.user());
        return migrated.map_err(|failure| database.failure(failure).at(&owner));
    }
    let failed = |failure| database.failure(failure).at(serving);
    let found = dango_store_postgres::inspect(serving.clone()).map_err(failed)?;
    match found.schema_version >= found.latest {
        true => Ok(found.schema_version),
        false if found.may_migrate => dango_store_postgres::migrate_alone(serving.clone()).map_err(failed),
        false => Err(not_for_this_role(found).at(serving)),
    }
}

/// The schema is not what is needed, and the role that serves cannot make it so.
pub(crate) fn not_for_this_role(found: Inspected) -> Failure {
    let is = match found.schema_version {
        0 => "it has no schema of Dango yet".to_owned(),
        older => format!("it has schema {older}, and this version of Dango needs {}", found.latest),
    };
    Failure::new(format!("{is}; the role that serves may not change that"))
        .hint("give the address of the role that owns the database in DANGO_SERVER_DATABASE_OWNER_URL: then every start, and `dango-server migrate`, does it as its owner")
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
