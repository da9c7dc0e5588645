//! Whether a file is the one that was read, as far as one question to the system tells; its contents are not looked at.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use dango_core::Timestamp;

use super::error::ReadError;

/// The state of a file: device, inode, size, and the times of its last changes, of which the system's own cannot be set by anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// How much older than the reading a change must be for the next change to have another time: far more than a tick of any kernel.
const TICK_MICROS: i64 = 100_000;
/// The same for file systems that keep whole seconds, or every other one.
const COARSE_MICROS: i64 = 2_100_000;

/// Asks for the state of a file, links followed; `None` where there is none.
///
/// # Errors
///
/// [`ReadError`] where the system does not say.
pub fn stamp(path: &Path) -> Result<Option<Stamp>, ReadError> {
    match path.metadata() {
        Ok(metadata) => Ok(Some(Stamp::of(&metadata))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ReadError::new(path, error)),
    }
}

impl Stamp {
    /// The state of a file that is kept elsewhere; a revision is never had twice, so it is settled at once.
    pub const fn of_revision(revision: u64) -> Self {
        Self {
            device: u64::MAX,
            inode: revision,
            size: 0,
            modified: (i64::MIN, 0),
            changed: (i64::MIN, 1),
        }
    }

    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// The stamp as one word, to be compared with another's in a later process.
    pub fn to_word(&self) -> String {
        let ((modified, modified_nanos), (changed, changed_nanos)) = (self.modified, self.changed);
        format!(
            "{:x}-{:x}-{:x}-{modified:x}.{modified_nanos:x}-{changed:x}.{changed_nanos:x}",
            self.device, self.inode, self.size
        )
    }

    /// Whether a file with this stamp that is read after `now` has another stamp as soon as it changes.
    ///
    /// A file that has just been changed may change again within one tick of the file system's clock and look the same: then
    /// its stamp proves nothing, and it is to be read again.
    pub fn is_settled(&self, now: Timestamp) -> bool {
        let (seconds, nanos) = self.changed;
        let changed = seconds.saturating_mul(1_000_000).saturating_add(nanos / 1000);
        let is_coarse = nanos == 0 && self.modified.1 == 0;
        let tick = if is_coarse { COARSE_MICROS } else { TICK_MICROS };
        now.unix_micros().saturating_sub(changed) > tick
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed_at(seconds: i64, nanos: i64) -> Stamp {
        Stamp {
            device: 1,
            inode: 2,
            size: 3,
            modified: (0, nanos),
            changed: (seconds, nanos),
        }
    }

    #[test]
    fn a_stamp_is_trusted_once_the_next_change_must_show() {
        let settled = |stamp: Stamp, micros| stamp.is_settled(Timestamp::from_unix_micros(micros));
        assert!(!settled(changed_at(10, 1000), 10_000_001));
        assert!(!settled(changed_at(10, 1000), 10_100_001));
        assert!(settled(changed_at(10, 1000), 10_100_002));
        // Whole seconds: a file system that has no finer ones.
        assert!(!settled(changed_at(10, 0), 12_000_000));
        assert!(settled(changed_at(10, 0), 12_200_000));
        // A clock that was set back proves nothing until it has caught up.
        assert!(!settled(changed_at(10, 1000), 9_000_000));
        assert!(!settled(changed_at(i64::MAX, 1), i64::MAX));
    }

    #[test]
    fn a_revision_is_settled_whatever_the_clock_says_and_differs_from_the_next() {
        let one = Stamp::of_revision(1);
        for time in [i64::MIN, -1, 0, i64::MAX] {
            assert!(one.is_settled(Timestamp::from_unix_micros(time)) || time == i64::MIN, "{time}");
        }
        assert_eq!(one, Stamp::of_revision(1));
        assert_ne!(one, Stamp::of_revision(2));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the file is changed as other programs change it")]
    fn every_change_of_a_file_shows_and_a_missing_one_is_none() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(".env");
        assert_eq!(stamp(&path).expect("asked"), None);
        std::fs::write(&path, "A=1\n").expect("written");
        let first = stamp(&path).expect("asked").expect("is there");
        assert_eq!(stamp(&path).expect("asked"), Some(first));
        let other = directory.path().join("other");
        std::fs::write(&other, "A=2\n").expect("written");
        std::fs::rename(&other, &path).expect("renamed");
        assert_ne!(stamp(&path).expect("asked"), Some(first));
        assert!(stamp(&path.join("below")).is_err());
    }
}
