//! A project moved from its directory to rows of a database, or back: in steps that can be done again, so that an interrupted move is resumed.
//!
//! To rows: the directory says that nobody changes its files any more; each file is put into a row that does not count yet; every row is opened
//! again and compared with its file; the directory says that the files are in rows, which is the moment from which they are; the rows count; the
//! files go. Back: the rows are closed to changes; each is written to its file; every file is compared with its row; the directory is the home again;
//! the rows forget what they had.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use dango_core::Entropy;
use dango_secrets::home::{HomeError, SharedFile, Whereabouts};
use dango_secrets::project::Project;
use dango_secrets::storage::{self, Contents, Edit, Lease, ReadError, UpdateError, WriteError};
use zeroize::Zeroizing;

use crate::sealed_home::{SealedHome, Standing};

/// What is locked while a project is moved: two moves at once would each take the other's steps for its own.
const LOCK: &str = "move.lock";

/// How long one waits for another move on this machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a move did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoveReport {
    /// The files that are in the other home now, those that there were.
    pub moved: Vec<SharedFile>,
    /// Whether an earlier move was finished, or taken back.
    pub resumed: bool,
    /// Files that something else than Dango has changed since they were compared, and which were therefore not removed. They count no more.
    pub left: Vec<PathBuf>,
}

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
    /// There is a file where one is to be written, and it says something else.
    #[error("{} is in the way: it is not what is in the database", .path.display())]
    InTheWay {
        /// The file.
        path: PathBuf,
    },
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

/// Moves a project's shared files from its directory to rows, or finishes such a move.
///
/// # Errors
///
/// [`MoveError`].
pub fn move_to_rows(project: &Project, home: &SealedHome, entropy: &dyn Entropy) -> Result<MoveReport, MoveError> {
    let relocation = Relocation { project, home, entropy };
    let _alone = relocation.lock()?;
    let before = Whereabouts::read(project.root())?;
    let resumed = before != Whereabouts::Directory;
    match before {
        Whereabouts::Directory => {
            relocation.refuse_occupied()?;
            Whereabouts::Leaving.write(project.root(), entropy)?;
            relocation.send()?;
        }
        Whereabouts::Leaving => relocation.send()?,
        Whereabouts::Rows => {}
        Whereabouts::Returning | Whereabouts::Returned => return Err(MoveError::OtherWay),
    }
    let mut report = MoveReport {
        resumed,
        ..MoveReport::default()
    };
    for file in SharedFile::ALL {
        home.settle(file, entropy)?;
    }
    for file in SharedFile::ALL {
        relocation.take_away(file, &mut report)?;
    }
    if resumed
        && report
            == (MoveReport {
                resumed,
                ..MoveReport::default()
            })
        && before == Whereabouts::Rows
    {
        return Err(MoveError::There);
    }
    Ok(report)
}

/// Moves a project's shared files from rows to its directory, or finishes such a move; one to rows that was interrupted before it counted is taken back.
///
/// `whereto` tells people on other machines where the files are now.
///
/// # Errors
///
/// [`MoveError`].
pub fn move_to_directory(project: &Project, home: &SealedHome, whereto: &str, entropy: &dyn Entropy) -> Result<MoveReport, MoveError> {
    let relocation = Relocation { project, home, entropy };
    let _alone = relocation.lock()?;
    let before = Whereabouts::read(project.root())?;
    let mut report = MoveReport {
        resumed: before != Whereabouts::Rows,
        ..MoveReport::default()
    };
    match before {
        Whereabouts::Rows | Whereabouts::Returning => {
            Whereabouts::Returning.write(project.root(), entropy)?;
            relocation.fetch(&mut report)?;
            // The files count from here on, and the rows have been compared with them.
            Whereabouts::Returned.write(project.root(), entropy)?;
        }
        Whereabouts::Leaving | Whereabouts::Returned => {}
        Whereabouts::Directory => return Err(MoveError::There),
    }
    for file in SharedFile::ALL {
        match home.standing(file)? {
            Standing::Free => {}
            // What never left the directory made no row count: those are of another machine with the same project.
            Standing::Live | Standing::Leaving if before == Whereabouts::Leaving => {}
            _ => home.forget(file, whereto, entropy)?,
        }
    }
    // What was seen of these rows says nothing of others, in which the files may be put next.
    home.forget_seen(entropy)?;
    Whereabouts::Directory.write(project.root(), entropy)?;
    Ok(report)
}

