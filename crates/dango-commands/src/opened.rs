//! The project a command works on: its files read, opened and edited with messages that name them.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use dango_connections::{ConnectionFiles, StoredError, Variable};
use dango_core::{Clock, CredentialPath, Entropy, SecretValue};
use dango_keyring::HolderError;
use dango_secrets::document::{DocumentError, SecretsDocument};
use dango_secrets::dotenv::{EnvDocument, EnvError};
use dango_secrets::environment::Variables;
use dango_secrets::project::Project;
use dango_secrets::storage::UpdateError;
use dango_secrets::{ReferenceError, Value};
use dango_vault::{
    EncryptError, EnvEncryptError, Keys, OpeningError, ProjectKeys, Protection, SealWarning, SealedHome, Selection, SetError, Vault,
    VaultError, is_encrypted,
};

use crate::Host;
use crate::arguments::Global;
use crate::database::{self, SharedDatabase};
use crate::failure::{Failure, chain};
use crate::house::House;
use crate::key_access::{self, KeyRoute};
use crate::output::Output;

/// A project that was found.
pub(crate) struct Opened {
    pub(crate) project: Project,
    /// The database that it shares with other machines, where the command works with that.
    pub(crate) database: Option<SharedDatabase>,
    /// Where its key is; nothing is asked before the key is needed.
    pub(crate) place: Rc<ProjectKeys>,
    pub(crate) keys: Keys<'static>,
    route: KeyRoute,
    entropy: Arc<dyn Entropy>,
    clock: Arc<dyn Clock>,
    actor: String,
}

impl Opened {
    /// Finds the project: `--project`, `DANGO_PROJECT_ROOT`, or the nearest parent that is one.
    pub(crate) fn find(global: &Global, host: &Host) -> Result<Self, Failure> {
        Self::at(find_project(global, host)?, host)
    }

    /// A project that is known already.
    pub(crate) fn at(project: Project, host: &Host) -> Result<Self, Failure> {
        Ok(Self::by_route(project, None, KeyRoute::of(None, host)?, host))
    }

    /// A project whose log, and whose files if they were moved there, are in a database.
    pub(crate) fn in_database(project: Project, database: SharedDatabase, host: &Host) -> Result<Self, Failure> {
        Self::through(project, Some(database), KeyRoute::of(None, host)?, host)
    }

    /// The same project, with a passphrase that was given for its key.
    pub(crate) fn with_passphrase(self, passphrase: SecretValue, host: &Host) -> Result<Self, Failure> {
        let project = Project::at(self.project.root());
        Self::through(project, self.database, KeyRoute::of(Some(passphrase), host)?, host)
    }

    fn through(project: Project, database: Option<SharedDatabase>, route: KeyRoute, host: &Host) -> Result<Self, Failure> {
        let project = match &database {
            Some(database) if database::is_moved(&project)? => {
                let home = database.home(&project, &route, host)?;
                project.kept_in(Arc::new(home))
            }
            _ => project,
        };
        Ok(Self::by_route(project, database, route, host))
    }

    fn by_route(project: Project, database: Option<SharedDatabase>, route: KeyRoute, host: &Host) -> Self {
        let place = Rc::new(route.keys_of(project.clone(), Arc::clone(&host.entropy)));
        let loader = Rc::clone(&place);
        Self {
            project,
            database,
            place,
            keys: Keys::lazy(move || loader.load()),
            route,
            entropy: Arc::clone(&host.entropy),
            clock: Arc::clone(&host.clock),
            actor: host.user.clone(),
        }
    }

    /// The rows that the project's files are in, or go to; nothing where no database was opened.
    pub(crate) fn rows(&self, host: &Host) -> Result<Option<SealedHome>, Failure> {
        let home = |database: &SharedDatabase| database.home(&self.project, &self.route, host);
        self.database.as_ref().map(home).transpose()
    }

    /// The people and the log of the project: where they are, as far as this command has opened it.
    pub(crate) fn house(&self) -> House {
        let house = House::of(self.project.clone());
        match &self.database {
            Some(database) if database.has_log => house.in_database(database.clone()),
            Some(_) => house.here(),
            None => house,
        }
    }

