//! The project's people and log, opened for a server: key, database, use cases. Which rules hold before that is `dango-actions`' matter.

use std::sync::Arc;
use std::time::Duration;

use dango_actions::{Actions, CheckpointStanding, IdentityKeyEnvironment, KeptCheckpoint, Machine, Premises, Setup, Workers};
use dango_core::Clock;
use dango_identity::IdentityKey;
use dango_secrets::project::Project;
use dango_store::Store;
use dango_store_sqlite::Open;

use crate::database::{Database, Opened, Shared, is_fresh};
use crate::failure::{Failure, identity_key_is_lost};
use crate::movable::Whereabouts;
use crate::origin::Origin;
use crate::settings::{DatabaseSetting, Settings};
use crate::setup_link::caller;
use crate::shared_files;
use crate::system::System;

/// How many wait for a password to be hashed; the rest is sent away.
pub(crate) const HASHING_QUEUE: usize = 256;

/// How long a login waits for those of its account at other servers: as long as hashing takes where many log in at once.
const LOGIN_PATIENCE: Duration = Duration::from_secs(2);

/// What is there once the door is open.
pub(crate) struct House {
    pub(crate) actions: Actions,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) database: Database,
    /// The time on which all agree who use the database.
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) shared: Option<Shared>,
    /// For a file: whether the rows are still there.
    pub(crate) place: Option<Arc<Whereabouts>>,
    pub(crate) premises: Arc<Premises>,
    pub(crate) key: IdentityKey,
    pub(crate) standing: CheckpointStanding,
}

/// In what state the log has to be for whoever opens the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// As its checkpoint says.
    Checked,
    /// Any: whoever has lost the way in is told what is wrong with it, and may begin another.
    Recovering,
}

/// Where everything is; nothing is opened.
pub(crate) fn premises(system: &System, settings: &Settings, project: &Project) -> Result<Premises, Failure> {
    let environment = IdentityKeyEnvironment {
        key: system.secret_variable("DANGO_IDENTITY_KEY")?,
        key_file: system.variable("DANGO_IDENTITY_KEY_FILE").map(|path| system.directory.join(path)),
    };
    let premises = Premises::of(project, environment);
    Ok(match &settings.database {
        Some(DatabaseSetting::File(database)) => premises.with_database(database.clone()),
        Some(DatabaseSetting::Postgres(_)) => on_postgres(premises, project),
        None => premises,
    })
}

/// The same for a log in PostgreSQL: the checkpoint of a file that was there before says nothing about it.
pub(crate) fn on_postgres(premises: Premises, project: &Project) -> Premises {
    premises.with_checkpoint(project.dango_dir().join("audit-postgres.checkpoint"))
}

impl House {
    /// Opens what is there and makes what never was; what was there and is gone is an error.
    pub(crate) fn open(
        system: &System,
        settings: &Settings,
        project: &Project,
        origin: &Origin,
        workers: Arc<dyn Workers>,
        entry: Entry,
    ) -> Result<Self, Failure> {
        let premises = premises(system, settings, project)?;
        let kept = premises.kept_checkpoint().map_err(|error| Failure::caused_by(&error))?;
        let database = Database::of(system, settings)?;
        // Before anything is made: values that nobody could read are no project.
        shared_files::look(project, !database.is_file())?;
        let open = |open| database.open(system, settings, &premises, open);
        // A file is looked for before it is opened, since opening would make it. PostgreSQL is asked what is in it.
        let (
            Opened {
                store,
                clock,
                shared,
                place,
            },
            key,
            is_new,
        ) = match &database {
            Database::File if premises.has_database(kept.as_ref())? => {
                let key = load_key(&premises)?;
                (open(Open::Existing)?, key, false)
            }
            Database::File => {
                let key = make_key(system, &premises)?;
                (open(Open::OrCreate)?, key, true)
            }
            Database::Postgres(url) => {
                let key = given_key(system, &premises)?;
                let opened = open(Open::Existing)?;
                if is_fresh(&*opened.store)? {
                    begin_anew(&premises, kept.as_ref()).map_err(|failure| failure.at(url))?;
                }
                (opened, key, false)
            }
        };
        let setup = setup(settings, project, origin, workers);
        let entropy = Arc::clone(&system.entropy);
        let actions = Actions::new(Arc::clone(&store), &key, setup, Arc::clone(&clock), entropy);
        let actions = actions.map_err(|error| Failure::caused_by(&error))?;
        if is_new && !premises.identity_key().is_in_environment() {
            let permit = pollster::block_on(actions.permit::<Machine>(&caller(system)));
            let permit = permit.map_err(|error| Failure::caused_by(&error))?;
            let recorded = pollster::block_on(actions.record_identity_key(&permit));
            recorded.map_err(|error| Failure::caused_by(&error))?;
        }
        let standing = match entry {
            Entry::Checked => pollster::block_on(CheckpointStanding::of(&actions, kept, clock.now()))?,
            Entry::Recovering => CheckpointStanding::unchecked(kept),
        };
        Ok(Self {
            actions,
            store,
            database,
            clock,
            shared,
            place,
            premises: Arc::new(premises),
            key,
            standing,
        })
    }
}

