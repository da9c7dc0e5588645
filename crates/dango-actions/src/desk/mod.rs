//! A project's secrets for the web: listed from memory, changed one group at a time. The files are behind a port, requests and answers are the door's.

mod error;
mod files;
mod group;

use std::io;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use dango_audit::Event;
use dango_core::{SecretValue, VariableName};
use dango_identity::Permission;
use dango_secrets::SetOutcome;
use futures_channel::oneshot;
use zeroize::Zeroize;

use crate::actions::Actions;
use crate::caller::Caller;
use crate::drafts;
use crate::permit::Need;

pub use error::{ChangeVariableError, ListSecretsError, ValueError};
pub use files::{
    FilesError, FilesProblem, ListedConnection, ListedCredential, ListedVariable, ProjectFiles, SecretsListing, VariableChange,
    VariableChanged, VariableEdit,
};
use group::Request;

/// The largest value of a variable, in bytes of UTF-8.
pub const LARGEST_VALUE: usize = 32 * 1024;

/// What reading and changing a project's secrets takes.
const NEED: Need = Need::Permission(Permission::ConfigManage);

/// When to come back to a desk that is busy.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Where a project's secrets are listed and changed for people who are not at the machine. Clones are the same desk.
///
/// Changes are made on one thread of its own, in groups of whatever waits: all intents are recorded together, all edits are one
/// save, all outcomes are recorded together. A change that was handed over is finished and recorded even if nobody waits for it
/// any more. The last clone to go, or [`SecretsDesk::close`], waits for what was handed over.
#[derive(Clone)]
pub struct SecretsDesk(Arc<Inner>);

struct Inner {
    actions: Actions,
    files: Arc<dyn ProjectFiles>,
    requests: RwLock<Option<SyncSender<Request>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl SecretsDesk {
    /// Opens the desk; at most `queue` changes wait, and the rest is sent away.
    ///
    /// # Errors
    ///
    /// What the system says where it gives no thread.
    pub fn open(actions: Actions, files: Arc<dyn ProjectFiles>, queue: usize) -> io::Result<Self> {
        let (requests, received) = sync_channel(queue);
        let (recording, changing) = (actions.clone(), Arc::clone(&files));
        let thread = std::thread::Builder::new()
            .name("dango-desk".to_owned())
            .spawn(move || group::serve(&recording, &*changing, &received))?;
        Ok(Self(Arc::new(Inner {
            actions,
            files,
            requests: RwLock::new(Some(requests)),
            thread: Mutex::new(Some(thread)),
        })))
    }

    /// Everything that the project has, without a value. It is the same [`Arc`] while no file has changed.
    ///
    /// Permission: `config.manage`. Audit: `permission_denied` alone.
    ///
    /// # Errors
    ///
    /// [`ListSecretsError`].
    pub async fn list(&self, caller: &Caller) -> Result<Arc<SecretsListing>, ListSecretsError> {
        self.0.actions.check(caller, NEED).await?;
        Ok(self.0.files.list().await?)
    }

    /// Sets a variable of `.env` to a literal value, encrypted where that is the habit of the file.
    ///
    /// Permission: `config.manage`. Audit: `secret_set`, the intent before and the outcome after; what was malformed, and a file
    /// that does not parse, leave no record.
    ///
    /// # Errors
    ///
    /// [`ChangeVariableError`].
    ///
    /// # Security
    ///
    /// The value is erased, also where it is refused; no error repeats it or the key.
    pub async fn set_variable(&self, caller: &Caller, key: &str, value: String) -> Result<SetVariable, ChangeVariableError> {
        let value = parse_value(value);
        self.0.actions.check(caller, NEED).await?;
        let key: VariableName = key.parse()?;
        let value = value?;
        self.0.refuse_unparsable().await?;
        let draft = drafts::variable(Event::SecretSet, key.as_str());
        match self.0.hand_over(caller, draft, VariableEdit::Set { key, value }).await? {
            VariableChanged::Set { outcome, encrypted } => Ok(SetVariable { outcome, encrypted }),
            VariableChanged::Deleted => Err(ChangeVariableError::Interrupted),
        }
    }

    /// Deletes a variable of `.env`, every duplicate of it; also a key that an editor put there and that is no variable's name.
    ///
    /// Permission: `config.manage`. Audit: `secret_deleted`, the intent before and the outcome after; a key that is not there leaves
    /// no record.
    ///
    /// # Errors
    ///
    /// [`ChangeVariableError`].
    pub async fn delete_variable(&self, caller: &Caller, key: &str) -> Result<(), ChangeVariableError> {
        self.0.actions.check(caller, NEED).await?;
        self.0.refuse_unparsable().await?;
        // What is said of a key that another program has just added or removed is decided under the lock of the file.
        if let Ok(listing) = self.0.files.list().await
            && !listing.variables.iter().any(|variable| variable.key == key)
        {
            return Err(FilesError::new(FilesProblem::NotFound, "env_key_not_found").into());
        }
        let draft = drafts::variable(Event::SecretDeleted, key);
        let edit = VariableEdit::Delete { key: key.to_owned() };
        self.0.hand_over(caller, draft, edit).await.map(|_| ())
    }

    /// Takes no more changes, and waits until those that were handed over are made and recorded.
    pub fn close(&self) {
        self.0.close();
    }
}

/// A variable that was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetVariable {
    /// What happened to it; as HTTP answers have it, [`SetVariable::action`].
    pub outcome: SetOutcome,
    /// Whether it is encrypted now.
    pub encrypted: bool,
}

impl SetVariable {
    /// `created` or `updated`; the value that was there already is updated, too, so that nobody can try values out.
    pub const fn action(&self) -> &'static str {
        match self.outcome {
            SetOutcome::Created => "created",
            SetOutcome::Replaced | SetOutcome::Unchanged => "updated",
        }
    }
}

impl Inner {
    /// A file that a person has to repair first is no attempt that the log needs to know; a full record of each would only fill it.
    async fn refuse_unparsable(&self) -> Result<(), FilesError> {
        match self.files.list().await {
            Err(error) if matches!(error.problem(), FilesProblem::Unparsable { file: ".env", .. }) => Err(error),
            _ => Ok(()),
        }
    }

    async fn hand_over(
        &self,
        caller: &Caller,
        draft: crate::ChangeDraft,
        edit: VariableEdit,
    ) -> Result<VariableChanged, ChangeVariableError> {
        let (answer, answered) = oneshot::channel();
        let request = Request {
            caller: caller.clone(),
            draft,
            change: VariableChange { edit, by: caller.name() },
            answer,
        };
        let sent = match &*self.requests.read().unwrap_or_else(PoisonError::into_inner) {
            Some(requests) => requests.try_send(request),
            None => Err(TrySendError::Disconnected(request)),
        };
        match sent {
            Ok(()) => answered.await.unwrap_or(Err(ChangeVariableError::Interrupted)),
            Err(TrySendError::Full(_)) => Err(ChangeVariableError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(ChangeVariableError::Closed),
        }
    }

    fn close(&self) {
        self.requests.write().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It does not panic; and if it did, nothing that it had answered is lost.
            let _ = thread.join();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

fn parse_value(mut text: String) -> Result<SecretValue, ValueError> {
    if text.len() > LARGEST_VALUE {
        text.zeroize();
        return Err(ValueError::TooLong);
    }
    SecretValue::new(text).map_err(|_| ValueError::Nul)
}
