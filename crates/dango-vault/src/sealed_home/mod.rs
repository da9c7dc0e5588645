//! A home that keeps a project's shared files as sealed rows of a database. What a row says and the statements that move it are elsewhere.

mod change;
mod claim;
mod frame;
mod moving;
mod sealing;
mod seen;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dango_core::Entropy;
use dango_keyring::{HolderError, KeySet, RowSealer};
use dango_secrets::home::{EditFile, Home, HomeError, HomeLease, Refused, Row, Rows, RowsError, SharedFile};
use dango_secrets::project::Project;
use dango_secrets::storage::{Contents, ReadError, Stamp, UpdateError, WriteError};

use change::{Change, Wanted};
use claim::Claimed;
use frame::Opened;
use sealing::AWAY;
use seen::SeenRows;

pub(crate) use moving::MoveLease;
pub use moving::Standing;

/// How long a change waits for another machine that changes the same file.
const PATIENCE: Duration = Duration::from_secs(30);

/// Fetches the keys of the project; asked on first need, and again where a row has a key that was not among them.
pub type KeyLoader = Box<dyn Fn() -> Result<KeySet, HolderError> + Send + Sync>;

/// The shared files of one project as rows, each sealed whole and bound to its project, name and revision.
///
/// It fails closed: without the database, or the key, or where a row does not open or is older than one that this machine has seen, nothing is
/// read and nothing written. Its calls wait for the database.
pub struct SealedHome {
    rows: Arc<dyn Rows>,
    /// The project's id, under which its rows are.
    project: String,
    keys: KeyLoader,
    sealer: Mutex<Option<Arc<RowSealer>>>,
    entropy: Arc<dyn Entropy>,
    seen: SeenRows,
}

impl SealedHome {
    /// The home of a project in rows that are there already; nothing is asked yet.
    ///
    /// `id` is the project's id. What this machine has seen is noted in the project's directory.
    pub fn new(rows: Arc<dyn Rows>, project: &Project, id: impl Into<String>, keys: KeyLoader, entropy: Arc<dyn Entropy>) -> Self {
        let id = id.into();
        let seen = SeenRows::of(project, &id, Arc::clone(&entropy));
        Self {
            rows,
            project: id,
            keys,
            sealer: Mutex::new(None),
            entropy,
            seen,
        }
    }

    /// Reads a row that is not older than what was seen, opens it and notes that it was seen.
    fn open(&self, file: SharedFile) -> Result<Opened, HomeError> {
        // Before the database is asked: what others see meanwhile may be newer than what it answers.
        let floor = self.seen.floor(file)?;
        let row = self.row(file)?;
        refuse_older(file, floor, row.revision)?;
        let frame = self.frame(file, &row)?;
        self.seen.note(file, row.revision);
        Ok(Opened { row, frame })
    }

    fn row(&self, file: SharedFile) -> Result<Row, HomeError> {
        let row = self
            .rows
            .row(&self.project, file.name())
            .map_err(|error| unreachable(file, error))?;
        row.ok_or_else(|| HomeError::Missing { place: place(file) })
    }

    /// What seals and opens rows; the keys are fetched on first need.
    fn sealer(&self, file: SharedFile) -> Result<Arc<RowSealer>, HomeError> {
        let known = self.sealer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        known.map_or_else(|| self.fetch_sealer(file), Ok)
    }

    fn fetch_sealer(&self, file: SharedFile) -> Result<Arc<RowSealer>, HomeError> {
        let keys = (self.keys)().map_err(|error| HomeError::Keys {
            place: place(file),
            source: error.into(),
        })?;
        let sealer = Arc::new(keys.row_sealer());
        *self.sealer.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&sealer));
        Ok(sealer)
    }
}

impl Home for SealedHome {
    fn read(&self, file: SharedFile) -> Result<Option<Contents>, ReadError> {
        let Opened { row, frame } = self.open(file)?;
        let bytes = frame.readable(file)?;
        Ok(bytes.map(|bytes| Contents::of_revision(bytes, row.revision, row.changed)))
    }

    fn stamp(&self, file: SharedFile) -> Result<Option<Stamp>, ReadError> {
        let floor = self.seen.floor(file)?;
        let revision = self
            .rows
            .revision(&self.project, file.name())
            .map_err(|error| unreachable(file, error))?;
        let revision = revision.ok_or_else(|| HomeError::Missing { place: place(file) })?;
        refuse_older(file, floor, revision)?;
        Ok(Some(Stamp::of_revision(revision)))
    }

    fn update(&self, file: SharedFile, entropy: &dyn Entropy, edit: &mut EditFile<'_>) -> Result<(), UpdateError<Refused>> {
        Change::of(self, file, entropy).run(Wanted::Edit(edit)).map(drop)
    }

    fn lease(&self, name: &str, patience: Duration) -> Result<HomeLease, WriteError> {
        // Whoever reads the database is not to learn what anything is called.
        let name = self.sealer(SharedFile::Secrets)?.lease_name(&self.project, name);
        Ok(HomeLease::new(Claimed::wait(self, &name, patience)?.keep_alive()))
    }

    fn keys(&self) -> Result<Vec<String>, ReadError> {
        let mut keys = Vec::new();
        for file in SharedFile::ALL {
            keys.push(self.row(file)?.key);
        }
        keys.retain(|key| key != AWAY);
        Ok(keys)
    }

    fn keep_under_active_key(&self, entropy: &dyn Entropy) -> Result<usize, WriteError> {
        let active = self.fetch_sealer(SharedFile::Seals)?.active_id().to_string();
        let mut anew = 0;
        for file in SharedFile::ALL {
            let done = Change::of(self, file, entropy).run(Wanted::Key(&active));
            anew += usize::from(done.map_err(|error| moving::written(file, error))?);
        }
        Ok(anew)
    }
}

/// How errors name a file.
fn place(file: SharedFile) -> String {
    file.path().to_owned()
}

fn unreachable(file: SharedFile, error: RowsError) -> HomeError {
    HomeError::Unreachable {
        place: place(file),
        source: error.into_cause(),
    }
}

fn refuse_older(file: SharedFile, seen: u64, found: u64) -> Result<(), HomeError> {
    if found < seen {
        return Err(HomeError::SetBack {
            place: place(file),
            seen,
            found,
        });
    }
    Ok(())
}
