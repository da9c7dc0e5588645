//! What the program gets from the system; `main` fills it with the real one.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dango_core::{Clock, Entropy, SecretValue};
use dango_secrets::project::Project;

use crate::failure::Failure;
use crate::settings::{SettingsError, Unplaced};

/// The system as the server sees it.
pub struct System {
    /// The command line, the program's name first.
    pub arguments: Vec<OsString>,
    /// The process environment.
    pub environment: BTreeMap<OsString, OsString>,
    /// The working directory.
    pub directory: PathBuf,
    /// Who runs the program, for records.
    pub user: String,
    /// The number of that user.
    pub uid: u32,
    /// Whether standard error is a terminal.
    pub has_terminal: bool,
    /// Sockets that whoever started the program has opened for it (`sd_listen_fds(3)`): for the server, then for operations.
    pub sockets: Vec<TcpListener>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl System {
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.environment.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// A variable that holds a secret, as nothing else ever sees it.
    pub(crate) fn secret_variable(&self, name: &str) -> Result<Option<SecretValue>, Failure> {
        let Some(value) = self.variable(name) else { return Ok(None) };
        let value = SecretValue::from_utf8(value.as_encoded_bytes().to_vec());
        value.map(Some).map_err(|error| Failure::caused_by(&error).at(name))
    }

    /// The same system for another thread: without command line and sockets, which are taken once.
    pub(crate) fn beside(&self) -> Self {
        Self {
            arguments: Vec::new(),
            environment: self.environment.clone(),
            directory: self.directory.clone(),
            user: self.user.clone(),
            uid: self.uid,
            has_terminal: self.has_terminal,
            sockets: Vec::new(),
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
        }
    }

    /// Finds the project as the command line does: named, or the nearest parent that is one. It makes none.
    pub(crate) fn find_project(&self, given: &Unplaced) -> Result<Project, Failure> {
        let named = given.project().map_err(|error: SettingsError| Failure::from(error))?;
        let set = |name| self.variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let Some(named) = named.or_else(|| set("DANGO_PROJECT_ROOT")) else {
            return Project::find(&self.directory, set("HOME").as_deref()).ok_or_else(|| {
                Failure::new(format!(
                    "{} is not in a Dango project: neither it nor a parent has .dango/ or .dlt/",
                    self.directory.display()
                ))
                .hint("`dango init` makes one here; `--project DIR` names one elsewhere")
            });
        };
        let project = Project::at(self.directory.join(&named));
        if is_directory(&project.dango_dir()) || is_directory(&project.dlt_dir()) {
            Ok(project)
        } else {
            Err(
                Failure::new(format!("{} is no Dango project: it has neither .dango/ nor .dlt/", named.display()))
                    .hint("`dango init DIR` makes one"),
            )
        }
    }
}

fn is_directory(path: &Path) -> bool {
    path.is_dir()
}
