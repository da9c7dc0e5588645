//! The steps in which a row comes to count, and ceases to. Each can be done again; in which order they are done is in `relocation`.

use std::convert::Infallible;
use std::time::Duration;

use dango_core::Entropy;
use dango_secrets::home::{HomeError, MoveToken, Placed, Put, Refused, SharedFile};
use dango_secrets::storage::{ReadError, UpdateError, WriteError};
use zeroize::Zeroizing;

use super::change::{Change, Wanted};
use super::claim::{Claimed, KeptAlive};
use super::frame::{Frame, Phase, moved};
use super::{PATIENCE, SealedHome, place, unreachable};

/// The name of the lease of a move.
const LEASE: &str = "move";

/// What a row is in a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is no row.
    Free,
    /// It says that this move has taken the project away.
    Away(MoveToken),
    /// That move is bringing it here. It does not count, and may be replaced.
    Arriving(MoveToken),
    /// That move is about to let it count.
    Settling(MoveToken),
    /// It counts.
    Live,
    /// It counts, and that move is taking it away.
    Leaving(MoveToken),
}

/// The right to move the project, over all machines.
pub(crate) struct MoveLease(KeptAlive);

impl MoveLease {
    /// Asks whether it is still held: it ends where this machine was not heard of for too long.
    pub(crate) fn is_held(&self) -> Result<bool, HomeError> {
        self.0.confirm()
    }
}

impl SealedHome {
    /// Waits until nobody else moves the project. A move that goes on has at once what it had when it was interrupted.
    pub(crate) fn lease_move(&self, token: MoveToken, patience: Duration) -> Result<MoveLease, WriteError> {
        let claimed = Claimed::wait_as(self, LEASE, *token.bytes(), patience)?;
        Ok(MoveLease(claimed.keep_alive()))
    }

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
            Frame::Moved(token, _) => Standing::Away(token),
            Frame::File(Phase::Arriving(token), _) => Standing::Arriving(token),
            Frame::File(Phase::Settling(token), _) => Standing::Settling(token),
            Frame::File(Phase::Live, _) => Standing::Live,
            Frame::File(Phase::Leaving(token), _) => Standing::Leaving(token),
        })
    }

    /// Lets a file arrive, which does not count yet; what arrived before and did not count is replaced.
    pub(crate) fn arrive(&self, file: SharedFile, bytes: Option<&[u8]>, token: MoveToken, entropy: &dyn Entropy) -> Result<(), WriteError> {
        let arriving = Frame::File(Phase::Arriving(token), bytes.map(|bytes| Zeroizing::new(bytes.to_vec())));
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
            Frame::Moved(..) | Frame::File(Phase::Arriving(_), _) => Ok(Some(arriving.clone())),
            Frame::File(Phase::Settling(of), _) if *of == token => Ok(Some(arriving.clone())),
            Frame::File(..) => Err(HomeError::Occupied { place: place(file) }),
        })
    }

    /// What a row has, whether or not it counts yet.
    pub(crate) fn arrived(&self, file: SharedFile) -> Result<Option<Zeroizing<Vec<u8>>>, HomeError> {
        match self.open(file)?.frame {
            Frame::File(_, bytes) => Ok(bytes),
            moved @ Frame::Moved(..) => moved.readable(file),
        }
    }

    /// Lets no other move put anything in the place of a file that arrived by this one.
    pub(crate) fn secure(&self, file: SharedFile, token: MoveToken, entropy: &dyn Entropy) -> Result<(), WriteError> {
        self.step(file, entropy, &|now| match now {
            Frame::File(Phase::Arriving(of), bytes) if *of == token => Ok(Some(Frame::File(Phase::Settling(token), bytes.clone()))),
            Frame::File(Phase::Settling(of), _) if *of == token => Ok(None),
            _ => Err(HomeError::Occupied { place: place(file) }),
        })
    }

    /// Lets a file that arrived by this move count.
    pub(crate) fn settle(&self, file: SharedFile, token: Option<MoveToken>, entropy: &dyn Entropy) -> Result<(), WriteError> {
        self.step(file, entropy, &|now| match now {
            Frame::File(Phase::Arriving(of) | Phase::Settling(of), bytes) if Some(*of) == token => {
                Ok(Some(Frame::File(Phase::Live, bytes.clone())))
            }
            Frame::File(Phase::Live, _) => Ok(None),
            Frame::File(..) => Err(HomeError::Moving { place: place(file) }),
            Frame::Moved(_, whereto) => Err(moved(file, whereto.clone())),
        })
    }

    /// Lets nobody change a file any more that this move is about to take away; what another one has begun and not ended is taken over.
    pub(crate) fn leave(&self, file: SharedFile, token: MoveToken, entropy: &dyn Entropy) -> Result<(), WriteError> {
        self.step(file, entropy, &|now| match now {
            Frame::File(Phase::Leaving(of), _) if *of == token => Ok(None),
            Frame::File(Phase::Live | Phase::Leaving(_), bytes) => Ok(Some(Frame::File(Phase::Leaving(token), bytes.clone()))),
            Frame::File(..) => Err(HomeError::Moving { place: place(file) }),
            Frame::Moved(_, whereto) => Err(moved(file, whereto.clone())),
        })
    }

    /// Leaves of a file that this move has taken away only where it went.
    pub(crate) fn forget(&self, file: SharedFile, token: MoveToken, whereto: &str, entropy: &dyn Entropy) -> Result<(), WriteError> {
        self.step(file, entropy, &|now| match now {
            Frame::File(Phase::Leaving(of), _) if *of == token => Ok(Some(Frame::Moved(token, whereto.to_owned()))),
            Frame::Moved(of, _) if *of == token => Ok(None),
            Frame::Moved(_, elsewhere) => Err(moved(file, elsewhere.clone())),
            Frame::File(..) => Err(HomeError::Occupied { place: place(file) }),
        })
    }

    /// Takes a file back that arrived by this move and does not count. Whatever else is there stays.
    pub(crate) fn withdraw(&self, file: SharedFile, token: MoveToken, whereto: &str, entropy: &dyn Entropy) -> Result<(), WriteError> {
        if matches!(self.standing(file)?, Standing::Free) {
            return Ok(());
        }
        self.step(file, entropy, &|now| match now {
            Frame::File(Phase::Arriving(of) | Phase::Settling(of), _) if *of == token => Ok(Some(Frame::Moved(token, whereto.to_owned()))),
            _ => Ok(None),
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
        let (key, sealed) = self.seal(file, 1, frame, entropy)?;
        let put = Put {
            project: &self.project,
            name: file.name(),
            expected: 0,
            key: &key,
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