struct Relocation<'a> {
    project: &'a Project,
    home: &'a SealedHome,
    entropy: &'a dyn Entropy,
}

impl Relocation<'_> {
    fn lock(&self) -> Result<Lease, WriteError> {
        Lease::acquire(&self.project.dango_dir().join(LOCK), PATIENCE)
    }

    /// Before anything is touched: rows that count are somebody's.
    fn refuse_occupied(&self) -> Result<(), MoveError> {
        for file in SharedFile::ALL {
            if matches!(self.home.standing(file)?, Standing::Live | Standing::Leaving) {
                return Err(HomeError::Occupied {
                    place: file.path().to_owned(),
                }
                .into());
            }
        }
        Ok(())
    }

    /// Puts every file into a row and looks whether it is there.
    fn send(&self) -> Result<(), MoveError> {
        for file in SharedFile::ALL {
            // Whoever was allowed to write before has the lock, even of a file that is still to be; afterwards nobody writes.
            storage::update(&self.project.path(file), self.entropy, |_| Ok::<_, Infallible>(Edit::Keep(())))?;
            let contents = self.read(file)?;
            self.home.arrive(file, bytes_of(contents.as_ref()), self.entropy)?;
        }
        for file in SharedFile::ALL {
            self.compare(file, self.home.arrived(file)?.as_ref())?;
        }
        Whereabouts::Rows.write(self.project.root(), self.entropy)?;
        Ok(())
    }

    /// Writes every row to its file and looks whether it is there.
    fn fetch(&self, report: &mut MoveReport) -> Result<(), MoveError> {
        for file in SharedFile::ALL {
            self.home.leave(file, self.entropy)?;
        }
        for file in SharedFile::ALL {
            if let Some(bytes) = self.home.arrived(file)? {
                self.write(file, &bytes)?;
                report.moved.push(file);
            }
        }
        for file in SharedFile::ALL {
            self.compare(file, self.home.arrived(file)?.as_ref())?;
        }
        Ok(())
    }

    fn write(&self, file: SharedFile, bytes: &[u8]) -> Result<(), MoveError> {
        let path = self.project.path(file);
        let written = storage::update(&path, self.entropy, |old| match old {
            Some(old) if old != bytes => Err(()),
            Some(_) => Ok(Edit::Keep(())),
            None => Ok(Edit::Replace(Zeroizing::new(bytes.to_vec()), ())),
        });
        written.map_err(|error| match error {
            UpdateError::Edit(()) => MoveError::InTheWay { path },
            UpdateError::Read(error) => error.into(),
            UpdateError::Write(error) => error.into(),
        })
    }

    fn compare(&self, file: SharedFile, row: Option<&Zeroizing<Vec<u8>>>) -> Result<(), MoveError> {
        let contents = self.read(file)?;
        if bytes_of(contents.as_ref()) == row.map(|bytes| bytes.as_slice()) {
            return Ok(());
        }
        Err(MoveError::Changed {
            path: self.project.path(file),
        })
    }

    /// Removes a file that is in its row, as it is.
    fn take_away(&self, file: SharedFile, report: &mut MoveReport) -> Result<(), MoveError> {
        if self.read(file)?.is_none() {
            return Ok(());
        }
        let row = self.home.arrived(file)?;
        // Read again after the database was asked: whatever was saved meanwhile is in the row or stays.
        let path = self.project.path(file);
        match self.read(file)? {
            Some(contents) if bytes_of(Some(&contents)) == row.as_ref().map(|row| row.as_slice()) => {
                storage::remove(&path, self.entropy)?;
                report.moved.push(file);
            }
            Some(_) => report.left.push(path),
            None => {}
        }
        Ok(())
    }

    /// What is in the directory, whatever that says of itself.
    fn read(&self, file: SharedFile) -> Result<Option<Contents>, ReadError> {
        storage::read(&self.project.path(file))
    }
}

fn bytes_of(contents: Option<&Contents>) -> Option<&[u8]> {
    contents.map(Contents::bytes)
}
