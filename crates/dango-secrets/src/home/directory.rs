//! The home that every project has from the start: its own directory, with files that other programs read, too.

use std::path::{Path, PathBuf};
use std::time::Duration;

use dango_core::Entropy;

use super::{Answer, EditFile, Held, Home, HomeError, HomeLease, Refused, SharedFile, Whereabouts};
use crate::storage::{self, Contents, Edit, Lease, ReadError, Stamp, UpdateError, WriteError};

/// A project's directory as its home.
#[derive(Clone, Debug)]
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// The home in a directory, which is not looked at.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn path(&self, file: SharedFile) -> PathBuf {
        path_of(&self.root, file)
    }

    /// Looks at a file where it may be read. One that is not found may have been moved away at this instant, so that is asked again.
    fn look<T>(&self, file: SharedFile, look: impl FnOnce() -> Result<Option<T>, ReadError>) -> Result<Option<T>, ReadError> {
        Whereabouts::may_read(&self.root, file)?;
        let found = look()?;
        if found.is_none() {
            Whereabouts::may_read(&self.root, file)?;
        }
        Ok(found)
    }
}

/// Where a file is in a project's directory.
pub(crate) fn path_of(root: &Path, file: SharedFile) -> PathBuf {
    root.join(file.path())
}

impl Held for Lease {
    /// The system's lock is held as long as the process that holds it.
    fn is_certain(&self) -> bool {
        true
    }
}

impl Home for Directory {
    fn read(&self, file: SharedFile) -> Result<Option<Contents>, ReadError> {
        self.look(file, || storage::read(&self.path(file)))
    }

    fn stamp(&self, file: SharedFile) -> Result<Option<Stamp>, ReadError> {
        self.look(file, || storage::stamp(&self.path(file)))
    }

    fn update(&self, file: SharedFile, entropy: &dyn Entropy, edit: &mut EditFile<'_>) -> Result<(), UpdateError<Refused>> {
        let updated: Result<(), UpdateError<Option<HomeError>>> = storage::update(&self.path(file), entropy, |old| {
            // Under the lock: whoever moves the files waits for it once, and then nobody is writing any more.
            Whereabouts::may_change(&self.root, file).map_err(Some)?;
            match edit(old) {
                Answer::Keep => Ok(Edit::Keep(())),
                Answer::Replace(bytes) => Ok(Edit::Replace(bytes, ())),
                Answer::Refuse => Err(None),
            }
        });
        updated.map_err(|error| match error {
            UpdateError::Edit(None) => UpdateError::Edit(Refused),
            UpdateError::Edit(Some(error)) => UpdateError::Write(error.into()),
            UpdateError::Read(error) => error.into(),
            UpdateError::Write(error) => error.into(),
        })
    }

    /// The lock of a file `.dango/<name>.lock`, which stays.
    fn lease(&self, name: &str, patience: Duration) -> Result<HomeLease, WriteError> {
        let path = self.root.join(".dango").join(format!("{name}.lock"));
        Ok(HomeLease::new(Lease::acquire(&path, patience)?))
    }

    /// None: what is encrypted in files says itself under which key.
    fn keys(&self) -> Result<Vec<String>, ReadError> {
        Ok(Vec::new())
    }

    fn keep_under_active_key(&self, _: &dyn Entropy) -> Result<usize, WriteError> {
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;

    use super::*;

    #[test]
    fn a_file_that_is_moved_away_while_it_is_looked_for_is_not_said_to_be_missing() {
        let directory = tempfile::tempdir().expect("a directory");
        let home = Directory::at(directory.path());
        let looked = home.look(SharedFile::Env, || {
            Whereabouts::Rows.write(directory.path(), &OsEntropy).expect("noted");
            Ok(None::<()>)
        });
        assert_eq!(looked.err().map(|error| error.code()), Some("home_moved"));
    }
}
