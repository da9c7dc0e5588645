//! A project's stored values for programs that are not at the machine: given to API keys that were made for it, each time with a
//! record before anything leaves; and single credentials changed. The files are behind a port, requests and answers are the door's.

mod error;
mod port;

use std::sync::Arc;

use dango_audit::{Detail, Event, LIST_MAX, Label, Outcome, Stage, Target, TargetKind, Word};
use dango_secrets::SetOutcome;

use crate::actions::Actions;
use crate::caller::Caller;
use crate::desk::FilesError;
use crate::drafts;
use crate::permit::{Permit, ValuesRead};
use crate::recording::Ending;
use crate::unit::Record;
use crate::workers::offload;

pub use error::{ChangeCredentialError, ReadValuesError};
pub use port::{
    CredentialChange, CredentialChanged, CredentialEntry, GivenValues, Keeping, ProjectValues, Tables, ValuesListing, ValuesWarning,
    VariableEntry, WantedValues,
};

/// What values are read for, as the record says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A program is run with them.
    Run,
    /// A source is loaded with them.
    Sync,
    /// One is shown.
    Get,
    /// They are written in another format.
    Export,
}

impl Purpose {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Sync => "sync",
            Self::Get => "get",
            Self::Export => "export",
        }
    }

    const fn event(self) -> Event {
        match self {
            Self::Run | Self::Sync => Event::SecretsUsed,
            Self::Get => Event::SecretRevealed,
            Self::Export => Event::SecretsExported,
        }
    }
}

/// Where a project's values are given to programs with an API key. Clones are the same desk.
///
/// Files are read and changed where work that blocks is done. A change that was begun is finished and recorded even if nobody waits for
/// it any more.
#[derive(Clone)]
pub struct ValuesDesk {
    actions: Actions,
    values: Arc<dyn ProjectValues>,
}

impl ValuesDesk {
    /// A desk over a project's files.
    pub fn new(actions: Actions, values: Arc<dyn ProjectValues>) -> Self {
        Self { actions, values }
    }

    /// Everything that the project has, without a value.
    ///
    /// Permission: `source.view_credentials`. Audit: `permission_denied` alone.
    ///
    /// # Errors
    ///
    /// [`ReadValuesError`].
    pub async fn list(&self, caller: &Caller) -> Result<ValuesListing, ReadValuesError> {
        let _: Permit<ValuesRead> = self.actions.permit(caller).await?;
        let values = Arc::clone(&self.values);
        let inner = self.actions.inner();
        Ok(offload(&*inner.workers, move || values.list()).await??)
    }

    /// Gives values. Records say who took which, all of them by name; they are committed before this answers, and without them nothing
    /// is given. Where the caller's key or account has ended meanwhile, nothing is either.
    ///
    /// Permission: `source.view_credentials`. Audit: `secrets_used`, `secret_revealed` or `secrets_exported`, with what was asked for,
    /// the paths and the names of the variables, and how many; more than 100 of either are in as many records as it takes. A variable
    /// that was asked for and is not there is not named.
    ///
    /// # Errors
    ///
    /// [`ReadValuesError`].
    pub async fn read(&self, caller: &Caller, wanted: WantedValues, purpose: Purpose) -> Result<GivenValues, ReadValuesError> {
        let permit: Permit<ValuesRead> = self.actions.permit(caller).await?;
        let values = Arc::clone(&self.values);
        let inner = self.actions.inner();
        let work = move || {
            let read = values.read(&wanted);
            let is_there = read.is_ok() || is_there(&*values, &wanted);
            (read, is_there.then_some(wanted))
        };
        let (read, wanted) = offload(&*inner.workers, work).await?;
        let record = Record::of(purpose.event()).with(Detail::Via, Word::new(purpose.word()));
        let record = wanted.iter().fold(record, asked);
        let (records, outcome) = match &read {
            Ok(given) => (took(&record, given), Outcome::Success),
            Err(error) => (vec![record.with(Detail::Code, error.word())], Outcome::Failure),
        };
        self.tell(&permit, records, outcome).await?;
        Ok(read?)
    }

