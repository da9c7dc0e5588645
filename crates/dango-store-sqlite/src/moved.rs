//! The mark of a database whose rows live on elsewhere: how it is set and how it is found. What was moved, and how, is not known here.

use std::path::Path;
use std::sync::Arc;

use dango_identity::SealedColumn;
use dango_store::StoreFailure;
use dango_store::copy::{MoveToken, TABLES};

use crate::column::Columns;
use crate::connection::{Connection, query};
use crate::file;

/// "move", where else the number of the schema stands: a Dango that does not know it takes the database for a newer one and leaves it
/// alone.
pub(crate) const VERSION: i64 = 0x6d6f_7665;

/// Where a database was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedTo {
    /// The address of the database in which it lives on, without a password.
    pub address: Arc<str>,
    /// By what that move is told from another.
    pub token: MoveToken,
    /// The password there, sealed under the identity key, if there is one.
    pub password: Option<SealedColumn>,
}

/// Looks where the database at a path was moved, if it was.
///
/// # Errors
///
/// [`StoreFailure`] if it cannot be read.
pub fn moved_to(path: &Path) -> Result<Option<MovedTo>, StoreFailure> {
    file::look(path)?;
    let path = std::path::absolute(path).map_err(StoreFailure::unavailable)?;
    let connection = Connection::reader(&path, file::disk_of(&path))?;
    match is_moved(&connection)? {
        true => read(&connection).map(Some),
        false => Ok(None),
    }
}

/// Refuses to go on in a transaction in which the database was moved.
pub(crate) fn check(connection: &Connection) -> Result<(), StoreFailure> {
    match is_moved(connection)? {
        true => Err(failure(connection)),
        false => Ok(()),
    }
}

/// Why nothing can be done here any more.
pub(crate) fn failure(connection: &Connection) -> StoreFailure {
    match read(connection) {
        Ok(MovedTo { address, .. }) => StoreFailure::Moved { address },
        Err(failure) => failure,
    }
}

fn is_moved(connection: &Connection) -> Result<bool, StoreFailure> {
    let found = connection.one(&query("PRAGMA user_version"), |row| Columns::of(row).integer());
    Ok(found? == Some(VERSION))
}

fn read(connection: &Connection) -> Result<MovedTo, StoreFailure> {
    let found = connection.one(&query("SELECT address, token, password FROM moved WHERE one = 1"), |row| {
        let columns = &mut Columns::of(row);
        Ok(MovedTo {
            address: columns.text()?.into(),
            token: columns.bytes()?,
            password: columns.optional_blob()?.map(|sealed| SealedColumn::from_bytes(sealed.to_vec())),
        })
    });
    found?.ok_or_else(|| StoreFailure::damaged("it says that it was moved, and not where"))
}

/// Sets the mark inside a transaction that writes. Programs that were started before and do not know it can change nothing, either.
pub(crate) fn mark(connection: &Connection, to: &MovedTo, at_micros: i64) -> Result<(), StoreFailure> {
    connection.run_all(
        "CREATE TABLE moved (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), address TEXT NOT NULL, token BLOB NOT NULL, \
         password BLOB, moved_at INTEGER NOT NULL) STRICT",
    )?;
    let insert = query("INSERT INTO moved (one, address, token, password, moved_at) VALUES (1, ?1, ?2, ?3, ?4)");
    let insert = insert.bind(to.address.to_string()).bind(to.token.to_vec());
    let insert = insert.bind(to.password.as_ref().map(|sealed| sealed.as_bytes().to_vec()));
    connection.change(&insert.bind(at_micros))?;
    for table in TABLES {
        let name = table.name;
        for change in ["INSERT", "UPDATE", "DELETE"] {
            connection.run_all(&format!(
                "CREATE TRIGGER moved_{change}_{name} BEFORE {change} ON {name} BEGIN SELECT RAISE(ABORT, 'the database was moved'); END"
            ))?;
        }
    }
    // A pragma takes no parameter; that the number is the one above is tested.
    connection.run_all("PRAGMA user_version = 1836021349")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_that_is_set_is_the_one_that_is_looked_for() {
        assert_eq!(VERSION, 1_836_021_349);
    }
}
