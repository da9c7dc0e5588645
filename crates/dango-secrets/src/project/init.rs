//! Making a project: only what is missing, in an order in which nothing secret is ever there before git is told to ignore it.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};

use dango_core::Entropy;
use zeroize::Zeroizing;

use super::{DANGO, DLT, Project, gitignore};
use crate::home::{SharedFile, Whereabouts};
use crate::storage::{self, Edit, ReadError, UpdateError, WriteError};

/// What `.dlt/secrets.toml` begins with.
const SECRETS_HEADER: &[u8] =
    b"# Credentials as dlt reads them. Keep this file out of version control.\n# `dango secrets set PATH` adds one without showing it.\n";

/// What `.env` begins with.
const NO_VARIABLES: &[u8] = b"";

/// Whether a file is still just as it was made.
pub fn is_as_made(file: SharedFile, bytes: &[u8]) -> bool {
    match file {
        SharedFile::Secrets => bytes == SECRETS_HEADER,
        SharedFile::Env => bytes == NO_VARIABLES,
        _ => false,
    }
}

/// What was made, as paths relative to the project's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitReport {
    /// The project's directory.
    pub root: PathBuf,
    /// Directories and files that were missing, in the order in which they were made; `.` is the project's directory.
    pub made: Vec<PathBuf>,
    /// Files that were there and got additional lines.
    pub extended: Vec<PathBuf>,
}

impl InitReport {
    /// Whether everything was there already.
    pub fn is_unchanged(&self) -> bool {
        self.made.is_empty() && self.extended.is_empty()
    }
}

/// Why a directory was not made a project.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// There is something else where a directory must be.
    #[error("{} is not a directory", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// The project's directory could not be made.
    #[error("cannot make the directory {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that is there could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file or directory could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl InitError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotADirectory { .. } => "init_not_a_directory",
            Self::Directory { .. } => "init_directory_failed",
            Self::Read(error) => error.code(),
            Self::Write(error) => error.code(),
        }
    }
}

impl From<UpdateError<Infallible>> for InitError {
    fn from(error: UpdateError<Infallible>) -> Self {
        match error {
            UpdateError::Edit(never) => match never {},
            UpdateError::Read(error) => Self::Read(error),
            UpdateError::Write(error) => Self::Write(error),
        }
    }
}

/// Makes what is missing.
pub(super) fn run(project: &Project, entropy: &dyn Entropy) -> Result<InitReport, InitError> {
    let missing = survey(project)?;
    let mut report = InitReport {
        root: project.root.clone(),
        made: Vec::new(),
        extended: Vec::new(),
    };
    if missing.root {
        std::fs::create_dir_all(&project.root).map_err(|source| InitError::Directory {
            path: project.root.clone(),
            source,
        })?;
        report.made.push(PathBuf::from("."));
    }
    let result = fill(project, &missing, entropy, &mut report);
    if result.is_err() {
        // Only a directory that we made and that is still empty can be removed like this.
        for made in report.made.iter().rev() {
            let path = if made == Path::new(".") {
                project.root.clone()
            } else {
                project.root.join(made)
            };
            let _ = std::fs::remove_dir(path);
        }
    }
    result.map(|()| report)
}

/// What a project lacks.
struct Missing {
    root: bool,
    secrets: bool,
    env: bool,
}

/// Looks at everything before anything is made, so what cannot work fails first.
fn survey(project: &Project) -> Result<Missing, InitError> {
    let root = is_missing_directory(&project.root)?;
    for directory in [project.dango_dir(), project.dlt_dir()] {
        is_missing_directory(&directory)?;
    }
    storage::read(&project.gitignore())?;
    // What was moved elsewhere is not missing here.
    let is_home = Whereabouts::read(&project.root)? == Whereabouts::Directory;
    Ok(Missing {
        root,
        secrets: is_home && is_missing_file(&project.secrets_toml())?,
        env: is_home && is_missing_file(&project.env_file())?,
    })
}

fn is_missing_directory(path: &Path) -> Result<bool, InitError> {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(false),
        Ok(_) => Err(InitError::NotADirectory { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ReadError::DanglingLink { path: path.to_owned() }.into()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(InitError::NotADirectory {
            path: path.ancestors().find(|path| path.exists()).unwrap_or(path).to_owned(),
        }),
        Err(source) => Err(InitError::Directory {
            path: path.to_owned(),
            source,
        }),
    }
}

/// A file that may not be read is there all the same, and stays as it is.
fn is_missing_file(path: &Path) -> Result<bool, InitError> {
    match storage::read(path) {
        Ok(found) => Ok(found.is_none()),
        Err(ReadError::Denied { .. } | ReadError::TooLarge { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Directories first, then `.gitignore`, then what must not be committed.
fn fill(project: &Project, missing: &Missing, entropy: &dyn Entropy, report: &mut InitReport) -> Result<(), InitError> {
    for name in [DANGO, DLT] {
        let path = project.root.join(name);
        if is_missing_directory(&path)? && storage::create_private_directory(&path)? {
            report.made.push(PathBuf::from(name));
        }
    }
    let done = extend_gitignore(project, &[], entropy)?;
    match done {
        Done::Nothing => {}
        Done::Made => report.made.push(PathBuf::from(".gitignore")),
        Done::Extended => report.extended.push(PathBuf::from(".gitignore")),
    }
    let files = [
        (missing.secrets, project.secrets_toml(), ".dlt/secrets.toml", SECRETS_HEADER),
        (missing.env, project.env_file(), ".env", NO_VARIABLES),
    ];
    for (is_missing, path, name, contents) in files {
        if is_missing && make(&path, contents, entropy)? {
            report.made.push(PathBuf::from(name));
        }
    }
    Ok(())
}

/// Adds what `.gitignore` lacks, and lines for `names` behind it.
pub(super) fn ignore(project: &Project, names: &[String], entropy: &dyn Entropy) -> Result<bool, InitError> {
    let done = extend_gitignore(project, names, entropy)?;
    Ok(!matches!(done, Done::Nothing))
}

fn extend_gitignore(project: &Project, names: &[String], entropy: &dyn Entropy) -> Result<Done, InitError> {
    let lock = project.dango_dir().join("gitignore.lock");
    let gitignore = project.gitignore();
    // Without the lock, which itself leaves a file behind, unless there is something to do.
    if storage::read(&gitignore)?.is_some_and(|old| gitignore::complete(old.bytes(), names).is_none()) {
        return Ok(Done::Nothing);
    }
    Ok(storage::update_public(&gitignore, &lock, entropy, |old| {
        Ok::<_, Infallible>(match gitignore::complete(old.unwrap_or_default(), names) {
            None => Edit::Keep(Done::Nothing),
            Some(new) => Edit::Replace(new, if old.is_none() { Done::Made } else { Done::Extended }),
        })
    })?)
}

enum Done {
    Nothing,
    Made,
    Extended,
}

/// Makes a file, unless another process made it meanwhile.
fn make(path: &Path, contents: &[u8], entropy: &dyn Entropy) -> Result<bool, InitError> {
    Ok(storage::update(path, entropy, |old| {
        Ok::<_, Infallible>(match old {
            Some(_) => Edit::Keep(false),
            None => Edit::Replace(Zeroizing::new(contents.to_vec()), true),
        })
    })?)
}
