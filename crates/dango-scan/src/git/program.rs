//! The `git` program: how it is started so that nothing else is, and what it means when it fails.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The process environment, of which git gets what it needs.
pub type Environment = BTreeMap<OsString, OsString>;

/// What git gets of the environment: where programs and configuration are, and which repository a hook works on.
///
/// Left out is everything that names programs (`GIT_EXTERNAL_DIFF`, `GIT_SSH_COMMAND`), sets configuration (`GIT_CONFIG_PARAMETERS`), or writes
/// what git does elsewhere (`GIT_TRACE`).
const PASSED_ON: [&str; 18] = [
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "TMPDIR",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_DEFAULT_HASH",
    "GIT_EXEC_PATH",
    "GIT_TEMPLATE_DIR",
];

/// Those that hold a path, which git takes from where it is started.
const PATHS: [&str; 5] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
];

/// What git is told of itself, whatever a repository's configuration says.
///
/// Objects that a partial clone lacks are not fetched: older gits do not know `GIT_NO_LAZY_FETCH`, but each refuses a protocol that is not in
/// `GIT_ALLOW_PROTOCOL`, whatever `protocol.ext.allow` and the like say.
const OURS: [(&str, &str); 8] = [
    ("LC_ALL", "C"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ALLOW_PROTOCOL", "none"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_LITERAL_PATHSPECS", "1"),
    ("GIT_PAGER", "cat"),
];

/// Settings of a repository that start programs, each with one that starts none.
const SETTINGS: [&str; 4] = [
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "protocol.allow=never",
    "core.attributesFile=",
];

/// Git could not be asked, or did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// There is no `git`.
    #[error("there is no `git` on the PATH")]
    Missing,
    /// The folder is in no repository.
    #[error("{} is in no git repository", folder.display())]
    NotARepository {
        /// Which folder.
        folder: PathBuf,
    },
    /// It is somebody else's, so git does not touch it.
    #[error("{} belongs to somebody else, so git does not read it", folder.display())]
    ForeignOwner {
        /// Which folder.
        folder: PathBuf,
    },
    /// Git failed.
    #[error("`git {command}` failed{}", said_of(said))]
    Failed {
        /// Its subcommand.
        command: String,
        /// The first line of what it said.
        said: String,
    },
    /// It could not be started, or talked to.
    #[error("cannot run git")]
    Io(#[from] io::Error),
    /// It answered something else than was asked.
    #[error("git did not answer as it should: {0}")]
    Answer(&'static str),
}

impl GitError {
    /// A stable word for it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "git-missing",
            Self::NotARepository { .. } => "not-a-repository",
            Self::ForeignOwner { .. } => "foreign-repository",
            Self::Failed { .. } => "git-failed",
            Self::Io(_) => "git-unreachable",
            Self::Answer(_) => "git-answer",
        }
    }
}

fn said_of(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

/// Git, in a folder.
pub(super) struct Program {
    folder: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl Program {
    pub(super) fn new(folder: &Path, environment: &Environment) -> Self {
        let given = PASSED_ON.iter().filter_map(|name| {
            let value = environment.get(OsStr::new(name)).filter(|value| !value.is_empty())?;
            let value = match PATHS.contains(name) {
                true => folder.join(value).into_os_string(),
                false => value.clone(),
            };
            Some((OsString::from(name), value))
        });
        let ours = OURS.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Self {
            folder: folder.to_path_buf(),
            environment: given.chain(ours).collect(),
        }
    }

    /// Starts it in another folder from now on.
    pub(super) fn work_in(&mut self, folder: &Path) {
        self.folder = folder.to_path_buf();
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command with its surroundings; input and output are the caller's to set.
    pub(super) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new("git");
        command.arg("--no-pager");
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end and returns what it printed.
    pub(super) fn ask<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Vec<u8>, GitError> {
        let output = self.command(arguments).output().map_err(not_started)?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(self.failed(&name_of(arguments), &output))
        }
    }

    /// Whether it answers yes, for questions whose no is an exit status.
    pub(super) fn agrees<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<bool, GitError> {
        Ok(self.command(arguments).output().map_err(not_started)?.status.success())
    }

    pub(super) fn failed(&self, command: &str, output: &Output) -> GitError {
        let said = String::from_utf8_lossy(&output.stderr);
        if said.contains("not a git repository") {
            return GitError::NotARepository {
                folder: self.folder.clone(),
            };
        }
        if said.contains("dubious ownership") {
            return GitError::ForeignOwner {
                folder: self.folder.clone(),
            };
        }
        let first = said.lines().next().unwrap_or_default();
        GitError::Failed {
            command: command.to_owned(),
            said: first.strip_prefix("fatal: ").unwrap_or(first).to_owned(),
        }
    }
}

pub(super) fn not_started(error: io::Error) -> GitError {
    match error.kind() {
        io::ErrorKind::NotFound => GitError::Missing,
        _ => GitError::Io(error),
    }
}

fn name_of<A: AsRef<OsStr>>(arguments: &[A]) -> String {
    arguments
        .first()
        .map(|name| name.as_ref().to_string_lossy().into_owned())
        .unwrap_or_default()
}
