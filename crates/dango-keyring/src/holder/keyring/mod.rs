//! Keys in the operating system's keyring: one entry a project. Which keyring that is on which system is in `platform`.

mod platform;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use dango_core::SecretValue;
use keyring_core::{CredentialStore, Entry, Error};
use zeroize::{Zeroize, Zeroizing};

use super::{HolderError, HolderKind, KeyHolder};
use crate::key_set::{KeySet, ParseKeysError};
use platform::Cause;

/// The service under which entries are found; the account is the project's id.
pub const KEYRING_SERVICE: &str = "dango";

/// Long enough for a person to type the keyring's password.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whether the environment says where the D-Bus session is (`DBUS_SESSION_BUS_ADDRESS`).
///
/// If it does and nobody answers there, the session is gone; if it does not, there may never have been one. Systems without D-Bus
/// pay no attention to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionBus {
    /// The variable is set and not empty.
    Announced,
    /// It is not.
    Unannounced,
}

/// What is kept of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerEntry {
    /// The API key that this machine has there.
    ApiKey,
    /// The key of what it answered last.
    OfflineCopy,
}

/// What an entry is given when it is made, from its label.
type Modifiers = fn(&str) -> HashMap<&str, &str>;

type OpenStore = dyn Fn() -> keyring_core::Result<Arc<CredentialStore>> + Send + Sync;

/// The keys of one project in the operating system's keyring.
///
/// The entry is one line of text ([`KeySet::to_text`]), because some keyrings keep nothing else. Every call asks anew, on a thread of its
/// own: the keyring may block for as long as its prompt is open, and must not be called from within an async runtime.
pub struct OsKeyring {
    account: String,
    bus: SessionBus,
    patience: Duration,
    open_store: Arc<OpenStore>,
    modifiers: Modifiers,
    label: fn(&str) -> String,
}

impl OsKeyring {
    /// The keyring of whoever runs this program, for the project with this id.
    pub fn new(project_id: impl Into<String>, bus: SessionBus) -> Self {
        Self {
            account: project_id.into(),
            bus,
            patience: PATIENCE,
            open_store: Arc::new(platform::open_store),
            modifiers: platform::modifiers,
            label,
        }
    }

    /// The keyring of whoever runs this program, for what it keeps of a server: its key there, or the key of what was kept of its answers.
    pub fn of_server(entry: ServerEntry, origin: &str, bus: SessionBus) -> Self {
        let (prefix, label): (_, fn(&str) -> String) = match entry {
            ServerEntry::ApiKey => ("server", label_of_api_key),
            ServerEntry::OfflineCopy => ("offline copy", label_of_copy),
        };
        Self {
            label,
            ..Self::new(format!("{prefix} {origin}"), bus)
        }
    }

    /// Fetches an entry that is a secret of any form.
    ///
    /// # Errors
    ///
    /// [`HolderError`]; [`HolderError::Missing`] where there is no such entry.
    pub fn load_text(&self) -> Result<SecretValue, HolderError> {
        let text = self.ask(|entry| entry.get_password().map(Zeroizing::new))?;
        SecretValue::new(text.as_str().to_owned()).map_err(|_| self.unreadable(ParseKeysError::Form))
    }

    /// Keeps a secret of any form, and sees that it was kept.
    ///
    /// # Errors
    ///
    /// [`HolderError`].
    pub fn store_text(&self, secret: &SecretValue) -> Result<(), HolderError> {
        let text = secret.clone();
        let kept = self.ask(move |entry| {
            entry.set_password(text.expose())?;
            entry.get_password().map(Zeroizing::new)
        })?;
        match kept.as_str() == secret.expose() {
            true => Ok(()),
            false => Err(HolderError::NotKept { place: self.describe() }),
        }
    }

