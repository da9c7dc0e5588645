//! One change of one row: claimed, opened, edited, sealed, put if nothing came between; and what to make of an answer that was lost.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use dango_core::Entropy;
use dango_secrets::home::{Answer, Claim, EditFile, HomeError, Placed, Put, Refused, Row, RowsError, SharedFile};
use dango_secrets::storage::{UpdateError, WriteError};

use super::claim::Claimed;
use super::frame::{Frame, Opened, Phase};
use super::{PATIENCE, SealedHome, place, unreachable};

/// How often it is begun anew because another row was there or the claim was lost.
const ATTEMPTS: usize = 64;
/// How often the same row is sent because no answer came.
const SENDINGS: usize = 3;
/// How often it is begun anew although the database has not answered.
const SILENCES: usize = 3;
/// How long a change takes at most, the edit itself not counted: whoever waits for it holds a thread.
const LONGEST: Duration = Duration::from_secs(60);

/// What is to become of a row.
pub(super) enum Wanted<'w, 'e> {
    /// What the edit says.
    Edit(&'w mut EditFile<'e>),
    /// The same under this key.
    Key(&'w str),
    /// Another frame, whatever it says now; `None` leaves it.
    Frame(&'w dyn Fn(&Frame) -> Result<Option<Frame>, HomeError>),
}

/// One change of one file.
pub(super) struct Change<'a> {
    home: &'a SealedHome,
    file: SharedFile,
    entropy: &'a dyn Entropy,
    /// A row that was sent under an earlier claim, and no answer came.
    unanswered: Option<Unanswered>,
    /// How often no answer came to any sending of a row.
    silences: usize,
    begun: Instant,
    /// How long the edit was asked.
    asked: Duration,
    longest: Duration,
}

struct Unanswered {
    expected: u64,
    sealed: Vec<u8>,
    error: RowsError,
}

impl Unanswered {
    /// Whether it was put in place; `None` where another row is there that may have come after it.
    ///
    /// The claim under which it was sent is gone, so it will not be put in place any more.
    fn was_placed(&self, now: &Row) -> Option<bool> {
        match now.revision.checked_sub(self.expected) {
            Some(0) => Some(false),
            Some(1) => Some(now.sealed == self.sealed),
            _ => None,
        }
    }
}

impl<'a> Change<'a> {
    pub(super) fn of(home: &'a SealedHome, file: SharedFile, entropy: &'a dyn Entropy) -> Self {
        Self {
            home,
            file,
            entropy,
            unanswered: None,
            silences: 0,
            begun: Instant::now(),
            asked: Duration::ZERO,
            longest: LONGEST,
        }
    }

    /// How long it may still take.
    fn left(&self) -> Duration {
        self.longest.saturating_sub(self.begun.elapsed().saturating_sub(self.asked))
    }

    /// Changes the row, and says whether another was put in its place.
    pub(super) fn run(mut self, mut wanted: Wanted<'_, '_>) -> Result<bool, UpdateError<Refused>> {
        for attempt in 0..ATTEMPTS {
            if attempt > 0 && (self.left().is_zero() || self.silences >= SILENCES) {
                break;
            }
            match self.attempt(&mut wanted) {
                Ok(ControlFlow::Break(done)) => return Ok(done),
                Ok(ControlFlow::Continue(())) => {}
                Err(error) => return Err(self.unsure().map_or(error, UpdateError::from)),
            }
        }
        let path = self.file.path().into();
        Err(self.unsure().unwrap_or(WriteError::Changed { path }).into())
    }

    fn attempt(&mut self, wanted: &mut Wanted<'_, '_>) -> Result<ControlFlow<bool>, UpdateError<Refused>> {
        // A claim of its own each time: what was sent under an earlier one counts no more. An edit may wait for people.
        let claimed = Claimed::wait(self.home, self.file.name(), PATIENCE.min(self.left()))?.keep_alive();
        let Opened { row, frame } = self.home.open(self.file).map_err(WriteError::from)?;
        if let Some(unanswered) = &self.unanswered {
            match unanswered.was_placed(&row) {
                Some(true) => return Ok(ControlFlow::Break(true)),
                Some(false) => self.unanswered = None,
                None => {
                    return Err(WriteError::Changed {
                        path: self.file.path().into(),
                    }
                    .into());
                }
            }
        }
        let Some(new) = self.ask(wanted, &row, &frame)? else {
            return Ok(ControlFlow::Break(false));
        };
        Ok(match self.put(&row, &new, claimed.claim())? {
            Placed::Done => {
                self.home.seen.note(self.file, row.revision + 1);
                ControlFlow::Break(true)
            }
            Placed::Outrun | Placed::ClaimLost => ControlFlow::Continue(()),
        })
    }

    /// What the row is to say; `None` where it stays.
    fn ask(&mut self, wanted: &mut Wanted<'_, '_>, row: &Row, frame: &Frame) -> Result<Option<Frame>, UpdateError<Refused>> {
        match wanted {
            Wanted::Edit(edit) => {
                let old = frame.changeable(self.file).map_err(WriteError::from)?;
                let begun = Instant::now();
                let answer = edit(old);
                self.asked += begun.elapsed();
                match answer {
                    Answer::Keep => Ok(None),
                    Answer::Replace(bytes) if old == Some(bytes.as_slice()) => Ok(None),
                    Answer::Replace(bytes) => Ok(Some(Frame::File(Phase::Live, Some(bytes)))),
                    Answer::Refuse => Err(UpdateError::Edit(Refused)),
                }
            }
            // What says where the project went is kept under no key.
            Wanted::Key(key) => Ok((row.key != *key && !matches!(frame, Frame::Moved(..))).then(|| frame.clone())),
            Wanted::Frame(change) => Ok(change(frame).map_err(WriteError::from)?),
        }
    }

    /// Seals the row that comes next and puts it in place; where no answer comes it is sent again, and then kept to be looked for.
    fn put(&mut self, row: &Row, new: &Frame, claim: &Claim) -> Result<Placed, WriteError> {
        let (key, sealed) = self.home.seal(self.file, row.revision + 1, new, self.entropy)?;
        let put = Put {
            project: &self.home.project,
            name: self.file.name(),
            expected: row.revision,
            key: &key,
            sealed: &sealed,
            claim,
        };
        let mut unanswered = None;
        for sending in 0..SENDINGS {
            if sending > 0 && self.left().is_zero() {
                break;
            }
            match (self.home.rows.put(&put), unanswered) {
                // Only one of several sendings can have found the row that it expects.
                (Ok(Placed::Done), _) => return Ok(Placed::Done),
                (Ok(placed), None) => return Ok(placed),
                // What a full disk or a missing right is told for once is told at once.
                (Err(error @ RowsError::Refused(_)), None) => return Err(unreachable(self.file, error).into()),
                (Err(RowsError::Refused(_)), Some(earlier)) => unanswered = Some(earlier),
                (Ok(placed), Some(error)) => {
                    self.unanswered = Some(Unanswered {
                        expected: row.revision,
                        sealed,
                        error,
                    });
                    return Ok(placed);
                }
                (Err(error), _) => unanswered = Some(error),
            }
        }
        self.silences += 1;
        self.unanswered = unanswered.map(|error| Unanswered {
            expected: row.revision,
            sealed,
            error,
        });
        Ok(Placed::ClaimLost)
    }

    /// The error of a change of which it is not known whether it was made.
    fn unsure(&mut self) -> Option<WriteError> {
        let unanswered = self.unanswered.take()?;
        let error = HomeError::Unsure {
            place: place(self.file),
            source: unanswered.error.into_cause(),
        };
        Some(error.into())
    }
}
