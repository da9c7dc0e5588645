//! What storage asks of a Unix system, one call a method; no decision about a write is made here.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::error::FileKind;

/// The permission bits of whatever may hold a secret.
pub(super) const PRIVATE: u32 = 0o600;
const PRIVATE_DIRECTORY: u32 = 0o700;

/// Whom a file belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    user: u32,
    group: u32,
}

/// Which file an inode is: device and number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

/// Which file it is and when it was changed last, as far as that shows without reading it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) identity: Identity,
    size: u64,
    /// Seconds since the epoch and nanoseconds.
    pub(super) modified: (i64, i64),
}

impl Owner {
    /// Nobody on this machine.
    pub(super) const NOBODY: Self = Self {
        user: u32::MAX,
        group: u32::MAX,
    };
}

impl State {
    /// The state of something that is no file here and has a revision.
    pub(super) const fn of_revision(revision: u64, size: u64, modified: (i64, i64)) -> Self {
        Self {
            identity: Identity {
                device: u64::MAX,
                inode: revision,
            },
            size,
            modified,
        }
    }
}

/// What the system says about an open file.
pub(super) struct Status {
    pub(super) state: State,
    pub(super) size: u64,
    /// Permission bits, without those of the type.
    pub(super) mode: u32,
    pub(super) owner: Owner,
    pub(super) kind: FileKind,
}

/// Asks about an open file.
pub(super) fn status(file: &File) -> io::Result<Status> {
    let metadata = file.metadata()?;
    Ok(Status {
        state: State {
            identity: Identity {
                device: metadata.dev(),
                inode: metadata.ino(),
            },
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        },
        size: metadata.size(),
        mode: metadata.mode() & 0o7777,
        owner: Owner {
            user: metadata.uid(),
            group: metadata.gid(),
        },
        kind: kind_of(FileType::from_raw_mode(metadata.mode() as rustix::fs::RawMode)),
    })
}

fn kind_of(file_type: FileType) -> FileKind {
    match file_type {
        FileType::RegularFile => FileKind::Regular,
        FileType::Directory => FileKind::Directory,
        FileType::Symlink => FileKind::Link,
        FileType::Fifo => FileKind::Fifo,
        FileType::Socket => FileKind::Socket,
        FileType::CharacterDevice | FileType::BlockDevice => FileKind::Device,
        _ => FileKind::Other,
    }
}

/// The kind of what a path leads to, links followed; `None` where there is nothing.
pub(super) fn kind(path: &Path) -> io::Result<Option<FileKind>> {
    let found = absent_is_none(rustix::fs::statat(CWD, path, AtFlags::empty()))?;
    Ok(found.map(|stat| kind_of(FileType::from_raw_mode(stat.st_mode))))
}

/// Opens a file to read it, links followed, without ever waiting for anybody (a FIFO opens at once).
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    rustix::io::retry_on_intr(|| rustix::fs::openat(CWD, path, flags, Mode::empty()))
        .map(File::from)
        .map_err(io::Error::from)
}

/// Whether the path goes round in links.
pub(super) fn is_link_loop(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::LOOP)
}

/// An open directory; what is asked of it stays in it, wherever its path leads meanwhile.
pub(super) struct Directory(File);

