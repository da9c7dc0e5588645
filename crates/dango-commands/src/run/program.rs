//! A program with its environment: how it takes this process's place, and what went wrong if it cannot.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use dango_secrets::environment::{Variable, WITHHELD};

use crate::failure::{Failure, Status};
use crate::output::Output;

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
        let mut command = self.command();
        (output.host.restore_core_limit)();
        let error = command.exec();
        self.not_started(&error)
    }

    /// The program with its environment, not started.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.name);
        command.args(&self.arguments);
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

    /// Why the program did not start, with the exit status that a shell gives it.
    pub(crate) fn not_started(&self, error: &io::Error) -> Failure {
        let name = self.name.to_string_lossy();
        let mut failure = match error.kind() {
            ErrorKind::NotFound => Failure::refused(format!("there is no command {name}")),
            ErrorKind::ArgumentListTooLong => Failure::refused(format!(
                "the environment is too large to start {name}; the largest: {}",
                self.largest().join(", ")
            ))
            .hint("narrow it with `--only PREFIX`"),
            _ => Failure::refused(format!("{name} cannot be executed: {error}")),
        };
        failure.status = match error.kind() {
            ErrorKind::NotFound => Status::Program(127),
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
