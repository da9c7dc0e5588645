//! Why a project was not moved, and what is left of an attempt.

use std::convert::Infallible;
use std::path::PathBuf;

use dango_core::EntropyError;
use dango_secrets::home::HomeError;
use dango_secrets::storage::{ReadError, UpdateError, WriteError};

/// Why a project was not moved. What was done by then is whole, and the next call goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MoveError {
    /// It is where it was to be moved to.
    #[error("the project's values are there already")]
    There,
    /// An earlier move in the other direction was interrupted.
    #[error("an earlier move in the other direction was interrupted: finish that one first")]
    OtherWay,
    /// Something else than Dango changed a file while it was moved.
    #[error("{} was changed by another program while it was moved", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// There is a file where one is to be written or none is to be, and it says something else.
    #[error("{} is in the way: it is not what is in the database", .path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
    /// There is a symbolic link, which would be gone on the way there and dangle on the way back.
    #[error("{} is a symbolic link, and would not come back as one", .path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// This machine was not heard of for so long that another one may have begun to move the project.
    #[error("the database has not heard of this move for too long: another machine may be moving the project")]
    LeaseLost,
    /// There is no random name for the move.
    #[error("there are no random numbers for the move")]
    Entropy(#[from] EntropyError),
    /// The database could not be used, or refused.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// A file could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file or a row could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl MoveError {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::There => "move_there_already",
            Self::OtherWay => "move_other_way",
            Self::Changed { .. } => "move_file_changed",
            Self::InTheWay { .. } => "move_file_in_the_way",
            Self::Link { .. } => "move_file_is_link",
            Self::LeaseLost => "move_lease_lost",
            Self::Entropy(_) => "entropy_missing",
            Self::Home(error) => error.code(),
            Self::Read(error) => error.code(),
            Self::Write(error) => error.code(),
        }
    }
}

impl From<UpdateError<Infallible>> for MoveError {
    fn from(error: UpdateError<Infallible>) -> Self {
        match error {
            UpdateError::Edit(never) => match never {},
            UpdateError::Read(error) => Self::Read(error),
            UpdateError::Write(error) => Self::Write(error),
        }
    }
}