    /// The project's files, for changes: what is encrypted, and what goes into the history, is settled there.
    pub(crate) fn vault(&self) -> Vault<'_> {
        Vault::new(&self.project, &self.keys, self.entropy.as_ref(), self.clock.as_ref(), &self.actor)
    }

    /// The project's files, as far as connections are in them.
    pub(crate) fn connection_files<'a>(&'a self, variable: Variable<'a>) -> ConnectionFiles<'a> {
        let sources = (self.entropy.as_ref(), self.clock.as_ref());
        ConnectionFiles::new(&self.project, &self.keys, sources, &self.actor, variable)
    }

    /// Sees to it that there is a key where a value is to be encrypted: before somebody is asked for the value in vain.
    pub(crate) fn require_key_for(&self, protection: Protection) -> Result<(), Failure> {
        match protection {
            Protection::Encrypt => self.keys.fetch().map(|_| ()).map_err(|error| key_access::holder_failure(&error)),
            _ => Ok(()),
        }
    }

    /// Reads `.dlt/secrets.toml`; a missing file is an empty one.
    pub(crate) fn secrets(&self, output: &mut Output<'_>) -> Result<SecretsDocument, Failure> {
        let contents = self.project.secrets().map_err(|error| Failure::caused_by(&error))?;
        let document = self.parse_secrets(contents.as_ref().map(|contents| contents.bytes()))?;
        if document.has_bom() {
            output.warn(Self::of_byte_order_mark(&self.project.secrets_toml()));
        }
        Ok(document)
    }

    /// Reads `.env`; a missing file is an empty one.
    pub(crate) fn env(&self) -> Result<EnvDocument, Failure> {
        let contents = self.project.env().map_err(|error| Failure::caused_by(&error))?;
        self.parse_env(contents.as_ref().map(|contents| contents.bytes()))
    }

    /// A document with its encrypted values opened, for reading; warns of a seal that is not intact.
    pub(crate) fn open_secrets(
        &self,
        document: &SecretsDocument,
        only: Option<&CredentialPath>,
        output: &mut Output<'_>,
    ) -> Result<SecretsDocument, Failure> {
        let selection = only.map_or(Selection::All, Selection::Below);
        let opened = dango_vault::open_secrets(document, selection, &self.keys).map_err(|error| opening_failure(&error))?;
        // A part that is plain needs no key, and so none is asked for to look at the rest.
        let needs_key = |path: &CredentialPath, value: &Value| only.is_none_or(|only| path.starts_with(only)) && is_encrypted(value);
        if only.is_none() || document.entries().iter().any(|entry| needs_key(&entry.path, &entry.value)) {
            self.check_secrets(document, output)?;
        }
        Ok(opened)
    }

    /// A `.env` with its encrypted values opened, for reading; warns of a seal that is not intact.
    pub(crate) fn open_env(&self, document: &EnvDocument, output: &mut Output<'_>) -> Result<EnvDocument, Failure> {
        let opened = dango_vault::open_env(document, &self.keys).map_err(|error| opening_failure(&error))?;
        self.check_env(document, output)?;
        Ok(opened)
    }

    /// Warns of a seal that is not intact, before a file is changed that has one. Only Ctrl-C at the question for a passphrase fails.
    pub(crate) fn check_secrets(&self, document: &SecretsDocument, output: &mut Output<'_>) -> Result<(), Failure> {
        self.warn_of_seal(self.vault().check_secrets(document), "secrets", output)
    }

    /// The same for `.env`.
    pub(crate) fn check_env(&self, document: &EnvDocument, output: &mut Output<'_>) -> Result<(), Failure> {
        self.warn_of_seal(self.vault().check_env(document), "env", output)
    }

    /// What a change that failed means for a person.
    pub(crate) fn vault_failure(&self, error: &VaultError) -> Failure {
        match error {
            VaultError::Document(error) => self.document_failure(error).with_code(error.code()),
            VaultError::Env(error) => self.env_failure(error).with_code(error.code()),
            VaultError::Opening(error)
            | VaultError::Encrypt(EncryptError::Closed(error))
            | VaultError::Set(SetError::Encrypt(EncryptError::Closed(error)))
            | VaultError::EnvEncrypt(EnvEncryptError::Closed(error)) => opening_failure(error),
            error => key_access::with_hints(Failure::caused_by(error), error.code()),
        }
    }

    /// What reading connections said, for a person.
    pub(crate) fn stored_failure(&self, error: &StoredError) -> Failure {
        match error {
            StoredError::Document(error) => self.document_failure(error),
            StoredError::Env(error) => self.env_failure(error),
            StoredError::EnvValues(error) => Failure::caused_by(error),
            StoredError::Opening(error) => opening_failure(error),
            StoredError::Reference(error) => reference_failure(error),
            StoredError::Interrupted(error) => self.vault_failure(error),
            error => Failure::caused_by(error),
        }
    }

    /// That a file begins with a byte order mark.
    pub(crate) fn of_byte_order_mark(path: &Path) -> String {
        let path = path.display();
        format!("{path} begins with a byte order mark, with which dlt cannot read it; save it as UTF-8 without one")
    }

    /// What may be done about a seal that is not intact.
    pub(crate) fn of_seal(group: &str) -> String {
        format!("if that is as it should be, accept the file with `dango {group} reseal`")
    }

    /// That a seal was not checked.
    pub(crate) fn of_unchecked_seal(error: &VaultError) -> String {
        format!("the seal over the encrypted values was not checked: {}", chain(error))
    }

    /// Says what is wrong with a seal, or why that is not known; neither keeps a value from being used.
    fn warn_of_seal(&self, checked: Result<Option<SealWarning>, VaultError>, group: &str, output: &mut Output<'_>) -> Result<(), Failure> {
        match checked {
            Ok(None) => {}
            Ok(Some(warning)) => {
                output.warn(&warning);
                output.hint(Self::of_seal(group));
            }
            Err(error) if error.code() == HolderError::Interrupted.code() => return Err(self.vault_failure(&error)),
            Err(error) => output.warn(Self::of_unchecked_seal(&error)),
        }
        self.warn_of_ignored_key(output);
        Ok(())
    }

    /// Says that a key in the environment was passed over, once it was.
    pub(crate) fn warn_of_ignored_key(&self, output: &mut Output<'_>) {
        if let Some(id) = self.place.ignored_environment_key() {
            output.warn(format!("the key {id} in the environment is not this project's and is not used"));
        }
    }

    /// A value with its references resolved from the environment and `.env`.
    pub(crate) fn resolve(&self, path: &CredentialPath, value: &Value, output: &mut Output<'_>) -> Result<Value, Failure> {
        // `.env` is read only where it is needed: a value without references does not depend on it.
        let env = if value.has_reference() {
            self.open_env(&self.env()?, output)?
        } else {
            EnvDocument::default()
        };
        let process = process_variable(output.host);
        value
            .resolve(
                path,
                &Variables {
                    env: &env,
                    process: &process,
                },
            )
            .map_err(|error| reference_failure(&error))
    }

    fn parse_secrets(&self, bytes: Option<&[u8]>) -> Result<SecretsDocument, Failure> {
        SecretsDocument::parse(bytes.unwrap_or_default()).map_err(|error| self.document_failure(&error))
    }

    fn parse_env(&self, bytes: Option<&[u8]>) -> Result<EnvDocument, Failure> {
        EnvDocument::parse(bytes.unwrap_or_default()).map_err(|error| self.env_failure(&error))
    }

    fn document_failure(&self, error: &DocumentError) -> Failure {
        let path = self.project.secrets_toml();
        let place = format!("{}:{}:{}", path.display(), error.line, error.column);
        Failure::refused(format!("{place}: {}", error.problem)).hint("correct that line in an editor; nothing was changed")
    }

    fn env_failure(&self, error: &EnvError) -> Failure {
        let (line, column) = error.place();
        Failure::refused(format!("{}:{line}:{column}: {error}", self.project.env_file().display()))
            .hint("correct that line in an editor; nothing was changed")
    }
}

