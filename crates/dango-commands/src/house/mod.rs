//! A project's people and its audit log, opened when a command first needs them. What is done with them is the use cases' work.

mod checkpoint;
mod failures;

use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::Arc;

use dango_actions::{Actions, AuditError, Caller, Grant, IdentityKeyEnvironment, IdentityKeyFile, Machine, Permit, Setup};
use dango_identity::IdentityKey;
use dango_secrets::project::Project;

use crate::arguments::Global;
use crate::failure::Failure;
use crate::host::{Host, Opening};
use crate::key_access::secret_variable;
use crate::opened;
use crate::output::Output;
use crate::prompt;
use checkpoint::{Kept, Standing};
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
}

/// What is there once the door is open.
#[derive(Clone)]
struct Inside {
    actions: Actions,
    /// Whether there is to be a checkpoint behind the next record.
    standing: Standing,
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
        }
    }

    /// The same, with something chosen about its use cases.
    pub(crate) fn with_setup(self, setup: Setup) -> Self {
        self.setup.replace(Some(setup));
        self
    }

    /// Where the database is.
    pub(crate) fn database(&self) -> PathBuf {
        self.project.dango_dir().join("dango.db")
    }

    /// The use cases, for changes: the identity key and the database are made where the project has none yet.
    pub(crate) fn actions(&self, output: &mut Output<'_>) -> Result<Actions, Failure> {
        if let Some(inside) = self.opened.borrow().as_ref() {
            return Ok(inside.actions.clone());
        }
        let kept = Kept::read(&self.project)?;
        // The first command leaves a checkpoint behind its first record.
        let is_young = kept.is_none();
        let key = if self.is_there(kept.as_ref())? {
            self.key(output.host)?.ok_or_else(|| self.key_is_lost())?
        } else {
            self.make_key(output)?
        };
        let actions = self.enter(&key, Opening::OrCreate, output)?;
        let standing =
            Standing::of(&actions, kept, output.host.clock.now()).map_err(|error| failures::checkpoint(&error, &self.project))?;
        self.opened.replace(Some(Inside {
            actions: actions.clone(),
            standing,
        }));
        if is_young && !self.key_file(output.host)?.is_in_environment() {
            self.record_key(&actions, output)?;
        }
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
        match self.is_there(Kept::read(&self.project)?.as_ref())? {
            true => self.actions(output).map(Some),
            false => Ok(None),
        }
    }

    /// The use cases, for reading; nothing where the project has no database yet. It makes nothing.
    pub(crate) fn readable(&self, output: &mut Output<'_>) -> Result<Option<Actions>, Failure> {
        if !self.is_there(Kept::read(&self.project)?.as_ref())? {
            return Ok(None);
        }
        let key = self.key(output.host)?.ok_or_else(|| self.key_is_lost())?;
        self.enter(&key, Opening::Existing, output).map(Some)
    }

    /// The use cases, for whoever has lost the way in: a lost key is replaced, and a log that is not of the key stops nobody.
    pub(crate) fn recovery(&self, global: &Global, output: &mut Output<'_>) -> Result<Actions, Failure> {
        let kept = Kept::read(&self.project)?;
        let is_there = self.is_there(kept.as_ref())?;
        let key = match self.key(output.host)? {
            Some(key) => key,
            None => {
                if is_there {
                    let question = "the identity key is gone: begin with a new one, for which every password and every second factor has to be set anew?";
                    prompt::confirm(question, global.yes, output).map_err(|failure| failure.hint(failures::BRING_KEY))?;
                }
                self.replaced_key.set(true);
                self.make_key(output)?
            }
        };
        let actions = self.enter(&key, Opening::OrCreate, output)?;
        if Standing::is_foreign(&actions) {
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
            standing: Standing::unchecked(kept),
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
        let Some(inside) = self.opened.borrow().clone() else { return };
        if let Err(failure) = inside.standing.renew(&inside.actions, &self.project, output.host) {
            output.warn(failure.message);
            failure.hints.iter().for_each(|hint| output.hint(hint));
        }
    }

    /// Where the checkpoint of the log is kept.
    pub(crate) fn checkpoint_file(&self) -> PathBuf {
        checkpoint::path(&self.project)
    }

    /// Whether there is a database, whatever else says that there should be one.
    pub(crate) fn database_is_there(&self) -> bool {
        self.database().symlink_metadata().is_ok()
    }

    /// What a database that was there and is gone means for a person.
    pub(crate) fn database_is_gone(&self) -> Failure {
        failures::database_is_gone(&self.project)
    }

    /// The checkpoint that was kept for this log; empty where there is none.
    pub(crate) fn kept_notes(&self) -> Result<String, Failure> {
        Ok(Kept::read(&self.project)?.map(Kept::into_note).unwrap_or_default())
    }

    /// Whether there is a database; one that was there and is gone is an error, and never made anew in silence.
    ///
    /// A database is older than its checkpoint, so whoever has seen that looks for it in this order.
    fn is_there(&self, kept: Option<&Kept>) -> Result<bool, Failure> {
        let path = self.database();
        match path.symlink_metadata() {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && kept.is_none() => Ok(false),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(self.database_is_gone()),
            Err(error) => Err(Failure::refused(format!("cannot read {}: {error}", path.display()))),
        }
    }

    fn key_file(&self, host: &Host) -> Result<IdentityKeyFile, Failure> {
        let environment = IdentityKeyEnvironment {
            key: secret_variable(host, "DANGO_IDENTITY_KEY")?,
            key_file: host
                .environment
                .get(OsStr::new("DANGO_IDENTITY_KEY_FILE"))
                .map(|path| host.directory.join(path)),
        };
        Ok(IdentityKeyFile::new(&self.project, environment))
    }

    fn key(&self, host: &Host) -> Result<Option<IdentityKey>, Failure> {
        self.key_file(host)?.load().map_err(|error| failures::identity_key(&error))
    }

    fn make_key(&self, output: &mut Output<'_>) -> Result<IdentityKey, Failure> {
        let file = self.key_file(output.host)?;
        let found = file.load_or_make(output.host.entropy.as_ref());
        let found = found.map_err(|error| failures::identity_key(&error))?;
        if found.is_new {
            output.say(format!("made the identity key of this project, {}", file.path().display()));
            output.hint("keep a copy of it elsewhere: without it every user needs a new password, and the audit log can only begin anew");
        }
        Ok(found.key)
    }

    fn key_is_lost(&self) -> Failure {
        failures::identity_key_is_lost(&self.project)
    }

    fn enter(&self, key: &IdentityKey, opening: Opening, output: &Output<'_>) -> Result<Actions, Failure> {
        let path = self.database();
        let store = (output.host.open_store)(&path, opening).map_err(|failure| store_failure(&failure).at(&path))?;
        let setup = self.setup.take().unwrap_or_default();
        let (clock, entropy) = (Arc::clone(&output.host.clock), Arc::clone(&output.host.entropy));
        Actions::new(store, key, setup, clock, entropy).map_err(|error| Failure::caused_by(&error))
    }
}

/// Who runs the program, for permissions and records.
pub(crate) fn caller(host: &Host) -> Caller {
    Caller::cli(host.uid, Some(&host.user))
}
