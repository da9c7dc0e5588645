//! A project on disk: where it is and where its files are; what is in them is read elsewhere.

mod gitignore;
mod init;

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dango_core::Entropy;

use crate::home::{self, Directory, Home, HomeLease, SharedFile};
use crate::storage::{Contents, Edit, ReadError, Stamp, UpdateError, WriteError};

pub use init::{InitError, InitReport, is_as_made};

const DANGO: &str = ".dango";
const DLT: &str = ".dlt";
/// Where dlt keeps what is not a project's when root runs it.
const DLT_OF_ROOT: &str = "/var/dlt";

/// A directory that is a project, whether or not its files are there yet.
///
/// ```
/// use dango_core::OsEntropy;
/// use dango_secrets::project::Project;
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let directory = directory.path();
/// Project::init(directory, &OsEntropy)?;
/// let below = directory.join(".dlt");
/// assert_eq!(Project::find(&below, None).unwrap().root(), directory);
/// # Ok::<(), dango_secrets::project::InitError>(())
/// ```
///
/// Two are equal if they are the same directory.
#[derive(Clone)]
pub struct Project {
    root: PathBuf,
    home: Arc<dyn Home>,
}

impl PartialEq for Project {
    fn eq(&self, other: &Self) -> bool {
        self.root == other.root
    }
}

impl Eq for Project {}

impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Project").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Project {
    /// The project in a directory, which is not looked at.
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        let root: PathBuf = directory.into();
        let home = Arc::new(Directory::at(root.clone()));
        Self { root, home }
    }

    /// The same project with the files that machines share kept elsewhere. Nothing is moved.
    pub fn kept_in(self, home: Arc<dyn Home>) -> Self {
        Self { home, ..self }
    }

    /// What keeps the files that machines share.
    pub fn home(&self) -> &dyn Home {
        self.home.as_ref()
    }

    /// Finds the nearest directory, from `start` up, that has `.dango/` or `.dlt/`.
    ///
    /// dlt's global folder, `.dlt` in `home` or `/var/dlt`, makes no project; `.dango/` in `home` does. `start` should
    /// be absolute: above a relative path nothing is found.
    pub fn find(start: &Path, home: Option<&Path>) -> Option<Self> {
        let resolved = start
            .components()
            .any(|component| component == Component::ParentDir)
            .then(|| start.canonicalize().ok())
            .flatten();
        let global: Vec<PathBuf> = home
            .map(|home| home.join(DLT))
            .into_iter()
            .chain([PathBuf::from(DLT_OF_ROOT)])
            .filter_map(|path| path.canonicalize().ok())
            .collect();
        let is_global = |path: &Path| path.canonicalize().is_ok_and(|path| global.contains(&path));
        resolved
            .as_deref()
            .unwrap_or(start)
            .ancestors()
            .find(|directory| {
                let dlt = directory.join(DLT);
                directory.join(DANGO).is_dir() || dlt.is_dir() && !is_global(&dlt)
            })
            .map(Self::at)
    }

    /// Makes a project of a directory, which is made, too, if it is missing.
    ///
    /// What is there stays as it is, contents and modes; only what is missing is made: `.dango/` and `.dlt/` (0700),
    /// `.dlt/secrets.toml` and `.env` (0600), and the lines of `.gitignore` that keep secrets out of git.
    ///
    /// # Errors
    ///
    /// [`InitError`], before anything is made wherever that can be known before.
    pub fn init(directory: &Path, entropy: &dyn Entropy) -> Result<InitReport, InitError> {
        init::run(&Self::at(directory), entropy)
    }

    /// Adds to `.gitignore` what keeps secrets out of git, and a line for each of `names`, files below the project's directory.
    ///
    /// What is there stays byte for byte. Answers whether anything was missing.
    ///
    /// # Errors
    ///
    /// [`InitError`]; `.gitignore` is then as it was.
    pub fn ignore(&self, names: &[String], entropy: &dyn Entropy) -> Result<bool, InitError> {
        init::ignore(self, names, entropy)
    }

    /// The project's directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the credentials are, as dlt reads them: `.dlt/secrets.toml`.
    pub fn secrets_toml(&self) -> PathBuf {
        self.path(SharedFile::Secrets)
    }

    /// Where the environment variables are: `.env`.
    pub fn env_file(&self) -> PathBuf {
        self.path(SharedFile::Env)
    }

    /// Where the sources are listed: `.dango/sources.yml`.
    pub fn sources_yml(&self) -> PathBuf {
        self.path(SharedFile::Sources)
    }

    /// Where the deployed projects are listed: `.dango/remote.toml`.
    pub fn remote_toml(&self) -> PathBuf {
        self.dango_dir().join("remote.toml")
    }

    /// Where a file is that machines share, if the project's directory is its home; by this path errors name it in any case.
    pub fn path(&self, file: SharedFile) -> PathBuf {
        home::path_of(&self.root, file)
    }

    /// Where dango keeps what is its own: `.dango`.
    pub fn dango_dir(&self) -> PathBuf {
        self.root.join(DANGO)
    }

    /// Where dlt looks for its configuration: `.dlt`.
    pub fn dlt_dir(&self) -> PathBuf {
        self.root.join(DLT)
    }

    /// Where git is told what not to commit: `.gitignore`.
    pub fn gitignore(&self) -> PathBuf {
        self.root.join(".gitignore")
    }

    /// Reads `.dlt/secrets.toml`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As [`Home::read`].
    pub fn secrets(&self) -> Result<Option<Contents>, ReadError> {
        self.read(SharedFile::Secrets)
    }

    /// Reads `.env`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As [`Home::read`].
    pub fn env(&self) -> Result<Option<Contents>, ReadError> {
        self.read(SharedFile::Env)
    }

    /// Changes `.dlt/secrets.toml`, which is made (0600, in a directory of 0700) if it is missing.
    ///
    /// # Errors
    ///
    /// As [`Home::update`], with the edit's own error.
    pub fn update_secrets<T, E>(
        &self,
        entropy: &dyn Entropy,
        edit: impl FnMut(Option<&[u8]>) -> Result<Edit<T>, E>,
    ) -> Result<T, UpdateError<E>> {
        self.update(SharedFile::Secrets, entropy, edit)
    }

    /// Changes `.env`, which is made (0600) if it is missing.
    ///
    /// # Errors
    ///
    /// As [`Home::update`], with the edit's own error.
    pub fn update_env<T, E>(
        &self,
        entropy: &dyn Entropy,
        edit: impl FnMut(Option<&[u8]>) -> Result<Edit<T>, E>,
    ) -> Result<T, UpdateError<E>> {
        self.update(SharedFile::Env, entropy, edit)
    }

    /// Reads a file that machines share; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As [`Home::read`].
    pub fn read(&self, file: SharedFile) -> Result<Option<Contents>, ReadError> {
        self.home.read(file)
    }

    /// Asks which state such a file is in; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As [`Home::stamp`].
    pub fn stamp(&self, file: SharedFile) -> Result<Option<Stamp>, ReadError> {
        self.home.stamp(file)
    }

    /// Changes such a file, which is made if it is missing. The edit is as that of [`storage::update`](crate::storage::update).
    ///
    /// # Errors
    ///
    /// As [`Home::update`], with the edit's own error.
    pub fn update<T, E>(
        &self,
        file: SharedFile,
        entropy: &dyn Entropy,
        edit: impl FnMut(Option<&[u8]>) -> Result<Edit<T>, E>,
    ) -> Result<T, UpdateError<E>> {
        home::update(self.home.as_ref(), file, entropy, edit)
    }

    /// Waits until nobody else has the lease of that name, over all machines that share the project.
    ///
    /// # Errors
    ///
    /// As [`Home::lease`].
    pub fn lease(&self, name: &str, patience: Duration) -> Result<HomeLease, WriteError> {
        self.home.lease(name, patience)
    }
}

#[cfg(test)]
mod tests;