/// Values that do not open, all of them, with what may be done about each kind.
fn opening_failure(error: &OpeningError) -> Failure {
    let mut failure = key_access::with_hints(Failure::caused_by(error), error.code());
    if let OpeningError::Closed(values) = error {
        for hint in values.iter().flat_map(|value| key_access::hints(value.problem.code())) {
            if !failure.hints.iter().any(|there| there == hint) {
                failure = failure.hint(hint);
            }
        }
    }
    failure
}

/// Finds the project: `--project`, `DANGO_PROJECT_ROOT`, or the nearest parent that is one.
pub(crate) fn find_project(global: &Global, host: &Host) -> Result<Project, Failure> {
    match &global.project {
        Some(directory) => {
            let project = Project::at(directory);
            if !project.dango_dir().is_dir() && !project.dlt_dir().is_dir() {
                return Err(Failure::refused(format!(
                    "{} is no Dango project: it has neither .dango/ nor .dlt/",
                    directory.display()
                ))
                .hint("`dango init DIR` makes one"));
            }
            Ok(project)
        }
        None => Project::find(&host.directory, host.home().as_deref()).ok_or_else(|| {
            Failure::refused(format!(
                "{} is not in a Dango project: neither it nor a parent has .dango/ or .dlt/",
                host.directory.display()
            ))
            .hint("`dango init` makes one here; `--project DIR` names one elsewhere")
        }),
    }
}

/// The process environment as text; a variable that is not UTF-8 counts as set, with its text made readable.
pub(crate) fn process_variable(host: &Host) -> impl Fn(&str) -> Option<SecretValue> {
    |name: &str| {
        let value = host.environment.get(std::ffi::OsStr::new(name))?;
        SecretValue::new(value.to_string_lossy().into_owned()).ok()
    }
}

/// What a reference that stands for nothing means for a person.
pub(crate) fn reference_failure(error: &ReferenceError) -> Failure {
    let failure = Failure::refused(error.to_string());
    match error {
        ReferenceError::Unset { name, .. } => failure.hint(format!(
            "set it with `dango env set {name}`; to store the text itself, set the value again without `--reference`"
        )),
        _ => failure,
    }
}

/// What went wrong with an edit, for a person.
pub(crate) fn failure_of_update(error: UpdateError<Failure>) -> Failure {
    match error {
        UpdateError::Edit(failure) => failure,
        UpdateError::Read(error) => Failure::caused_by(&error),
        UpdateError::Write(error) => Failure::caused_by(&error),
    }
}