fn load_key(premises: &Premises) -> Result<IdentityKey, Failure> {
    premises.identity_key().load()?.ok_or_else(|| identity_key_is_lost(premises))
}

/// The key that all servers of one database are given. None is made: the next server could not know it.
pub(crate) fn given_key(system: &System, premises: &Premises) -> Result<IdentityKey, Failure> {
    let file = premises.identity_key();
    match file.load()? {
        Some(key) if file.is_in_environment() => Ok(key),
        found => {
            let refused = Failure::new("servers on PostgreSQL need their identity key from DANGO_IDENTITY_KEY_FILE or DANGO_IDENTITY_KEY");
            let path = file.path().strip_prefix(&system.directory).unwrap_or(file.path()).display();
            let refused = match found {
                Some(_) => refused.hint(format!("`export DANGO_IDENTITY_KEY_FILE={path}` names the one of this project")),
                None => refused
                    .hint(format!("`(umask 077; openssl rand -hex 32 > {path})` makes one"))
                    .hint(format!("`export DANGO_IDENTITY_KEY_FILE={path}` names it")),
            };
            Err(refused.hint("all servers of one database have the same key: keep a copy of it elsewhere"))
        }
    }
}

/// Refuses an empty database where there was one that was not, and tells of people who stay behind in a file.
fn begin_anew(premises: &Premises, kept: Option<&KeptCheckpoint>) -> Result<(), Failure> {
    if kept.is_some() {
        let checkpoint = premises.checkpoint().display();
        return Err(Failure::new(format!(
            "it is empty, and {checkpoint} says that this project has had people and a log there"
        ))
        .hint("put the database back from a backup")
        .hint(format!("to begin anew, without them, move {checkpoint} away")));
    }
    if premises.has_database(None)? {
        tracing::warn!(
            "the database is empty; the people and the log in {} stay there: `dango-server migrate --from sqlite:… --to postgres:…` takes them along",
            premises.database().display()
        );
    }
    Ok(())
}

/// Fetches the key of a database that is made now, and makes one unless there is one.
fn make_key(system: &System, premises: &Premises) -> Result<IdentityKey, Failure> {
    let found = premises.identity_key().load_or_make(&*system.entropy)?;
    if found.is_new {
        tracing::info!(
            path = %premises.identity_key().path().display(),
            "made the identity key of this project: keep a copy of it elsewhere"
        );
    }
    Ok(found.key)
}

fn setup(settings: &Settings, project: &Project, origin: &Origin, workers: Arc<dyn Workers>) -> Setup {
    let name = project.root().file_name().map(|name| name.to_string_lossy().into_owned());
    let url = origin.links();
    let host = url.as_str().split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next());
    Setup {
        session_limits: settings.profile.sessions().limits(),
        password_profile: settings.profile.passwords(),
        hashing_cost: settings.hashing_cost,
        hashing_queue: HASHING_QUEUE,
        login_patience: match settings.database {
            Some(DatabaseSetting::Postgres(_)) => LOGIN_PATIENCE,
            Some(DatabaseSetting::File(_)) | None => Duration::ZERO,
        },
        second_factor_roles: settings.second_factor_roles.clone(),
        context_words: name.into_iter().chain(host.map(str::to_owned)).collect(),
        public_url: url,
        workers,
        ..Setup::default()
    }
}
