//! Where the files of a project that all its machines share are kept: beside the project, or elsewhere. No path is known here but the usual ones.
//!
//! A [`Home`] keeps a closed list of files, each a [`SharedFile`]. The home of every project is its own directory, [`Directory`], until
//! somebody gives it another ([`Project::kept_in`](crate::project::Project::kept_in)). [`Rows`] is the port of homes that keep files in a database.

#[cfg(feature = "contract")]
pub mod contract;
mod directory;
mod error;
mod file;
#[cfg(feature = "contract")]
mod memory;
mod rows;
mod token;
mod whereabouts;

use std::fmt;
use std::time::Duration;

use dango_core::Entropy;
use zeroize::Zeroizing;

use crate::storage::{Contents, Edit, ReadError, Stamp, UpdateError, WriteError};

pub use directory::Directory;
pub(crate) use directory::path_of;
pub use error::HomeError;
pub use file::SharedFile;
#[cfg(feature = "contract")]
pub use memory::{MemoryRows, RowKey, Trouble};
pub use rows::{Claim, Placed, Put, Row, Rows, RowsError};
pub use token::MoveToken;
pub use whereabouts::Whereabouts;

/// What keeps the shared files of one project.
///
/// Each call waits for whatever it has to wait for; none may be made on a thread that others count on.
pub trait Home: Send + Sync {
    /// Reads a file whole; `None` where there is none.
    ///
    /// # Errors
    ///
    /// [`ReadError`], naming the file.
    fn read(&self, file: SharedFile) -> Result<Option<Contents>, ReadError>;

    /// Asks which state a file is in, without reading it. `None` says that there is none, and so may a stamp.
    ///
    /// # Errors
    ///
    /// [`ReadError`], naming the file.
    fn stamp(&self, file: SharedFile) -> Result<Option<Stamp>, ReadError>;

    /// Changes a file, all of it or nothing. The edit may be asked several times; the last answer is the one that counts.
    ///
    /// # Errors
    ///
    /// [`UpdateError::Edit`] where the edit answered [`Answer::Refuse`], [`UpdateError::Read`] and [`UpdateError::Write`]; the file is as it
    /// was, but for [`WriteError::NotDurable`] and [`HomeError::Unsure`].
    fn update(&self, file: SharedFile, entropy: &dyn Entropy, edit: &mut EditFile<'_>) -> Result<(), UpdateError<Refused>>;

    /// Waits, at most for `patience`, until nobody else has the lease of that name. Names are letters, digits, `-` and `_`.
    ///
    /// # Errors
    ///
    /// [`WriteError::Locked`] where somebody has it for longer, and others where it cannot be had.
    fn lease(&self, name: &str, patience: Duration) -> Result<HomeLease, WriteError>;

    /// The keys, by their ids, that something is kept under beside what the files themselves say.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    fn keys(&self) -> Result<Vec<String>, ReadError>;

    /// Keeps everything under the active key from now on, and says how many files were written anew. What files say stays as it is.
    ///
    /// # Errors
    ///
    /// [`WriteError`]; what was done by then is whole, and the next call goes on from there.
    fn keep_under_active_key(&self, entropy: &dyn Entropy) -> Result<usize, WriteError>;
}

/// An edit as a [`Home`] asks it: given the contents, or `None` where there is no file.
pub type EditFile<'e> = dyn FnMut(Option<&[u8]>) -> Answer + 'e;

/// What an edit wants to happen to the file.
pub enum Answer {
    /// Nothing.
    Keep,
    /// These are the new contents.
    Replace(Zeroizing<Vec<u8>>),
    /// It cannot be done; whoever asked knows why.
    Refuse,
}

/// The edit refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the edit was refused")]
pub struct Refused;

/// The right to do what one process does at a time, until it is dropped.
#[must_use = "it is given back when it is dropped"]
pub struct HomeLease {
    held: Box<dyn Held>,
}

/// What a lease rests on.
pub trait Held: Send + Sync {
    /// Whether it is certain that nobody else has it now.
    fn is_certain(&self) -> bool;
}

impl HomeLease {
    /// A lease that lasts until what is held is dropped.
    pub fn new(held: impl Held + 'static) -> Self {
        Self { held: Box::new(held) }
    }

    /// Whether it is certain that nobody else has it now: one over several machines ends where its holder is not heard of.
    ///
    /// Asked right before what must not be done twice.
    pub fn is_held(&self) -> bool {
        self.held.is_certain()
    }
}

impl fmt::Debug for HomeLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HomeLease").finish_non_exhaustive()
    }
}

/// Changes a file of a home with an edit that answers what its caller wants to know.
///
/// # Errors
///
/// As [`Home::update`], with the edit's own error.
pub(crate) fn update<T, E>(
    home: &dyn Home,
    file: SharedFile,
    entropy: &dyn Entropy,
    mut edit: impl FnMut(Option<&[u8]>) -> Result<Edit<T>, E>,
) -> Result<T, UpdateError<E>> {
    let mut outcome = None;
    let done = home.update(file, entropy, &mut |old| match edit(old) {
        Ok(Edit::Keep(value)) => {
            outcome = Some(Ok(value));
            Answer::Keep
        }
        Ok(Edit::Replace(bytes, value)) => {
            outcome = Some(Ok(value));
            Answer::Replace(bytes)
        }
        Err(error) => {
            outcome = Some(Err(error));
            Answer::Refuse
        }
    });
    match (done, outcome) {
        (Err(UpdateError::Read(error)), _) => Err(error.into()),
        (Err(UpdateError::Write(error)), _) => Err(error.into()),
        (_, Some(Err(error))) => Err(UpdateError::Edit(error)),
        (Ok(()), Some(Ok(value))) => Ok(value),
        // Only a home that breaks its word comes here.
        (Err(UpdateError::Edit(Refused)) | Ok(()), _) => Err(WriteError::from(HomeError::Unsure {
            place: file.path().to_owned(),
            source: Refused.into(),
        })
        .into()),
    }
}
