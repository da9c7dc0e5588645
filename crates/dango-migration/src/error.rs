//! Why a move does not go on. Values of rows are in none of them.

use std::fmt;

use dango_store::StoreFailure;

/// One of the two databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The one that is moved.
    Old,
    /// The one into which it is moved.
    New,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Old => "the database that is moved",
            Self::New => "the database that it is moved into",
        })
    }
}

/// A move does not go on. The old database counts as before, unless it says otherwise itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// One of them cannot be used.
    #[error("{side} cannot be used")]
    Store {
        /// Which.
        side: Side,
        /// Why.
        #[source]
        failure: StoreFailure,
    },
    /// There are people or a log in the new one already.
    #[error("there are people or a log in the database already")]
    Taken,
    /// Another move into the new one has begun.
    #[error("another database is being moved into it, or that was broken off")]
    OtherMove,
    /// This move is over already, and the old one is as it was before.
    #[error("the move is over, and the new database counts; the file is as it was before that")]
    Over,
    /// The new one knows nothing of the move that the old one is marked with.
    #[error("the database knows nothing of the move with which the old one is marked: it is another one, or it was made anew")]
    Unknown,
    /// The role that makes the schema and the one that serves do not see the same database.
    #[error("the address of the owner and the one that is served from lead to different databases")]
    OtherDatabase,
    /// The old one is being moved somewhere else.
    #[error("a move to {address} has begun")]
    OtherPlace {
        /// Where to, without a password.
        address: String,
    },
    /// The identity key was lost and the log begun anew meanwhile.
    #[error("the audit log was begun anew meanwhile, with another identity key")]
    BegunAnew,
    /// A row of one is not that of the other.
    #[error("a row of the table {table} is not the same in both databases")]
    Different {
        /// The table.
        table: &'static str,
    },
    /// So much is written that the rest never becomes small enough.
    #[error("so much is written to the database that the pause would be too long")]
    Busy,
}

impl MigrationError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Store { failure, .. } => failure.code(),
            Self::Taken => "migration-taken",
            Self::OtherMove => "migration-other-move",
            Self::Over => "migration-over",
            Self::Unknown => "migration-unknown",
            Self::OtherDatabase => "migration-other-database",
            Self::OtherPlace { .. } => "migration-other-place",
            Self::BegunAnew => "migration-log-begun-anew",
            Self::Different { .. } => "migration-different",
            Self::Busy => "migration-busy",
        }
    }

    pub(crate) const fn old(failure: StoreFailure) -> Self {
        Self::Store { side: Side::Old, failure }
    }

    pub(crate) const fn new(failure: StoreFailure) -> Self {
        Self::Store { side: Side::New, failure }
    }
}
