//! The advisory lock that all dango processes share while one of them writes a file.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::{FileKind, WriteError};
use super::unix::{self, Directory, Owner};

const FIRST_PAUSE: Duration = Duration::from_micros(500);
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// A lock that is held until it is dropped.
///
/// It is the system's lock on a file that stays where it is, so one left by a process that died holds up nobody.
pub(super) struct Lock(File);

impl Lock {
    /// Takes the lock, waiting at most `patience`; `path` is what errors call the lock file.
    ///
    /// A lock file made by root is given to `owner`, who will want to write, too.
    pub(super) fn acquire(
        directory: &Directory,
        name: &OsStr,
        path: &Path,
        owner: Option<Owner>,
        patience: Duration,
    ) -> Result<Self, WriteError> {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let Some(file) = open(directory, name, path, owner)? else {
                continue;
            };
            match file.try_lock() {
                Ok(()) => {
                    let lock = Self(file);
                    // Somebody may have removed the file between our opening and locking it: then it locks nothing.
                    if lock.is_at(directory, name).map_err(|source| failed(path, source))? {
                        lock.sign();
                        return Ok(lock);
                    }
                }
                Err(TryLockError::WouldBlock) if started.elapsed() >= patience => {
                    return Err(WriteError::Locked {
                        path: path.to_owned(),
                        holder: signature(&file),
                        waited: patience,
                    });
                }
                Err(TryLockError::WouldBlock) => {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(source)) => return Err(failed(path, source)),
            }
        }
    }

    fn is_at(&self, directory: &Directory, name: &OsStr) -> io::Result<bool> {
        let there = directory.state(name)?.map(|state| state.identity);
        Ok(there == Some(unix::status(&self.0)?.state.identity))
    }

    /// Says in the file who holds it; it is for people only, so a full disk is no reason to give up.
    fn sign(&self) {
        let text = format!("{}\n", std::process::id());
        let _ = self.0.set_len(0).and_then(|()| self.0.write_all_at(text.as_bytes(), 0));
    }
}

impl Drop for Lock {
    /// Unlocks explicitly: a child forked by another thread may hold the file open for a moment longer.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Opens or makes the lock file; `None` where another process was faster, and it is to be tried again.
fn open(directory: &Directory, name: &OsStr, path: &Path, owner: Option<Owner>) -> Result<Option<File>, WriteError> {
    if let Some(file) = directory.open_writable(name).map_err(|source| failed(path, source))? {
        return match unix::status(&file).map_err(|source| failed(path, source))?.kind {
            FileKind::Regular => Ok(Some(file)),
            kind => Err(failed(path, io::Error::other(format!("it is {kind}, not a regular file")))),
        };
    }
    match directory.create(name, unix::PRIVATE) {
        Ok(file) => {
            let prepare = || {
                unix::set_mode(&file, unix::PRIVATE)?;
                owner.map_or(Ok(true), |owner| unix::give(&file, owner))
            };
            prepare().map_err(|source| failed(path, source))?;
            Ok(Some(file))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        // It is the directory that takes no new file.
        Err(error) => Err(WriteError::new(path.parent().unwrap_or(path), error)),
    }
}

fn failed(path: &Path, source: io::Error) -> WriteError {
    // Then no file can be written there, and people know nothing of the lock's.
    if source.kind() == io::ErrorKind::ReadOnlyFilesystem {
        return WriteError::new(path.parent().unwrap_or(path), source);
    }
    WriteError::Lock {
        path: path.to_owned(),
        source,
    }
}

fn signature(file: &File) -> Option<u32> {
    let mut text = [0; 16];
    let length = file.read_at(&mut text, 0).ok()?;
    std::str::from_utf8(&text[..length]).ok()?.trim_end().parse().ok()
}
