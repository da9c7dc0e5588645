//! A project's stored values for programs that are not at the machine: given to API keys that were made for it, each time with a
//! record before anything leaves; and single credentials changed. The files are behind a port, requests and answers are the door's.

mod error;
mod port;

use std::sync::Arc;

use dango_audit::{Detail, Event, Outcome, Stage, Target, TargetKind, Word};
use dango_core::VariableName;
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
    CredentialChange, CredentialChanged, CredentialEntry, GivenValues, Keeping, ProjectValues, Tables, ValuesListing, VariableEntry,
    WantedValues,
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

    /// Gives values. One record says who took which; it is committed before this answers, and without it nothing is given.
    ///
    /// Permission: `source.view_credentials`. Audit: `secrets_used`, `secret_revealed` or `secrets_exported`, with the paths and the
    /// names of the variables, 100 of each at most, and how many values there were.
    ///
    /// # Errors
    ///
    /// [`ReadValuesError`].
    pub async fn read(&self, caller: &Caller, wanted: WantedValues, purpose: Purpose) -> Result<GivenValues, ReadValuesError> {
        let permit: Permit<ValuesRead> = self.actions.permit(caller).await?;
        let values = Arc::clone(&self.values);
        let inner = self.actions.inner();
        let read = offload(&*inner.workers, move || values.read(&wanted)).await?;
        let record = Record::of(purpose.event()).with(Detail::Via, Word::new(purpose.word()));
        let (record, outcome) = match &read {
            Ok(given) => (took(record, given), Outcome::Success),
            Err(error) => (record.with(Detail::Code, error.word()), Outcome::Failure),
        };
        self.tell(&permit, record, outcome).await?;
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

    async fn tell(&self, permit: &Permit<ValuesRead>, record: Record, outcome: Outcome) -> Result<(), ReadValuesError> {
        let work = self.actions.act(permit, move |mut unit| {
            Box::pin(async move {
                unit.record(record, Stage::Ended(outcome)).await?;
                Ok(Ok(()))
            })
        });
        work.await
    }
}

/// Who took what: names, and how many.
fn took(record: Record, given: &GivenValues) -> Record {
    let keys: Vec<VariableName> = given.variables.iter().filter_map(|variable| variable.key.parse().ok()).collect();
    let count = i64::try_from(given.paths.len() + given.variables.len()).unwrap_or(i64::MAX);
    let record = match given.paths.as_slice() {
        [path] => record.on(Target::new(TargetKind::Secret, path)),
        _ => record,
    };
    record
        .with(Detail::Paths, given.paths.as_slice())
        .with(Detail::Keys, keys.as_slice())
        .with(Detail::Count, count)
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
