//! Where a project keeps its people and its log, and what says that there should be a database: the rules that the command line and
//! the server share before they open anything. The backend that opens it is theirs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use dango_core::{Entropy, Timestamp};
use dango_secrets::project::Project;
use dango_secrets::storage::{self, Edit, ReadError, UpdateError, WriteError};
use zeroize::Zeroizing;

use crate::actions::Actions;
use crate::audit::{CheckpointError, CheckpointPolicy, KeptCheckpoint};
use crate::identity_key::{IdentityKeyEnvironment, IdentityKeyFile};

/// The database, the identity key and the kept checkpoint of one project. Nothing is opened or made by it.
pub struct Premises {
    database: PathBuf,
    checkpoint: PathBuf,
    identity_key: IdentityKeyFile,
}

/// It is not known whether there is a database, or one that was there is gone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PremisesError {
    /// A checkpoint says that there was a database, and there is none. It is never made anew in silence.
    #[error("{} is gone: {} says that there was one", database.display(), checkpoint.display())]
    DatabaseGone {
        /// Where the database was.
        database: PathBuf,
        /// What says so.
        checkpoint: PathBuf,
    },
    /// The disk does not say.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl PremisesError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DatabaseGone { .. } => "database-gone",
            Self::Read(error) => error.code(),
        }
    }
}

/// A due checkpoint was not kept; what it was to cover is done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepCheckpointError {
    /// None was signed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The one before cannot be read.
    #[error("the checkpoint of the audit log was not kept")]
    Read(#[source] ReadError),
    /// It cannot be written.
    #[error("the checkpoint of the audit log was not kept")]
    Write(#[source] WriteError),
}

impl Premises {
    /// Those of a project: `.dango/dango.db`, `.dango/identity.key` or what the environment gives, `.dango/audit.checkpoint`.
    pub fn of(project: &Project, environment: IdentityKeyEnvironment) -> Self {
        let directory = project.dango_dir();
        Self {
            database: directory.join("dango.db"),
            checkpoint: directory.join("audit.checkpoint"),
            identity_key: IdentityKeyFile::new(project, environment),
        }
    }

    /// The same with the database in another file.
    pub fn with_database(self, database: PathBuf) -> Self {
        Self { database, ..self }
    }

    /// The same with the checkpoint in another file, where the log is another one than the project's own file has.
    pub fn with_checkpoint(self, checkpoint: PathBuf) -> Self {
        Self { checkpoint, ..self }
    }

    /// Where the database is.
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// Where the signed checkpoint is kept, beside the database: what a log that was cut off is found by.
    pub fn checkpoint(&self) -> &Path {
        &self.checkpoint
    }

    /// The way to the identity key.
    pub const fn identity_key(&self) -> &IdentityKeyFile {
        &self.identity_key
    }

    /// The checkpoint that was kept last.
    ///
    /// # Errors
    ///
    /// [`ReadError`].
    pub fn kept_checkpoint(&self) -> Result<Option<KeptCheckpoint>, ReadError> {
        let contents = storage::read(&self.checkpoint)?;
        Ok(contents.map(|contents| KeptCheckpoint {
            note: String::from_utf8_lossy(contents.bytes()).into_owned(),
            // The file's own time: it only says when the next one is due.
            written_at: contents.modified(),
        }))
    }

    /// Whether there is a database; one that was there and is gone is an error, and never made anew in silence.
    ///
    /// A database is older than its checkpoint, so `kept` must have been read before this looks.
    ///
    /// # Errors
    ///
    /// [`PremisesError`].
    pub fn has_database(&self, kept: Option<&KeptCheckpoint>) -> Result<bool, PremisesError> {
        if storage::is_there(&self.database)? {
            return Ok(true);
        }
        match kept {
            None => Ok(false),
            Some(_) => Err(PremisesError::DatabaseGone {
                database: self.database.clone(),
                checkpoint: self.checkpoint.clone(),
            }),
        }
    }
}

/// How the log stands to the checkpoint that was kept, before something is recorded.
#[derive(Clone, Debug)]
pub struct CheckpointStanding {
    kept: Option<KeptCheckpoint>,
    /// Whether another is to be kept behind the next record.
    is_due: bool,
}

impl CheckpointStanding {
    /// Compares the two; a log that is shorter than its checkpoint is not continued.
    ///
    /// # Errors
    ///
    /// [`CheckpointError`].
    pub async fn of(actions: &Actions, kept: Option<KeptCheckpoint>, now: Timestamp) -> Result<Self, CheckpointError> {
        let policy = CheckpointPolicy::default();
        let due = actions.checkpoint_if_due(kept.as_ref(), policy).await?;
        let is_old = kept.as_ref().is_none_or(|kept| is_older_than(kept, policy.age, now));
        Ok(Self {
            is_due: due.is_some() || is_old,
            kept,
        })
    }

    /// Compares nothing, for whoever has lost the way in.
    pub const fn unchecked(kept: Option<KeptCheckpoint>) -> Self {
        Self { kept, is_due: true }
    }

    /// Keeps a new checkpoint, if it is time. It blocks for the time of one small write.
    ///
    /// # Errors
    ///
    /// [`KeepCheckpointError`].
    pub async fn renew(&self, actions: &Actions, premises: &Premises, entropy: &dyn Entropy) -> Result<(), KeepCheckpointError> {
        if !self.is_due {
            return Ok(());
        }
        let signed = actions.checkpoint_if_due(self.kept.as_ref(), CheckpointPolicy::default());
        let Some(signed) = signed.await? else { return Ok(()) };
        let written = storage::update(&premises.checkpoint, entropy, |there| {
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
            Err(UpdateError::Read(error)) => Err(KeepCheckpointError::Read(error)),
            Err(UpdateError::Write(error)) => Err(KeepCheckpointError::Write(error)),
        }
    }
}

fn is_older_than(kept: &KeptCheckpoint, age: Duration, now: Timestamp) -> bool {
    let micros = now.unix_micros().saturating_sub(kept.written_at.unix_micros());
    // A clock that was set back makes it no younger.
    u64::try_from(micros).map_or(true, |micros| Duration::from_micros(micros) >= age)
}

#[cfg(test)]
mod tests {
    use dango_core::OsEntropy;

    use super::*;

    fn put(path: &Path) {
        let made = storage::update(path, &OsEntropy, |_| {
            Ok::<_, std::convert::Infallible>(Edit::Replace(Zeroizing::new(b"x\n".to_vec()), ()))
        });
        made.expect("written");
    }

    #[test]
    fn a_database_that_was_there_is_told_from_one_that_never_was() {
        let directory = tempfile::tempdir().expect("a directory");
        let premises = Premises::of(&Project::at(directory.path()), IdentityKeyEnvironment::default());
        let answer = || premises.has_database(premises.kept_checkpoint().expect("readable").as_ref());
        assert_eq!(answer().ok(), Some(false));
        put(premises.checkpoint());
        assert_eq!(answer().err().map(|error| error.code()), Some("database-gone"));
        put(premises.database());
        assert_eq!(answer().ok(), Some(true));
        let kept = premises.kept_checkpoint().expect("readable").expect("kept");
        assert!(kept.written_at.unix_micros() > 0 && kept.note == "x\n");
    }
}
