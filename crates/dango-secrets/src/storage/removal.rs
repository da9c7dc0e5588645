//! A file taken away for good, under the lock that its writers take.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::io;
use std::path::Path;

use dango_core::Entropy;

use super::contents::Contents;
use super::error::{ReadError, UpdateError, WriteError};
use super::place::Place;
use super::temporary::{self, Temporary};
use super::unix::Directory;
use super::update::{Moment, Update};

/// What became of a file that was to be removed if it says what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// There was none.
    Absent,
    /// It is gone.
    Removed,
    /// It says something else, and stays.
    Differs,
}

/// Removes a file; answers whether there was one. A symbolic link stays, its target goes.
///
/// # Errors
///
/// [`UpdateError::Read`] and [`UpdateError::Write`]; the file is then still there, but for [`WriteError::NotDurable`].
///
/// # Security
///
/// The name goes; what the disk held of the contents is overwritten only when the file system needs the room.
pub fn remove(path: &Path, entropy: &dyn Entropy) -> Result<bool, UpdateError<Infallible>> {
    let place = Place::resolve(path)?;
    let Some(directory) = place.open()? else { return Ok(false) };
    let _lock = Update::new(path, entropy).lock(&place, &directory)?;
    let failed = |source| WriteError::new(&place.path(), source);
    if directory.state(&place.name).map_err(failed)?.is_none() {
        return Ok(false);
    }
    directory.remove(&place.name).map_err(failed)?;
    directory.sync().map_err(|source| WriteError::NotDurable {
        path: place.path(),
        source,
    })?;
    Ok(true)
}

/// Removes a file if it says just what is expected; what another program saves at the last instant stays. A symbolic link stays.
///
/// # Errors
///
/// As [`remove`].
pub fn remove_if_same(path: &Path, expected: &[u8], entropy: &dyn Entropy) -> Result<Removal, UpdateError<Infallible>> {
    Removing {
        update: Update::new(path, entropy),
        entropy,
        expected,
    }
    .run(path)
}

/// One removal of a file that says what is expected.
pub(super) struct Removing<'a> {
    pub(super) update: Update<'a>,
    pub(super) entropy: &'a dyn Entropy,
    pub(super) expected: &'a [u8],
}

impl Removing<'_> {
    pub(super) fn run(&self, path: &Path) -> Result<Removal, UpdateError<Infallible>> {
        let place = Place::resolve(path)?;
        let Some(directory) = place.open()? else {
            return Ok(Removal::Absent);
        };
        let _lock = self.update.lock(&place, &directory)?;
        temporary::remove_stale(&directory, &place.name);
        let failed = |source| WriteError::new(&place.path(), source);
        match place.read(&directory)? {
            Some(None) => return Ok(Removal::Absent),
            Some(Some(there)) if self.is_expected(&there) => {}
            _ => return Ok(Removal::Differs),
        }
        // Looked at again under another name, under which nobody else finds it.
        let aside = Temporary::create(&directory, &place.name, super::unix::PRIVATE, self.entropy);
        let aside = aside.map_err(|error| error.into_write_error(&place))?;
        self.update.reach(Moment::Exchange).map_err(failed)?;
        match directory.rename(&place.name, aside.name()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Removal::Absent),
            renamed => renamed.map_err(failed)?,
        }
        let synced = self.update.reach(Moment::Replaced).and_then(|()| directory.sync());
        // After that: a program that had it open may have written to it until now.
        if !matches!(self.read_aside(&place, &directory, aside.name()), Ok(Some(Some(aside))) if self.is_expected(&aside)) {
            put_back(&directory, aside, &place.name).map_err(failed)?;
            return Ok(Removal::Differs);
        }
        drop(aside);
        let synced = synced.and_then(|()| directory.sync());
        synced.map_err(|source| WriteError::NotDurable {
            path: place.path(),
            source,
        })?;
        Ok(Removal::Removed)
    }

    fn is_expected(&self, contents: &Contents) -> bool {
        contents.bytes() == self.expected
    }

    fn read_aside(&self, place: &Place, directory: &Directory, name: &OsStr) -> Result<Option<Option<Contents>>, ReadError> {
        let aside = Place {
            directory: place.directory.clone(),
            name: name.to_owned(),
        };
        aside.read(directory)
    }
}

/// Gives a file its name again, unless somebody has saved another one there since, which is newer.
fn put_back(directory: &Directory, aside: Temporary<'_>, name: &OsStr) -> io::Result<()> {
    match directory.rename_new(aside.name(), name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        // A file system that knows only the plain call.
        Err(_) => directory.rename(aside.name(), name)?,
        Ok(()) => {}
    }
    aside.keep();
    directory.sync()
}
