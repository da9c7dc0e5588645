//! A connection to the file and what runs on it: the one place that knows the driver. It runs on the thread of whoever calls.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use dango_store::StoreFailure;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{OpenFlags, ToSql, params_from_iter};

use crate::failure::{BadColumn, failure_of_code};
use crate::file::Disk;

/// How long one waits for other programs that write.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How long SQLite waits by itself where it is asked again. It looks ever more rarely.
const SQLITE_PATIENCE: Duration = Duration::from_millis(15);
/// How many statements a connection keeps ready.
const STATEMENTS: usize = 256;

/// One connection. It may move between threads, and one thread has it at a time.
pub(crate) struct Connection(rusqlite::Connection);

impl Connection {
    /// Opens the connection that writes; there is one. The file is there, whatever is in it.
    pub(crate) fn writer(path: &Path) -> Result<Self, StoreFailure> {
        let begun = Instant::now();
        loop {
            // What is set up looks into the file, which another program may be making, or closing as the last one, just now.
            match Self::open_to_write(path) {
                Err(StoreFailure::Locked) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(1)),
                done => return done,
            }
        }
    }

    fn open_to_write(path: &Path) -> Result<Self, StoreFailure> {
        let connection = Self::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, SQLITE_PATIENCE)?;
        // The journal's mode is set by the migration: it is kept in the file. A log that one large transaction has made long is
        // cut back afterwards.
        connection.run_all(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA journal_size_limit = 16777216",
        )?;
        Ok(connection)
    }

    /// Opens a connection that reads, and waits where the file is locked.
    pub(crate) fn reader(path: &Path, disk: Disk) -> Result<Self, StoreFailure> {
        match disk {
            Disk::Writable => Self::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, PATIENCE),
            // On a disk that takes nothing there is no place for locks, and nobody against whom they would help.
            Disk::ReadOnly => Self::open(
                &still(path),
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
                PATIENCE,
            ),
        }
    }

    /// Opens a connection that reads and does not wait where the file is locked.
    pub(crate) fn hasty_reader(path: &Path) -> Result<Self, StoreFailure> {
        Self::open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, Duration::ZERO)
    }

    fn open(path: &Path, flags: OpenFlags, patience: Duration) -> Result<Self, StoreFailure> {
        // One thread has a connection at a time, so it needs no lock of its own.
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
        let connection = Self(rusqlite::Connection::open_with_flags(path, flags).map_err(failure)?);
        connection.0.busy_timeout(patience).map_err(failure)?;
        connection.0.set_prepared_statement_cache_capacity(STATEMENTS);
        // What a schema that somebody changed by hand says is not run with our rights, pages are looked at before use, and nothing
        // of what is sorted ends up in a file elsewhere.
        connection.run_all("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY")?;
        Ok(connection)
    }

    /// Runs a statement without values that is run often.
    pub(crate) fn run(&self, sql: &'static str) -> Result<(), StoreFailure> {
        let mut statement = self.0.prepare_cached(sql).map_err(failure)?;
        statement.execute(()).map(|_| ()).map_err(failure)
    }

    /// Runs statements without values, one after another. What they answer is not looked at.
    pub(crate) fn run_all(&self, sql: &str) -> Result<(), StoreFailure> {
        self.0.execute_batch(sql).map_err(failure)
    }

    /// Runs a statement that takes a lock, and waits for others who have it.
    pub(crate) fn lock(&self, sql: &'static str) -> Result<(), StoreFailure> {
        let begun = Instant::now();
        loop {
            match self.run_all(sql) {
                Err(StoreFailure::Locked) if begun.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(1)),
                done => return done,
            }
        }
    }

    /// Runs a statement and says how many rows it changed.
    pub(crate) fn change(&self, statement: &Statement) -> Result<u64, StoreFailure> {
        let mut prepared = self.0.prepare_cached(&statement.sql).map_err(failure)?;
        let changed = prepared.execute(params_from_iter(&statement.values)).map_err(failure)?;
        Ok(changed as u64)
    }

    /// Reads the one row that there may be.
    pub(crate) fn one<T>(
        &self,
        statement: &Statement,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreFailure>,
    ) -> Result<Option<T>, StoreFailure> {
        let mut prepared = self.0.prepare_cached(&statement.sql).map_err(failure)?;
        let mut rows = prepared.query(params_from_iter(&statement.values)).map_err(failure)?;
        rows.next().map_err(failure)?.map(|row| read(&Row(row))).transpose()
    }

    /// Lends every row, one after another, until it has been enough.
    pub(crate) fn each(
        &self,
        statement: &Statement,
        mut visit: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreFailure>,
    ) -> Result<(), StoreFailure> {
        let mut prepared = self.0.prepare_cached(&statement.sql).map_err(failure)?;
        let mut rows = prepared.query(params_from_iter(&statement.values)).map_err(failure)?;
        while let Some(row) = rows.next().map_err(failure)? {
            if visit(&Row(row))?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// The name that opens a file of which SQLite may believe that nobody changes it (<https://www.sqlite.org/uri.html>).
fn still(path: &Path) -> std::path::PathBuf {
    let mut name = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => name.push(char::from(*byte)),
            other => name.push_str(&format!("%{other:02x}")),
        }
    }
    name.push_str("?immutable=1");
    name.into()
}

