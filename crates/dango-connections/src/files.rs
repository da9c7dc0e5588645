//! A project's files, as far as connections are in them: read, opened, and what was noticed thereby. What is done with them is beside.

use std::cell::RefCell;
use std::time::Duration;

use dango_core::{Clock, CredentialPath, Entropy, SecretValue};
use dango_keyring::HolderError;
use dango_secrets::Value;
use dango_secrets::document::SecretsDocument;
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::environment::Variables;
use dango_secrets::project::Project;
use dango_vault::{Connection, ConnectionLease, Keys, SealWarning, Selection, Vault, VaultError, is_encrypted};

use crate::error::StoredError;
use crate::notice::Notice;

/// A variable of the process's environment, by its name.
pub type Variable<'a> = Box<dyn Fn(&str) -> Option<SecretValue> + 'a>;

/// The files of one project with the way to its key. Each question reads them anew.
pub struct ConnectionFiles<'a> {
    project: &'a Project,
    keys: &'a Keys<'a>,
    entropy: &'a dyn Entropy,
    clock: &'a dyn Clock,
    actor: &'a str,
    variable: Variable<'a>,
    notices: RefCell<Vec<Notice>>,
}

impl<'a> ConnectionFiles<'a> {
    /// The files of a project; `actor` is who the history will say has changed a value.
    pub fn new(
        project: &'a Project,
        keys: &'a Keys<'a>,
        (entropy, clock): (&'a dyn Entropy, &'a dyn Clock),
        actor: &'a str,
        variable: Variable<'a>,
    ) -> Self {
        Self {
            project,
            keys,
            entropy,
            clock,
            actor,
            variable,
            notices: RefCell::new(Vec::new()),
        }
    }

    /// Takes what was noticed since the last time, each thing once.
    pub fn take_notices(&self) -> Vec<Notice> {
        self.notices.take()
    }

    /// The records of the connections, as any version of Dango has written them.
    ///
    /// # Errors
    ///
    /// [`StoredError`] where `secrets.toml` cannot be read.
    pub fn list(&self) -> Result<Vec<Connection>, StoredError> {
        Ok(Connection::list(&self.document()?, self.clock))
    }

    /// The record of a name.
    ///
    /// # Errors
    ///
    /// [`StoredError`] where `secrets.toml` cannot be read.
    pub fn find(&self, name: &str) -> Result<Option<Connection>, StoredError> {
        Ok(Connection::find(&self.document()?, name, self.clock))
    }

    /// Waits until nobody else renews a connection; blocks for as long as `patience` says.
    ///
    /// # Errors
    ///
    /// [`VaultError::Write`] where another process has it for longer.
    pub fn lease(&self, name: &str, patience: Duration) -> Result<ConnectionLease, VaultError> {
        self.vault().lease_connection(name, patience)
    }

    pub(crate) const fn project(&self) -> &'a Project {
        self.project
    }

    pub(crate) const fn clock(&self) -> &'a dyn Clock {
        self.clock
    }

    pub(crate) fn vault(&self) -> Vault<'a> {
        Vault::new(self.project, self.keys, self.entropy, self.clock, self.actor)
    }

    pub(crate) fn variable(&self, name: &str) -> Option<SecretValue> {
        (self.variable)(name)
    }

    pub(crate) fn notice(&self, notice: Notice) {
        let mut notices = self.notices.borrow_mut();
        if !notices.iter().any(|there| there.repeats(&notice)) {
            notices.push(notice);
        }
    }

    /// Reads `.dlt/secrets.toml`; a missing file is an empty one.
    pub(crate) fn document(&self) -> Result<SecretsDocument, StoredError> {
        let contents = self.project.secrets()?;
        let bytes = contents.as_ref().map(|contents| contents.bytes());
        let document = SecretsDocument::parse(bytes.unwrap_or_default()).map_err(StoredError::Document)?;
        if document.has_bom() {
            self.notice(Notice::ByteOrderMark(self.project.secrets_toml()));
        }
        Ok(document)
    }

    /// Reads `.env`; a missing file is an empty one.
    pub(crate) fn env(&self) -> Result<EnvDocument, StoredError> {
        let contents = self.project.env()?;
        let bytes = contents.as_ref().map(|contents| contents.bytes());
        EnvDocument::parse(bytes.unwrap_or_default()).map_err(StoredError::Env)
    }

    /// A document with the encrypted values of one section opened.
    pub(crate) fn open_section(&self, document: &SecretsDocument, section: &CredentialPath) -> Result<SecretsDocument, StoredError> {
        let opened = dango_vault::open_secrets(document, Selection::Below(section), self.keys)?;
        // A part that is plain needs no key, and so none is asked for to look at the rest.
        let needs_key = |path: &CredentialPath, value: &Value| path.starts_with(section) && is_encrypted(value);
        if document.entries().iter().any(|entry| needs_key(&entry.path, &entry.value)) {
            self.look_at_seal(self.vault().check_secrets(document), "secrets")?;
        }
        Ok(opened)
    }

    /// A `.env` with its encrypted values opened.
    pub(crate) fn open_env(&self, document: &EnvDocument) -> Result<EnvDocument, StoredError> {
        let opened = dango_vault::open_env(document, self.keys)?;
        self.look_at_seal(self.vault().check_env(document), "env")?;
        Ok(opened)
    }

    /// A value with its references resolved from the environment and `.env`.
    pub(crate) fn resolve(&self, path: &CredentialPath, value: &Value) -> Result<Value, StoredError> {
        // `.env` is read only where it is needed: a value without references does not depend on it.
        let env = match value.has_reference() {
            true => self.open_env(&self.env()?)?,
            false => EnvDocument::default(),
        };
        let process = |name: &str| self.variable(name);
        let variables = Variables {
            env: &env,
            process: &process,
        };
        Ok(value.resolve(path, &variables)?)
    }

    /// Notices what is wrong with a seal, or why that is not known; neither keeps a value from being used.
    fn look_at_seal(&self, checked: Result<Option<SealWarning>, VaultError>, group: &'static str) -> Result<(), StoredError> {
        match checked {
            Ok(None) => {}
            Ok(Some(warning)) => self.notice(Notice::Seal { group, warning }),
            Err(error) if error.code() == HolderError::Interrupted.code() => return Err(StoredError::Interrupted(error)),
            Err(error) => self.notice(Notice::SealUnchecked { group, error }),
        }
        Ok(())
    }
}
