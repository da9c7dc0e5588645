//! A file's contents, read whole, and the fingerprint that tells whether it is still the same.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::path::Path;
use std::sync::LazyLock;

use dango_core::Timestamp;
use zeroize::Zeroizing;

use super::LARGEST;
use super::error::{FileKind, ReadError};
use super::unix::{self, Owner, State};

/// Reads a whole file, links followed; `None` where there is none.
///
/// It takes no lock and waits for nobody: as every write replaces the file in one step, what is read is whole.
///
/// # Errors
///
/// [`ReadError`], each naming the path: a dangling link, a circle of links, something that is no regular file, more
/// than [`LARGEST`] bytes, not permitted, or whatever else the system says.
pub fn read(path: &Path) -> Result<Option<Contents>, ReadError> {
    match unix::kind(path).map_err(|error| ReadError::new(path, error))? {
        Some(FileKind::Regular) => {}
        Some(kind) => {
            return Err(ReadError::NotAFile {
                path: path.to_owned(),
                kind,
            });
        }
        None => return dangling(path).map_or(Ok(None), |path| Err(ReadError::DanglingLink { path })),
    }
    match unix::open(path) {
        Ok(file) => Contents::read(&file, path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ReadError::new(path, error)),
    }
}

/// Whether there is anything at a path, a link that leads nowhere included; it is not opened.
///
/// # Errors
///
/// [`ReadError`] where the system does not say.
pub fn is_there(path: &Path) -> Result<bool, ReadError> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(ReadError::new(path, error)),
    }
}

/// The link because of which nothing is found: the path itself or the directory that it is in.
fn dangling(path: &Path) -> Option<std::path::PathBuf> {
    [Some(path), path.parent()]
        .into_iter()
        .flatten()
        .find(|path| path.is_symlink() && !path.exists())
        .map(Path::to_owned)
}

/// The whole of a file as it was when it was read.
///
/// There is no `Debug`: it holds secrets. The bytes are erased when it is dropped.
pub struct Contents {
    bytes: Zeroizing<Vec<u8>>,
    fingerprint: Fingerprint,
    mode: u32,
    owner: Owner,
}

/// Tells two states of a file apart: device, inode, size, time of the last change and a hash of the contents.
///
/// It holds for one process: the hash is keyed anew in each, so nothing can be guessed from it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    state: State,
    hash: u64,
}

static HASH_KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Contents {
    /// A file that is kept elsewhere, at a revision that it had once and will have no more, and as it was changed then.
    pub fn of_revision(bytes: Zeroizing<Vec<u8>>, revision: u64, modified: Timestamp) -> Self {
        let micros = modified.unix_micros();
        let modified = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000) * 1000);
        Self {
            fingerprint: Fingerprint {
                state: State::of_revision(revision, bytes.len() as u64, modified),
                hash: HASH_KEY.hash_one(bytes.as_slice()),
            },
            bytes,
            mode: unix::PRIVATE,
            owner: Owner::NOBODY,
        }
    }

    /// The bytes of the file.
    ///
    /// # Security
    ///
    /// They hold secrets: they belong in no log, no error and no program's arguments.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes the bytes out.
    pub fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.bytes
    }

    /// What tells this state of the file from any other.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The permission bits of the file, such as `0o600`.
    pub fn mode(&self) -> u32 {
        self.mode
    }

    /// When the file was changed last, as its directory has it.
    pub fn modified(&self) -> Timestamp {
        let (seconds, nanos) = self.fingerprint.state.modified;
        Timestamp::from_unix_micros(seconds.saturating_mul(1_000_000).saturating_add(nanos / 1000))
    }

    pub(super) fn owner(&self) -> Owner {
        self.owner
    }

    /// Whether both are one state of one file; the bytes are compared, not just their hash.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.bytes == other.bytes
    }

    /// Reads an open file from its start.
    pub(super) fn read(file: &File, path: &Path) -> Result<Self, ReadError> {
        let failed = |error| ReadError::new(path, error);
        // Asked before the first byte is read: a change while we read is a change after this.
        let status = unix::status(file).map_err(failed)?;
        if status.kind != FileKind::Regular {
            return Err(ReadError::NotAFile {
                path: path.to_owned(),
                kind: status.kind,
            });
        }
        let bytes = match usize::try_from(status.size) {
            Ok(size) if size <= LARGEST => read_all(file, size).map_err(failed)?,
            _ => None,
        };
        let bytes = bytes.ok_or_else(|| ReadError::TooLarge { path: path.to_owned() })?;
        Ok(Self {
            fingerprint: Fingerprint {
                state: status.state,
                hash: HASH_KEY.hash_one(bytes.as_slice()),
            },
            bytes,
            mode: status.mode,
            owner: status.owner,
        })
    }
}

/// All bytes of a file, or `None` where there are too many; `size` is a guess, as files grow.
///
/// A buffer that becomes too small is erased, which `read_to_end` would not do.
fn read_all(mut file: &File, size: usize) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut bytes = Zeroizing::new(vec![0; size + 1]);
    let mut filled = 0;
    loop {
        if filled > LARGEST {
            return Ok(None);
        }
        if filled == bytes.len() {
            let mut larger = Zeroizing::new(vec![0; bytes.len() * 2 + 4096]);
            larger[..filled].copy_from_slice(&bytes);
            bytes = larger;
        }
        match file.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(Some(bytes))
}
