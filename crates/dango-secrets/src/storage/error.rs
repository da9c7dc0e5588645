//! What can go wrong with a file, in words that name it; never what it holds.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dango_core::EntropyError;

use super::LARGEST;
use crate::home::HomeError;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A file with contents.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character or block device.
    Device,
    /// Something that this system alone knows.
    Other,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Regular => "a regular file",
            Self::Directory => "a directory",
            Self::Link => "a symbolic link",
            Self::Fifo => "a named pipe",
            Self::Socket => "a socket",
            Self::Device => "a device",
            Self::Other => "something else than a file",
        })
    }
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A symbolic link that leads to nothing; writing would have to guess what was meant.
    #[error("{} is a symbolic link to something that does not exist", path.display())]
    DanglingLink {
        /// The link.
        path: PathBuf,
    },
    /// Symbolic links that lead round in a circle.
    #[error("{} leads round in a circle of symbolic links", path.display())]
    LinkLoop {
        /// The path with the links.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is something, but no regular file.
    #[error("{} is {kind}, not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What is there.
        kind: FileKind,
    },
    /// More than any credentials file holds.
    #[error("{} is larger than {} MiB", path.display(), LARGEST / (1024 * 1024))]
    TooLarge {
        /// The path.
        path: PathBuf,
    },
    /// The system does not allow it.
    #[error("not permitted to read {}", path.display())]
    Denied {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is kept elsewhere, and could not be read there.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Any other reason.
    #[error("cannot read {}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl ReadError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DanglingLink { .. } => "file_link_dangling",
            Self::LinkLoop { .. } => "file_link_loop",
            Self::NotAFile { .. } => "file_not_regular",
            Self::TooLarge { .. } => "file_too_large",
            Self::Denied { .. } => "file_read_denied",
            Self::Home(error) => error.code(),
            Self::Io { .. } => "file_read_failed",
        }
    }

    pub(super) fn new(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if super::unix::is_link_loop(&source) {
            Self::LinkLoop { path, source }
        } else if source.kind() == io::ErrorKind::PermissionDenied {
            Self::Denied { path, source }
        } else {
            Self::Io { path, source }
        }
    }
}

/// Why a file could not be written. But for [`WriteError::NotDurable`] and [`HomeError::Unsure`] it is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// Another process was at it for the whole time that we waited.
    #[error("another dango process{} has held {} for more than {} s", holder.map(|pid| format!(" (pid {pid})")).unwrap_or_default(), path.display(), waited.as_secs_f32())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The process that says it holds it.
        holder: Option<u32>,
        /// How long we waited.
        waited: Duration,
    },
    /// The lock file cannot be used.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No room on the disk, or none left for this user.
    #[error("no space is left for {}", path.display())]
    DiskFull {
        /// The file, or the directory that takes no more.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file system is mounted so that nothing can be written.
    #[error("{} is on a read-only file system", path.display())]
    ReadOnly {
        /// The file or its directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system does not allow it.
    #[error("not permitted to write to {}", path.display())]
    Denied {
        /// The file, or the directory that refused.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file belongs to somebody else, and would be ours after a write.
    #[error("{} belongs to another user, from whom a write would take it", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// The file is mounted by itself, as containers do, and a mount cannot be replaced.
    #[error("{} is mounted as a single file and cannot be replaced: mount its directory instead", path.display())]
    Mounted {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Whenever we were ready to write, something else had just written.
    #[error("{} keeps being changed by another program", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The new file is in place, but would not be sure to outlive a power failure.
    #[error("{} is written, but its directory could not be synced to the disk", path.display())]
    NotDurable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There was no name for the temporary file.
    #[error("cannot name a temporary file beside {}", path.display())]
    Entropy {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: EntropyError,
    },
    /// It is kept elsewhere, and could not be written there.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Any other reason.
    #[error("cannot write {}", path.display())]
    Io {
        /// The file or its directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl WriteError {
    /// A stable name for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "file_locked",
            Self::Lock { .. } => "file_lock_failed",
            Self::DiskFull { .. } => "file_disk_full",
            Self::ReadOnly { .. } => "file_read_only",
            Self::Denied { .. } => "file_write_denied",
            Self::NotOurs { .. } => "file_not_ours",
            Self::Mounted { .. } => "file_mounted",
            Self::Changed { .. } => "file_changed",
            Self::NotDurable { .. } => "file_not_durable",
            Self::Entropy { .. } => "entropy_missing",
            Self::Home(error) => error.code(),
            Self::Io { .. } => "file_write_failed",
        }
    }

    pub(super) fn new(path: &Path, source: io::Error) -> Self {
        use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, ResourceBusy, StorageFull};
        let path = path.to_owned();
        match source.kind() {
            StorageFull | QuotaExceeded => Self::DiskFull { path, source },
            ReadOnlyFilesystem => Self::ReadOnly { path, source },
            PermissionDenied => Self::Denied { path, source },
            ResourceBusy => Self::Mounted { path, source },
            _ => Self::Io { path, source },
        }
    }
}

/// Why [`update`](super::update) did not change a file.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError<E> {
    /// The edit itself refused; nothing was written.
    #[error(transparent)]
    Edit(E),
    /// The file could not be read; nothing was written.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl<E> UpdateError<E> {
    /// A stable name for the kind of error, or `None` where the edit refused: its own error says why.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Edit(_) => None,
            Self::Read(error) => Some(error.code()),
            Self::Write(error) => Some(error.code()),
        }
    }
}
