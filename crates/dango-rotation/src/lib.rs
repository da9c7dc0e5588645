//! A credential that takes the place of another. No network, no command line: what a provider says comes in through a [`Probe`],
//! and what a person decides through the call that is made.
//!
//! - [`locate`]: where the value is that a source reads, and where else the same value stands ([`copies`]);
//! - [`Rotation`]: the old and the new value laid aside, then exchanged in the files, put back or forgotten. Each step is noted on the disk before
//!   it is made, so that whoever comes after a crash knows how far it went;
//! - [`Stage::next`]: what to do now that a [`Probe`] has spoken;
//! - [`judge`], [`overdue`]: whether credentials are older than `rotate_every` allows;
//! - [`ExposureRecord`]: what became of an exposed credential, as Markdown without the credential.
//!
//! ```
//! use dango_core::Timestamp;
//! use dango_rotation::{Due, judge};
//!
//! let day = |number: i64| Timestamp::from_unix_micros(number * 86_400_000_000);
//! assert_eq!(judge(Some("90d".parse()?), Some(day(0)), day(91)), Due::Overdue { days: 1 });
//! # Ok::<(), dango_sources::ParseRotateEveryError>(())
//! ```
#![warn(missing_docs)]

mod due;
mod exposure;
mod location;
mod note;
mod rotation;
mod verdict;

pub use due::{Due, judge, overdue};
pub use exposure::{Check, ExposureRecord, Replacement, Trace, Whereabout, is_record};
pub use location::{Files, LocateError, Located, copies, credential_paths, is_there, locate, locate_variable, plain_text};
pub use note::{Answer, Note, Purpose, Stage};
pub use rotation::{Change, Rotation, RotationError};
pub use verdict::{Next, Probe, Verdict};