    /// Sets or deletes one credential of `secrets.toml`.
    ///
    /// Permission: `config.manage`. Audit: `secret_set` or `secret_deleted`, the intent before and the outcome after.
    ///
    /// # Errors
    ///
    /// [`ChangeCredentialError`].
    ///
    /// # Security
    ///
    /// The value is erased, also where it is refused; no error repeats it.
    pub async fn change(&self, caller: &Caller, change: CredentialChange) -> Result<CredentialChanged, ChangeCredentialError> {
        let event = match &change {
            CredentialChange::Set { .. } => Event::SecretSet,
            CredentialChange::Delete { .. } => Event::SecretDeleted,
        };
        let draft = drafts::credential(event, change.path());
        let (actions, values, caller) = (self.actions.clone(), Arc::clone(&self.values), caller.clone());
        let inner = self.actions.inner();
        let work = move || {
            // Begun, made and told on one thread that nobody calls off.
            pollster::block_on(async {
                let pending = actions.begin_changes(&caller, vec![draft]).await?;
                let made = values.change(&change, &caller.name());
                let recorded = actions.finish_each_change(pending, vec![ending(&made)]).await;
                match (made, recorded) {
                    (Ok(_), Err(error)) => Err(ChangeCredentialError::OutcomeUnrecorded(error)),
                    (made, _) => Ok(made?),
                }
            })
        };
        offload(&*inner.workers, work).await?
    }

    async fn tell(&self, permit: &Permit<ValuesRead>, records: Vec<Record>, outcome: Outcome) -> Result<(), ReadValuesError> {
        let work = self.actions.act(permit, move |mut unit| {
            Box::pin(async move {
                for record in records {
                    unit.record(record, Stage::Ended(outcome)).await?;
                }
                Ok(Ok(()))
            })
        });
        work.await
    }
}

/// Whether what was not read can be named. A variable that is not there cannot: `KEY=VALUE` typed in its place would be a secret, and
/// a record stays.
fn is_there(values: &dyn ProjectValues, wanted: &WantedValues) -> bool {
    match wanted {
        WantedValues::Variable(key) => values
            .list()
            .is_ok_and(|listing| listing.variables.iter().any(|variable| variable.key == *key)),
        WantedValues::Run { .. } | WantedValues::Sync { .. } | WantedValues::Credential(_) => true,
    }
}

/// What somebody asked for: everything below a path, or one thing.
fn asked(record: Record, wanted: &WantedValues) -> Record {
    match wanted {
        WantedValues::Run { only: Some(only) } | WantedValues::Sync { only: Some(only) } | WantedValues::Credential(only) => {
            record.with(Detail::Only, only)
        }
        WantedValues::Variable(key) => record.with(Detail::Only, &Label::new(key)),
        WantedValues::Run { only: None } | WantedValues::Sync { only: None } => record,
    }
}

/// Who took what, by name; no record holds more names than a list may have.
fn took(record: &Record, given: &GivenValues) -> Vec<Record> {
    let keys: Vec<Label> = given.variables.iter().map(|variable| Label::new(&variable.key)).collect();
    let warnings: Vec<Word> = given.warnings.iter().map(|warning| Word::new(warning.code)).collect();
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let (mut paths, mut keys) = (given.paths.chunks(LIST_MAX), keys.chunks(LIST_MAX));
    let several = paths.len().max(keys.len()) > 1;
    let mut records = Vec::new();
    loop {
        let (paths, keys) = match (paths.next(), keys.next()) {
            // One that took nothing is told of, too.
            (None, None) if !records.is_empty() => return records,
            (paths, keys) => (paths.unwrap_or_default(), keys.unwrap_or_default()),
        };
        let mut told = record
            .clone()
            .with(Detail::Paths, paths)
            .with(Detail::Keys, keys)
            .with(Detail::Count, number(paths.len() + keys.len()));
        if several {
            told = told.with(Detail::Total, number(given.paths.len() + given.variables.len()));
        }
        if let [path] = given.paths.as_slice() {
            told = told.on(Target::new(TargetKind::Secret, path));
        }
        if !warnings.is_empty() {
            told = told.with(Detail::Warnings, warnings.as_slice());
        }
        records.push(told);
    }
}

fn ending(made: &Result<CredentialChanged, FilesError>) -> Ending {
    match made {
        Ok(CredentialChanged::Set { outcome, encrypted }) => drafts::set_ending(action(*outcome), *encrypted),
        Ok(CredentialChanged::Deleted(count)) => Ending::done().with(Detail::Count, i64::try_from(*count).unwrap_or(i64::MAX)),
        Err(error) => Ending::failed(error.word()),
    }
}

const fn action(outcome: SetOutcome) -> &'static str {
    match outcome {
        SetOutcome::Created => "created",
        SetOutcome::Replaced => "updated",
        SetOutcome::Unchanged => "unchanged",
    }
}
