//! A lock for something that is done outside of this machine, and by one process at a time.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use super::error::WriteError;
use super::lock::Lock;
use super::place::Place;
use super::unix::{self, Directory};

/// The lock on a file that is there for nothing else, held until it is dropped. One of a process that died holds up nobody.
pub struct Lease {
    _lock: Lock,
}

impl Lease {
    /// Takes the lock, waiting at most `patience`. The file is made if it is missing, 0600, and a missing directory 0700; it stays.
    ///
    /// Two leases of one process exclude each other as those of two do.
    ///
    /// # Errors
    ///
    /// [`WriteError::Locked`] where somebody else has it for longer, and others where the file cannot be made.
    pub fn acquire(path: &Path, patience: Duration) -> Result<Self, WriteError> {
        let place = Place::beside(path).map_err(|source| WriteError::new(path, source))?;
        let opened = match Directory::open(&place.directory) {
            Ok(None) => unix::create_private_directory(&place.directory).and_then(|_| Directory::open(&place.directory)),
            opened => opened,
        };
        let directory = opened.and_then(|directory| directory.ok_or_else(|| std::io::ErrorKind::NotFound.into()));
        let directory = directory.map_err(|source| WriteError::new(&place.directory, source))?;
        let heir = directory.heir(&place.name);
        let owner = heir.map_err(|source| WriteError::new(&place.directory, source))?;
        let lock = Lock::acquire(&directory, &place.name, path, owner, patience)?;
        Ok(Self { _lock: lock })
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_it_and_the_next_gets_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(".dango").join("oauth-x.lock");
        let first = Lease::acquire(&path, Duration::ZERO).expect("free");
        assert!(matches!(
            Lease::acquire(&path, Duration::ZERO),
            Err(WriteError::Locked { holder: Some(holder), .. }) if holder == std::process::id()
        ));
        drop(first);
        let _second = Lease::acquire(&path, Duration::ZERO).expect("free again");
    }
}
