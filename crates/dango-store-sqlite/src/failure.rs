//! What SQLite says, as the failures that all backends share.

use std::error::Error;

use dango_store::StoreFailure;

// Result codes, https://www.sqlite.org/rescode.html
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const READONLY: u32 = 8;
const CORRUPT: u32 = 11;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;
const CONSTRAINT: u32 = 19;
const MISMATCH: u32 = 20;
const NOTADB: u32 = 26;
/// The index of the log could not grow, which is for want of room.
const IOERR_SHMSIZE: u32 = 10 | 19 << 8;

/// The failure behind an extended result code of SQLite.
pub(crate) fn failure_of_code(code: u32, error: impl Error + Send + Sync + 'static) -> StoreFailure {
    if code == IOERR_SHMSIZE {
        return StoreFailure::Full;
    }
    match code & 0xff {
        BUSY | LOCKED => StoreFailure::Locked,
        READONLY => StoreFailure::ReadOnly,
        CANTOPEN => StoreFailure::Closed,
        FULL => StoreFailure::Full,
        NOTADB => StoreFailure::Foreign,
        // The statements keep every constraint themselves: where one is broken, the rows are not those that were put in.
        CORRUPT | CONSTRAINT | MISMATCH => StoreFailure::damaged(error),
        _ => StoreFailure::unavailable(error),
    }
}

/// A row holds what nobody here can have written.
#[derive(Debug, thiserror::Error)]
#[error("column {column} of a row holds what cannot have been written")]
pub(crate) struct BadColumn {
    pub(crate) column: usize,
}
