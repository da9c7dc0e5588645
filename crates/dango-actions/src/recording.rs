//! Changes of files: the intent is recorded before, the outcome after. The change itself is the caller's, between the two.

use dango_audit::{Detail, DetailValue, Details, Event, Outcome, Seq, Stage, Target, Word};
use dango_identity::Permission;

use crate::actions::Actions;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::permit::{Denied, Need};
use crate::unit::Record;

/// A change of a file that is about to be made: which event, to what, and what more is to be said; never a value.
///
/// ```
/// use dango_actions::ChangeDraft;
/// use dango_audit::{Detail, Event, Target, TargetKind, Word};
///
/// let key: dango_core::VariableName = "STRIPE_API_KEY".parse()?;
/// let change = ChangeDraft::new(Event::SecretSet)
///     .on(Target::new(TargetKind::Variable, &key))
///     .with(Detail::Key, &key)
///     .with(Detail::File, Word::new(".env"));
/// # let _ = change;
/// # Ok::<(), dango_core::ParseNameError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChangeDraft {
    event: Event,
    target: Option<Target>,
    details: Details,
}

impl ChangeDraft {
    /// A change that is this event.
    pub fn new(event: Event) -> Self {
        Self {
            event,
            target: None,
            details: Details::new(),
        }
    }

    /// Says what is changed.
    #[must_use]
    pub fn on(self, target: Target) -> Self {
        Self {
            target: Some(target),
            ..self
        }
    }

    /// Says more about it.
    #[must_use]
    pub fn with(mut self, key: Detail, value: impl Into<DetailValue>) -> Self {
        self.details = self.details.with(key, value);
        self
    }

    pub(crate) fn record(&self, more: &[(Detail, DetailValue)]) -> Record {
        let details = more
            .iter()
            .fold(self.details.clone(), |details, (key, value)| details.with(*key, value.clone()));
        let record = Record::of(self.event).with_details(details);
        match &self.target {
            Some(target) => record.on(target.clone()),
            None => record,
        }
    }

    /// What it takes to make the change: secrets and keys are the configuration's, sources their own.
    const fn need(&self) -> Need {
        Need::Permission(match self.event {
            Event::SourceAdded | Event::SourceEdited | Event::SourceRemoved => Permission::SourceManage,
            Event::SyncTriggered | Event::SourceChecked => Permission::SourceSync,
            _ => Permission::ConfigManage,
        })
    }
}

/// Changes whose intents are recorded; [`Actions::finish_changes`] takes it back. One that is dropped leaves its intents open, which
/// a verification reports.
#[derive(Debug)]
#[must_use = "intents without an outcome are reported by every verification"]
pub struct Pending {
    caller: Caller,
    changes: Vec<(Seq, ChangeDraft)>,
}

impl Pending {
    /// How many changes there are.
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Intents that a program left open which was broken off, for whoever knows how what they say ended.
    pub fn left_open(caller: Caller, changes: Vec<(Seq, ChangeDraft)>) -> Self {
        Self { caller, changes }
    }

    /// The places of the intents, in the order of the changes.
    pub fn intents(&self) -> impl Iterator<Item = Seq> {
        self.changes.iter().map(|(seq, _)| *seq)
    }
}

/// How a change ended, with what is only known then.
#[derive(Clone, Debug)]
pub struct Ending {
    outcome: Outcome,
    more: Vec<(Detail, DetailValue)>,
}

impl Ending {
    /// It was made.
    pub const fn done() -> Self {
        Self {
            outcome: Outcome::Success,
            more: Vec::new(),
        }
    }

    /// It was not made, for a reason of the program's text, such as an error's code.
    pub fn failed(code: Word) -> Self {
        Self {
            outcome: Outcome::Failure,
            more: Vec::new(),
        }
        .with(Detail::Code, code)
    }

    /// Says more about it: whether a value was created or updated, an exit status.
    #[must_use]
    pub fn with(mut self, key: Detail, value: impl Into<DetailValue>) -> Self {
        self.more.push((key, value.into()));
        self
    }
}

/// The changes must not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BeginChangesError {
    /// The caller may not make one of them.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// They could not be recorded.
    #[error("the change cannot be recorded in the audit log, so it was not made")]
    Unrecorded(#[source] Fault),
}

impl BeginChangesError {
    /// The stable code, as HTTP answers have it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied(denied) => denied.code(),
            Self::Unrecorded(_) => "audit_unavailable",
        }
    }
}

impl From<Fault> for BeginChangesError {
    fn from(fault: Fault) -> Self {
        Self::Unrecorded(fault)
    }
}

/// The changes were made, or not; how they ended stands in no record. Verifications report their intents as open.
#[derive(Debug, thiserror::Error)]
#[error("how the change ended could not be recorded in the audit log; `dango audit verify` reports it as open")]
pub struct FinishChangesError(#[from] Fault);

impl FinishChangesError {
    /// The stable code, as HTTP answers have it.
    pub const fn code(&self) -> &'static str {
        "audit_unavailable"
    }
}

impl Actions {
    /// Records that files are about to be changed: one intent for each change, all in one transaction.
    ///
    /// Permission: by the events, `config.manage`, `source.manage` or `source.sync`; there is no ticket, because a change may need
    /// several; the account is looked at again in the transaction, as tickets are. Audit: the events of the changes, as intents.
    ///
    /// # Errors
    ///
    /// [`BeginChangesError`]: then nothing must be changed.
    pub async fn begin_changes(&self, caller: &Caller, changes: Vec<ChangeDraft>) -> Result<Pending, BeginChangesError> {
        let mut needs: Vec<Need> = Vec::new();
        for change in &changes {
            if !needs.contains(&change.need()) {
                needs.push(change.need());
            }
        }
        for need in &needs {
            self.check(caller, *need).await?;
        }
        let by = caller.clone();
        self.write(caller, move |mut unit| {
            Box::pin(async move {
                for need in needs {
                    if let Err(denied) = unit.check_again(need).await? {
                        unit.record(denied.record(), Stage::Ended(Outcome::Denied)).await?;
                        return Ok(Err(denied.into()));
                    }
                }
                let mut begun = Vec::with_capacity(changes.len());
                for change in changes {
                    begun.push((unit.record(change.record(&[]), Stage::Intent).await?, change));
                }
                Ok(Ok(Pending {
                    caller: by,
                    changes: begun,
                }))
            })
        })
        .await
    }

    /// Records how changes ended, the same way for all of them.
    ///
    /// Audit: the events of the changes, each with the place of its intent.
    ///
    /// # Errors
    ///
    /// [`FinishChangesError`]: the changes stand as they are, and their intents stay open.
    pub async fn finish_changes(&self, pending: Pending, ending: Ending) -> Result<(), FinishChangesError> {
        let endings = vec![ending; pending.len()];
        self.finish_each_change(pending, endings).await
    }

    /// Records how changes ended, one by one and in their order. A change without an ending stays open.
    ///
    /// Audit: the events of the changes, each with the place of its intent.
    ///
    /// # Errors
    ///
    /// [`FinishChangesError`]: the changes stand as they are, and their intents stay open.
    pub async fn finish_each_change(&self, pending: Pending, endings: Vec<Ending>) -> Result<(), FinishChangesError> {
        let Pending { caller, changes } = pending;
        self.write(&caller, move |mut unit| {
            Box::pin(async move {
                for ((intent, change), ending) in changes.into_iter().zip(endings) {
                    let stage = Stage::IntentEnded(intent, ending.outcome);
                    unit.record(change.record(&ending.more), stage).await?;
                }
                Ok(Ok(()))
            })
        })
        .await
    }
}
