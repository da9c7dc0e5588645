//! What git keeps: staged changes and all of history, read through the `git` program. What is on disk beside it is in [`tree`](crate::tree).
//!
//! Only plumbing commands run, without a shell, and objects are read as they are: no filter, no text conversion, no external diff, no hook, no
//! pager and no file system monitor that a repository's configuration names is started, and nothing is fetched.

mod blobs;
mod history;
mod program;
mod staged;
mod standing;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

pub use history::search as search_history;
pub use program::{Environment, GitError};
pub use staged::search as search_staged;
pub use standing::Standing;

use program::Program;

/// A repository and how to ask git about it.
pub struct Repository {
    program: Program,
    /// The folder of the files; a bare repository has none.
    top: Option<PathBuf>,
    /// Git's own folder of this working tree.
    git_folder: PathBuf,
}

impl Repository {
    /// Finds the repository around a folder, or the one that the environment names (`GIT_DIR`), as it does in a hook.
    ///
    /// # Errors
    ///
    /// [`GitError::NotARepository`] where there is none, [`GitError::Missing`] where there is no git.
    pub fn find(folder: &Path, environment: &Environment) -> Result<Self, GitError> {
        let mut program = Program::new(folder, environment);
        let said = program.ask(&["rev-parse", "--is-inside-work-tree", "--absolute-git-dir"])?;
        let (inside, git_folder) = said.split_at(said.iter().position(|byte| *byte == b'\n').unwrap_or(said.len()));
        let top = match inside {
            b"true" => Some(path_of(one_line(&program.ask(&["rev-parse", "--show-toplevel"])?))),
            _ => None,
        };
        let git_folder = path_of(one_line(git_folder.strip_prefix(b"\n").unwrap_or_default()));
        if let Some(top) = &top {
            program.work_in(top);
        }
        Ok(Self { program, top, git_folder })
    }

    /// The folder of its files; a bare repository has none.
    pub fn top(&self) -> Option<&Path> {
        self.top.as_deref()
    }

    /// Git's own folder of this working tree.
    pub fn git_folder(&self) -> &Path {
        &self.git_folder
    }

    /// Where its hooks are, `core.hooksPath` considered.
    ///
    /// # Errors
    ///
    /// [`GitError`] where git does not say so.
    pub fn hooks_folder(&self) -> Result<PathBuf, GitError> {
        let said = self.program.ask(&["rev-parse", "--git-path", "hooks"])?;
        Ok(self.program.folder().join(path_of(one_line(&said))))
    }

    /// The folder that all working trees of the repository share.
    ///
    /// # Errors
    ///
    /// [`GitError`] where git does not say so.
    pub fn common_folder(&self) -> Result<PathBuf, GitError> {
        let said = self.program.ask(&["rev-parse", "--git-common-dir"])?;
        Ok(self.program.folder().join(path_of(one_line(&said))))
    }

    /// Why the repository does not have all of its history.
    pub(crate) fn is_without(&self) -> Result<Option<&'static str>, GitError> {
        if self.program.ask(&["rev-parse", "--is-shallow-repository"])?.starts_with(b"true") {
            return Ok(Some("the clone is shallow; `git fetch --unshallow` brings what is missing"));
        }
        let promised = ["config", "--get-regexp", r"^(remote\..*\.promisor|extensions\.partialclone)$"];
        let is_partial = self.program.agrees(&promised)?;
        Ok(is_partial.then_some("the clone is partial; what was never fetched was not searched"))
    }

    /// Files and folders that git ignores; a folder that is ignored as a whole stands for what is in it.
    pub(crate) fn ignored(&self) -> Result<Vec<PathBuf>, GitError> {
        match &self.top {
            Some(top) => {
                let said = self
                    .program
                    .ask(&["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"])?;
                Ok(paths(top, &said))
            }
            None => Ok(Vec::new()),
        }
    }

    /// Files below some places that git tracks.
    pub(crate) fn tracked(&self, places: &[PathBuf]) -> Result<Vec<PathBuf>, GitError> {
        let Some(top) = &self.top else { return Ok(Vec::new()) };
        let mut arguments: Vec<OsString> = ["ls-files", "-z", "--cached", "--"].map(OsString::from).into();
        let below = places.iter().filter_map(|place| place.strip_prefix(top).ok());
        // The top itself has no name.
        arguments.extend(below.map(|place| match place.as_os_str().is_empty() {
            true => ".".into(),
            false => place.as_os_str().to_owned(),
        }));
        if arguments.len() == 4 {
            return Ok(Vec::new());
        }
        Ok(paths(top, &self.program.ask(&arguments)?))
    }
}

/// Places within a repository that a search is kept to; none for all of it.
#[derive(Clone, Copy)]
pub struct Within<'a> {
    /// Files and folders, absolute.
    pub places: &'a [PathBuf],
}

impl Within<'_> {
    /// Whether a file, by its name below the top, is at one of the places.
    fn has(self, repository: &Repository, name: &[u8]) -> bool {
        let path = repository.top.as_deref().unwrap_or(Path::new("")).join(OsStr::from_bytes(name));
        self.places.is_empty() || self.places.iter().any(|place| path.starts_with(place))
    }
}

fn paths(top: &Path, said: &[u8]) -> Vec<PathBuf> {
    let names = said.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names
        .map(|name| top.join(OsStr::from_bytes(name.strip_suffix(b"/").unwrap_or(name))))
        .collect()
}

fn path_of(said: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(said.to_vec()))
}

fn one_line(said: &[u8]) -> &[u8] {
    said.strip_suffix(b"\n").unwrap_or(said)
}

#[cfg(test)]
pub(crate) mod tests;
