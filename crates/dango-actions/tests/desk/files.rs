//! Files in memory that do as they are told: the port of the desk for its tests.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};

use dango_actions::{
    FilesError, FilesProblem, ListedVariable, ProjectFiles, SecretsListing, VariableChange, VariableChanged, VariableEdit,
};
use dango_secrets::SetOutcome;
use dango_store::BoxFuture;

/// Variables in memory, saved once a group.
#[derive(Default)]
pub(crate) struct Files {
    pub(crate) variables: Mutex<HashMap<String, String>>,
    /// The number of changes in each save.
    pub(crate) saves: Mutex<Vec<usize>>,
    pub(crate) who: Mutex<Vec<String>>,
    pub(crate) is_broken: AtomicBool,
    pub(crate) is_unparsable: AtomicBool,
    pub(crate) gate: Gate,
}

/// Holds a save up until it is opened.
#[derive(Default)]
pub(crate) struct Gate {
    is_shut: Mutex<bool>,
    moved: Condvar,
    reached: Mutex<Option<Sender<()>>>,
}

impl Gate {
    /// Shuts it; what comes back tells that somebody stands before it.
    pub(crate) fn shut(&self) -> Receiver<()> {
        let (reached, told) = channel();
        *self.reached.lock().expect("not poisoned") = Some(reached);
        *self.is_shut.lock().expect("not poisoned") = true;
        told
    }

    pub(crate) fn open(&self) {
        *self.is_shut.lock().expect("not poisoned") = false;
        self.moved.notify_all();
    }

    fn pass(&self) {
        if let Some(reached) = self.reached.lock().expect("not poisoned").take() {
            reached.send(()).expect("somebody waits");
        }
        let mut is_shut = self.is_shut.lock().expect("not poisoned");
        while *is_shut {
            is_shut = self.moved.wait(is_shut).expect("not poisoned");
        }
    }
}

fn unparsable() -> FilesError {
    let problem = FilesProblem::Unparsable {
        file: ".env",
        line: 7,
        column: 2,
        reason: "a byte that is not UTF-8".to_owned(),
    };
    FilesError::new(problem, "env_not_utf8")
}

impl Files {
    fn listed(&self) -> Result<Arc<SecretsListing>, FilesError> {
        if self.is_unparsable.load(Ordering::SeqCst) {
            return Err(unparsable());
        }
        let variables = self.variables.lock().expect("not poisoned");
        let listed = variables.keys().map(|key| ListedVariable {
            key: key.clone(),
            is_encrypted: false,
        });
        Ok(Arc::new(SecretsListing {
            variables: listed.collect(),
            credentials: Arc::default(),
            connections: Arc::default(),
        }))
    }
}

impl ProjectFiles for Files {
    fn list(&self) -> BoxFuture<'_, Result<Arc<SecretsListing>, FilesError>> {
        Box::pin(std::future::ready(self.listed()))
    }

    fn change(&self, changes: &[VariableChange]) -> Vec<Result<VariableChanged, FilesError>> {
        self.gate.pass();
        assert!(!self.is_broken.load(Ordering::SeqCst), "the files break off");
        self.saves.lock().expect("not poisoned").push(changes.len());
        let mut variables = self.variables.lock().expect("not poisoned");
        let mut make = |change: &VariableChange| {
            self.who.lock().expect("not poisoned").push(change.by.clone());
            match &change.edit {
                VariableEdit::Set { value, .. } if value.expose().contains("${") => {
                    let reason = "no spelling".to_owned();
                    Err(FilesError::new(FilesProblem::Value { reason }, "env_value_reference"))
                }
                VariableEdit::Set { key, value } => {
                    let old = variables.insert(key.to_string(), value.expose().to_owned());
                    let outcome = match old {
                        None => SetOutcome::Created,
                        Some(old) if old == value.expose() => SetOutcome::Unchanged,
                        Some(_) => SetOutcome::Replaced,
                    };
                    Ok(VariableChanged::Set { outcome, encrypted: false })
                }
                VariableEdit::Delete { key } => match variables.remove(key) {
                    Some(_) => Ok(VariableChanged::Deleted),
                    None => Err(FilesError::new(FilesProblem::NotFound, "env_key_not_found")),
                },
            }
        };
        changes.iter().map(&mut make).collect()
    }
}
