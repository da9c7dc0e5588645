//! The unit of work: permit again, do it, record it, in one transaction; refusals are recorded and committed, failures undo everything.

use std::sync::Arc;

use dango_audit::{Detail, Details, Draft, Event, Label, Outcome, Seq, Stage, Target, Word, log};
use dango_core::Timestamp;
use dango_identity::{ApiKeyRecord, ApiKeyState, Email, StoreError, User, UserId};
use dango_store::{Admission, BoxFuture, StoreExt, Transaction};

use crate::actions::{Actions, Inner};
use crate::caller::{Caller, Who, audit_id};
use crate::fault::{Coded, Fault};
use crate::permit::{Denied, Grant, Need, Permit};

/// What an action says about itself in the log, without who and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    event: Event,
    target: Option<Target>,
    details: Details,
}

impl Record {
    pub(crate) fn of(event: Event) -> Self {
        Self {
            event,
            target: None,
            details: Details::new(),
        }
    }

    pub(crate) const fn event(&self) -> Event {
        self.event
    }

    pub(crate) fn on(self, target: Target) -> Self {
        Self {
            target: Some(target),
            ..self
        }
    }

    /// What was done to an account.
    pub(crate) fn on_user(self, user: &User) -> Self {
        self.on(user_target(user.id, &user.email))
    }

    pub(crate) fn with_details(self, details: Details) -> Self {
        Self { details, ..self }
    }

    pub(crate) fn with(mut self, key: Detail, value: impl Into<dango_audit::DetailValue>) -> Self {
        self.details = self.details.with(key, value);
        self
    }
}

pub(crate) fn user_target(id: UserId, email: &Email) -> Target {
    Target::user(&audit_id(id), Label::new(email.as_str()))
}

/// An answer inside a unit: what was done or why it was refused, both of which are committed; or a fault, which is not.
pub(crate) type Answer<T, E> = Result<Result<T, E>, Fault>;

/// One transaction of one caller.
pub(crate) struct Unit<'t> {
    pub(crate) tx: &'t mut dyn Transaction,
    /// The time at which the transaction began; records of later transactions are not older.
    pub(crate) now: Timestamp,
    pub(crate) inner: Arc<Inner>,
    caller: Caller,
}

impl Unit<'_> {
    /// Records that it was done.
    pub(crate) async fn succeed(&mut self, record: Record) -> Result<Seq, Fault> {
        self.record(record, Stage::Ended(Outcome::Success)).await
    }

    /// Records that a rule said no, with the rule's code.
    pub(crate) async fn refuse<T, E: Coded>(&mut self, record: Record, error: E) -> Answer<T, E> {
        let record = record.with(Detail::Code, Word::new(error.word()));
        self.record(record, Stage::Ended(Outcome::Failure)).await?;
        Ok(Err(error))
    }

    pub(crate) async fn record(&mut self, record: Record, stage: Stage) -> Result<Seq, Fault> {
        let draft = self.draft(record, stage);
        self.append(&draft).await
    }

    pub(crate) async fn append(&mut self, draft: &Draft) -> Result<Seq, Fault> {
        Ok(log::record(&mut *self.tx, &self.inner.chain, &*self.inner.entropy, draft).await?)
    }

    pub(crate) fn draft(&self, record: Record, stage: Stage) -> Draft {
        let Record { event, target, details } = record;
        let mut draft = Draft::new(self.now, event, self.caller.actor(), stage)
            .from(self.caller.origin())
            .with_details(details);
        if let Some(target) = target {
            draft = draft.on(target);
        }
        if let Some(request) = self.caller.request() {
            draft = draft.with_request(request.clone());
        }
        draft
    }

    /// Speaks for somebody else from here on: for whoever has just proven who they are.
    pub(crate) fn act_as(&mut self, caller: Caller) {
        self.caller = caller;
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Whether the caller still has what the ticket says: account and role are read again, and whether the key still works.
    pub(crate) async fn check_again(&mut self, need: Need) -> Result<Result<(), Denied>, StoreError> {
        let Some(account) = self.caller.account().cloned() else {
            return Ok(Ok(()));
        };
        let user = self.tx.find_user(account.id).await?;
        let is_open = self.tx.admission().await? == Admission::Open;
        let user = user.filter(|user| is_open && user.may_log_in() && user.epoch == account.epoch);
        let Some(user) = user else {
            return Ok(Err(Denied::new(need, false)));
        };
        if let Who::ApiKey { id, .. } = *self.caller.who() {
            let key = self.tx.api_key_of(account.id, id).await?;
            let works = |key: &ApiKeyRecord| matches!(key.state(self.now), ApiKeyState::Active | ApiKeyState::Retiring { .. });
            if !key.as_ref().is_some_and(works) {
                return Ok(Err(Denied::new(need, false)));
            }
        }
        let actions = Actions::from_inner(Arc::clone(&self.inner));
        Ok(actions.decide(&self.caller, user.role, need, self.now))
    }
}

impl Actions {
    /// Runs an action that needs a ticket.
    pub(crate) async fn act<G, T, E, F>(&self, permit: &Permit<G>, work: F) -> Result<T, E>
    where
        G: Grant,
        F: for<'t> FnOnce(Unit<'t>) -> BoxFuture<'t, Answer<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<Denied> + From<Fault> + Send + 'static,
    {
        self.write(permit.caller(), move |mut unit| {
            Box::pin(async move {
                if let Err(denied) = unit.check_again(G::NEED).await? {
                    unit.record(denied.record(), Stage::Ended(Outcome::Denied)).await?;
                    return Ok(Err(denied.into()));
                }
                work(unit).await
            })
        })
        .await
    }

    /// Runs work in a transaction; an answer is committed, a fault is rolled back.
    pub(crate) async fn write<T, E, F>(&self, caller: &Caller, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(Unit<'t>) -> BoxFuture<'t, Answer<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<Fault> + Send + 'static,
    {
        let inner = self.inner();
        let caller = caller.clone();
        let answer = self.store().write(move |tx| {
            let now = inner.clock.now();
            work(Unit { tx, now, inner, caller })
        });
        answer.await.unwrap_or_else(|fault: Fault| Err(fault.into()))
    }

    /// Runs work that changes nothing, on one moment of the store.
    pub(crate) async fn read<T, F>(&self, caller: &Caller, work: F) -> Result<T, Fault>
    where
        F: for<'t> FnOnce(Unit<'t>) -> BoxFuture<'t, Result<T, Fault>> + Send + 'static,
        T: Send + 'static,
    {
        let inner = self.inner();
        let caller = caller.clone();
        let answer = self.store().read(move |tx| {
            let now = inner.clock.now();
            work(Unit { tx, now, inner, caller })
        });
        answer.await
    }

    /// Writes one record by itself.
    pub(crate) async fn record(&self, caller: &Caller, record: Record, outcome: Outcome) -> Result<(), Fault> {
        self.write(caller, move |mut unit| {
            Box::pin(async move {
                unit.record(record, Stage::Ended(outcome)).await?;
                Ok(Ok(()))
            })
        })
        .await
    }
}
