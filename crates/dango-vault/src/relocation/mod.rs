//! A project moved from its directory to rows of a database, or back: in steps that can be done again, so that an interrupted move is resumed.
//!
//! To rows: the directory says that nobody changes its files any more; each file is put into a row that does not count yet; every row is opened
//! again and compared with its file; the first row says that no other move may have it; the directory says that the files are in rows, which is the
//! moment from which they are; the rows count; the files go. Back: the rows are closed to changes; each is written to its file; every file is compared
//! with its row; the rows forget what they had; the directory is the home again.
//!
//! Machines take turns by a lease. Being right does not rest on it: rows name the move that brings or takes them, no move ends what another one has
//! begun, and of two that take the same rows away the one that is first at the first row has them.

mod error;

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use dango_core::Entropy;
use dango_secrets::home::{HomeError, MoveToken, SharedFile, Whereabouts};
use dango_secrets::project::Project;
use dango_secrets::storage::{self, Contents, Edit, Lease, ReadError, Removal, UpdateError, WriteError};
use zeroize::Zeroizing;

use crate::sealed_home::{MoveLease, SealedHome, Standing};

pub use error::MoveError;

/// What is locked while a project is moved: two moves at once would each take the other's steps for its own.
const LOCK: &str = "move.lock";

/// How long one waits for another move on this machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long one waits for one on another machine: longer than the claim of a process that died.
const PATIENCE_FOR_OTHERS: Duration = Duration::from_secs(30);

/// The row that decides: each move is at it first.
const FIRST: SharedFile = SharedFile::ALL[0];

/// What a move did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoveReport {
    /// The files that are in the other home now, those that there were.
    pub moved: Vec<SharedFile>,
    /// Whether an earlier move was finished, or taken back.
    pub resumed: bool,
    /// Files that something else than Dango has changed since they were compared, and which were therefore not removed. They count no more.
    pub left: Vec<PathBuf>,
    /// Whether rows of a move that was taken back are still in a database that could not be used. They never count.
    pub rows_left: bool,
}

/// Whether a project could be moved to rows, as far as that is known before anything is begun.
///
/// # Errors
///
/// [`MoveError`].
pub fn check_move_to_rows(project: &Project, home: &SealedHome, entropy: &dyn Entropy) -> Result<(), MoveError> {
    Relocation { project, home, entropy }.check()
}

/// Moves a project's shared files from its directory to rows, or finishes such a move.
///
/// # Errors
///
/// [`MoveError`].
pub fn move_to_rows(project: &Project, home: &SealedHome, entropy: &dyn Entropy) -> Result<MoveReport, MoveError> {
    let relocation = Relocation { project, home, entropy };
    let _alone = relocation.lock()?;
    let (before, noted) = Whereabouts::read_move(project.root())?;
    if matches!(before, Whereabouts::Returning | Whereabouts::Returned) {
        return Err(MoveError::OtherWay);
    }
    let token = token_of(noted, entropy)?;
    let lease = home.lease_move(token, PATIENCE_FOR_OTHERS)?;
    if before != Whereabouts::Rows {
        relocation.check()?;
        if (before, noted) != (Whereabouts::Leaving, Some(token)) {
            Whereabouts::Leaving.write_move(project.root(), token, entropy)?;
        }
        relocation.send(token, &lease)?;
    }
    let mut report = MoveReport {
        resumed: before != Whereabouts::Directory,
        ..MoveReport::default()
    };
    let token = (before != Whereabouts::Rows).then_some(token).or(noted);
    for file in SharedFile::ALL {
        home.settle(file, token, entropy)?;
    }
    for file in SharedFile::ALL {
        relocation.take_away(file, &mut report)?;
    }
    if before == Whereabouts::Rows && report.moved.is_empty() && report.left.is_empty() {
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
    let alone = relocation.lock()?;
    let (before, noted) = Whereabouts::read_move(project.root())?;
    let token = match before {
        Whereabouts::Directory => return Err(MoveError::There),
        Whereabouts::Leaving => {
            drop(alone);
            return take_back(project, Some(home), whereto, entropy);
        }
        Whereabouts::Rows => MoveToken::make(entropy)?,
        Whereabouts::Returning | Whereabouts::Returned => token_of(noted, entropy)?,
    };
    let lease = home.lease_move(token, PATIENCE_FOR_OTHERS)?;
    let mut report = MoveReport {
        resumed: before != Whereabouts::Rows,
        ..MoveReport::default()
    };
    // Only files that were whole when they were noted to be may rest on rows that are gone.
    let is_decided = before == Whereabouts::Returned && home.standing(FIRST)? == Standing::Away(token);
    if !is_decided {
        // What died before all rows counted is ended first.
        for file in SharedFile::ALL {
            if let Standing::Arriving(of) | Standing::Settling(of) = home.standing(file)?
                && before == Whereabouts::Rows
                && noted == Some(of)
            {
                home.settle(file, noted, entropy)?;
            }
        }
        relocation.clear_the_way()?;
        if (before, noted) != (Whereabouts::Returning, Some(token)) {
            Whereabouts::Returning.write_move(project.root(), token, entropy)?;
        }
        relocation.fetch(token, &mut report)?;
        relocation.hold(&lease)?;
        Whereabouts::Returned.write_move(project.root(), token, entropy)?;
    }
    for file in SharedFile::ALL {
        home.forget(file, token, whereto, entropy)?;
    }
    // What was seen of these rows says nothing of others, in which the files may be put next.
    home.forget_seen(entropy)?;
    // Nobody reads rows any more, so the files count from here on.
    Whereabouts::Directory.write(project.root(), entropy)?;
    Ok(report)
}

/// Takes back a move to rows that was interrupted before it counted: the files count, as they have all the time.
///
/// The database is not needed for that. Where it is none, or cannot be used, rows that never count stay in it, and the directory keeps
/// in mind that they are its own.
///
/// # Errors
///
/// [`MoveError::OtherWay`] where the project is not on its way to rows, and others where its directory cannot be written.
pub fn take_back(project: &Project, home: Option<&SealedHome>, whereto: &str, entropy: &dyn Entropy) -> Result<MoveReport, MoveError> {
    let _alone = lock(project)?;
    let (before, noted) = Whereabouts::read_move(project.root())?;
    if before != Whereabouts::Leaving {
        return Err(MoveError::OtherWay);
    }
    let mut report = MoveReport {
        resumed: true,
        ..MoveReport::default()
    };
    if let Some(token) = noted {
        let withdraw = |home: &SealedHome| -> Result<(), MoveError> {
            for file in SharedFile::ALL {
                home.withdraw(file, token, whereto, entropy)?;
            }
            Ok(home.forget_seen(entropy)?)
        };
        report.rows_left = home.is_none_or(|home| withdraw(home).is_err());
    }
    match noted {
        Some(token) if report.rows_left => Whereabouts::Directory.write_move(project.root(), token, entropy)?,
        _ => Whereabouts::Directory.write(project.root(), entropy)?,
    }
    Ok(report)
}

/// The token of the move that was begun, or that of a new one.
fn token_of(noted: Option<MoveToken>, entropy: &dyn Entropy) -> Result<MoveToken, MoveError> {
    Ok(noted.map_or_else(|| MoveToken::make(entropy), Ok)?)
}

fn lock(project: &Project) -> Result<Lease, WriteError> {
    Lease::acquire(&project.dango_dir().join(LOCK), PATIENCE)
}

struct Relocation<'a> {
    project: &'a Project,
    home: &'a SealedHome,
    entropy: &'a dyn Entropy,
}

