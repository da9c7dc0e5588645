//! What connections and their renewal work with: the project's files with the key and the environment, the providers, what is known of
//! trouble. What is done with it is beside.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use dango_connections::{ConnectionFiles, Notice, ProvidersFileError};
use dango_core::{Clock, Entropy, SecretValue};
use dango_files::KeySource;
use dango_oauth::{Http, Providers};
use dango_secrets::project::Project;
use dango_vault::Keys;

use super::trouble::Troubles;
use crate::failure::chain;

/// Who the history of values will say has changed one.
const ACTOR: &str = "dango-server";

/// What it takes.
pub(crate) struct DeskParts {
    pub(crate) project: Project,
    pub(crate) keys: Arc<KeySource>,
    /// The process environment: an app in it comes before one in `.env`.
    pub(crate) environment: BTreeMap<OsString, OsString>,
    pub(crate) http: Arc<dyn Http>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

/// One project's connections.
pub(crate) struct Desk {
    parts: DeskParts,
    known: RwLock<Arc<Providers>>,
    said: Mutex<Vec<Notice>>,
    pub(super) troubles: Troubles,
}

impl Desk {
    /// Reads the project's own providers; a table of them that cannot be used is told of, and those that come with Dango are there.
    pub(crate) fn new(parts: DeskParts) -> Self {
        let desk = Self {
            parts,
            known: RwLock::new(Arc::new(Providers::builtin())),
            said: Mutex::default(),
            troubles: Troubles::default(),
        };
        if let Err(error) = desk.with_files(|files| desk.providers(files)) {
            tracing::error!("the project's own providers cannot be used: {}", chain(&error));
        }
        desk
    }

    pub(super) fn http(&self) -> &dyn Http {
        &*self.parts.http
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.parts.clock
    }

    pub(super) fn entropy(&self) -> &dyn Entropy {
        &*self.parts.entropy
    }

    /// The providers, as the project's table has them now.
    pub(super) fn providers(&self, files: &ConnectionFiles<'_>) -> Result<Arc<Providers>, ProvidersFileError> {
        let providers = Arc::new(files.providers()?);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&providers);
        Ok(providers)
    }

    /// The providers as they were read last; nothing is waited for.
    pub(super) fn known_providers(&self) -> Arc<Providers> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does something with the project's files, and logs what was noticed. The key is fetched if it is needed, and wiped.
    pub(super) fn with_files<T>(&self, act: impl FnOnce(&ConnectionFiles<'_>) -> T) -> T {
        let DeskParts {
            project,
            keys,
            environment,
            clock,
            entropy,
            ..
        } = &self.parts;
        let keys = Keys::lazy(|| keys.load(project, &**clock, entropy));
        let variable = |name: &str| {
            let value = environment.get(OsStr::new(name))?;
            SecretValue::new(value.to_string_lossy().into_owned()).ok()
        };
        let files = ConnectionFiles::new(project, &keys, (&**entropy, &**clock), ACTOR, Box::new(variable));
        let outcome = act(&files);
        self.log(files.take_notices());
        outcome
    }

    /// Logs what was noticed, and nothing a second time.
    fn log(&self, notices: Vec<Notice>) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        for notice in notices {
            if said.iter().any(|there| there.repeats(&notice)) {
                continue;
            }
            match &notice {
                Notice::ByteOrderMark(path) => {
                    tracing::warn!("{} begins with a byte order mark, with which dlt cannot read it", path.display())
                }
                Notice::Seal { warning, .. } => tracing::warn!("{warning}"),
                Notice::SealUnchecked { error, .. } => {
                    tracing::warn!("the seal over the encrypted values was not checked: {}", chain(error));
                }
                Notice::Replaced { title, variables } => {
                    tracing::warn!(
                        "{title} is not asked at its own addresses: the environment has {}",
                        variables.join(", ")
                    );
                }
            }
            said.push(notice);
        }
    }
}
