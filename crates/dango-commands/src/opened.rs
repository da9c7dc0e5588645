//! The project a command works on, and its files read and edited with messages that name them.

use dango_core::{CredentialPath, SecretValue};
use dango_secrets::document::SecretsDocument;
use dango_secrets::dotenv::EnvDocument;
use dango_secrets::environment::Variables;
use dango_secrets::project::Project;
use dango_secrets::storage::{Edit, UpdateError};
use dango_secrets::{ReferenceError, Value};
use zeroize::Zeroizing;

use crate::Host;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::output::Output;

/// A project that was found.
pub(crate) struct Opened {
    pub(crate) project: Project,
}

impl Opened {
    /// Finds the project: `--project`, `DANGO_PROJECT_ROOT`, or the nearest parent that is one.
    pub(crate) fn find(global: &Global, host: &Host) -> Result<Self, Failure> {
        let project = match &global.project {
            Some(directory) => {
                let project = Project::at(directory);
                if !project.dango_dir().is_dir() && !project.dlt_dir().is_dir() {
                    return Err(Failure::refused(format!(
                        "{} is no Dango project: it has neither .dango/ nor .dlt/",
                        directory.display()
                    ))
                    .hint("`dango init DIR` makes one"));
                }
                project
            }
            None => Project::find(&host.directory, host.home().as_deref()).ok_or_else(|| {
                Failure::refused(format!(
                    "{} is not in a Dango project: neither it nor a parent has .dango/ or .dlt/",
                    host.directory.display()
                ))
                .hint("`dango init` makes one here; `--project DIR` names one elsewhere")
            })?,
        };
        Ok(Self { project })
    }

    /// Reads `.dlt/secrets.toml`; a missing file is an empty one.
    pub(crate) fn secrets(&self, output: &mut Output<'_>) -> Result<SecretsDocument, Failure> {
        let contents = self.project.secrets().map_err(|error| Failure::caused_by(&error))?;
        let document = self.parse_secrets(contents.as_ref().map(|contents| contents.bytes()))?;
        if document.has_bom() {
            output.warn(format!(
                "{} begins with a byte order mark, with which dlt cannot read it; save it as UTF-8 without one",
                self.project.secrets_toml().display()
            ));
        }
        Ok(document)
    }

    /// Reads `.env`; a missing file is an empty one.
    pub(crate) fn env(&self) -> Result<EnvDocument, Failure> {
        let contents = self.project.env().map_err(|error| Failure::caused_by(&error))?;
        self.parse_env(contents.as_ref().map(|contents| contents.bytes()))
    }

    /// Reads, edits and replaces `.dlt/secrets.toml` under its lock; the edit is done again if an editor was faster.
    pub(crate) fn edit_secrets<T>(
        &self,
        output: &Output<'_>,
        mut edit: impl FnMut(&SecretsDocument) -> Result<(SecretsDocument, T), Failure>,
    ) -> Result<T, Failure> {
        let result = self.project.update_secrets(output.host.entropy.as_ref(), |bytes| {
            let (document, outcome) = edit(&self.parse_secrets(bytes)?)?;
            Ok(Edit::Replace(Zeroizing::new(document.text().as_bytes().to_vec()), outcome))
        });
        result.map_err(failure_of_update)
    }

    /// Reads, edits and replaces `.env` under its lock; the edit is done again if an editor was faster.
    pub(crate) fn edit_env<T>(
        &self,
        output: &Output<'_>,
        mut edit: impl FnMut(&EnvDocument) -> Result<(EnvDocument, T), Failure>,
    ) -> Result<T, Failure> {
        let result = self.project.update_env(output.host.entropy.as_ref(), |bytes| {
            let (document, outcome) = edit(&self.parse_env(bytes)?)?;
            Ok(Edit::Replace(Zeroizing::new(document.text().as_bytes().to_vec()), outcome))
        });
        result.map_err(failure_of_update)
    }

    /// A value with its references resolved from the environment and `.env`.
    pub(crate) fn resolve(&self, path: &CredentialPath, value: &Value, output: &Output<'_>) -> Result<Value, Failure> {
        // `.env` is read only where it is needed: a value without references does not depend on it.
        let env = if value.has_reference() {
            self.env()?
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
        SecretsDocument::parse(bytes.unwrap_or_default()).map_err(|error| {
            Failure::refused(format!(
                "{}:{}:{}: {}",
                self.project.secrets_toml().display(),
                error.line,
                error.column,
                error.problem
            ))
            .hint("correct that line in an editor; nothing was changed")
        })
    }

    fn parse_env(&self, bytes: Option<&[u8]>) -> Result<EnvDocument, Failure> {
        EnvDocument::parse(bytes.unwrap_or_default()).map_err(|error| {
            let (line, column) = error.place();
            Failure::refused(format!("{}:{line}:{column}: {error}", self.project.env_file().display()))
                .hint("correct that line in an editor; nothing was changed")
        })
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
