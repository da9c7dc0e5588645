//! The project's people and log, opened for a server: key, database, use cases. Which rules hold before that is `dango-actions`' matter.

use std::sync::Arc;

use dango_actions::{Actions, CheckpointStanding, IdentityKeyEnvironment, Machine, Premises, Setup, Workers};
use dango_core::Clock;
use dango_identity::IdentityKey;
use dango_secrets::project::Project;
use dango_store::Store;
use dango_store_sqlite::Open;

use crate::database::{Database, Opened, is_fresh};
use crate::failure::{Failure, identity_key_is_lost};
use crate::origin::Origin;
use crate::settings::{DatabaseSetting, Settings};
use crate::setup_link::caller;
use crate::system::System;

/// How many wait for a password to be hashed; the rest is sent away.
pub(crate) const HASHING_QUEUE: usize = 256;

/// What is there once the door is open.
pub(crate) struct House {
    pub(crate) actions: Actions,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) database: Database,
    /// The time on which all agree who use the database.
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) premises: Arc<Premises>,
    pub(crate) key: IdentityKey,
    pub(crate) standing: CheckpointStanding,
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
        Some(DatabaseSetting::Postgres(_)) | None => premises,
    })
}

impl House {
    /// Opens what is there and makes what never was; what was there and is gone is an error.
    pub(crate) fn open(
        system: &System,
        settings: &Settings,
        project: &Project,
        origin: &Origin,
        workers: Arc<dyn Workers>,
    ) -> Result<Self, Failure> {
        let premises = premises(system, settings, project)?;
        let kept = premises.kept_checkpoint().map_err(|error| Failure::caused_by(&error))?;
        let database = Database::of(system, settings)?;
        // A file is looked for before it is opened, since opening would make it. PostgreSQL is asked what is in it.
        let is_there = database.is_file() && premises.has_database(kept.as_ref())?;
        let open = |open| database.open(system, settings, &premises, open);
        let (Opened { store, clock }, is_there) = match (database.is_file(), is_there) {
            (true, false) => {
                make_key(system, &premises)?;
                (open(Open::OrCreate)?, false)
            }
            (true, true) => {
                load_key(&premises, &database)?;
                (open(Open::Existing)?, true)
            }
            (false, _) => {
                let opened = open(Open::Existing)?;
                let is_there = !is_fresh(&*opened.store)?;
                if !is_there {
                    make_key(system, &premises)?;
                }
                (opened, is_there)
            }
        };
        let key = load_key(&premises, &database)?;
        let setup = setup(settings, project, origin, workers);
        let entropy = Arc::clone(&system.entropy);
        let actions = Actions::new(Arc::clone(&store), &key, setup, Arc::clone(&clock), entropy);
        let actions = actions.map_err(|error| Failure::caused_by(&error))?;
        if !is_there && !premises.identity_key().is_in_environment() {
            let permit = pollster::block_on(actions.permit::<Machine>(&caller(system)));
            let permit = permit.map_err(|error| Failure::caused_by(&error))?;
            let recorded = pollster::block_on(actions.record_identity_key(&permit));
            recorded.map_err(|error| Failure::caused_by(&error))?;
        }
        let standing = pollster::block_on(CheckpointStanding::of(&actions, kept, clock.now()))?;
        Ok(Self {
            actions,
            store,
            database,
            clock,
            premises: Arc::new(premises),
            key,
            standing,
        })
    }
}

fn load_key(premises: &Premises, database: &Database) -> Result<IdentityKey, Failure> {
    premises
        .identity_key()
        .load()?
        .ok_or_else(|| identity_key_is_lost(premises, database))
}

/// Makes the key of a database in which nothing is yet, unless there is one.
fn make_key(system: &System, premises: &Premises) -> Result<(), Failure> {
    let found = premises.identity_key().load_or_make(&*system.entropy)?;
    if found.is_new {
        tracing::info!(
            path = %premises.identity_key().path().display(),
            "made the identity key of this project: keep a copy of it elsewhere"
        );
    }
    Ok(())
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
        second_factor_roles: settings.second_factor_roles.clone(),
        context_words: name.into_iter().chain(host.map(str::to_owned)).collect(),
        public_url: url,
        workers,
        ..Setup::default()
    }
}
