//! What the doctor asks the disk beside contents: kinds, permissions, owners, names. Contents are read by the storage of `dango-secrets`.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use dango_core::Timestamp;

/// What stands at a path.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) is_file: bool,
    pub(crate) is_dir: bool,
    /// Permission bits, without those of the type.
    pub(crate) mode: u32,
    pub(crate) owner: u32,
    pub(crate) modified: Timestamp,
}

/// What a path leads to, links followed; nothing where there is nothing or where it is not known.
pub(crate) fn look(path: &Path) -> Option<Seen> {
    fs::metadata(path).ok().map(|metadata| seen(&metadata))
}

/// What stands at a path itself, a link not followed.
pub(crate) fn look_at_itself(path: &Path) -> Option<Seen> {
    fs::symlink_metadata(path).ok().map(|metadata| seen(&metadata))
}

fn seen(metadata: &Metadata) -> Seen {
    let micros = metadata
        .mtime()
        .saturating_mul(1_000_000)
        .saturating_add(metadata.mtime_nsec() / 1000);
    Seen {
        is_file: metadata.is_file(),
        is_dir: metadata.is_dir(),
        mode: metadata.mode() & 0o7777,
        owner: metadata.uid(),
        modified: Timestamp::from_unix_micros(micros),
    }
}

/// The names in a directory, in order; none where there is none.
///
/// # Errors
///
/// What the system says of one that is there and cannot be read.
pub(crate) fn names(directory: &Path) -> io::Result<Vec<OsString>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

/// A path without links; one that is not there stays as it is.
pub(crate) fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Whether files can be made in a directory: it belongs to the user and may be written, or to others who let them.
pub(crate) fn is_writable(path: &Path, user: Option<u32>) -> bool {
    look(path).is_some_and(|seen| match user {
        Some(0) | None => true,
        Some(user) if seen.owner == user => seen.mode & 0o200 != 0,
        Some(_) => seen.mode & 0o022 != 0,
    })
}

/// Whether a process of this number runs, as far as the system's folder of processes says so.
pub(crate) fn is_running(process: u32) -> bool {
    Path::new("/proc").join(process.to_string()).symlink_metadata().is_ok()
}
