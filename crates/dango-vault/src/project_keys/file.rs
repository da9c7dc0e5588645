//! A file of the project that holds keys, as the keyring's holders want it: read and written whole by the storage.

use std::path::PathBuf;

use dango_core::{Entropy, SecretValue};
use dango_keyring::{KeyFile, KeyFileError};
use dango_secrets::project::Project;
use dango_secrets::storage::{self, Edit};
use zeroize::Zeroizing;

/// A file in `.dango/`, 0600.
pub(crate) struct ProjectFile<'a> {
    name: &'static str,
    path: PathBuf,
    entropy: &'a dyn Entropy,
}

impl<'a> ProjectFile<'a> {
    /// The keys as they are.
    pub(crate) fn key(project: &Project, entropy: &'a dyn Entropy) -> Self {
        Self::new(project, "key", entropy)
    }

    /// The keys under a passphrase.
    pub(crate) fn wrapped_keys(project: &Project, entropy: &'a dyn Entropy) -> Self {
        Self::new(project, "wrapped-keys", entropy)
    }

    fn new(project: &Project, name: &'static str, entropy: &'a dyn Entropy) -> Self {
        Self {
            name,
            path: project.dango_dir().join(name),
            entropy,
        }
    }
}

impl KeyFile for ProjectFile<'_> {
    fn name(&self) -> String {
        format!(".dango/{}", self.name)
    }

    fn read(&self) -> Result<Option<SecretValue>, KeyFileError> {
        let contents = storage::read(&self.path)?;
        // The bytes move, so no copy of a key stays behind.
        let text = contents.map(|contents| SecretValue::from_utf8(std::mem::take(&mut *contents.into_bytes())));
        Ok(text.transpose()?)
    }

    fn write(&self, text: &SecretValue) -> Result<(), KeyFileError> {
        Ok(storage::update(&self.path, self.entropy, |_| {
            let bytes = Zeroizing::new(text.expose().as_bytes().to_vec());
            Ok::<_, std::convert::Infallible>(Edit::Replace(bytes, ()))
        })?)
    }

    fn remove(&self) -> Result<bool, KeyFileError> {
        Ok(storage::remove(&self.path, self.entropy)?)
    }
}
