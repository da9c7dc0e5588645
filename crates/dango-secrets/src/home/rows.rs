//! The port of a database that keeps shared files as rows: five calls. What is in a row is sealed, and no business of the database's.

use std::time::Duration;

use dango_core::Timestamp;

/// Rows of files, and claims on names, in a database that several machines use.
///
/// Each call is one statement, or one transaction, and blocks until it is answered or given up. After [`RowsError::Unknown`] nobody knows whether it
/// was done; each call can be made again.
pub trait Rows: Send + Sync {
    /// Reads a row.
    ///
    /// # Errors
    ///
    /// [`RowsError`].
    fn row(&self, project: &str, name: &str) -> Result<Option<Row>, RowsError>;

    /// Reads the revision of a row and no more.
    ///
    /// # Errors
    ///
    /// [`RowsError`].
    fn revision(&self, project: &str, name: &str) -> Result<Option<u64>, RowsError>;

    /// Puts a row in place, if the one that is there has the expected revision and the claim is held, in one step.
    ///
    /// The claim must not change hands between being looked at and the row being there for others.
    ///
    /// # Errors
    ///
    /// [`RowsError`].
    fn put(&self, put: &Put<'_>) -> Result<Placed, RowsError>;

    /// Claims a name for so long from now on, by the time of the database; one's own claim is prolonged. Answers whether it is held now.
    ///
    /// # Errors
    ///
    /// [`RowsError`].
    fn claim(&self, project: &str, claim: &Claim, term: Duration) -> Result<bool, RowsError>;

    /// Gives a claim back; one that is somebody else's stays.
    ///
    /// # Errors
    ///
    /// [`RowsError`].
    fn release(&self, project: &str, claim: &Claim) -> Result<(), RowsError>;
}

/// A row as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// It grows by one with each change, from 1.
    pub revision: u64,
    /// The id of the key that sealed it.
    pub key: String,
    /// The sealed text.
    pub sealed: Vec<u8>,
    /// When it was put, by the time of the database.
    pub changed: Timestamp,
}

/// A row to be put.
pub struct Put<'a> {
    /// The project's id.
    pub project: &'a str,
    /// The name of the file.
    pub name: &'a str,
    /// The revision of the row that is replaced; 0 where there must be none. The new row has the next one.
    pub expected: u64,
    /// The id of the key that sealed it.
    pub key: &'a str,
    /// The sealed text.
    pub sealed: &'a [u8],
    /// The claim under which it is put.
    pub claim: &'a Claim,
}

/// What became of a row that was to be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It is in place, for good.
    Done,
    /// Another row is there.
    Outrun,
    /// The claim is not held any more.
    ClaimLost,
}

/// A name that one holder has at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The name.
    pub name: String,
    /// Random, so that no two holders are alike.
    pub holder: [u8; 16],
}

/// Why there is no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// The database did not do it, or it is not known whether it did.
    #[error("the database did not answer as it should")]
    Unknown(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database said that it does not do it: nothing was done, and the same call will be refused again.
    #[error("the database refused")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl RowsError {
    /// What the database's driver said.
    pub fn into_cause(self) -> Box<dyn std::error::Error + Send + Sync> {
        match self {
            Self::Unknown(cause) | Self::Refused(cause) => cause,
        }
    }
}
