//! A database looked at before anybody opens it: whether it could be, and what would be done to it. Nothing is changed or made.

use std::path::Path;

use dango_store::StoreFailure;

use crate::column::Columns;
use crate::connection::{Connection, query};
use crate::file::{self, Disk};
use crate::migration;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspected {
    /// The version of its schema; 0 for an empty file.
    pub schema_version: u32,
    /// The version that opening it brings it to.
    pub latest: u32,
}

/// Looks at the database at a path: whose file it is, whether it is one of ours, and whether its pages are whole.
///
/// Where changes lie beside the file that are not in it yet, its last writer ended early or is still running; then SQLite may make
/// the index beside it that every reader of such a file needs, and nothing else.
///
/// # Errors
///
/// [`StoreFailure`], as opening it would have it.
pub fn inspect(path: &Path) -> Result<Inspected, StoreFailure> {
    file::look(path)?;
    let path = std::path::absolute(path).map_err(StoreFailure::unavailable)?;
    let disk = if file::has_log(&path) {
        file::disk_of(&path)
    } else {
        Disk::ReadOnly
    };
    let connection = Connection::reader(&path, disk)?;
    let schema_version = migration::version(&connection)?;
    if schema_version > 0 {
        migration::check(&connection, schema_version)?;
    }
    let check = connection.one(&query("PRAGMA quick_check(1)"), |row| Ok(Columns::of(row).text()?.to_owned()));
    match check?.as_deref() {
        Some("ok") => Ok(Inspected {
            schema_version,
            latest: migration::LATEST,
        }),
        _ => Err(StoreFailure::damaged(
            "its pages are not what they should be (`PRAGMA quick_check`)",
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Open, SqliteStore};

    use super::*;

    fn listing(directory: &Path) -> Vec<(std::ffi::OsString, u64)> {
        let entries = std::fs::read_dir(directory).expect("a directory").map(|entry| {
            let entry = entry.expect("an entry");
            (entry.file_name(), entry.metadata().expect("its own").len())
        });
        let mut found: Vec<_> = entries.collect();
        found.sort();
        found
    }

    #[test]
    fn looking_makes_nothing_and_says_what_opening_would() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("dango.db");
        assert!(matches!(inspect(&path), Err(StoreFailure::Missing)));
        drop(SqliteStore::open(&path, Open::OrCreate).expect("made"));
        let before = listing(directory.path());
        let found = inspect(&path).expect("it is whole");
        assert_eq!((found.schema_version, listing(directory.path())), (found.latest, before));
        let running = SqliteStore::open(&path, Open::Existing).expect("opened");
        assert!(inspect(&path).is_ok(), "beside a program that has it open");
        drop(running);
    }

    #[test]
    fn a_file_that_is_none_of_ours_is_named_as_such() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("dango.db");
        std::fs::OpenOptions::new()
            .create_new(true)
            .write(true)
            .open(&path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, &[7; 8192]))
            .expect("written");
        let before = listing(directory.path());
        assert!(matches!(inspect(&path), Err(StoreFailure::Foreign | StoreFailure::Damaged(_))));
        assert_eq!(listing(directory.path()), before);
    }
}