    /// Waits for this long instead of two minutes.
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Asks on a plain thread and waits for the answer.
    ///
    /// A thread that does not answer in time is left behind; what it gets later is erased.
    fn ask<T: Send + 'static>(&self, question: impl FnOnce(&Entry) -> keyring_core::Result<T> + Send + 'static) -> Result<T, HolderError> {
        let (sender, answer) = mpsc::channel();
        let open_store = Arc::clone(&self.open_store);
        let (account, modifiers, label) = (self.account.clone(), self.modifiers, self.label);
        let asking = move || {
            let answered = open_store()
                .and_then(|store| store.build(KEYRING_SERVICE, &account, Some(&modifiers(&label(&account)))))
                .and_then(|entry| question(&entry));
            // Nobody is waiting any more if this fails.
            let _ = sender.send(answered);
        };
        thread::Builder::new()
            .name("dango-keyring".to_owned())
            .spawn(asking)
            .map_err(|error| HolderError::Failed {
                source: Some(Box::new(error)),
            })?;
        match answer.recv_timeout(self.patience) {
            Ok(answered) => answered.map_err(|error| self.explain(error)),
            Err(RecvTimeoutError::Timeout) => Err(HolderError::TimedOut { after: self.patience }),
            // The thread ended without an answer: the keyring's library panicked.
            Err(RecvTimeoutError::Disconnected) => Err(HolderError::Failed { source: None }),
        }
    }

    fn explain(&self, error: Error) -> HolderError {
        match error {
            Error::NoEntry => HolderError::Missing { place: self.describe() },
            Error::NoDefaultStore => HolderError::NoKeyring { source: None },
            Error::Ambiguous(entries) => HolderError::Ambiguous { count: entries.len() },
            // These hold what was fetched, so they end here.
            Error::BadEncoding(mut bytes) | Error::BadDataFormat(mut bytes, _) => {
                bytes.zeroize();
                self.unreadable(ParseKeysError::Form)
            }
            Error::PlatformFailure(source) | Error::NoStorageAccess(source) if platform::cause(source.as_ref()) != Cause::Other => {
                self.explain_cause(platform::cause(source.as_ref()), source)
            }
            Error::NoStorageAccess(source) => HolderError::Denied { source: Some(source) },
            Error::PlatformFailure(source) => HolderError::Failed { source: Some(source) },
            other => HolderError::Failed {
                source: Some(Box::new(other)),
            },
        }
    }

    fn explain_cause(&self, cause: Cause, source: Box<dyn std::error::Error + Send + Sync>) -> HolderError {
        let source = Some(source);
        match cause {
            Cause::NoService => HolderError::NoKeyring { source },
            Cause::Unreachable if self.bus == SessionBus::Unannounced => HolderError::NoKeyring { source },
            Cause::Unreachable | Cause::Gone => HolderError::Gone { source },
            Cause::Locked => HolderError::Locked { source },
            Cause::Denied => HolderError::Denied { source },
            Cause::NoObject => HolderError::Missing { place: self.describe() },
            Cause::Other => HolderError::Failed { source },
        }
    }

    fn unreadable(&self, source: ParseKeysError) -> HolderError {
        HolderError::Unreadable {
            place: self.describe(),
            source,
        }
    }
}

impl KeyHolder for OsKeyring {
    fn kind(&self) -> HolderKind {
        HolderKind::Keyring
    }

    fn describe(&self) -> String {
        format!("{}, service {KEYRING_SERVICE}, account {}", platform::NAME, self.account)
    }

    fn load(&self) -> Result<KeySet, HolderError> {
        let text = self.ask(|entry| entry.get_password().map(Zeroizing::new))?;
        parse(&text).map_err(|source| self.unreadable(source))
    }

    fn store(&self, keys: &KeySet) -> Result<(), HolderError> {
        let text = keys.to_text();
        let kept = self.ask(move |entry| {
            entry.set_password(text.expose())?;
            entry.get_password().map(Zeroizing::new)
        })?;
        match parse(&kept) {
            Ok(kept) if kept.ct_eq(keys) => Ok(()),
            _ => Err(HolderError::NotKept { place: self.describe() }),
        }
    }

    fn delete(&self) -> Result<(), HolderError> {
        self.ask(Entry::delete_credential)
    }
}

fn parse(text: &Zeroizing<String>) -> Result<KeySet, ParseKeysError> {
    let text = SecretValue::new(text.as_str().to_owned()).map_err(|_| ParseKeysError::Form)?;
    KeySet::parse(&text)
}

/// What the keyring's own windows show.
fn label(account: &str) -> String {
    format!("Dango key of project {account}")
}

fn label_of_api_key(account: &str) -> String {
    format!("Dango API key for {account}")
}

fn label_of_copy(account: &str) -> String {
    format!("Dango key of the {account}")
}

#[cfg(test)]
mod tests;
