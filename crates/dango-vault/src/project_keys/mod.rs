//! The keys of one project on this machine: from the place that was chosen for them, or from the environment. Nothing is chosen silently.

mod adoption;
mod choice;
mod file;

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dango_core::{Entropy, SecretValue};
use dango_keyring::{
    EnvironmentHolder, FileHolder, HolderError, HolderKind, KeyFile, KeyHolder, KeyId, KeySet, OsKeyring, PassphraseHolder, SessionBus,
    WrappedKeys,
};
use dango_secrets::project::Project;
use dango_secrets::storage;

use crate::counts::count_of;
use crate::error::VaultError;
use crate::rotation::protected_by;
use file::ProjectFile;

pub use adoption::{AdoptError, Adopted, LostKey};
pub use choice::{Choice, identify, project_id, write_project_id};

const WRAPPED_KEYS: &str = ".dango/wrapped-keys";

/// What the process environment says of keys.
pub struct KeyEnvironment {
    /// `DANGO_KEY`.
    pub key: Option<SecretValue>,
    /// `DANGO_KEY_FILE`.
    pub key_file: Option<PathBuf>,
    /// Whether there is said to be a D-Bus session.
    pub bus: SessionBus,
    /// Gives the passphrase: from `DANGO_PASSPHRASE`, or by asking. It is called only when keys are under one.
    pub passphrase: Box<dyn Fn() -> Result<SecretValue, HolderError>>,
}

/// Where the keys of a project are, and the way to them.
///
/// A key in the environment is used by a project for which no other place was chosen, or whose own key it is. What was chosen
/// is noted in `.dango/key-holder`; another place where a key turns up later changes nothing.
pub struct ProjectKeys {
    project: Project,
    environment: KeyEnvironment,
    entropy: Arc<dyn Entropy>,
    /// How long the keyring is waited for, where that is not its own choice.
    patience: Option<Duration>,
    ignored: Cell<Option<KeyId>>,
}

/// What is known of a project's key without opening anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// The kind of place; `None` where there is no key.
    pub kind: Option<HolderKind>,
    /// The place in words.
    pub place: Option<String>,
    /// The key that seals.
    pub key_id: Option<KeyId>,
    /// Keys that an unfinished rotation has still to replace.
    pub retired: Vec<KeyId>,
    /// How many values of the project's files and history these keys open.
    pub protects: usize,
    /// How often the key has sealed.
    pub seals: u64,
    /// Keys that are not at hand, with the number of values that need each.
    pub unknown: Vec<(KeyId, usize)>,
}

