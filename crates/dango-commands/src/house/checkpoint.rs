//! The signed checkpoint that is kept beside the database, in `.dango/audit.checkpoint`: what a log that was cut off is found by.

use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use dango_actions::{Actions, CheckpointError, CheckpointPolicy, KeptCheckpoint};
use dango_core::Timestamp;
use dango_secrets::project::Project;
use dango_secrets::storage::{self, Edit, UpdateError};
use zeroize::Zeroizing;

use super::{failures, wait};
use crate::failure::Failure;
use crate::host::Host;

/// Where it is kept.
pub(super) fn path(project: &Project) -> PathBuf {
    project.dango_dir().join("audit.checkpoint")
}

/// The checkpoint that was kept last.
#[derive(Clone)]
pub(super) struct Kept(KeptCheckpoint);

impl Kept {
    pub(super) fn read(project: &Project) -> Result<Option<Self>, Failure> {
        let path = path(project);
        let contents = storage::read(&path).map_err(|error| Failure::caused_by(&error))?;
        let Some(contents) = contents else { return Ok(None) };
        // The file's own time: it only says when the next one is due.
        let written = path.metadata().and_then(|metadata| metadata.modified()).ok();
        let micros = written
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
            .map_or(0, |age| age.as_micros());
        Ok(Some(Self(KeptCheckpoint {
            note: String::from_utf8_lossy(contents.bytes()).into_owned(),
            written_at: Timestamp::from_unix_micros(i64::try_from(micros).unwrap_or(0)),
        })))
    }

    pub(super) fn into_note(self) -> String {
        self.0.note
    }

    fn is_older_than(&self, age: Duration, now: Timestamp) -> bool {
        let micros = now.unix_micros().saturating_sub(self.0.written_at.unix_micros());
        // A clock that was set back makes it no younger.
        u64::try_from(micros).map_or(true, |micros| Duration::from_micros(micros) >= age)
    }
}

/// How the log stands to the checkpoint that was kept, before something is recorded.
#[derive(Clone)]
pub(super) struct Standing {
    kept: Option<Kept>,
    /// Whether another is to be kept behind the next record.
    is_due: bool,
}

impl Standing {
    /// Compares the two; a log that is shorter than its checkpoint is not continued.
    pub(super) fn of(actions: &Actions, kept: Option<Kept>, now: Timestamp) -> Result<Self, CheckpointError> {
        let policy = CheckpointPolicy::default();
        let due = wait(actions.checkpoint_if_due(kept.as_ref().map(|kept| &kept.0), policy))?;
        let is_old = kept.as_ref().is_none_or(|kept| kept.is_older_than(policy.age, now));
        Ok(Self {
            is_due: due.is_some() || is_old,
            kept,
        })
    }

    /// Compares nothing, for whoever has lost the way in.
    pub(super) const fn unchecked(kept: Option<Kept>) -> Self {
        Self { kept, is_due: true }
    }

    /// Whether the log's end was not written with the key.
    pub(super) fn is_foreign(actions: &Actions) -> bool {
        wait(actions.checkpoint_if_due(None, CheckpointPolicy::default())).is_err()
    }

    /// Keeps a new checkpoint, if it is time.
    pub(super) fn renew(&self, actions: &Actions, project: &Project, host: &Host) -> Result<(), Failure> {
        if !self.is_due {
            return Ok(());
        }
        let kept = self.kept.as_ref().map(|kept| &kept.0);
        let signed = wait(actions.checkpoint_if_due(kept, CheckpointPolicy::default()));
        let Some(signed) = signed.map_err(|error| failures::checkpoint(&error, project))? else {
            return Ok(());
        };
        let written = storage::update(&path(project), host.entropy.as_ref(), |there| {
            // Of two programs at once the one with the longer log has the last word.
            let is_longer = |there: &[u8]| {
                let there = std::str::from_utf8(there).ok();
                let there = there.and_then(|note| actions.checkpoint_verifier().open(note).ok());
                there.is_some_and(|there| there.size() >= signed.size)
            };
            if there.is_some_and(is_longer) {
                return Ok(Edit::Keep(()));
            }
            Ok::<_, std::convert::Infallible>(Edit::Replace(Zeroizing::new(signed.note.clone().into_bytes()), ()))
        });
        match written {
            Ok(()) => Ok(()),
            Err(UpdateError::Edit(never)) => match never {},
            Err(UpdateError::Read(error)) => Err(failures::unkept_checkpoint(&error)),
            Err(UpdateError::Write(error)) => Err(failures::unkept_checkpoint(&error)),
        }
    }
}
