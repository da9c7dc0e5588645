//! Writes a small file that is no secret, whole or not at all: the baseline and the hook.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// A file could not be written; the old one is as it was.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}", path = path.display())]
pub struct ReplaceError {
    path: PathBuf,
    source: io::Error,
}

impl ReplaceError {
    pub(crate) fn new(path: &Path, source: io::Error) -> Self {
        Self {
            path: path.to_path_buf(),
            source,
        }
    }
}

/// Who may do what with a new file, before the umask.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Data,
    Program,
}

/// Puts a file in a place: a temporary file beside it, flushed, renamed.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: Mode) -> Result<(), ReplaceError> {
    write_beside(path, bytes, mode).map_err(|error| ReplaceError::new(path, error))
}

fn write_beside(path: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let temporary = folder.join(format!(".{}.dango-{}.tmp", name.to_string_lossy(), std::process::id()));
    // A process of this number that was killed has left it.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mode = match mode {
        Mode::Data => 0o666,
        Mode::Program => 0o777,
    };
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, path)
        });
    if written.is_err() {
        // What is left of it is of no use; the error that counts is the first.
        let _ = fs::remove_file(&temporary);
    }
    written
}