impl ProjectKeys {
    /// The keys of a project.
    pub fn new(project: Project, environment: KeyEnvironment, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            project,
            environment,
            entropy,
            patience: None,
            ignored: Cell::new(None),
        }
    }

    /// Waits for the keyring for this long, and not for as long as a person needs at its prompt: for programs that nobody sits before.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        let patience = Some(patience);
        Self { patience, ..self }
    }

    /// Fetches the keys.
    ///
    /// # Errors
    ///
    /// [`HolderError`]; [`HolderError::NotChosen`] where the project has no key. No other place is tried instead.
    pub fn load(&self) -> Result<KeySet, HolderError> {
        if let Some(keys) = self.load_environment()? {
            return Ok(keys);
        }
        match self.chosen()? {
            Some(kind) => self.holder(kind)?.load(),
            None => self.load_unchosen(),
        }
    }

    /// The place that was chosen on this machine; a file with keys that somebody put into `.dango/` has been chosen by that.
    ///
    /// # Errors
    ///
    /// [`HolderError`] where the note of it cannot be read.
    pub fn chosen(&self) -> Result<Option<HolderKind>, HolderError> {
        if let Some(choice) = Choice::read(&self.project)? {
            return Ok(Some(choice.kind));
        }
        let entropy = self.entropy.as_ref();
        for (kind, file) in [
            (HolderKind::File, ProjectFile::key(&self.project, entropy)),
            (HolderKind::Passphrase, ProjectFile::wrapped_keys(&self.project, entropy)),
        ] {
            let there = file.read().map_err(|source| HolderError::File {
                place: file.name(),
                source,
            })?;
            if there.is_some() {
                return Ok(Some(kind));
            }
        }
        Ok(None)
    }

    /// Whether a place was chosen, or the environment gives a key; nothing is opened to find out.
    pub fn is_chosen(&self) -> bool {
        let in_environment = self.environment.key.is_some() || self.environment.key_file.is_some();
        in_environment || matches!(self.chosen(), Ok(Some(_)))
    }

    /// The id of a key in the environment that was passed over because the project has another; known after [`ProjectKeys::load`].
    pub fn ignored_environment_key(&self) -> Option<KeyId> {
        self.ignored.get()
    }

    /// The place that holds the keys that [`ProjectKeys::load`] gives.
    ///
    /// # Errors
    ///
    /// As [`ProjectKeys::load`].
    pub fn present_holder(&self) -> Result<Box<dyn KeyHolder + '_>, HolderError> {
        if self.load_environment()?.is_some() {
            return self.environment_holder()?.ok_or(HolderError::NotChosen);
        }
        match self.chosen()? {
            Some(kind) => self.holder(kind),
            None => {
                self.load_unchosen()?;
                self.holder(HolderKind::Keyring)
            }
        }
    }

    /// What is known of the key; asks the keyring, but never for a passphrase.
    ///
    /// # Errors
    ///
    /// [`VaultError::Keys`] where there should be a key and none can be fetched, and where a file cannot be read.
    pub fn status(&self) -> Result<KeyStatus, VaultError> {
        let ids = match self.ids() {
            Ok(found) => Some(found),
            Err(HolderError::NotChosen) => None,
            Err(error) => return Err(Arc::new(error).into()),
        };
        let mut status = KeyStatus {
            kind: None,
            place: None,
            key_id: None,
            retired: Vec::new(),
            protects: 0,
            seals: 0,
            unknown: Vec::new(),
        };
        if let Some((kind, place, active, retired)) = ids {
            status.seals = count_of(&self.project, active)?.seals();
            status.kind = Some(kind);
            status.place = Some(place);
            status.key_id = Some(active);
            status.retired = retired;
        }
        for (id, count) in protected_by(&self.project)? {
            if status.key_id == Some(id) || status.retired.contains(&id) {
                status.protects += count;
            } else {
                status.unknown.push((id, count));
            }
        }
        Ok(status)
    }

    /// Kind, place, active key and retired keys.
    fn ids(&self) -> Result<(HolderKind, String, KeyId, Vec<KeyId>), HolderError> {
        if self.load_environment()?.is_none() && self.chosen()? == Some(HolderKind::Passphrase) {
            let place = format!("the file {WRAPPED_KEYS} under a passphrase");
            let wrapped = self.wrapped()?.ok_or_else(|| HolderError::Missing { place: place.clone() })?;
            let active = wrapped.active_id().ok_or_else(|| HolderError::Missing { place: place.clone() })?;
            return Ok((HolderKind::Passphrase, place, active, wrapped.retired_ids().collect()));
        }
        let holder = self.present_holder()?;
        let keys = holder.load()?;
        Ok((holder.kind(), holder.describe(), keys.active_id(), keys.retired_ids().collect()))
    }

    /// The keys under a passphrase, which tell their ids without it.
    fn wrapped(&self) -> Result<Option<WrappedKeys>, HolderError> {
        let file = ProjectFile::wrapped_keys(&self.project, self.entropy.as_ref());
        let place = || WRAPPED_KEYS.to_owned();
        let text = file.read().map_err(|source| HolderError::File { place: place(), source })?;
        text.map(|text| text.expose().parse())
            .transpose()
            .map_err(|source| HolderError::UnreadableWrapped { place: place(), source })
    }

    /// A kind of place for this project's keys.
    fn holder(&self, kind: HolderKind) -> Result<Box<dyn KeyHolder + '_>, HolderError> {
        let entropy = self.entropy.as_ref();
        Ok(match kind {
            HolderKind::Keyring => {
                let id = self.project_id()?.ok_or_else(|| HolderError::Missing {
                    place: "the keyring under a known name: .dango/project-id is gone".to_owned(),
                })?;
                Box::new(self.keyring(id))
            }
            HolderKind::Passphrase => {
                let passphrase = (self.environment.passphrase)()?;
                Box::new(PassphraseHolder::new(
                    ProjectFile::wrapped_keys(&self.project, entropy),
                    passphrase,
                    entropy,
                ))
            }
            HolderKind::File => Box::new(FileHolder::new(ProjectFile::key(&self.project, entropy))),
            HolderKind::Environment => return self.environment_holder()?.ok_or(HolderError::NotChosen),
        })
    }

    /// Another checkout of a project whose key is in this user's keyring finds it there by the project's id.
    fn load_unchosen(&self) -> Result<KeySet, HolderError> {
        let Some(id) = self.project_id()? else {
            return Err(HolderError::NotChosen);
        };
        self.keyring(id).load().map_err(|error| match error {
            HolderError::Missing { .. } | HolderError::NoKeyring { .. } => HolderError::NotChosen,
            error => error,
        })
    }

    fn keyring(&self, id: String) -> OsKeyring {
        let keyring = OsKeyring::new(id, self.environment.bus);
        match self.patience {
            Some(patience) => keyring.with_patience(patience),
            None => keyring,
        }
    }

    fn project_id(&self) -> Result<Option<String>, HolderError> {
        project_id(&self.project).map_err(|source| HolderError::File {
            place: ".dango/project-id".to_owned(),
            source: source.into(),
        })
    }

    /// The key in the environment, unless the project has another.
    fn load_environment(&self) -> Result<Option<KeySet>, HolderError> {
        let Some(holder) = self.environment_holder()? else {
            return Ok(None);
        };
        let keys = holder.load()?;
        let id = keys.active_id();
        let is_ours = match Choice::read(&self.project)? {
            None => self.chosen()?.is_none(),
            Some(choice) => choice.key_id == id,
        };
        self.ignored.set((!is_ours).then_some(id));
        Ok(is_ours.then_some(keys))
    }

    fn environment_holder(&self) -> Result<Option<Box<dyn KeyHolder + '_>>, HolderError> {
        match (&self.environment.key, &self.environment.key_file) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(HolderError::TwoInEnvironment),
            (Some(key), None) => Ok(Some(Box::new(EnvironmentHolder::from_variable(key.clone())))),
            (None, Some(path)) => {
                let name = path.display().to_string();
                let failed = |source| HolderError::File {
                    place: name.clone(),
                    source,
                };
                let contents = storage::read(path).map_err(|error| failed(error.into()))?;
                let contents = contents.ok_or_else(|| HolderError::Missing {
                    place: format!("the file {name}, which DANGO_KEY_FILE names"),
                })?;
                let text = SecretValue::from_utf8(std::mem::take(&mut *contents.into_bytes())).map_err(|error| failed(error.into()))?;
                Ok(Some(Box::new(EnvironmentHolder::from_file(name, text))))
            }
        }
    }
}
