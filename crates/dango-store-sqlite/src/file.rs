//! The database's file beside SQLite: made private before, refused where somebody else has a hand in it, watched afterwards.

use std::fs::{DirBuilder, Metadata, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use dango_store::StoreFailure;

/// Nobody but the owner reads or writes the file.
const PRIVATE_FILE: u32 = 0o600;
/// Nobody but the owner looks into the directory.
const PRIVATE_DIRECTORY: u32 = 0o700;

/// What opening does where there is no database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// It makes one, and the directory around it.
    OrCreate,
    /// It fails.
    Existing,
}

/// What the place takes where the file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disk {
    /// Changes.
    Writable,
    /// Nothing: the disk is mounted so, or the directory is closed to whoever could write the file.
    ReadOnly,
}

/// The disk on which the file is; on one that takes nothing SQLite says that it cannot open the file, and not why. One that does not
/// answer is tried as any other.
///
/// A directory in which its owner can make nothing is the same, where nothing lies beside the file: whoever writes needs files there,
/// and only the owner's programs open the database at all ([`prepare`]). Where something does lie there, it is in use, or was.
pub(crate) fn disk_of(path: &Path) -> Disk {
    match rustix::fs::statvfs(path) {
        Ok(found) if found.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) => Disk::ReadOnly,
        _ if is_in_closed_directory(path) && size_beside(path, "-wal").or(size_beside(path, "-shm")).is_none() => Disk::ReadOnly,
        _ => Disk::Writable,
    }
}

fn is_in_closed_directory(path: &Path) -> bool {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    let refused = path
        .parent()
        .and_then(|directory| accessat(CWD, directory, Access::WRITE_OK, AtFlags::EACCESS).err());
    refused == Some(rustix::io::Errno::ACCESS)
}

/// Whether changes lie beside the file that are not in it yet; only a writer brings them in.
pub(crate) fn has_log(path: &Path) -> bool {
    size_beside(path, "-wal").is_some_and(|size| size > 0)
}

/// How large one of SQLite's other files is, if it is there.
fn size_beside(path: &Path, ending: &str) -> Option<u64> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(ending);
    std::fs::metadata(beside).ok().map(|found| found.len())
}

/// The file that was opened. What is open goes on working when the file is deleted or another is put in its place, and then
/// works on something that nobody else sees; so its place is looked at wherever anything is answered.
#[derive(Debug)]
pub(crate) struct OpenedFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

/// When the file itself was last changed. With a write-ahead log that is when the log is brought in, which is rare; or when
/// somebody writes into the file past SQLite, which it would not notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileState {
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl OpenedFile {
    fn new(path: PathBuf, found: &Metadata) -> Self {
        Self {
            path,
            device: found.dev(),
            inode: found.ino(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Looks whether the file is still there; it takes about a microsecond.
    pub(crate) fn look(&self) -> Result<FileState, StoreFailure> {
        match std::fs::symlink_metadata(&self.path) {
            Ok(found) if (found.dev(), found.ino()) == (self.device, self.inode) => Ok(FileState {
                length: found.len(),
                modified: (found.mtime(), found.mtime_nsec()),
                changed: (found.ctime(), found.ctime_nsec()),
            }),
            Ok(_) => Err(StoreFailure::Gone),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Err(StoreFailure::Gone),
            Err(error) => Err(StoreFailure::unavailable(error)),
        }
    }
}

/// Makes the file if it may, sees to it that only its owner reads it, and says where it is.
///
/// The file is never opened here once it exists: closing it again would take away the locks that SQLite holds on it in
/// this process (<https://www.sqlite.org/howtocorrupt.html>, §2.2).
pub(crate) fn prepare(path: &Path, open: Open) -> Result<OpenedFile, StoreFailure> {
    let made = open == Open::OrCreate && make(path)?;
    let found = look(path)?;
    if made || found.mode() & 0o077 != 0 {
        // Where that is not allowed, the disk is read-only: then it is for the first write to say so.
        let _ = std::fs::set_permissions(path, Permissions::from_mode(PRIVATE_FILE));
    }
    // SQLite's other two files lie beside it and take its mode. A relative path would follow the working directory.
    let path = std::path::absolute(path).map_err(StoreFailure::unavailable)?;
    Ok(OpenedFile::new(path, &found))
}

/// Asks about the file and changes nothing; one in which somebody else has a hand is refused.
pub(crate) fn look(path: &Path) -> Result<Metadata, StoreFailure> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(StoreFailure::Missing),
        Err(error) => return Err(StoreFailure::unavailable(error)),
    };
    let unsafe_because = |what| Err(StoreFailure::Unsafe { what });
    if found.is_symlink() {
        return unsafe_because("a symbolic link");
    }
    if !found.is_file() {
        return unsafe_because("not a file");
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return unsafe_because("owned by another user");
    }
    Ok(found)
}

/// Makes an empty file, which is an empty database, if there is nothing; answers whether it did.
fn make(path: &Path) -> Result<bool, StoreFailure> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        let made = DirBuilder::new().recursive(true).mode(PRIVATE_DIRECTORY).create(directory);
        made.map_err(failed)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(PRIVATE_FILE).open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error)),
    }
}

fn failed(error: std::io::Error) -> StoreFailure {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreFailure::Full,
        ErrorKind::ReadOnlyFilesystem => StoreFailure::ReadOnly,
        _ => StoreFailure::unavailable(error),
    }
}
