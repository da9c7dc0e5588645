//! A database that is being moved while others work on it: its rows at one moment, notes of the keys that change, and the last moment,
//! after which it counts no more. Where the rows go is not known here.

mod moment;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dango_identity::SealedColumn;
use dango_store::StoreFailure;
use dango_store::copy::{MoveToken, TABLES, Table};

use crate::column::Columns;
use crate::connection::{Connection, query};
use crate::file::{self, Disk, Open, OpenedFile};
use crate::migration;
use crate::moved::{self, MovedTo};
pub use moment::Moment;

/// How many notes are let go of at once, so that nobody waits long meanwhile.
const FORGOTTEN: i64 = 5_000;

/// How long it is tried to bring the log of changes into the file.
const BRINGING_IN: Duration = Duration::from_secs(2);

/// A database that is being moved.
pub struct CopySource {
    connection: Connection,
    file: OpenedFile,
}

/// A move that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// By what it is told from another.
    pub token: MoveToken,
    /// Where the rows go, without a password.
    pub address: String,
}

impl CopySource {
    /// Opens a database and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`], as opening it to use it; [`StoreFailure::Moved`] where it was moved already.
    pub fn open(path: &Path) -> Result<Self, StoreFailure> {
        let file = file::prepare(path, Open::Existing)?;
        if file::disk_of(file.path()) == Disk::ReadOnly {
            return Err(StoreFailure::ReadOnly);
        }
        let connection = Connection::writer(file.path())?;
        migration::migrate(&connection)?;
        file.look()?;
        Ok(Self { connection, file })
    }

    /// The move that has begun, if one has.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be read.
    pub fn begun(&self) -> Result<Option<Begun>, StoreFailure> {
        begun(&self.connection)
    }

    /// Begins a move, unless one has begun: from here on the keys of changed rows are noted. Answers the one that has.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be written.
    pub fn begin(&mut self, wanted: &Begun) -> Result<Begun, StoreFailure> {
        let connection = &self.connection;
        in_transaction(connection, || {
            if let Some(begun) = begun(connection)? {
                return Ok(begun);
            }
            connection.run_all(
                "CREATE TABLE migration (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), token BLOB NOT NULL, address TEXT NOT NULL) STRICT; \
                 CREATE TABLE migration_notes (number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, a, b)",
            )?;
            let insert = query("INSERT INTO migration (one, token, address) VALUES (1, ?1, ?2)");
            connection.change(&insert.bind(wanted.token.to_vec()).bind(wanted.address.clone()))?;
            for table in noted() {
                connection.run_all(&notes_of(table))?;
            }
            Ok(wanted.clone())
        })
    }

    /// Lets go of notes that are done with, up to a number.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be written.
    pub fn forget(&mut self, up_to: i64) -> Result<(), StoreFailure> {
        loop {
            // The newest stays: numbers go on from it.
            let sql = "DELETE FROM migration_notes WHERE number <= min(?1, (SELECT min(number) FROM migration_notes) + ?2) \
                       AND number < (SELECT max(number) FROM migration_notes)";
            let connection = &self.connection;
            let gone = in_transaction(connection, || connection.change(&query(sql).bind(up_to).bind(FORGOTTEN)))?;
            if gone == 0 {
                return Ok(());
            }
        }
    }

    /// The database at this moment, for as long as the answer is kept. Others go on writing.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be read, or is gone.
    pub fn snapshot(&self) -> Result<Snapshot, StoreFailure> {
        let connection = Connection::reader(self.file.path(), Disk::Writable)?;
        self.file.look()?;
        connection.run("BEGIN")?;
        moved::check(&connection)?;
        Ok(Snapshot(connection))
    }

    /// Holds back everybody who wants to write, until the answer is dropped or used up.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if others do not let go of it, or it is gone.
    pub fn hold(&mut self) -> Result<Held<'_>, StoreFailure> {
        self.file.look()?;
        self.connection.lock("BEGIN IMMEDIATE")?;
        let held = Held {
            source: self,
            is_over: false,
        };
        moved::check(&held.source.connection)?;
        Ok(held)
    }

    /// Brings SQLite's log of changes into the file, so that a copy of the file alone has the mark. Where others read for longer, it is left.
    pub fn bring_log_in(&self) {
        let begun = Instant::now();
        let ask = query("PRAGMA wal_checkpoint(TRUNCATE)");
        while self
            .connection
            .one(&ask, |row| Columns::of(row).integer())
            .is_ok_and(|busy| busy != Some(0))
            && begun.elapsed() < BRINGING_IN
        {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A moment that passes, while others write.
pub struct Snapshot(Connection);

impl Snapshot {
    /// What it shows.
    pub const fn moment(&self) -> Moment<'_> {
        Moment::of(&self.0)
    }
}

/// A moment in which nobody else writes. Dropped, it ends as if it had not been.
pub struct Held<'s> {
    source: &'s mut CopySource,
    is_over: bool,
}

