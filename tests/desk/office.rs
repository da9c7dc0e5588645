//! A desk over a real project and a real database, and what the audit log says afterwards.

use std::path::Path;
use std::sync::Arc;

use dango_actions::{
    Actions, AuditView, Caller, ChangeVariableError, IdentityKeyEnvironment, IdentityKeyFile, ProjectFiles, SecretsDesk, Setup,
};
use dango_audit::AuditEvent;
use dango_audit::query::{Filter, Order, PageLimit};
use dango_core::{OsEntropy, SystemClock};
use dango_files::{KeyAccess, KeySource, VaultFiles};
use dango_secrets::project::Project;
use dango_store_sqlite::{Open, SqliteStore};
use pollster::block_on;

pub(crate) struct Office {
    pub(crate) desk: SecretsDesk,
    pub(crate) actions: Actions,
}

impl Office {
    /// The desk of a project; `keeping` is the project with the database and the identity key, which may be the same one.
    pub(crate) fn of(project: &Path, keeping: &Path) -> Self {
        Self::over(files(project), keeping)
    }

    pub(crate) fn over(files: Arc<dyn ProjectFiles>, keeping: &Path) -> Self {
        let keeping = Project::at(keeping);
        let store = SqliteStore::open(&keeping.dango_dir().join("dango.db"), Open::OrCreate).expect("opened");
        let key = IdentityKeyFile::new(&keeping, IdentityKeyEnvironment::default());
        let key = key.load_or_make(&OsEntropy).expect("a key").key;
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(OsEntropy));
        let actions = Actions::new(Arc::new(store), &key, Setup::default(), clock, entropy).expect("random");
        let desk = SecretsDesk::open(actions.clone(), files, 256).expect("a thread");
        Self { desk, actions }
    }

    pub(crate) fn set(&self, key: &str, value: &str) -> Result<&'static str, ChangeVariableError> {
        let caller = Caller::system();
        block_on(self.desk.set_variable(&caller, key, value.to_owned())).map(|set| set.action())
    }

    /// The intents that no outcome names, and the records in their order; the log is whole.
    pub(crate) fn log(&self) -> (usize, Vec<AuditEvent>) {
        let permit = block_on(self.actions.permit::<AuditView>(&Caller::system())).expect("may");
        let report = block_on(self.actions.verify_audit(&permit, "")).expect("read");
        assert!(report.is_ok(), "{report:?}");
        let mut filter = Filter {
            order: Order::OldestFirst,
            ..Filter::default()
        };
        let mut records = Vec::new();
        loop {
            let limit = PageLimit::new(500).expect("few");
            let page = block_on(self.actions.list_audit(&permit, filter.clone(), limit)).expect("listed");
            records.extend(page.events);
            match page.next_cursor {
                Some(cursor) => filter.cursor = Some(cursor),
                None => return (report.open_intents.len(), records),
            }
        }
    }
}

pub(crate) fn files(project: &Path) -> Arc<dyn ProjectFiles> {
    let access = KeyAccess::default();
    Arc::new(VaultFiles::new(
        Project::at(project),
        Arc::new(KeySource::new(access)),
        Arc::new(OsEntropy),
        Arc::new(SystemClock),
    ))
}

/// How many outcomes a kind of event has, by outcome and code.
pub(crate) fn outcomes(records: &[AuditEvent], event: &str, said: &str) -> usize {
    let told = |record: &&AuditEvent| record.event == event && record.outcome.is_some_and(|outcome| outcome.as_str() == said);
    records.iter().filter(told).count()
}
