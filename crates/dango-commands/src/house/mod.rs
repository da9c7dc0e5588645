//! A project's people and its audit log, opened when a command first needs them. What is done with them is the use cases' work.

mod elsewhere;
mod failures;

use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

use dango_actions::{
    Actions, AuditError, Caller, CheckpointPolicy, CheckpointStanding, Grant, IdentityKeyEnvironment, KeptCheckpoint, Machine, Permit,
    Premises, PremisesError, Setup,
};
use dango_identity::IdentityKey;
use dango_secrets::project::Project;

use crate::arguments::Global;
use crate::database::SharedDatabase;
use crate::failure::Failure;
use crate::host::{Host, Opening};
use crate::key_access::secret_variable;
use crate::opened;
use crate::output::Output;
use crate::prompt;
pub(crate) use failures::{denied, fault, store_failure};

/// Runs a use case to its end; the command line has nothing else to do meanwhile.
pub(crate) use pollster::block_on as wait;

/// The people and the audit log of one project.
pub(crate) struct House {
    project: Project,
    setup: RefCell<Option<Setup>>,
    opened: RefCell<Option<Inside>>,
    /// Whether a key was made in the place of a lost one, which the log does not say yet.
    replaced_key: Cell<bool>,
    /// Where they are in a database that several machines share.
    shared: Option<SharedDatabase>,
    /// Whether it is known that they are here, whatever the settings of servers name.
    is_here: bool,
}

/// What is there once the door is open.
#[derive(Clone)]
struct Inside {
    actions: Actions,
    /// Whether there is to be a checkpoint behind the next record. Of a log that is shared the servers keep them.
    standing: Option<CheckpointStanding>,
}

impl House {
    /// That of the project which the command line means; nothing is opened.
    pub(crate) fn find(global: &Global, host: &Host) -> Result<Self, Failure> {
        Ok(Self::of(opened::find_project(global, host)?))
    }

    /// That of a project; nothing is opened.
    pub(crate) fn of(project: Project) -> Self {
        Self {
            project,
            setup: RefCell::new(None),
            opened: RefCell::new(None),
            replaced_key: Cell::new(false),
            shared: None,
            is_here: false,
        }
    }

    /// The same in a database that is open already.
    pub(crate) fn in_database(self, database: SharedDatabase) -> Self {
        Self {
            shared: Some(database),
            ..self
        }
    }

    /// The same, with something chosen about its use cases.
    pub(crate) fn with_setup(self, setup: Setup) -> Self {
        self.setup.replace(Some(setup));
        self
    }

    /// The same, here: whoever asks has looked into the database that the settings name.
    pub(crate) fn here(self) -> Self {
        Self { is_here: true, ..self }
    }

    /// Says of which database something is told.
    pub(crate) fn named(&self, failure: Failure) -> Failure {
        match &self.shared {
            Some(database) => Failure {
                message: format!("{}: {}", database.url, failure.message),
                ..failure
            },
            None => failure.at(&self.database()),
        }
    }

    /// Where the database is.
    fn database(&self) -> PathBuf {
        self.places().database().to_owned()
    }

    /// The use cases, for changes: the identity key and the database are made where the project has none yet.
    pub(crate) fn actions(&self, output: &mut Output<'_>) -> Result<Actions, Failure> {
        if let Some(inside) = self.opened.borrow().as_ref() {
            return Ok(inside.actions.clone());
        }
        if let Some(database) = &self.shared {
            return self.actions_in(database, output);
        }
        let premises = self.premises(output.host)?;
        let kept = kept(&premises)?;
        // The first command leaves a checkpoint behind its first record.
        let is_young = kept.is_none();
        let key = if is_there(&premises, kept.as_ref())? {
            load_key(&premises)?.ok_or_else(|| failures::identity_key_is_lost(&premises))?
        } else {
            make_key(&premises, output)?
        };
        let actions = self.enter(&premises, &key, Opening::OrCreate, output)?;
        let standing = wait(CheckpointStanding::of(&actions, kept, output.host.clock.now()));
        let standing = standing.map_err(|error| failures::checkpoint(&error, &premises))?;
        self.opened.replace(Some(Inside {
            actions: actions.clone(),
            standing: Some(standing),
        }));
        if is_young && !premises.identity_key().is_in_environment() {
            self.record_key(&actions, output)?;
        }
        Ok(actions)
    }

