//! Where a file really is, and what is there; nothing is changed here.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::contents::Contents;
use super::error::{FileKind, ReadError};
use super::unix::{self, Directory};

/// Where a file really is, links followed.
pub(super) struct Place {
    pub(super) directory: PathBuf,
    pub(super) name: OsString,
}

impl Place {
    pub(super) fn resolve(path: &Path) -> Result<Self, ReadError> {
        let failed = |error| ReadError::new(path, error);
        let target = if path.is_symlink() {
            std::fs::canonicalize(path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => ReadError::DanglingLink { path: path.to_owned() },
                _ => failed(error),
            })?
        } else {
            path.to_owned()
        };
        Self::beside(&target).map_err(failed)
    }

    /// Takes a path apart; links are not looked for.
    pub(super) fn beside(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_owned();
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Ok(Self { directory, name })
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.join(&self.name)
    }

    pub(super) fn open(&self) -> Result<Option<Directory>, ReadError> {
        Directory::open(&self.directory).map_err(|error| ReadError::new(&self.directory, error))
    }

    /// Whether there is a regular file or nothing, and not a link, which is to be resolved first.
    ///
    /// What is neither is refused here, before a lock file is left beside a device or a directory.
    pub(super) fn may_be_written(&self, directory: &Directory) -> Result<bool, ReadError> {
        let path = self.path();
        match directory.kind(&self.name).map_err(|error| ReadError::new(&path, error))? {
            None | Some(FileKind::Regular) => Ok(true),
            Some(FileKind::Link) => Ok(false),
            Some(kind) => Err(ReadError::NotAFile { path, kind }),
        }
    }

    /// The contents, `Some(None)` where there is no file, and `None` where there is a link now, which is to be resolved first.
    pub(super) fn read(&self, directory: &Directory) -> Result<Option<Option<Contents>>, ReadError> {
        if !self.may_be_written(directory)? {
            return Ok(None);
        }
        let path = self.path();
        match directory.open_file(&self.name) {
            Ok(Some(file)) => Contents::read(&file, &path).map(|contents| Some(Some(contents))),
            Ok(None) => Ok(Some(None)),
            Err(error) if unix::is_link_loop(&error) => Ok(None),
            Err(error) => Err(ReadError::new(&path, error)),
        }
    }

    /// Whether the file of this name is what was read; one that cannot be read now is not.
    pub(super) fn is_still(&self, directory: &Directory, name: &OsStr, old: Option<&Contents>) -> bool {
        let place = Self {
            directory: self.directory.clone(),
            name: name.to_owned(),
        };
        match (place.read(directory), old) {
            (Ok(Some(None)), None) => true,
            (Ok(Some(Some(now))), Some(old)) => now.is_same(old),
            _ => false,
        }
    }
}
