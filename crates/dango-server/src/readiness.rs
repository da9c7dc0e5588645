//! Whether the server can do its work: database, identity key and project directory usable, the log the one it was, not about to end.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use dango_actions::Premises;
use dango_identity::IdentityKey;
use dango_secrets::home::SharedFile;
use dango_secrets::project::Project;
use dango_store::Store;
use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};
use tokio::sync::Mutex;

use crate::failure::chain;
use crate::movable::Whereabouts;

/// For how long an answer holds: whoever asks often costs no more than whoever asks once.
const HOLDS: Duration = Duration::from_secs(1);

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The least that has to be free on the database's disk.
const LEAST_FREE_BYTES: u64 = 1024 * 1024;

/// Why the server cannot do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotReady {
    /// It was told to end.
    #[error("the server is about to end")]
    Ending,
    /// The database is gone, was replaced, or cannot be used.
    #[error("the database cannot be used")]
    Database,
    /// The identity key is gone, or is another one.
    #[error("the identity key cannot be used")]
    Key,
    /// The project's directory cannot be read or written.
    #[error("the project's directory cannot be used")]
    Project,
    /// The project's values cannot be used where they are.
    #[error("the project's values cannot be used")]
    Values,
    /// The log is not the one that it was.
    #[error("the audit log cannot be used")]
    AuditLog,
}

impl NotReady {
    /// The stable code, as HTTP answers have it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ending => "shutting_down",
            Self::Database => "database_unavailable",
            Self::Key => "identity_key_unavailable",
            Self::Project => "project_unavailable",
            Self::Values => "values_unavailable",
            Self::AuditLog => "audit_unavailable",
        }
    }
}

/// The way to ask; clones share the last answer.
#[derive(Clone)]
pub struct Readiness(Arc<Inner>);

/// A file by its device and number, if it is there.
type Identity = Option<(u64, u64)>;

struct Inner {
    store: Arc<dyn Store>,
    premises: Arc<Premises>,
    key: IdentityKey,
    project: Project,
    /// Where the database is a file: which one, and whether the rows are still there.
    file: Option<(Identity, Arc<Whereabouts>)>,
    is_ending: AtomicBool,
    has_other_log: AtomicBool,
    last: Mutex<Option<(Instant, Result<(), NotReady>)>>,
}

impl Readiness {
    /// `place` is there where the database is a file of this machine.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        premises: Arc<Premises>,
        key: IdentityKey,
        project: Project,
        place: Option<Arc<Whereabouts>>,
    ) -> Self {
        let file = place.map(|place| (identity(premises.database()), place));
        Self(Arc::new(Inner {
            store,
            premises,
            key,
            project,
            file,
            is_ending: AtomicBool::new(false),
            has_other_log: AtomicBool::new(false),
            last: Mutex::const_new(None),
        }))
    }

    /// Whether everything is usable; the answer may be a second old.
    ///
    /// # Errors
    ///
    /// [`NotReady`], the first reason that was found; it was logged when it was.
    pub async fn check(&self) -> Result<(), NotReady> {
        let inner = &self.0;
        if inner.is_ending.load(Ordering::Relaxed) {
            return Err(NotReady::Ending);
        }
        let mut last = inner.last.lock().await;
        if let Some((at, answer)) = *last
            && at.elapsed() < HOLDS
        {
            return answer;
        }
        let answer = self.look().await;
        if let Err(reason) = answer
            && last.is_none_or(|(_, before)| before != answer)
        {
            tracing::error!(code = reason.code(), "not ready: {reason}");
        }
        *last = Some((Instant::now(), answer));
        answer
    }

    /// From here on the server is about to end.
    pub(crate) fn end(&self) {
        self.0.is_ending.store(true, Ordering::Relaxed);
    }

    /// Whether the log is another one than it was.
    pub(crate) fn note_log(&self, is_other: bool) {
        self.0.has_other_log.store(is_other, Ordering::Relaxed);
    }

    async fn look(&self) -> Result<(), NotReady> {
        let inner = Arc::clone(&self.0);
        // Where the thread that asks the disk breaks off, nobody knows better.
        let asked = tokio::task::spawn_blocking(move || inner.ask_disk()).await;
        asked.unwrap_or(Err(NotReady::Project))?;
        let begun = tokio::time::timeout(PATIENCE, self.0.store.check_writable()).await;
        match begun {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return Err(NotReady::Database),
        }
        self.ask_for_values().await?;
        match self.0.has_other_log.load(Ordering::Relaxed) {
            true => Err(NotReady::AuditLog),
            false => Ok(()),
        }
    }

    /// Asks for the state of the values where they may be in the database: a row that is gone or was set back is no project.
    async fn ask_for_values(&self) -> Result<(), NotReady> {
        if self.0.file.is_some() {
            return Ok(());
        }
        let inner = Arc::clone(&self.0);
        let asked = tokio::task::spawn_blocking(move || inner.project.stamp(SharedFile::Secrets).map(drop));
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(error))) => {
                tracing::debug!("the values cannot be used: {}", chain(&error));
                Err(NotReady::Values)
            }
            Ok(Err(_)) | Err(_) => Err(NotReady::Values),
        }
    }
}

impl Inner {
    fn ask_disk(&self) -> Result<(), NotReady> {
        let usable = |path: &Path| access(path, Access::READ_OK | Access::WRITE_OK).is_ok();
        let directory = self.project.dango_dir();
        if !directory.is_dir() || !usable(&directory) {
            return Err(NotReady::Project);
        }
        if let Some((file, place)) = &self.file
            && place.is_in_file()
        {
            let database = self.premises.database();
            // A file that was moved away is still written to by whoever has it open, and nobody ever reads it again.
            if identity(database) != *file || !usable(database) || !has_room(database) {
                return Err(NotReady::Database);
            }
        }
        match self.premises.identity_key().load() {
            Ok(Some(key)) if key.ct_eq(&self.key) => Ok(()),
            _ => Err(NotReady::Key),
        }
    }
}

fn identity(path: &Path) -> Identity {
    fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

fn has_room(path: &Path) -> bool {
    statvfs(path).is_ok_and(|disk| {
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        !disk.f_flag.contains(StatVfsMountFlags::RDONLY) && free >= LEAST_FREE_BYTES
    })
}
