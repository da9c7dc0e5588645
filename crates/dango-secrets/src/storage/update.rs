//! The one way a file is changed: locked, edited, replaced in one step, and never over somebody else's change.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use dango_core::Entropy;
use zeroize::Zeroizing;

use super::contents::Contents;
use super::error::{ReadError, UpdateError, WriteError};
use super::lock::Lock;
use super::place::Place;
use super::temporary::{self, Temporary};
use super::unix::{self, Directory, State};

/// How long another process may hold the lock before we give up.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often we start again because another program changed the file in between.
const ATTEMPTS: usize = 64;
/// How often a file that another program saved while we swapped is put back, each time because it saved yet again.
const SWAPS: usize = 64;

/// What an edit wants to happen to the file; both carry what the caller wants to know.
pub enum Edit<T> {
    /// Nothing: the file, even an absent one, stays as it is.
    Keep(T),
    /// These are the new contents.
    Replace(Zeroizing<Vec<u8>>, T),
}

/// Changes a file: all of it or nothing, whatever happens meanwhile.
///
/// The edit is given the contents, or `None` where there is no file. It may be called several times, each time with
/// what is there then, because another program changed the file in between; it must not count on being called once,
/// and the last call is the one that counts. The result is 0600; a missing parent directory is made 0700, its parents
/// are not. A symbolic link stays, its target is replaced. Contents that are equal to the old ones are not written,
/// unless others may read the file.
///
/// # Errors
///
/// [`UpdateError::Edit`] with the edit's own error, [`UpdateError::Read`] or [`UpdateError::Write`]; the file is as it
/// was, but for [`WriteError::NotDurable`].
///
/// # Security
///
/// The new contents exist in two places only: in memory, and in a file of mode 0600 beside the target that becomes the target.
pub fn update<T, E>(
    path: &Path,
    entropy: &dyn Entropy,
    edit: impl FnMut(Option<&[u8]>) -> Result<Edit<T>, E>,
) -> Result<T, UpdateError<E>> {
    Update::new(path, entropy).run(edit)
}

/// Changes a file that anybody may read, such as `.gitignore`: an old one keeps its mode, a new one has that of the umask.
///
/// Its lock file is `lock`, as the directory that the file is in is no place for one.
pub(crate) fn update_public<T, E>(
    path: &Path,
    lock: &Path,
    entropy: &dyn Entropy,
    edit: impl FnMut(Option<&[u8]>) -> Result<Edit<T>, E>,
) -> Result<T, UpdateError<E>> {
    let update = Update {
        audience: Audience::Public { lock },
        ..Update::new(path, entropy)
    };
    update.run(edit)
}

/// Makes one directory that only its owner may enter; answers whether it was missing.
pub(crate) fn create_private_directory(path: &Path) -> Result<bool, WriteError> {
    unix::create_private_directory(path).map_err(|error| {
        let refused = error.kind() == io::ErrorKind::PermissionDenied;
        WriteError::new(path.parent().filter(|_| refused).unwrap_or(path), error)
    })
}

/// Who may read the file, and where its lock is.
#[derive(Clone, Copy)]
enum Audience<'a> {
    Owner,
    Public { lock: &'a Path },
}

/// One change of one file.
pub(super) struct Update<'a> {
    path: &'a Path,
    entropy: &'a dyn Entropy,
    audience: Audience<'a>,
    pub(super) patience: Duration,
    #[cfg(test)]
    pub(super) interfere: Option<&'a dyn Fn(Moment) -> io::Result<()>>,
}

/// The moments in which something else may happen; tests make it happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// The temporary file is whole; the target has not been looked at again.
    Written,
    /// The target has been looked at again and is about to be replaced.
    Exchange,
    /// Another program's file is about to be put back.
    PutBack,
    /// The new file is in place, the directory not yet synced.
    Replaced,
}

/// How the new file came by its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Moved {
    /// It has the name, and its temporary one is gone.
    Named,
    /// The old file has the temporary name.
    Swapped,
}

impl<'a> Update<'a> {
    pub(super) fn new(path: &'a Path, entropy: &'a dyn Entropy) -> Self {
        Self {
            path,
            entropy,
            audience: Audience::Owner,
            patience: PATIENCE,
            #[cfg(test)]
            interfere: None,
        }
    }

