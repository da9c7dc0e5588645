//! `dango-server migrate --from --to`: what a file holds is moved into PostgreSQL while servers go on. How rows are moved is
//! `dango-migration`'s matter; here are addresses, keys, records in the log, and what a person reads.

mod report;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dango_actions::{Actions, AuditView, ChangeDraft, CheckpointStanding, Ending, Pending, Premises, Setup};
use dango_audit::query::{Filter, PAGE_MAX, PageLimit};
use dango_audit::{Detail, Event, Report, Seq, Word};
use dango_core::Clock;
use dango_identity::{IdentityKey, SealedColumn, seal_handover};
use dango_migration::{CutOver, Migration, MigrationError, PATIENCE, abort, finish};
use dango_secrets::project::Project;
use dango_store::{Store, StoreFailure};
use dango_store_postgres::{CopyTarget, DatabaseUrl, Standing, arriving};
use dango_store_sqlite::{Begun, CopySource, MovedTo, Open, SqliteStore, moved_to};

use crate::database::{self, Database};
use crate::failure::{Failure, identity_key_is_lost};
use crate::house;
use crate::settings::{Extent, Moving, Settings, places_of};
use crate::setup_link::caller;
use crate::system::System;
use report::{Done, Told};

/// What is recorded of a move.
fn change() -> ChangeDraft {
    ChangeDraft::new(Event::DatabaseMigrated).with(Detail::Via, Word::new("migrate"))
}

/// Where a file's rows go.
struct Place<'a> {
    system: &'a System,
    settings: &'a Settings,
    premises: Premises,
    /// The same once the log is in PostgreSQL.
    premises_there: Premises,
    /// As the role that serves.
    to: DatabaseUrl,
    database: Database,
}

/// Does what was asked for.
pub(crate) fn run(system: &System, settings: &Settings, project: &Project, moving: &Moving) -> Result<u8, Failure> {
    let (from, to) = places_of(moving)?;
    if to.has_password() {
        tracing::warn!(
            "the password of --to stands in the list of processes, where everybody on this machine reads it: PGPASSWORD and PGPASSFILE take one"
        );
    }
    let from = system.directory.join(from);
    let to = database::complete(system, &to.seen_from(&system.directory))?;
    let place = Place {
        system,
        settings,
        premises: house::premises(system, settings, project)?.with_database(from.clone()),
        premises_there: house::on_postgres(house::premises(system, settings, project)?, project),
        database: Database::Postgres(Box::new(to.clone())),
        to,
    };
    let moved = moved_to(&from).map_err(|failure| Failure::from(failure).at(from.display()))?;
    let done = match (moving.extent, moved) {
        (Extent::Abort, Some(_)) => Err(
            Failure::new(format!("{}: it was moved already, and there is no way back", from.display()))
                .hint("what was done in PostgreSQL since would be lost"),
        ),
        (Extent::Abort, None) => place.take_back(&from),
        (Extent::All | Extent::Prepare, Some(moved)) => place.finish(&from, &moved),
        (extent, None) => place.go_on(&from, extent),
    };
    report::write(&done?, moving.has_json)?;
    Ok(0)
}

