//! Taking over the people and the audit log of an earlier Dango: planned by rules that are pure, done in a transaction, recorded.

mod drafting;
mod log;
mod mark;
mod people;
mod report;

use std::collections::HashSet;
use std::sync::Arc;

use dango_audit::{Detail, Event, Outcome, Stage, Target, TargetKind, Word};
use dango_core::Timestamp;
use dango_identity::{Activity, ImportApiKeyError, ImportFactorError, ImportedApiKey, InsertUser, KeyScopes, NewUser};
use dango_identity::{SecurityEpoch, User, UserId};
use dango_store::{EarlierDatabase, StoreFailure};

use self::drafting::Names;
pub use self::log::EarlierLog;
use self::people::{Known, Person, Plan, plan};
pub use self::report::{
    BAD_LINES, BadLine, FirstEntry, ImportReport, ImportedEvents, ImportedFactor, ImportedKey, ImportedUser, KeySkipped, LineProblem,
    NoPassword, SkippedUser, UserSkipped,
};
use crate::accounts::count;
use crate::actions::Actions;
use crate::fault::{Fault, refusals};
use crate::permit::{Machine, Permit};
use crate::unit::{Record, Unit};

/// How many lines of a log are taken over in one transaction: others get their turn in between.
const LINES_AT_ONCE: usize = 500;

/// What an earlier Dango left: its people, and its log if there is one.
pub struct Earlier {
    /// Its people.
    pub database: EarlierDatabase,
    /// Its log.
    pub log: Option<EarlierLog>,
}

impl Earlier {
    /// Says what an import into a project that has no users and no log yet would do.
    pub fn plan_for_new_project(&self, now: Timestamp) -> ImportReport {
        let known = Known::default();
        let events = self.log.as_ref().map(|log| sift(log, &known).0);
        told(plan(&self.database, &known, now), events)
    }
}

refusals! {
    /// Nobody was taken over, or all were and the log only in part: run it again, nothing is taken twice.
    ImportError {}
}

impl Actions {
    /// Says what [`Actions::import`] would do now, and does nothing.
    ///
    /// Permission: the machine. Audit: none.
    ///
    /// # Errors
    ///
    /// [`Fault`] if the database cannot be read.
    pub async fn plan_import(&self, permit: &Permit<Machine>, earlier: Arc<Earlier>) -> Result<ImportReport, Fault> {
        self.read(permit.caller(), move |mut unit| {
            Box::pin(async move {
                let known = unit.known().await?;
                let events = earlier.log.as_ref().map(|log| sift(log, &known).0);
                let plan = plan(&earlier.database, &known, unit.now);
                Ok(told(plan, events))
            })
        })
        .await
    }

    /// Takes over the people of an earlier Dango who are not there yet, all in one transaction, each with password hash, second factor,
    /// recovery codes and API keys; then the lines of its log that were not taken before.
    ///
    /// Whoever has a second factor keeps it. Keys may do what their owners may, but administer nobody. Sessions, invitations and
    /// locks are left behind. Users without a password wait for an invitation or a reset.
    ///
    /// Permission: the machine, because it makes administrators. Audit: `user_created` with `method` `import` for everybody,
    /// `users_imported` and `audit_imported` with counts, and the events of the log, with `imported` and `occurred_at`.
    ///
    /// # Errors
    ///
    /// [`ImportError`].
    pub async fn import(&self, permit: &Permit<Machine>, earlier: Arc<Earlier>) -> Result<ImportReport, ImportError> {
        let database = Arc::clone(&earlier);
        let (report, known) = self
            .act(permit, move |mut unit| {
                Box::pin(async move {
                    let known = unit.known().await?;
                    let mut plan = plan(&database.database, &known, unit.now);
                    for person in &mut plan.people {
                        unit.take_over(person).await?;
                    }
                    let record = Record::of(Event::UsersImported)
                        .with(Detail::Count, count(plan.people.len() as u64))
                        .with(Detail::Total, count(database.database.users.len() as u64));
                    unit.succeed(record).await?;
                    Ok::<Result<_, ImportError>, Fault>(Ok((told(plan, None), known)))
                })
            })
            .await?;
        let events = match &earlier.log {
            Some(log) => Some(self.import_log(permit, &earlier, log, &known).await?),
            None => None,
        };
        Ok(ImportReport { events, ..report })
    }

