//! A program with its environment: how it takes this process's place, and what went wrong if it cannot.

use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use dango_secrets::environment::{Variable, WITHHELD};

use crate::failure::{Failure, Status};
use crate::output::Output;

/// The system's number for a file that is no program of its own (`ENOEXEC`).
const NO_FORMAT: i32 = rustix::io::Errno::NOEXEC.raw_os_error();

/// A program that is to be run.
pub(crate) struct Program {
    pub(crate) name: OsString,
    pub(crate) arguments: Vec<OsString>,
    /// What is added to the environment that this process has.
    pub(crate) variables: Vec<Variable>,
    /// Where it starts; `None` for where this process is.
    pub(crate) directory: Option<PathBuf>,
}

impl Program {
    /// Replaces this process; returns only where that cannot be done.
    pub(crate) fn replace(&self, output: &mut Output<'_>) -> Failure {
        let mut command = self.command(&self.name, &[]);
        (output.host.restore_core_limit)();
        let error = command.exec();
        self.not_started(&error, output)
    }

    /// Starts the program beside this process; `streams` makes its standard output and standard error.
    pub(crate) fn start(&self, streams: fn() -> Stdio, output: &Output<'_>) -> io::Result<Child> {
        let begin = |mut command: Command| command.stdout(streams()).stderr(streams()).spawn();
        (output.host.restore_core_limit)();
        let mut started = begin(self.command(&self.name, &[]));
        if started.as_ref().is_err_and(|error| error.raw_os_error() == Some(NO_FORMAT))
            && let Some(script) = self.file(output)
        {
            // A script without `#!` is the shell's, as where the process is replaced (execvp(3)).
            started = begin(self.command(OsStr::new("/bin/sh"), &[script.as_os_str()]));
        }
        (output.host.forbid_core)();
        started
    }

    /// A program with this one's arguments behind `first`, and its environment; not started.
    fn command(&self, program: &OsStr, first: &[&OsStr]) -> Command {
        let mut command = Command::new(program);
        command.args(first).args(&self.arguments);
        for variable in &self.variables {
            command.env(&variable.name, variable.value.expose());
        }
        for name in WITHHELD {
            command.env_remove(name);
        }
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command
    }

    /// The file that the program's name means, if there is one: with a slash a path, else the first executable in `PATH`.
    fn file(&self, output: &Output<'_>) -> Option<PathBuf> {
        let place = |path: &Path| self.directory.as_deref().unwrap_or(Path::new(".")).join(path);
        let name = Path::new(&self.name);
        if self.name.as_encoded_bytes().contains(&b'/') {
            return place(name).is_file().then(|| name.to_owned());
        }
        let given = self.variables.iter().find(|variable| variable.name.as_str() == "PATH");
        let path = output
            .host
            .environment
            .get(OsStr::new("PATH"))
            .map(OsString::as_os_str)
            .or_else(|| given.map(|variable| OsStr::new(variable.value.expose())))?;
        std::env::split_paths(path)
            .map(|directory| Path::new(".").join(directory).join(name))
            .find(|file| rustix::fs::access(place(file), rustix::fs::Access::EXEC_OK).is_ok() && place(file).is_file())
    }

    /// Why the program did not start, with the exit status that a shell gives it.
    pub(crate) fn not_started(&self, error: &io::Error, output: &Output<'_>) -> Failure {
        let name = self.name.to_string_lossy();
        let mut failure = match error.kind() {
            // The system says of a script that "it" does not exist where its interpreter does not.
            ErrorKind::NotFound if self.file(output).is_some() => {
                Failure::refused(format!("{name} cannot be executed: the interpreter that it names does not exist"))
                    .hint("look at its first line, `#!…`")
            }
            ErrorKind::NotFound if name.is_empty() => Failure::refused("the command is an empty word"),
            ErrorKind::NotFound => Failure::refused(format!("there is no command {name}")),
            ErrorKind::ArgumentListTooLong => Failure::refused(format!(
                "the environment is too large to start {name}; the largest: {}",
                self.largest().join(", ")
            ))
            .hint("narrow it with `--only PREFIX`"),
            _ => Failure::refused(format!("{name} cannot be executed: {error}")),
        };
        failure.status = match error.kind() {
            ErrorKind::NotFound if self.file(output).is_none() => Status::Program(127),
            ErrorKind::ArgumentListTooLong => Status::Refused,
            _ => Status::Program(126),
        };
        failure
    }

    fn largest(&self) -> Vec<&str> {
        let mut by_size: Vec<&Variable> = self.variables.iter().collect();
        by_size.sort_by_key(|variable| std::cmp::Reverse(variable.value.expose().len()));
        by_size.iter().take(3).map(|variable| variable.name.as_str()).collect()
    }
}

/// The most bytes that Linux takes for one `NAME=value` with its NUL: 32 pages (execve(2), `MAX_ARG_STRLEN`).
/// Other systems have no limit of their own for one variable.
pub(crate) fn largest_variable() -> usize {
    if cfg!(target_os = "linux") {
        32 * rustix::param::page_size()
    } else {
        usize::MAX
    }
}