impl Directory {
    /// Opens a directory, or `None` where there is nothing.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY;
        absent_is_none(rustix::io::retry_on_intr(|| rustix::fs::openat(CWD, path, flags, Mode::empty())))
            .map(|opened| opened.map(|descriptor| Self(File::from(descriptor))))
    }

    /// The kind of an entry, a link not followed; `None` where there is none.
    pub(super) fn kind(&self, name: &OsStr) -> io::Result<Option<FileKind>> {
        Ok(self.stat(name)?.map(|stat| kind_of(FileType::from_raw_mode(stat.st_mode))))
    }

    /// Opens an entry that is no link, to read it and without waiting; `None` where there is none.
    pub(super) fn open_file(&self, name: &OsStr) -> io::Result<Option<File>> {
        absent_is_none(self.open_at(name, OFlags::RDONLY, 0))
    }

    /// Opens an entry that is no link, to read and write it; `None` where there is none.
    pub(super) fn open_writable(&self, name: &OsStr) -> io::Result<Option<File>> {
        absent_is_none(self.open_at(name, OFlags::RDWR, 0))
    }

    /// Makes a file that was not there; the process's umask takes bits away from `mode`.
    pub(super) fn create(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        Ok(self.open_at(name, OFlags::RDWR | OFlags::CREATE | OFlags::EXCL, mode)?)
    }

    fn open_at(&self, name: &OsStr, flags: OFlags, mode: u32) -> rustix::io::Result<File> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let mode = Mode::from_raw_mode(mode as rustix::fs::RawMode);
        rustix::io::retry_on_intr(|| rustix::fs::openat(&self.0, name, flags, mode)).map(File::from)
    }

    /// The names of what is in it.
    pub(super) fn names(&self) -> io::Result<Vec<OsString>> {
        use std::os::unix::ffi::OsStrExt;
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            names.push(OsStr::from_bytes(entry?.file_name().to_bytes()).to_owned());
        }
        Ok(names)
    }

    /// Gives an entry another entry's name, which it takes from a file that has it.
    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// Gives an entry a name that none has.
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    pub(super) fn rename_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat_with(
            &self.0,
            from,
            &self.0,
            to,
            rustix::fs::RenameFlags::NOREPLACE,
        )?)
    }

    /// Swaps two entries in one step.
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    pub(super) fn exchange(&self, one: &OsStr, other: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat_with(
            &self.0,
            one,
            &self.0,
            other,
            rustix::fs::RenameFlags::EXCHANGE,
        )?)
    }

    /// This system has no such call.
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    pub(super) fn rename_new(&self, _from: &OsStr, _to: &OsStr) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// This system has no such call.
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
    pub(super) fn exchange(&self, _one: &OsStr, _other: &OsStr) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Removes an entry that is no directory.
    pub(super) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Waits until the disk has the names as they are now.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    /// The state of an entry, a link not followed; `None` where there is none.
    #[allow(clippy::unnecessary_cast, reason = "the types of these numbers differ between systems")]
    pub(super) fn state(&self, name: &OsStr) -> io::Result<Option<State>> {
        Ok(self.stat(name)?.map(|stat| State {
            identity: Identity {
                device: stat.st_dev as u64,
                inode: stat.st_ino as u64,
            },
            size: stat.st_size as u64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        }))
    }

    /// To whom root gives what it makes for an entry: the entry's owner, else the directory's; others keep what they make.
    pub(super) fn heir(&self, name: &OsStr) -> io::Result<Option<Owner>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        Ok(Some(match self.stat(name)? {
            Some(stat) => Owner {
                user: stat.st_uid,
                group: stat.st_gid,
            },
            None => status(&self.0)?.owner,
        }))
    }

    fn stat(&self, name: &OsStr) -> io::Result<Option<rustix::fs::Stat>> {
        absent_is_none(rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW))
    }
}

/// Sets a file's permission bits, whatever the umask.
pub(super) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(mode))
}

/// Gives a file to its owner; a group that may not be given is left out, as nobody but the user may open the file.
///
/// Answers whether the file now belongs to that user.
pub(super) fn give(file: &File, owner: Owner) -> io::Result<bool> {
    let now = status(file)?.owner;
    if now == owner {
        return Ok(true);
    }
    match std::os::unix::fs::fchown(file, Some(owner.user), Some(owner.group)) {
        Ok(()) => Ok(true),
        Err(_) => Ok(now.user == owner.user),
    }
}

/// Makes one directory that only its owner may enter, whatever the umask; answers whether it was missing.
///
/// # Security
///
/// Root may be at work in somebody's directory. What it gives away it has opened without following a link and found
/// empty, so a name swapped meanwhile gains nobody anything.
pub(super) fn create_private_directory(path: &Path) -> io::Result<bool> {
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    match rustix::fs::mkdirat(CWD, path, Mode::from_raw_mode(PRIVATE_DIRECTORY as rustix::fs::RawMode)) {
        Ok(()) => {}
        Err(Errno::EXIST) => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let open = || rustix::io::retry_on_intr(|| rustix::fs::openat(CWD, path, flags, Mode::empty()));
    let made = match open() {
        // The umask took even the owner's bits; root would not notice, so this is no other user's directory.
        Err(Errno::ACCESS) => {
            std::fs::set_permissions(path, Permissions::from_mode(PRIVATE_DIRECTORY))?;
            open()
        }
        opened => opened,
    };
    let made = Directory(File::from(made?));
    set_mode(&made.0, PRIVATE_DIRECTORY)?;
    let parent = Directory(File::open(parent)?);
    if rustix::process::geteuid().is_root() {
        let owner = status(&parent.0)?.owner;
        if made.names()?.iter().all(|name| name == "." || name == "..") {
            give(&made.0, owner)?;
        }
    }
    parent.sync()?;
    Ok(true)
}

fn absent_is_none<T>(result: rustix::io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
