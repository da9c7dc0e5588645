//! Letting go of old records and of people, so that the rest still verifies.

use std::sync::Arc;

use dango_audit::log::{self, LogError};
use dango_audit::retention::{Pruning, Segment};
use dango_audit::{Detail, Erasure, Event, Label, Outcome, Stage, Subject, Target, TargetKind, Word};
use dango_core::Timestamp;

use crate::accounts::{UserRef, count};
use crate::actions::Actions;
use crate::caller::audit_id;
use crate::fault::{Fault, refusals};
use crate::permit::{AuthManage, Machine, Permit, UsersManage};
use crate::unit::Record;

refusals! {
    /// Nothing was deleted.
    PruneAuditError {
        /// The log shows tampering.
        NotIntact = "audit_not_intact", "the audit log does not verify, so nothing is deleted from it";
    }

    /// Nothing was changed in the log.
    AuditError {
        /// There is no such user, and nothing about the address in the log.
        NotFound = "not_found", "there is nothing about this person in the audit log";
    }
}

impl Actions {
    /// Deletes records older than a time, up to the first intent that is still open. What is left verifies. They go in portions, each in a
    /// transaction of its own, so that others write in between; what is to go is found out before, by reading.
    ///
    /// Permission: `auth.manage`, which keys do not have unless made for it. Audit: for each portion `audit_pruned` with first and last
    /// place and the count.
    ///
    /// # Errors
    ///
    /// [`PruneAuditError::NotIntact`]; any other may come after portions that are gone.
    pub async fn prune_audit(&self, permit: &Permit<AuthManage>, before: Timestamp) -> Result<Option<Segment>, PruneAuditError> {
        let found = self.find_old_records(permit, before).await?;
        self.prune_found(permit, found).await
    }

    /// Does what [`prune_audit`](Self::prune_audit) does, for a schedule: where no record is that old the log is not read, and where none may go
    /// nothing is recorded.
    ///
    /// Permission: `auth.manage`. Audit: for each portion `audit_pruned` with first and last place and the count.
    ///
    /// # Errors
    ///
    /// As [`prune_audit`](Self::prune_audit).
    pub async fn prune_audit_if_due(&self, permit: &Permit<AuthManage>, before: Timestamp) -> Result<Option<Segment>, PruneAuditError> {
        let is_due = self.read(permit.caller(), move |unit| {
            Box::pin(async move { Ok(Pruning::is_due(&mut *unit.tx, before).await?) })
        });
        if !is_due.await? {
            return Ok(None);
        }
        match self.find_old_records(permit, before).await? {
            Some(pruning) if pruning.portions() == 0 => Ok(None),
            found => self.prune_found(permit, found).await,
        }
    }

    /// Finds what may go; nothing where the log does not verify.
    async fn find_old_records(&self, permit: &Permit<AuthManage>, before: Timestamp) -> Result<Option<Arc<Pruning>>, Fault> {
        self.read(permit.caller(), move |unit| {
            Box::pin(async move {
                match Pruning::find(&mut *unit.tx, &unit.inner.chain, before).await {
                    Ok(pruning) => Ok(Some(Arc::new(pruning))),
                    Err(LogError::NotIntact(_)) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            })
        })
        .await
    }

    async fn prune_found(&self, permit: &Permit<AuthManage>, found: Option<Arc<Pruning>>) -> Result<Option<Segment>, PruneAuditError> {
        let (mut gone, mut portion): (Option<Segment>, _) = (None, 0);
        loop {
            let Some(segment) = self.prune_portion(permit, found.clone(), portion).await? else {
                return Ok(gone);
            };
            gone = Some(match gone {
                Some(first) => first.through(segment),
                None => segment,
            });
            portion += 1;
            if found.as_ref().is_none_or(|pruning| portion >= pruning.portions()) {
                return Ok(gone);
            }
        }
    }

    /// Lets a portion go and records it; nothing found is a log that does not verify.
    async fn prune_portion(
        &self,
        permit: &Permit<AuthManage>,
        found: Option<Arc<Pruning>>,
        portion: usize,
    ) -> Result<Option<Segment>, PruneAuditError> {
        self.act(permit, move |mut unit| {
            Box::pin(async move {
                let record = Record::of(Event::AuditPruned).on(Target::of(TargetKind::Audit));
                let Some(pruning) = found else {
                    return unit.refuse(record, PruneAuditError::NotIntact).await;
                };
                let inner = Arc::clone(&unit.inner);
                let segment = pruning.let_go(portion, &mut *unit.tx, &inner.chain).await?;
                let record = match &segment {
                    Some(segment) => record
                        .with(Detail::FirstSeq, segment.first_seq())
                        .with(Detail::LastSeq, segment.last_seq())
                        .with(Detail::Count, count(segment.count())),
                    None => record.with(Detail::Count, 0),
                };
                unit.succeed(record).await?;
                Ok(Ok(segment))
            })
        })
        .await
    }

    /// Erases what the log says about a person: address, network addresses, browsers. The chain stays whole. Answers how many
    /// entries there were.
    ///
    /// By address it erases entries under that address, too, of accounts that are gone.
    ///
    /// Permission: `users.manage`. Audit: `personal_data_erased` with the count.
    ///
    /// # Errors
    ///
    /// [`AuditError::NotFound`].
    pub async fn erase_person(&self, permit: &Permit<UsersManage>, person: impl Into<UserRef>) -> Result<u64, AuditError> {
        let person = person.into();
        self.act(permit, move |mut unit| {
            Box::pin(async move {
                let found = unit.find(&person).await?;
                let id = match (&found, &person) {
                    (Some(user), _) => Some(user.id),
                    (None, UserRef::Id(id)) => Some(*id),
                    (None, UserRef::Email(_)) => None,
                };
                let mut erased = 0;
                if let Some(id) = id {
                    erased += unit.tx.erase(&Erasure::Subject(Subject::user(&audit_id(id)))).await?;
                }
                if let UserRef::Email(email) = &person {
                    erased += unit.tx.erase(&Erasure::Label(Label::new(email.as_str()))).await?;
                }
                let target = match id {
                    Some(id) => Target::new(TargetKind::User, &audit_id(id)),
                    None => Target::of(TargetKind::User),
                };
                let record = Record::of(Event::PersonalDataErased).on(target).with(Detail::Count, count(erased));
                if found.is_none() && erased == 0 {
                    return unit.refuse(record, AuditError::NotFound).await;
                }
                unit.succeed(record).await?;
                Ok(Ok(erased))
            })
        })
        .await
    }

    /// Puts a log that belongs to another identity key away, readable, and begins another. Answers how many records were put away.
    ///
    /// Permission: the machine. Audit: `audit_chain_started` with the count, the first record of the new chain.
    ///
    /// # Errors
    ///
    /// [`AuditError`]; never [`AuditError::NotFound`].
    pub async fn begin_new_chain(&self, permit: &Permit<Machine>) -> Result<u64, AuditError> {
        self.act(permit, |unit| {
            Box::pin(async move {
                let record = Record::of(Event::AuditChainStarted)
                    .on(Target::of(TargetKind::Audit))
                    .with(Detail::Reason, Word::new("requested"));
                let draft = unit.draft(record, Stage::Ended(Outcome::Success));
                let retired = log::begin_anew(&mut *unit.tx, &unit.inner.chain, &*unit.inner.entropy, draft).await?;
                Ok(Ok(retired))
            })
        })
        .await
    }
}
