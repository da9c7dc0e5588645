//! A project's files as the use cases ask for them.

use std::sync::Arc;

use dango_actions::{FilesError, ProjectFiles, SecretsListing, VariableChange, VariableChanged, VariableEdit};
use dango_core::{Clock, Entropy};
use dango_secrets::project::Project;
use dango_store::BoxFuture;
use dango_vault::{EnvChange, EnvChanged, EnvEdit, Keys, Vault, VaultError};

use crate::access::KeySource;
use crate::memory::Memory;
use crate::problem::of_vault;

/// The files of one project, with the way to its key.
///
/// # Security
///
/// The key is fetched for each save that needs it and wiped after it; what is listed holds no value.
pub struct VaultFiles {
    pub(crate) project: Project,
    keys: Arc<KeySource>,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
    memory: Memory,
}

impl VaultFiles {
    /// The files of a project; none is looked at before it is needed.
    pub fn new(project: Project, keys: Arc<KeySource>, entropy: Arc<dyn Entropy>, clock: Arc<dyn Clock>) -> Self {
        Self {
            memory: Memory::new(&project),
            keys,
            project,
            entropy,
            clock,
        }
    }

    /// What there is, without a value. It asks the project's home in which state each file is, and waits for that: a directory answers at once.
    ///
    /// # Errors
    ///
    /// [`FilesError`] where a file cannot be read or parsed.
    pub fn list(&self) -> Result<Arc<SecretsListing>, FilesError> {
        self.memory.list(&*self.clock)
    }

    /// Works with the project's files under the name of somebody; the key is fetched where the work needs it, and wiped with it.
    pub(crate) fn with_vault<T>(&self, by: &str, work: impl FnOnce(&Vault<'_>, &Keys<'_>) -> T) -> T {
        let keys = Keys::lazy(|| self.keys.load(&self.project, &*self.clock, &self.entropy));
        let vault = Vault::new(&self.project, &keys, &*self.entropy, &*self.clock, by);
        work(&vault, &keys)
    }
}

impl ProjectFiles for VaultFiles {
    fn list(&self) -> BoxFuture<'_, Result<Arc<SecretsListing>, FilesError>> {
        Box::pin(std::future::ready(Self::list(self)))
    }

    fn change(&self, changes: &[VariableChange]) -> Vec<Result<VariableChanged, FilesError>> {
        let edits: Vec<EnvChange<'_>> = changes.iter().map(edit).collect();
        match self.with_vault("", |vault, _| vault.change_env(&edits)) {
            Ok(answers) => answers.into_iter().map(changed).collect(),
            Err(error) => {
                let error = of_vault(error);
                changes.iter().map(|_| Err(error.clone())).collect()
            }
        }
    }
}

fn edit(change: &VariableChange) -> EnvChange<'_> {
    let edit = match &change.edit {
        VariableEdit::Set { key, value } => EnvEdit::Set { key, value },
        VariableEdit::Delete { key } => EnvEdit::Unset { key },
    };
    EnvChange { edit, by: &change.by }
}

fn changed(answer: Result<EnvChanged, VaultError>) -> Result<VariableChanged, FilesError> {
    match answer {
        Ok(EnvChanged::Set(report)) => Ok(VariableChanged::Set {
            outcome: report.outcome,
            encrypted: report.encrypted,
        }),
        Ok(EnvChanged::Unset { .. }) => Ok(VariableChanged::Deleted),
        Err(error) => Err(of_vault(error)),
    }
}
