//! What the program gets from the system: streams, environment, working directory, clock, randomness.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dango_core::{Clock, Entropy};
use dango_store::{EarlierDatabase, EarlierError, Store, StoreFailure};

/// Opens the database of people and of the audit log at a path.
pub type StoreOpener = Box<dyn Fn(&Path, Opening) -> Result<Arc<dyn Store>, StoreFailure>>;

/// Looks at the database at a path without opening it for anybody; nothing is changed.
pub type StoreInspector = Box<dyn Fn(&Path) -> Result<StoreSchema, StoreFailure>>;

/// The schema of a database that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreSchema {
    /// Its version; 0 for an empty file.
    pub found: u32,
    /// The version that opening it brings it to.
    pub latest: u32,
}

/// Reads the users of an earlier Dango from its database at a path.
pub type EarlierReader = Box<dyn Fn(&Path) -> Result<EarlierDatabase, EarlierError>>;

/// What opening the database does where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It makes one.
    OrCreate,
    /// It fails.
    Existing,
}

/// The system as the command line sees it; `main` fills it with the real one.
pub struct Host {
    /// Standard input.
    pub stdin: Box<dyn Read>,
    /// Standard output: data, nothing else.
    pub stdout: Box<dyn Write>,
    /// Standard error: messages, prompts, warnings.
    pub stderr: Box<dyn Write>,
    /// Which of the three are terminals.
    pub terminal: Standard<bool>,
    /// The process environment.
    pub environment: BTreeMap<OsString, OsString>,
    /// Who runs the program, as the history of a value will name them.
    pub user: String,
    /// The number of that user, where the system has numbers.
    pub uid: Option<u32>,
    /// Which permissions new files do not get, where the system has such a thing.
    pub umask: Option<u32>,
    /// The working directory.
    pub directory: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The way to the database; nothing is opened before a command needs it.
    pub open_store: StoreOpener,
    /// A look at the database that changes nothing.
    pub inspect_store: StoreInspector,
    /// The way to the users of an earlier Dango.
    pub read_earlier: EarlierReader,
    /// Puts the core size limit back to what it was when the process began, for a program that takes its place or is started by it.
    pub restore_core_limit: fn(),
    /// Sets the core size limit to 0 again, once such a program has started.
    pub forbid_core: fn(),
}

/// One thing for each of the three standard streams.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standard<T> {
    /// For standard input.
    pub input: T,
    /// For standard output.
    pub output: T,
    /// For standard error.
    pub error: T,
}

impl Host {
    /// A variable of the process environment, where it is set and text.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(OsStr::new(name)).and_then(|value| value.to_str())
    }

    /// A directory named by a variable of the process environment; an empty one counts as unset.
    pub(crate) fn path_variable(&self, name: &str) -> Option<PathBuf> {
        self.environment
            .get(OsStr::new(name))
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    }

    /// The user's home directory, where the environment names one.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.path_variable("HOME")
    }
}