    /// The use cases in a shared database. All who use it have one identity key, which is never made here.
    fn actions_in(&self, database: &SharedDatabase, output: &Output<'_>) -> Result<Actions, Failure> {
        let premises = Premises::of(&self.project, identity_key_environment(output.host)?);
        let key = load_key(&premises)?.ok_or_else(|| failures::identity_key_is_elsewhere(&premises, &database.url))?;
        let setup = self.setup.take().unwrap_or_default();
        let (store, clock) = (Arc::clone(&database.store), database.store.clock());
        let entropy = Arc::clone(&output.host.entropy);
        let actions = Actions::new(store, &key, setup, clock, entropy).map_err(|error| Failure::caused_by(&error))?;
        self.opened.replace(Some(Inside {
            actions: actions.clone(),
            standing: None,
        }));
        Ok(actions)
    }

    /// Records that a lost key was replaced, if it was; to be called once there is a chain of the new key.
    pub(crate) fn record_replaced_key(&self, actions: &Actions, output: &Output<'_>) -> Result<(), Failure> {
        match self.replaced_key.take() {
            true => self.record_key(actions, output),
            false => Ok(()),
        }
    }

    fn record_key(&self, actions: &Actions, output: &Output<'_>) -> Result<(), Failure> {
        let permit = self.permit::<Machine>(actions, output)?;
        match wait(actions.record_identity_key(&permit)) {
            Ok(_) => Ok(()),
            Err(AuditError::Fault(error)) => Err(fault(&error)),
            Err(error) => Err(Failure::caused_by(&error)),
        }
    }

    /// The use cases, for changes of what must be there already.
    pub(crate) fn existing_actions(&self, output: &mut Output<'_>) -> Result<Option<Actions>, Failure> {
        let premises = self.premises(output.host)?;
        match is_there(&premises, kept(&premises)?.as_ref())? {
            true => self.actions(output).map(Some),
            false => Ok(None),
        }
    }

    /// The use cases, for reading; nothing where the project has no database yet. It makes nothing.
    pub(crate) fn readable(&self, output: &mut Output<'_>) -> Result<Option<Actions>, Failure> {
        let premises = self.premises(output.host)?;
        if !is_there(&premises, kept(&premises)?.as_ref())? {
            return Ok(None);
        }
        let key = load_key(&premises)?.ok_or_else(|| failures::identity_key_is_lost(&premises))?;
        self.enter(&premises, &key, Opening::Existing, output).map(Some)
    }

    /// The use cases, for whoever has lost the way in: a lost key is replaced, and a log that is not of the key stops nobody.
    pub(crate) fn recovery(&self, global: &Global, output: &mut Output<'_>) -> Result<Actions, Failure> {
        let premises = self.premises(output.host)?;
        let kept = kept(&premises)?;
        let is_there = is_there(&premises, kept.as_ref())?;
        let key = match load_key(&premises)? {
            Some(key) => key,
            None => {
                if is_there {
                    let question = "the identity key is gone: begin with a new one, for which every password and every second factor has to be set anew?";
                    prompt::confirm(question, global.yes, output).map_err(|failure| failure.hint(failures::BRING_KEY))?;
                }
                self.replaced_key.set(true);
                make_key(&premises, output)?
            }
        };
        let actions = self.enter(&premises, &key, Opening::OrCreate, output)?;
        // A log whose end was not written with this key has no checkpoint.
        if wait(actions.checkpoint_if_due(None, CheckpointPolicy::default())).is_err() {
            let question =
                "the audit log was not written with this identity key, or was tampered with: put its records away and begin a new chain?";
            prompt::confirm(question, global.yes, output).map_err(|failure| {
                failure
                    .hint(failures::BRING_KEY)
                    .hint("`dango audit verify` says more about the log")
            })?;
        }
        self.opened.replace(Some(Inside {
            actions: actions.clone(),
            standing: Some(CheckpointStanding::unchecked(kept)),
        }));
        Ok(actions)
    }

    /// Asks for the ticket of an action in the name of whoever runs the program.
    pub(crate) fn permit<G: Grant>(&self, actions: &Actions, output: &Output<'_>) -> Result<Permit<G>, Failure> {
        wait(actions.permit(&caller(output.host))).map_err(|error| denied(&error))
    }

