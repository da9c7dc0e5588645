//! The one place that touches the disk: whole reads, and locked, atomic, durable replacements.
//!
//! [`read`] gives a file's whole contents or says why not. [`update`] changes a file: it takes the lock that all dango
//! processes share, reads, lets the caller edit, and puts a new file in the old one's place. A crash at any instant
//! leaves the old or the new file, whole; a change that another program makes meanwhile is kept, and the edit is done anew.
//!
//! ```
//! use dango_core::OsEntropy;
//! use dango_secrets::storage::{self, Edit, UpdateError};
//! use zeroize::Zeroizing;
//!
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join(".env");
//! storage::update(&path, &OsEntropy, |old| {
//!     let mut new = Zeroizing::new(old.unwrap_or_default().to_vec());
//!     new.extend_from_slice(b"LANG=C\n");
//!     Ok::<_, std::convert::Infallible>(Edit::Replace(new, ()))
//! })?;
//! let contents = storage::read(&path).unwrap().unwrap();
//! assert_eq!(contents.bytes(), b"LANG=C\n");
//! assert_eq!(contents.mode(), 0o600);
//! # Ok::<(), UpdateError<std::convert::Infallible>>(())
//! ```

#[cfg(not(unix))]
compile_error!("secrets are kept in files with Unix permissions and locks; other systems are not supported");

mod contents;
mod error;
mod lease;
mod lock;
mod place;
mod removal;
mod stamp;
mod temporary;
mod tightening;
mod unix;
mod update;

#[cfg(test)]
mod tests;

pub use contents::{Contents, Fingerprint, is_there, read};
pub use error::{FileKind, ReadError, UpdateError, WriteError};
pub use lease::Lease;
pub use removal::{Removal, remove, remove_if_same};
pub use stamp::{Stamp, stamp};
pub use temporary::target_of;
pub use tightening::{Closed, tighten};
pub use update::{Edit, update};
pub(crate) use update::{create_private_directory, update_public};

/// The largest file that is read, in bytes: far more than any file of credentials, far less than the memory.
pub const LARGEST: usize = 64 * 1024 * 1024;