impl Relocation<'_> {
    fn lock(&self) -> Result<Lease, WriteError> {
        lock(self.project)
    }

    /// Before anything is touched: rows that count are somebody's, or are about to be, and what cannot come back does not go.
    fn check(&self) -> Result<(), MoveError> {
        let (_, noted) = Whereabouts::read_move(self.project.root())?;
        for file in SharedFile::ALL {
            self.refuse_link(file)?;
            self.read(file)?;
        }
        for file in SharedFile::ALL {
            match self.home.standing(file)? {
                Standing::Free | Standing::Away(_) | Standing::Arriving(_) => {}
                Standing::Settling(token) if Some(token) == noted => {}
                Standing::Settling(_) | Standing::Live | Standing::Leaving(_) => {
                    return Err(HomeError::Occupied {
                        place: file.path().to_owned(),
                    }
                    .into());
                }
            }
        }
        Ok(())
    }

    fn refuse_link(&self, file: SharedFile) -> Result<(), MoveError> {
        let path = self.project.path(file);
        match path.is_symlink() {
            true => Err(MoveError::Link { path }),
            false => Ok(()),
        }
    }

    /// Whether nobody else can have begun to move the project meanwhile.
    fn hold(&self, lease: &MoveLease) -> Result<(), MoveError> {
        match lease.is_held()? {
            true => Ok(()),
            false => Err(MoveError::LeaseLost),
        }
    }

    /// Puts every file into a row and looks whether it is there.
    fn send(&self, token: MoveToken, lease: &MoveLease) -> Result<(), MoveError> {
        for file in SharedFile::ALL {
            // Whoever was allowed to write before has the lock, even of a file that is still to be; afterwards nobody writes.
            storage::update(&self.project.path(file), self.entropy, |_| Ok::<_, Infallible>(Edit::Keep(())))?;
            let contents = self.read(file)?;
            self.home.arrive(file, bytes_of(contents.as_ref()), token, self.entropy)?;
        }
        for file in SharedFile::ALL {
            self.compare(file, self.home.arrived(file)?.as_ref())?;
        }
        self.hold(lease)?;
        // From here on no other move puts its own in the place of what this one has brought.
        self.home.secure(FIRST, token, self.entropy)?;
        Whereabouts::Rows.write_move(self.project.root(), token, self.entropy)?;
        Ok(())
    }

    /// Before the rows are closed: whether each file could be written as it is in its row.
    fn clear_the_way(&self) -> Result<(), MoveError> {
        for file in SharedFile::ALL {
            self.refuse_link(file)?;
            let row = self.home.arrived(file)?;
            let there = self.read(file)?;
            if there.is_some() && bytes_of(there.as_ref()) != row.as_ref().map(|row| row.as_slice()) {
                return Err(MoveError::InTheWay {
                    path: self.project.path(file),
                });
            }
        }
        Ok(())
    }

    /// Writes every row to its file and looks whether it is there.
    fn fetch(&self, token: MoveToken, report: &mut MoveReport) -> Result<(), MoveError> {
        for file in SharedFile::ALL {
            self.home.leave(file, token, self.entropy)?;
        }
        // What was stored until then.
        self.clear_the_way()?;
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
        let path = self.project.path(file);
        // Compared once more when nobody can save it any more: whatever was saved meanwhile is in the row or stays.
        let removal = match self.home.arrived(file)? {
            Some(row) => storage::remove_if_same(&path, &row, self.entropy)?,
            None => Removal::Differs,
        };
        match removal {
            Removal::Removed => report.moved.push(file),
            Removal::Differs => report.left.push(path),
            Removal::Absent => {}
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
