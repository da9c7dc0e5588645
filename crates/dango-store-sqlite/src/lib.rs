//! The SQLite backend of `dango-store`: one file, one writer, group commit, a few readers. No rule of the domains lives here.
//!
//! - [`SqliteStore`]: a database that was opened; a [`Store`](dango_store::Store);
//! - [`Open`]: whether one that is not there is made;
//! - [`inspect`]: whether one could be opened, found out without changing anything;
//! - [`CopySource`]: a database that is being moved into another one while it is used;
//! - [`moved_to`]: where one was moved, if it was;
//! - [`read_earlier`]: the users of an earlier Dango, whose database is only read.
//!
//! It needs no async runtime. Every connection has a thread of its own, and whoever waits for an answer may do so on any
//! executor, or on none (`pollster::block_on`).
//!
//! ```
//! use dango_store::StoreExt;
//! use dango_store_sqlite::{Open, SqliteStore};
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join(".dango/dango.db");
//! let store = SqliteStore::open(&path, Open::OrCreate)?;
//! let users = pollster::block_on(store.read(|tx| Box::pin(async { tx.users().await })))?;
//! assert!(users.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![warn(missing_docs)]

mod column;
mod connection;
mod copy;
mod door;
mod earlier;
mod failure;
mod file;
mod inspection;
mod migration;
mod moved;
mod readers;
mod store;
mod tables;
mod transaction;
mod writer;

pub use copy::{Begun, CopySource, Held, Moment, Snapshot};
pub use earlier::read_earlier;
pub use file::Open;
pub use inspection::{Inspected, inspect};
pub use moved::{MovedTo, moved_to};
pub use store::SqliteStore;
