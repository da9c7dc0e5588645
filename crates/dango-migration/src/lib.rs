//! People, sessions, keys and the log moved from SQLite into PostgreSQL while they are used: copied, followed, compared, and cut over in
//! one pause that is counted. No statement and no setting lives here.
//!
//! - [`Migration::begin`]: begins a move, or goes on with the one that has begun;
//! - [`Migration::copy`]: copies every table, and follows what changes meanwhile;
//! - [`Migration::compare`]: compares every row of both;
//! - [`Migration::cut_over`]: holds back whoever writes, brings the rest, compares it, and marks the old database as moved;
//! - [`abort`]: takes everything back, as long as there was no cut-over.
//!
//! Whatever is interrupted: the same calls, made again, go on. Each of the two databases is in order by itself at every moment, and at most
//! one of them counts: the old one until it is marked, the new one from then on.
#![warn(missing_docs)]

mod compare;
mod cut;
mod error;
mod follow;
mod migration;

pub use compare::Compared;
pub use cut::{CutOver, PATIENCE};
pub use error::{MigrationError, Side};
pub use migration::{Migration, Progress, abort, finish};