    /// Keeps a signed checkpoint of the log, if one is due; to be called once what was done is recorded, done or refused.
    ///
    /// What was done stays done where it cannot be kept.
    pub(crate) fn keep_checkpoint(&self, output: &mut Output<'_>) {
        let Some(Inside {
            actions,
            standing: Some(standing),
        }) = self.opened.borrow().clone()
        else {
            return;
        };
        let places = self.places();
        let renewed = wait(standing.renew(&actions, &places, output.host.entropy.as_ref()));
        if let Err(error) = renewed {
            let failure = failures::unkept_checkpoint(&error, &places);
            output.warn(failure.message);
            failure.hints.iter().for_each(|hint| output.hint(hint));
        }
    }

    /// Whether the people and the log are in a database that the command line does not open for them.
    pub(crate) fn is_elsewhere(&self, host: &Host) -> bool {
        elsewhere::check(host, &self.project).is_err_and(|failure| failure.code == elsewhere::CODE)
    }

    /// Where the checkpoint of the log is kept.
    pub(crate) fn checkpoint_file(&self) -> PathBuf {
        self.places().checkpoint().to_owned()
    }

    /// Whether there is a database, whatever else says that there should be one.
    pub(crate) fn database_is_there(&self) -> bool {
        self.database().symlink_metadata().is_ok()
    }

    /// What a database that was there and is gone means for a person.
    pub(crate) fn database_is_gone(&self) -> Failure {
        failures::premises(&PremisesError::DatabaseGone {
            database: self.database(),
            checkpoint: self.checkpoint_file(),
        })
    }

    /// The checkpoint that was kept for this log; empty where there is none.
    pub(crate) fn kept_notes(&self) -> Result<String, Failure> {
        Ok(kept(&self.places())?.map(|kept| kept.note).unwrap_or_default())
    }

    /// Where everything is, without asking the environment for the key.
    fn places(&self) -> Premises {
        Premises::of(&self.project, IdentityKeyEnvironment::default())
    }

    /// Where everything is, the identity key as the environment gives it included.
    pub(crate) fn premises(&self, host: &Host) -> Result<Premises, Failure> {
        if !self.is_here {
            elsewhere::check(host, &self.project)?;
        }
        Ok(Premises::of(&self.project, identity_key_environment(host)?))
    }

    fn enter(&self, premises: &Premises, key: &IdentityKey, opening: Opening, output: &Output<'_>) -> Result<Actions, Failure> {
        let path = premises.database();
        let store = (output.host.open_store)(path, opening).map_err(|failure| store_failure(&failure).at(path))?;
        let setup = self.setup.take().unwrap_or_default();
        let (clock, entropy) = (Arc::clone(&output.host.clock), Arc::clone(&output.host.entropy));
        Actions::new(store, key, setup, clock, entropy).map_err(|error| Failure::caused_by(&error))
    }
}

/// What the environment says of the identity key.
fn identity_key_environment(host: &Host) -> Result<IdentityKeyEnvironment, Failure> {
    Ok(IdentityKeyEnvironment {
        key: secret_variable(host, "DANGO_IDENTITY_KEY")?,
        key_file: host
            .environment
            .get(OsStr::new("DANGO_IDENTITY_KEY_FILE"))
            .map(|path| host.directory.join(path)),
    })
}

/// Who runs the program, for permissions and records.
pub(crate) fn caller(host: &Host) -> Caller {
    Caller::cli(host.uid, Some(&host.user))
}

fn kept(premises: &Premises) -> Result<Option<KeptCheckpoint>, Failure> {
    premises.kept_checkpoint().map_err(|error| Failure::caused_by(&error))
}

fn is_there(premises: &Premises, kept: Option<&KeptCheckpoint>) -> Result<bool, Failure> {
    premises.has_database(kept).map_err(|error| failures::premises(&error))
}

fn load_key(premises: &Premises) -> Result<Option<IdentityKey>, Failure> {
    premises.identity_key().load().map_err(|error| failures::identity_key(&error))
}

fn make_key(premises: &Premises, output: &mut Output<'_>) -> Result<IdentityKey, Failure> {
    let file = premises.identity_key();
    let found = file.load_or_make(output.host.entropy.as_ref());
    let found = found.map_err(|error| failures::identity_key(&error))?;
    if found.is_new {
        output.say(format!("made the identity key of this project, {}", file.path().display()));
        output.hint("keep a copy of it elsewhere: without it every user needs a new password, and the audit log can only begin anew");
    }
    Ok(found.key)
}