    pub(super) fn run<T, E>(&self, mut edit: impl FnMut(Option<&[u8]>) -> Result<Edit<T>, E>) -> Result<T, UpdateError<E>> {
        for _ in 0..ATTEMPTS {
            if let ControlFlow::Break(value) = self.attempt(&mut edit)? {
                return Ok(value);
            }
        }
        Err(WriteError::Changed {
            path: self.path.to_owned(),
        }
        .into())
    }

    /// Goes through all steps once, or stops with `Continue` where the file is no longer what was read.
    fn attempt<T, E>(&self, edit: &mut impl FnMut(Option<&[u8]>) -> Result<Edit<T>, E>) -> Result<ControlFlow<T>, UpdateError<E>> {
        let place = Place::resolve(self.path)?;
        let directory = match place.open()? {
            Some(directory) => directory,
            None => {
                // Nothing is made on disk for an edit that would keep things as they are.
                if let Edit::Keep(value) = edit(None).map_err(UpdateError::Edit)? {
                    return Ok(ControlFlow::Break(value));
                }
                create_private_directory(&place.directory)?;
                place.open()?.ok_or_else(|| ReadError::DanglingLink {
                    path: place.directory.clone(),
                })?
            }
        };
        if !place.may_be_written(&directory)? {
            return Ok(ControlFlow::Continue(()));
        }
        let _lock = self.lock(&place, &directory)?;
        temporary::remove_stale(&directory, &place.name);
        let Some(old) = place.read(&directory)? else {
            return Ok(ControlFlow::Continue(()));
        };
        let (bytes, value) = match edit(old.as_ref().map(Contents::bytes)).map_err(UpdateError::Edit)? {
            Edit::Keep(value) => return Ok(ControlFlow::Break(value)),
            Edit::Replace(bytes, value) => (bytes, value),
        };
        if old
            .as_ref()
            .is_some_and(|old| old.bytes() == bytes.as_slice() && self.mode(Some(old)) == old.mode())
        {
            return Ok(ControlFlow::Break(value));
        }
        let new = self.write(&place, &directory, &bytes, old.as_ref())?;
        drop(bytes);
        Ok(match self.replace(&place, &directory, new, old.as_ref())? {
            ControlFlow::Break(()) => ControlFlow::Break(value),
            ControlFlow::Continue(()) => ControlFlow::Continue(()),
        })
    }

    pub(super) fn lock(&self, place: &Place, directory: &Directory) -> Result<Lock, WriteError> {
        match self.audience {
            Audience::Owner => {
                let mut name = place.name.clone();
                name.push(".lock");
                let path = place.directory.join(&name);
                let owner = directory
                    .heir(&place.name)
                    .map_err(|error| WriteError::new(&place.directory, error))?;
                Lock::acquire(directory, &name, &path, owner, self.patience)
            }
            Audience::Public { lock } => {
                let place = Place::beside(lock).map_err(|source| WriteError::new(lock, source))?;
                let opened = Directory::open(&place.directory).and_then(|found| found.ok_or_else(|| io::ErrorKind::NotFound.into()));
                let directory = opened.map_err(|error| WriteError::new(&place.directory, error))?;
                let owner = directory
                    .heir(&place.name)
                    .map_err(|error| WriteError::new(&place.directory, error))?;
                Lock::acquire(&directory, &place.name, lock, owner, self.patience)
            }
        }
    }

    /// The permission bits that the file is to have.
    fn mode(&self, old: Option<&Contents>) -> u32 {
        match (self.audience, old) {
            (Audience::Owner, _) => unix::PRIVATE,
            (Audience::Public { .. }, Some(old)) => old.mode(),
            (Audience::Public { .. }, None) => 0o666,
        }
    }