/// A statement with its values. Its text is in the program, or put together from names that are.
pub(crate) struct Statement {
    sql: Cow<'static, str>,
    values: Vec<Value>,
}

/// A statement without values, yet.
pub(crate) fn query(sql: impl Into<Cow<'static, str>>) -> Statement {
    Statement {
        sql: sql.into(),
        values: Vec::new(),
    }
}

impl Statement {
    /// Gives it the next value: the first is `?1`.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }
}

/// What a column holds.
pub(crate) enum Value {
    Nothing,
    Integer(i64),
    Text(Cow<'static, str>),
    Blob(Vec<u8>),
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Nothing => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Nothing, Into::into)
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Blob(bytes)
    }
}

/// Numbers that SQLite's are as wide as.
macro_rules! from_numbers {
    ($($number:ty)*) => {$(
        impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self::Integer(number.into())
            }
        }
    )*};
}

from_numbers!(bool u8 u32 i64);

/// A row that was read, until the next one is. What is asked for as one thing and is another is damage.
pub(crate) struct Row<'r>(&'r rusqlite::Row<'r>);

impl<'r> Row<'r> {
    pub(crate) fn integer_at(&self, at: usize) -> Result<Option<i64>, StoreFailure> {
        self.cell(at)?.as_i64_or_null().map_err(|_| bad(at))
    }

    pub(crate) fn text_at(&self, at: usize) -> Result<Option<&'r str>, StoreFailure> {
        self.cell(at)?.as_str_or_null().map_err(|_| bad(at))
    }

    pub(crate) fn blob_at(&self, at: usize) -> Result<Option<&'r [u8]>, StoreFailure> {
        self.cell(at)?.as_blob_or_null().map_err(|_| bad(at))
    }

    fn cell(&self, at: usize) -> Result<ValueRef<'r>, StoreFailure> {
        self.0.get_ref(at).map_err(failure)
    }
}

fn bad(column: usize) -> StoreFailure {
    StoreFailure::damaged(BadColumn { column })
}

fn failure(error: rusqlite::Error) -> StoreFailure {
    match error.sqlite_error().map(|error| error.extended_code) {
        Some(code) => failure_of_code(code.unsigned_abs(), error),
        None => StoreFailure::unavailable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_any_name_is_opened_as_one_that_nobody_changes() {
        let directory = tempfile::tempdir().expect("a directory");
        for name in ["plain.db", "a b?mode=memory#c%20&d.db", "ä\u{1f511}.db"] {
            let path = directory.path().join(name);
            let made = rusqlite::Connection::open(&path).expect("made");
            made.execute_batch("CREATE TABLE here (name TEXT)").expect("written");
            drop(made);
            let opened = Connection::reader(&path, Disk::ReadOnly).expect("opened");
            let found = opened.one(&query("SELECT name FROM sqlite_schema"), |row| {
                Ok(row.text_at(0)?.map(str::to_owned))
            });
            assert_eq!(found.expect("read").flatten().as_deref(), Some("here"), "{name}");
        }
    }

    #[test]
    fn what_is_bound_is_what_is_read() {
        let connection = Connection(rusqlite::Connection::open_in_memory().expect("opened"));
        let statement = query("SELECT ?1, ?2, ?3, ?4, ?5, ?6").bind(true).bind(i64::MIN).bind("a\0b");
        let statement = statement.bind(vec![0, 255]).bind(None::<u32>).bind(Some("c".to_owned()));
        let read = connection.one(&statement, |row| {
            assert_eq!((row.integer_at(0)?, row.integer_at(1)?), (Some(1), Some(i64::MIN)));
            assert_eq!((row.text_at(2)?, row.blob_at(3)?), (Some("a\0b"), Some(&[0, 255][..])));
            assert_eq!((row.text_at(4)?, row.text_at(5)?), (None, Some("c")));
            assert!(row.integer_at(5).is_err() && row.text_at(3).is_err() && row.blob_at(2).is_err());
            Ok(())
        });
        assert!(read.expect("read").is_some());
    }
}