    /// Some lines at a time, each with its mark, so that a run that is broken off is gone on with by the next.
    async fn import_log(
        &self,
        permit: &Permit<Machine>,
        earlier: &Arc<Earlier>,
        log: &EarlierLog,
        known: &Known,
    ) -> Result<ImportedEvents, ImportError> {
        let (mut told, fresh) = sift(log, known);
        let users = self.read(permit.caller(), |unit| Box::pin(async move { Ok(unit.tx.users().await?) }));
        let names = Arc::new(Names::of(&earlier.database, log, &users.await?));
        told.imported = 0;
        for places in fresh.chunks(LINES_AT_ONCE) {
            let (places, earlier, names) = (places.to_vec(), Arc::clone(earlier), Arc::clone(&names));
            let taken = self.act(permit, move |mut unit| {
                Box::pin(async move {
                    let events = earlier.log.as_ref().map_or(&[][..], |log| &log.events);
                    let mut taken = 0;
                    for event in places.into_iter().filter_map(|place| events.get(place)) {
                        // Another run may have been faster.
                        if unit.tx.mark_imported(event.mark, unit.now).await? {
                            unit.append(&names.draft(event, unit.now)).await?;
                            taken += 1;
                        }
                    }
                    Ok::<Result<u64, ImportError>, Fault>(Ok(taken))
                })
            });
            told.imported += taken.await?;
        }
        let record = Record::of(Event::AuditImported)
            .on(Target::of(TargetKind::Audit))
            .with(Detail::Count, count(told.imported))
            .with(Detail::Total, count(log.events.len() as u64 + log.malformed));
        let recorded = self.act(permit, move |mut unit| {
            Box::pin(async move {
                unit.record(record, Stage::Ended(Outcome::Success)).await?;
                Ok::<Result<(), ImportError>, Fault>(Ok(()))
            })
        });
        recorded.await?;
        Ok(told)
    }
}

/// The lines that are not there yet, by their places, and what becomes of the log.
fn sift(log: &EarlierLog, known: &Known) -> (ImportedEvents, Vec<usize>) {
    let mut seen = HashSet::new();
    let is_fresh = |place: &usize| {
        let mark = log.events[*place].mark;
        !known.marks.contains(&mark) && seen.insert(mark)
    };
    let fresh: Vec<usize> = (0..log.events.len()).filter(is_fresh).collect();
    let told = ImportedEvents {
        imported: fresh.len() as u64,
        known: (log.events.len() - fresh.len()) as u64,
        malformed: log.malformed,
        bad_lines: log.bad_lines.clone(),
    };
    (told, fresh)
}

fn told(plan: Plan, events: Option<ImportedEvents>) -> ImportReport {
    ImportReport {
        users: plan.people.into_iter().map(|person| person.told).collect(),
        skipped: plan.skipped,
        events,
    }
}

impl Unit<'_> {
    async fn known(&mut self) -> Result<Known, Fault> {
        let users = self.tx.users().await?;
        Ok(Known {
            likenesses: users.iter().map(|user| user.email.likeness().to_owned()).collect(),
            marks: self.tx.import_marks().await?,
        })
    }

    /// Adds somebody with everything of theirs.
    async fn take_over(&mut self, person: &mut Person) -> Result<(), Fault> {
        let (now, inner) = (self.now, Arc::clone(&self.inner));
        let entropy = &*inner.entropy;
        let id = UserId::make(now, entropy)?;
        let user = User {
            id,
            email: person.told.email.clone(),
            role: person.told.role,
            activity: person.told.activity,
            invite_expires_at: person.invite_expired_at,
            must_change_password: person.told.entry == FirstEntry::PasswordToChange,
            epoch: SecurityEpoch::default(),
            created_at: person.created_at,
            updated_at: now,
            last_login: person.last_login,
        };
        let record = Record::of(Event::UserCreated).on_user(&user);
        let new = NewUser {
            user,
            password: person.password.take(),
            invite: None,
        };
        // Both were looked up in this very transaction.
        let is_new = self.tx.mark_imported(person.mark, now).await? && self.tx.insert_user(&new).await? == InsertUser::Inserted;
        if !is_new {
            return Err(StoreFailure::damaged("a user that was not there is").into());
        }
        let mut factors = Vec::new();
        factors.extend(new.password.is_some().then_some(Word::new("password")));
        if let Some((secret, codes)) = &person.totp {
            let imported = inner.factors.import(&mut *self.tx, id, (secret, codes), now, entropy).await;
            if !imported.map_err(factor_fault)? {
                return Err(StoreFailure::damaged("a new user has a second factor").into());
            }
            factors.push(Word::new("totp"));
        }
        let mut keys = 0;
        for key in &person.api_keys {
            let told = &mut person.told.api_keys[key.place];
            let imported = ImportedApiKey {
                owner: id,
                name: told.name.clone(),
                prefix: told.prefix.clone(),
                sha256: key.sha256,
                scopes: KeyScopes::default(),
                created_at: key.created_at,
                expires_at: key.expires_at,
                last_used_at: key.last_used_at,
            };
            if inner
                .api_keys
                .import(&mut *self.tx, imported, now, entropy)
                .await
                .map_err(key_fault)?
            {
                keys += 1;
            } else {
                told.skipped = Some(KeySkipped::Duplicate);
            }
        }
        let is_active = person.told.activity == Activity::Active;
        let record = record
            .with(Detail::Role, Word::new(person.told.role.name()))
            .with(Detail::Method, Word::new("import"))
            .with(Detail::Enabled, is_active)
            .with(Detail::Factors, factors.as_slice())
            .with(Detail::Count, count(keys));
        self.succeed(record).await?;
        Ok(())
    }
}

fn factor_fault(error: ImportFactorError) -> Fault {
    match error {
        ImportFactorError::Entropy(error) => error.into(),
        ImportFactorError::Store(error) => error.into(),
        _ => Fault::Interrupted,
    }
}

fn key_fault(error: ImportApiKeyError) -> Fault {
    match error {
        ImportApiKeyError::Entropy(error) => error.into(),
        ImportApiKeyError::Store(error) => error.into(),
        _ => Fault::Interrupted,
    }
}
