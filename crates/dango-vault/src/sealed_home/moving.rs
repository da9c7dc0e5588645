//! The steps in which a row comes to count, and ceases to. Each can be done again; in which order they are done is in `relocation`.

use std::convert::Infallible;

use dango_core::Entropy;
use dango_keyring::RowPlace;
use dango_secrets::home::{HomeError, Placed, Put, Refused, SharedFile};
use dango_secrets::storage::{ReadError, UpdateError, WriteError};
use zeroize::Zeroizing;

use super::change::{Change, Wanted};
use super::claim::Claimed;
use super::frame::{Frame, Phase};
use super::{PATIENCE, SealedHome, place, unreachable};

/// What a row is in a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is no row, or one that says that the project went away.
    Free,
    /// It is being moved here.
    Arriving,
    /// It counts.
    Live,
    /// It counts, and is being moved away.
    Leaving,
}

impl SealedHome {
    /// What the row of a file is.
    ///
    /// # Errors
    ///
    /// [`HomeError`] where the row cannot be read or opened.
    pub fn standing(&self, file: SharedFile) -> Result<Standing, HomeError> {
        let found = self.rows.revision(&self.project, file.name());
        if found.map_err(|error| unreachable(file, error))?.is_none() && self.seen.floor(file)? == 0 {
            return Ok(Standing::Free);
        }
        Ok(match self.open(file)?.frame {
            Frame::Moved(_) => Standing::Free,
            Frame::File(Phase::Arriving, _) => Standing::Arriving,
            Frame::File(Phase::Live, _) => Standing::Live,
            Frame::File(Phase::Leaving, _) => Standing::Leaving,
        })
    }

    /// Lets a file arrive, which does not count yet; what arrived before is replaced.
    pub(crate) fn arrive(&self, file: SharedFile, bytes: Option<&[u8]>, entropy: &dyn Entropy) -> Result<(), WriteError> {
        let arriving = Frame::File(Phase::Arriving, bytes.map(|bytes| Zeroizing::new(bytes.to_vec())));
        if self
            .rows
            .revision(&self.project, file.name())
            .map_err(|error| unreachable(file, error))?
            .is_none()
        {
            self.make(file, &arriving, entropy)?;
        }
        self.step(file, entropy, &|now| match now {
            now if *now == arriving => Ok(None),
            Frame::Moved(_) | Frame::File(Phase::Arriving, _) => Ok(Some(arriving.clone())),
            Frame::File(Phase::Live | Phase::Leaving, _) => Err(HomeError::Occupied { place: place(file) }),
        })
    }

    /// What a row has, whether or not it counts yet.
    pub(crate) fn arrived(&self, file: SharedFile) -> Result<Option<Zeroizing<Vec<u8>>>, HomeError> {
        match self.open(file)?.frame {
            Frame::File(_, bytes) => Ok(bytes),
            moved @ Frame::Moved(_) => moved.readable(file),
        }
    }

    /// Lets a file that arrived count.
    pub(crate) fn settle(&self, file: SharedFile, entropy: &dyn Entropy) -> Result<(), WriteError> {
        self.step(file, entropy, &|now| match now {
            Frame::File(Phase::Arriving, bytes) => Ok(Some(Frame::File(Phase::Live, bytes.clone()))),
            Frame::File(Phase::Live, _) => Ok(None),
            Frame::File(Phase::Leaving, _) => Err(HomeError::Moving { place: place(file) }),
            moved @ Frame::Moved(_) => moved.clone().readable(file).map(|_| None),
        })
    }

    /// Lets nobody change a file any more that is about to go.
    pub(crate) fn leave(&self, file: SharedFile, entropy: &dyn Entropy) -> Result<(), WriteError> {
        self.step(file, entropy, &|now| match now {
            Frame::File(Phase::Live, bytes) => Ok(Some(Frame::File(Phase::Leaving, bytes.clone()))),
            Frame::File(Phase::Leaving, _) => Ok(None),
            Frame::File(Phase::Arriving, _) => Err(HomeError::Moving { place: place(file) }),
            moved @ Frame::Moved(_) => moved.clone().readable(file).map(|_| None),
        })
    }

    /// Leaves of a file only where it went. One that counts and is not leaving stays.
    pub(crate) fn forget(&self, file: SharedFile, whereto: &str, entropy: &dyn Entropy) -> Result<(), WriteError> {
        self.step(file, entropy, &|now| match now {
            Frame::File(Phase::Arriving | Phase::Leaving, _) => Ok(Some(Frame::Moved(whereto.to_owned()))),
            Frame::Moved(_) => Ok(None),
            Frame::File(Phase::Live, _) => Err(HomeError::Occupied { place: place(file) }),
        })
    }

    /// Forgets which revisions this machine has seen: the rows count no more.
    pub(crate) fn forget_seen(&self, entropy: &dyn Entropy) -> Result<(), UpdateError<Infallible>> {
        self.seen.clear(entropy)
    }

    fn step(
        &self,
        file: SharedFile,
        entropy: &dyn Entropy,
        next: &dyn Fn(&Frame) -> Result<Option<Frame>, HomeError>,
    ) -> Result<(), WriteError> {
        Change::of(self, file, entropy)
            .run(Wanted::Frame(next))
            .map(drop)
            .map_err(|error| written(file, error))
    }

    /// Puts the first row of a file. Whether it was this one that is there now is looked at by the step that follows.
    fn make(&self, file: SharedFile, frame: &Frame, entropy: &dyn Entropy) -> Result<(), WriteError> {
        if self.seen.floor(file)? > 0 {
            return Err(HomeError::Missing { place: place(file) }.into());
        }
        let claimed = Claimed::wait(self, file.name(), PATIENCE)?.keep_alive();
        let sealer = self.sealer(file)?;
        let at = RowPlace {
            project: &self.project,
            name: file.name(),
            revision: 1,
        };
        let sealed = sealer.seal(&at, &frame.to_plain(), entropy).map_err(|error| HomeError::Seal {
            place: place(file),
            source: error.into(),
        })?;
        let put = Put {
            project: at.project,
            name: at.name,
            expected: 0,
            key: &sealer.active_id().to_string(),
            sealed: &sealed,
            claim: claimed.claim(),
        };
        match self.rows.put(&put).map_err(|error| unreachable(file, error))? {
            Placed::Done | Placed::Outrun => Ok(()),
            Placed::ClaimLost => Err(WriteError::Changed { path: file.path().into() }),
        }
    }
}

/// A step asks no edit of anybody's, so that none is refused, and reads no file.
pub(super) fn written(file: SharedFile, error: UpdateError<Refused>) -> WriteError {
    match error {
        UpdateError::Write(error) => error,
        UpdateError::Read(ReadError::Home(error)) => error.into(),
        UpdateError::Read(_) | UpdateError::Edit(Refused) => HomeError::Closed { place: place(file) }.into(),
    }
}