impl Place<'_> {
    /// The address as the role that serves, without a password.
    fn address(&self) -> String {
        self.to.to_address()
    }

    /// Opens PostgreSQL as the role that owns the schema, which may be the one that serves.
    fn target(&self) -> Result<CopyTarget, Failure> {
        let owner = self.settings.database_owner.as_ref();
        let owner = owner.map_or(Ok(self.to.clone()), |owner| database::complete(self.system, owner))?;
        CopyTarget::open(owner.clone(), PATIENCE).map_err(|failure| self.database.failure(failure).at(owner))
    }

    fn take_back(&self, from: &Path) -> Result<Done, Failure> {
        let mut source = CopySource::open(from).map_err(|failure| Failure::from(failure).at(from.display()))?;
        let mut target = self.target()?;
        // A database that is not the one of --to knows nothing of the move, and that would be taken for its end.
        let standing = target.standing().map_err(|failure| self.database.failure(failure).at(&self.to))?;
        let known = match standing {
            Standing::Arriving(arrival) => Some(arrival.token),
            Standing::Settled(token) => Some(token),
            Standing::Empty | Standing::Taken => None,
        };
        if arriving(self.to.clone()).is_ok_and(|seen| seen != known) {
            return Err(self.explain(&MigrationError::OtherDatabase));
        }
        abort(&mut source, &mut target).map_err(|error| self.explain(&error))?;
        Ok(self.done(from, Told::Aborted))
    }

    /// Finishes a move after whose cut-over the program ended early.
    fn finish(&self, from: &Path, moved: &MovedTo) -> Result<Done, Failure> {
        if *moved.address != *self.address() {
            return Err(Failure::new(format!(
                "{}: it was moved to {} before",
                from.display(),
                moved.address
            )));
        }
        let left_to_do = finish(&mut self.target()?, moved.token).map_err(|error| self.explain(&error))?;
        let mut done = self.done(from, if left_to_do { Told::Finished } else { Told::Before });
        done.log = Some(self.verify_new(&self.key()?)?);
        Ok(done)
    }

    fn go_on(&self, from: &Path, extent: Extent) -> Result<Done, Failure> {
        let key = self.key()?;
        let clock: Arc<dyn Clock> = Arc::clone(&self.system.clock);
        let opened = SqliteStore::open(from, Open::Existing).map_err(|failure| Failure::from(failure).at(from.display()))?;
        let old = self.actions(Arc::new(opened), &key, clock)?;
        let report = self.verify(&old)?;
        self.end_what_is_open(&old, &report, &Ending::failed(Word::new("interrupted")))?;
        // It will be this log there; a checkpoint of another one would keep servers from starting on it.
        self.standing_there(&old).map_err(|failure| {
            let checkpoint = self.premises_there.checkpoint().display();
            failure
                .at(checkpoint)
                .hint("where it is of another log that was in PostgreSQL once, move it away")
        })?;
        database::migrate(self.system, self.settings, &self.database, &self.to)?;
        // Whoever is to serve from it is let in, before anybody has to be.
        dango_store_postgres::inspect(self.to.clone()).map_err(|failure| self.database.failure(failure).at(&self.to))?;
        let source = CopySource::open(from).map_err(|failure| Failure::from(failure).at(from.display()))?;
        let mut token = [0; 16];
        self.system.entropy.fill(&mut token).map_err(|error| Failure::caused_by(&error))?;
        let wanted = Begun {
            token,
            address: self.address(),
        };
        let mut tell = report::progress();
        let migration = Migration::begin(source, self.target()?, &wanted).map_err(|error| self.explain(&error))?;
        let seen = arriving(self.to.clone()).map_err(|failure| self.database.failure(failure).at(&self.to))?;
        let mut migration = migration.seen_as(seen).map_err(|error| self.explain(&error))?;
        migration.copy(&mut tell).map_err(|error| self.explain(&error))?;
        let tables = migration.compare(&mut tell).map_err(|error| self.explain(&error))?;
        if extent == Extent::Prepare {
            let mut done = self.done(from, Told::Prepared);
            done.tables = tables;
            return Ok(done);
        }
        let cut = self.cut_over(&old, &key, migration)?;
        let mut done = self.done(from, Told::Moved(cut));
        done.tables = tables;
        if cut.is_settled {
            done.log = Some(self.verify_new(&key)?);
        }
        Ok(done)
    }

    /// Cuts over between two records: the intent stands in the old database and comes along, the outcome in whichever counts then. Where
    /// the new one cannot be told yet that it counts, whoever finishes the move records the outcome.
    fn cut_over(&self, old: &Actions, key: &IdentityKey, migration: Migration) -> Result<CutOver, Failure> {
        let pending =
            pollster::block_on(old.begin_changes(&caller(self.system), vec![change()])).map_err(|error| Failure::caused_by(&error))?;
        let password = self.password_to_leave(key)?;
        match migration.cut_over(password, &*self.system.clock, &mut report::progress()) {
            Ok(cut) if cut.is_settled => {
                let new = self.new_actions(key)?;
                self.record(&new, pending, Ending::done());
                Ok(cut)
            }
            Ok(cut) => Ok(cut),
            Err(error) => {
                self.record(old, pending, Ending::failed(Word::new(error.code())));
                Err(self.explain(&error))
            }
        }
    }

    /// Says how moves ended of which a call that was broken off has said that they were about to be made.
    fn end_what_is_open(&self, actions: &Actions, report: &Report, ending: &Ending) -> Result<(), Failure> {
        let filter = Filter {
            event: Some(Event::DatabaseMigrated),
            ..Filter::default()
        };
        let caller = caller(self.system);
        let permit = pollster::block_on(actions.permit::<AuditView>(&caller)).map_err(|error| Failure::caused_by(&error))?;
        // There are as many as there were calls.
        let page = pollster::block_on(actions.list_audit(&permit, filter, PageLimit::new(PAGE_MAX).unwrap_or_default()))
            .map_err(|error| Failure::caused_by(&error))?;
        let is_of_a_move = |seq: &Seq| page.events.iter().any(|event| event.seq == seq.as_column());
        let open: Vec<_> = report.open_intents.iter().filter(|seq| is_of_a_move(seq)).collect();
        if !open.is_empty() {
            let changes = open.into_iter().map(|seq| (*seq, change())).collect();
            self.record(actions, Pending::left_open(caller, changes), ending.clone());
        }
        Ok(())
    }

    /// How a log stands to the checkpoint that is kept of one in PostgreSQL.
    fn standing_there(&self, actions: &Actions) -> Result<CheckpointStanding, Failure> {
        let kept = self.premises_there.kept_checkpoint().map_err(|error| Failure::caused_by(&error))?;
        Ok(pollster::block_on(CheckpointStanding::of(actions, kept, self.system.clock.now()))?)
    }

    fn record(&self, actions: &Actions, pending: Pending, ending: Ending) {
        if let Err(error) = pollster::block_on(actions.finish_changes(pending, ending)) {
            tracing::warn!("{}", crate::failure::chain(&error));
        }
    }

    /// The password with which servers follow, sealed so that whoever has the identity key opens it.
    fn password_to_leave(&self, key: &IdentityKey) -> Result<Option<SealedColumn>, Failure> {
        let sealed = self.to.password_to_hand_over().map(|password| {
            seal_handover(key, &self.address(), &password, &*self.system.entropy).map_err(|error| Failure::caused_by(&error))
        });
        sealed.transpose()
    }

    fn key(&self) -> Result<IdentityKey, Failure> {
        self.premises
            .identity_key()
            .load()?
            .ok_or_else(|| identity_key_is_lost(&self.premises))
    }

    fn actions(&self, store: Arc<dyn Store>, key: &IdentityKey, clock: Arc<dyn Clock>) -> Result<Actions, Failure> {
        let actions = Actions::new(store, key, Setup::default(), clock, Arc::clone(&self.system.entropy));
        actions.map_err(|error| Failure::caused_by(&error))
    }

    fn new_actions(&self, key: &IdentityKey) -> Result<Actions, Failure> {
        let opened = self.database.open(self.system, self.settings, &self.premises, Open::Existing)?;
        self.actions(opened.store, key, opened.clock)
    }

    /// Verifies the log where it is now, says that the move was made, and keeps a checkpoint there, by which a log that is cut off is found.
    fn verify_new(&self, key: &IdentityKey) -> Result<Report, Failure> {
        let actions = self.new_actions(key)?;
        let report = self.verify(&actions)?;
        self.end_what_is_open(&actions, &report, &Ending::done())?;
        let standing = self.standing_there(&actions)?;
        let renewed = pollster::block_on(standing.renew(&actions, &self.premises_there, &*self.system.entropy));
        if let Err(error) = renewed {
            tracing::warn!("the audit log has no checkpoint: {}", crate::failure::chain(&error));
        }
        Ok(report)
    }

    fn verify(&self, actions: &Actions) -> Result<Report, Failure> {
        let permit = pollster::block_on(actions.permit::<AuditView>(&caller(self.system))).map_err(|error| Failure::caused_by(&error))?;
        let report = pollster::block_on(actions.verify_audit(&permit, "")).map_err(|error| Failure::caused_by(&error))?;
        match &report.first_bad {
            None => Ok(report),
            Some(bad) => Err(Failure::new(format!("the audit log does not verify from record {} on", bad.seq.get()))
                .hint("with another identity key than the one of this database nothing would: see DANGO_IDENTITY_KEY and .dango/identity.key")
                .hint("`dango audit verify` says what is wrong with the log")),
        }
    }

    fn done(&self, from: &Path, told: Told) -> Done {
        Done {
            from: PathBuf::from(from),
            to: self.address(),
            told,
            tables: Vec::new(),
            log: None,
        }
    }

    fn explain(&self, error: &MigrationError) -> Failure {
        let failure = match error {
            MigrationError::Store {
                side: dango_migration::Side::New,
                failure,
            } => self.database.failure(failure.clone()).at(&self.to),
            _ => Failure::caused_by(error),
        };
        match error {
            MigrationError::Taken => failure.at(&self.to).hint("give it a database of its own in which nothing is"),
            MigrationError::OtherMove => failure
                .at(&self.to)
                .hint("go on with that one, or take it back with --abort, with the --from of that time")
                .hint("where that file is lost: docs/migration.md, \"Where the file is lost\""),
            MigrationError::Over => failure.at(&self.to).hint("put no older copy of the file in its place"),
            MigrationError::Unknown => failure
                .at(&self.to)
                .hint("it has to be the database into which the file was moved, or a copy of that"),
            MigrationError::OtherDatabase => failure.hint("--to and --database-owner-url name the same database, each as another role"),
            MigrationError::OtherPlace { address } => {
                failure.hint(format!("go on with `--to {address}`, or take it back with the same and --abort"))
            }
            MigrationError::BegunAnew | MigrationError::Different { .. } => {
                failure.hint("nothing has changed for anybody; take it back with --abort, and begin again")
            }
            MigrationError::Busy => failure.hint("nothing has changed for anybody; do it again when less is written"),
            MigrationError::Store { failure: cause, .. } if !matches!(cause, StoreFailure::Moved { .. }) => {
                failure.hint("the same call goes on where this one ended; until then nothing has changed for anybody")
            }
            _ => failure,
        }
    }
}