    /// Writes a temporary file that is to become the target: its owner, its mode, its contents, all of it on the disk.
    fn write<'d>(
        &self,
        place: &Place,
        directory: &'d Directory,
        bytes: &[u8],
        old: Option<&Contents>,
    ) -> Result<Temporary<'d>, WriteError> {
        let target = place.path();
        let failed = |error| WriteError::new(&target, error);
        let follows_umask = old.is_none() && matches!(self.audience, Audience::Public { .. });
        let mode = if follows_umask { self.mode(None) } else { unix::PRIVATE };
        let new = Temporary::create(directory, &place.name, mode, self.entropy).map_err(|error| error.into_write_error(place))?;
        let owner = match old {
            Some(old) => Some(old.owner()),
            None => directory.heir(&place.name).map_err(failed)?,
        };
        if let Some(owner) = owner {
            let ours = unix::give(new.file(), owner).map_err(failed)?;
            if !ours && old.is_some() {
                return Err(WriteError::NotOurs { path: target.clone() });
            }
        }
        // After the owner: a change of owner may take bits away.
        if !follows_umask {
            unix::set_mode(new.file(), self.mode(old)).map_err(failed)?;
        }
        let mut file = new.file();
        file.write_all(bytes).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        Ok(new)
    }

    /// Puts the new file in the old one's place, or stops with `Continue` where that is no longer what was read.
    fn replace(
        &self,
        place: &Place,
        directory: &Directory,
        new: Temporary<'_>,
        old: Option<&Contents>,
    ) -> Result<ControlFlow<()>, WriteError> {
        let target = place.path();
        let failed = |error| WriteError::new(&target, error);
        let written = new.state().map_err(failed)?;
        self.reach(Moment::Written).map_err(failed)?;
        if !place.is_still(directory, &place.name, old) {
            return Ok(ControlFlow::Continue(()));
        }
        let settle = || {
            let synced = self.reach(Moment::Replaced).and_then(|()| directory.sync());
            synced.map_err(|source| WriteError::NotDurable {
                path: target.clone(),
                source,
            })
        };
        if let ControlFlow::Break(moved) = self.move_in(place, directory, &new, old).map_err(failed)? {
            if moved == Moved::Named {
                new.keep();
                return settle().map(ControlFlow::Break);
            }
        } else {
            return Ok(ControlFlow::Continue(()));
        }
        // The temporary name now has the old file. It is looked at twice: at once, for what was saved before the swap,
        // and after the sync, for what a program wrote that had opened the file before and knows of no swap. The second
        // time the new file may have been changed as well, and then that change, the later one, stays.
        if !place.is_still(directory, new.name(), old) {
            return self
                .put_back(place, directory, new, written)
                .map_err(failed)
                .map(ControlFlow::Continue);
        }
        let settled = settle();
        if !place.is_still(directory, new.name(), old) && directory.state(&place.name).map_err(failed)? == Some(written) {
            return self
                .put_back(place, directory, new, written)
                .map_err(failed)
                .map(ControlFlow::Continue);
        }
        settled.map(ControlFlow::Break)
    }

    /// Gives the new file the target's name, or stops with `Continue` where another program made or removed the target.
    fn move_in(&self, place: &Place, directory: &Directory, new: &Temporary<'_>, old: Option<&Contents>) -> io::Result<ControlFlow<Moved>> {
        let moved = self.reach(Moment::Exchange).and_then(|()| match old {
            None => directory.rename_new(new.name(), &place.name).map(|()| Moved::Named),
            Some(_) => directory.exchange(new.name(), &place.name).map(|()| Moved::Swapped),
        });
        match moved {
            Ok(moved) => Ok(ControlFlow::Break(moved)),
            Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => Ok(ControlFlow::Continue(())),
            // A file system that knows only the plain call; for any other reason that one fails as well and says why.
            Err(_) => directory.rename(new.name(), &place.name).map(|()| ControlFlow::Break(Moved::Named)),
        }
    }

    /// Undoes a swap that took away a file which another program had changed at the last moment.
    ///
    /// Until it is undone that program may make another change; what is then taken away is newer still, and is put back
    /// in turn. `written` is the new file as we made it, which nobody misses.
    fn put_back(&self, place: &Place, directory: &Directory, new: Temporary<'_>, written: State) -> io::Result<()> {
        let taken_away = || directory.state(new.name()).ok().flatten();
        let mut expected = Some(written);
        for _ in 0..SWAPS {
            self.reach(Moment::PutBack)?;
            let theirs = taken_away();
            match directory.exchange(new.name(), &place.name) {
                Ok(()) if taken_away() == expected => return Ok(()),
                Ok(()) => expected = theirs,
                // Removed by that program meanwhile, which is its last word.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(_) => break,
            }
        }
        let newest = directory.rename(new.name(), &place.name);
        new.keep();
        newest
    }

    #[cfg(test)]
    pub(super) fn reach(&self, moment: Moment) -> io::Result<()> {
        self.interfere.map_or(Ok(()), |interfere| interfere(moment))
    }

    #[cfg(not(test))]
    pub(super) fn reach(&self, _moment: Moment) -> io::Result<()> {
        Ok(())
    }
}
