//! A project on disk: where it is and where its files are; what is in them is read elsewhere.

mod gitignore;
mod init;

use std::path::{Component, Path, PathBuf};

use dango_core::Entropy;

use crate::storage::{self, Contents, Edit, ReadError, UpdateError};

pub use init::{InitError, InitReport};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// The project in a directory, which is not looked at.
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self { root: directory.into() }
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
        self.dlt_dir().join("secrets.toml")
    }

    /// Where the environment variables are: `.env`.
    pub fn env_file(&self) -> PathBuf {
        self.root.join(".env")
    }

    /// Where the sources are listed: `.dango/sources.yml`.
    pub fn sources_yml(&self) -> PathBuf {
        self.dango_dir().join("sources.yml")
    }

    /// Where the deployed projects are listed: `.dango/remote.toml`.
    pub fn remote_toml(&self) -> PathBuf {
        self.dango_dir().join("remote.toml")
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
    /// As [`storage::read`].
    pub fn secrets(&self) -> Result<Option<Contents>, ReadError> {
        storage::read(&self.secrets_toml())
    }

    /// Reads `.env`; `None` where there is none.
    ///
    /// # Errors
    ///
    /// As [`storage::read`].
    pub fn env(&self) -> Result<Option<Contents>, ReadError> {
        storage::read(&self.env_file())
    }

    /// Changes `.dlt/secrets.toml`, which is made (0600, in a directory of 0700) if it is missing.
    ///
    /// # Errors
    ///
    /// As [`storage::update`].
    pub fn update_secrets<T, E>(
        &self,
        entropy: &dyn Entropy,
        edit: impl FnMut(Option<&[u8]>) -> Result<Edit<T>, E>,
    ) -> Result<T, UpdateError<E>> {
        storage::update(&self.secrets_toml(), entropy, edit)
    }

    /// Changes `.env`, which is made (0600) if it is missing.
    ///
    /// # Errors
    ///
    /// As [`storage::update`].
    pub fn update_env<T, E>(
        &self,
        entropy: &dyn Entropy,
        edit: impl FnMut(Option<&[u8]>) -> Result<Edit<T>, E>,
    ) -> Result<T, UpdateError<E>> {
        storage::update(&self.env_file(), entropy, edit)
    }
}

#[cfg(test)]
mod tests;