impl Held<'_> {
    /// What it shows.
    pub const fn moment(&self) -> Moment<'_> {
        Moment::of(&self.source.connection)
    }

    /// The move that has begun, if one has.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be read.
    pub fn begun(&self) -> Result<Option<Begun>, StoreFailure> {
        begun(&self.source.connection)
    }

    /// Ends a move that has begun, as if it never had.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be written: it is as it was then.
    pub fn abort(mut self) -> Result<(), StoreFailure> {
        if self.begun()?.is_some() {
            forget_all(&self.source.connection)?;
        }
        self.commit()
    }

    /// Marks the database as moved: nobody reads or writes it from here on. The password, sealed under the identity key, is for servers
    /// that follow.
    ///
    /// # Errors
    ///
    /// [`StoreFailure`] if it cannot be written: it is as it was then.
    pub fn finish(mut self, move_of: &Begun, password: Option<SealedColumn>, at_micros: i64) -> Result<(), StoreFailure> {
        // Another call may have taken the move back, and begun one of its own.
        if self.begun()?.as_ref() != Some(move_of) {
            return Err(StoreFailure::Interrupted);
        }
        let connection = &self.source.connection;
        forget_all(connection)?;
        let to = MovedTo {
            address: Arc::from(move_of.address.as_str()),
            token: move_of.token,
            password,
        };
        moved::mark(connection, &to, at_micros)?;
        self.commit()
    }

    /// Commits. Only a file that is still in its place is written to; once it is committed nothing fails any more.
    fn commit(&mut self) -> Result<(), StoreFailure> {
        self.source.file.look()?;
        self.source.connection.run("COMMIT")?;
        self.is_over = true;
        Ok(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            // It fails where SQLite has rolled back already.
            let _ = self.source.connection.run_all("ROLLBACK");
        }
    }
}

/// Runs work in a transaction that writes, where the database was not moved.
fn in_transaction<T>(connection: &Connection, work: impl FnOnce() -> Result<T, StoreFailure>) -> Result<T, StoreFailure> {
    connection.lock("BEGIN IMMEDIATE")?;
    let done = moved::check(connection)
        .and_then(|()| work())
        .and_then(|done| connection.run("COMMIT").map(|()| done));
    if done.is_err() {
        // It fails where SQLite has rolled back already.
        let _ = connection.run_all("ROLLBACK");
    }
    done
}

fn begun(connection: &Connection) -> Result<Option<Begun>, StoreFailure> {
    let there = query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration'");
    if connection.one(&there, |_| Ok(()))?.is_none() {
        return Ok(None);
    }
    connection.one(&query("SELECT token, address FROM migration WHERE one = 1"), |row| {
        let columns = &mut Columns::of(row);
        Ok(Begun {
            token: columns.bytes()?,
            address: columns.text()?.to_owned(),
        })
    })
}

fn noted() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(|table| table.following.is_noted())
}

/// What notes the keys of a table's rows that change, whoever changes them.
fn notes_of(table: &Table) -> String {
    let name = table.name;
    let key = |row: &str| {
        let mut key: Vec<String> = table
            .key_columns()
            .iter()
            .map(|column| format!("{row}.\"{}\"", column.name))
            .collect();
        key.resize(2, "NULL".to_owned());
        key.join(", ")
    };
    let note = "INSERT INTO migration_notes (name, a, b)";
    let (old, new) = (key("old"), key("new"));
    format!(
        "CREATE TRIGGER note_insert_{name} AFTER INSERT ON {name} BEGIN {note} VALUES ('{name}', {new}); END; \
         CREATE TRIGGER note_update_{name} AFTER UPDATE ON {name} BEGIN {note} VALUES ('{name}', {new}); \
         {note} SELECT '{name}', {old} WHERE ({old}) IS NOT ({new}); END; \
         CREATE TRIGGER note_delete_{name} AFTER DELETE ON {name} BEGIN {note} VALUES ('{name}', {old}); END"
    )
}

/// Takes away everything that a move has put into the database.
fn forget_all(connection: &Connection) -> Result<(), StoreFailure> {
    for table in noted() {
        let name = table.name;
        connection.run_all(&format!(
            "DROP TRIGGER note_insert_{name}; DROP TRIGGER note_update_{name}; DROP TRIGGER note_delete_{name}"
        ))?;
    }
    connection.run_all("DROP TABLE migration_notes; DROP TABLE migration")
}
