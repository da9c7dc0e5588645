//! The project and the machine that are examined: everything real comes in from above.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use dango_core::{Clock, Entropy, SecretValue};
use dango_secrets::project::Project;
use dango_vault::{Keys, ProjectKeys, Vault};

/// A project on one machine, as one user sees it.
pub struct Site<'a> {
    /// The project.
    pub project: &'a Project,
    /// Where its encryption key is.
    pub place: &'a ProjectKeys,
    /// The key itself, fetched when something encrypted is looked at.
    pub keys: &'a Keys<'a>,
    /// The process environment.
    pub environment: &'a BTreeMap<OsString, OsString>,
    /// The user's home, where there is one.
    pub home: Option<&'a Path>,
    /// The number of the user, where the system has numbers.
    pub user: Option<u32>,
    /// Which permissions new files do not get, where that is known.
    pub umask: Option<u32>,
    /// Where programs put temporary files.
    pub temporary_dir: &'a Path,
    /// Where a container's secrets are: `/run/secrets`.
    pub run_secrets: &'a Path,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Randomness, for repairs and for looking at seals.
    pub entropy: &'a dyn Entropy,
}

impl<'a> Site<'a> {
    /// A variable of the environment as a secret; bytes that are not UTF-8 are replaced.
    pub(crate) fn variable(&self, name: &str) -> Option<SecretValue> {
        let value = self.environment.get(OsStr::new(name))?;
        SecretValue::new(value.to_string_lossy().into_owned()).ok()
    }

    /// A variable that names a directory; an empty one counts as unset.
    pub(crate) fn path_variable(&self, name: &str) -> Option<PathBuf> {
        let value = self.environment.get(OsStr::new(name)).filter(|value| !value.is_empty())?;
        Some(self.project.root().join(value))
    }

    /// The files of the project as the vault reads and writes them.
    pub(crate) fn vault(&self) -> Vault<'_> {
        Vault::new(self.project, self.keys, self.entropy, self.clock, "")
    }

    /// A path as findings name it: relative to the project where it is below it.
    pub(crate) fn name_of(&self, path: &Path) -> String {
        let root = self.project.root();
        let below = path.strip_prefix(root).ok().filter(|below| !below.as_os_str().is_empty());
        let path = below.unwrap_or(if path == root { Path::new(".") } else { path });
        path.display().to_string()
    }

    /// Whether the user may change the permissions of what belongs to `owner`.
    pub(crate) fn may_change(&self, owner: u32) -> bool {
        self.user.is_some_and(|user| user == 0 || user == owner)
    }
}
