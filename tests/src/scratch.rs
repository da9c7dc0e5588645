//! A project of its own for one test: a folder, a home beside it, and an environment with nothing of the machine's owner in it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::binary::dango;
use crate::process::{Output, run_to_end};

/// A scratch project; it is removed when dropped.
pub struct Scratch {
    folder: TempDir,
    /// What the environment of every command holds besides.
    given: BTreeMap<&'static str, OsString>,
}

impl Scratch {
    /// Makes an empty project folder and an empty home.
    ///
    /// # Panics
    ///
    /// When the system's folder for temporary files cannot be written, as in every method here.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "making folders is no default value")]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dango-test-")
            .tempdir()
            .expect("the folder for temporary files is writable");
        let scratch = Self {
            folder,
            given: BTreeMap::new(),
        };
        fs::create_dir(scratch.path()).expect("a fresh folder is writable");
        fs::create_dir(scratch.home()).expect("a fresh folder is writable");
        scratch
    }

    /// Makes a project as `dango init` does.
    #[must_use]
    pub fn initialised() -> Self {
        let scratch = Self::new();
        let _ = scratch.run(&["init"]).success();
        scratch
    }

    /// Copies another one's project, hidden files and all, to a new home: what another machine has.
    #[must_use]
    pub fn copy_of(other: &Self) -> Self {
        let scratch = Self::new();
        let source = other.path().join(".");
        let copy = scratch.command("cp", &["-a".as_ref(), source.as_os_str(), ".".as_ref()]);
        let _ = copy.run().success();
        scratch
    }

    /// Gives every command that is run here from now on one variable more, or another value of it.
    pub fn give(&mut self, name: &'static str, value: impl Into<OsString>) {
        self.given.insert(name, value.into());
    }

    /// Takes a variable back that was given.
    pub fn take(&mut self, name: &str) {
        self.given.remove(name);
    }

    /// The project's folder.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// The home of the one who runs commands here.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Everything that commands run here may have left behind, the home included.
    #[must_use]
    pub fn everything(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file of the project, with the folders above it.
    pub fn write(&self, file: &str, contents: impl AsRef<[u8]>) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a scratch folder is writable");
        fs::write(&path, contents).unwrap_or_else(|error| panic!("cannot write {file}: {error}"));
    }

    /// Reads a file of the project.
    #[must_use]
    pub fn read(&self, file: &str) -> String {
        String::from_utf8(self.read_bytes(file)).unwrap_or_else(|_| panic!("{file} is not UTF-8"))
    }

    /// Reads a file of the project as it is.
    #[must_use]
    pub fn read_bytes(&self, file: &str) -> Vec<u8> {
        fs::read(self.path().join(file)).unwrap_or_else(|error| panic!("cannot read {file}: {error}"))
    }

    /// Runs `dango` with these arguments and nothing on standard input.
    pub fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Output {
        self.dango(arguments).run()
    }

    /// Prepares a run of `dango` with these arguments.
    pub fn dango<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Invocation {
        self.command(dango(), arguments)
    }

    /// Prepares a run of another program in the same surroundings.
    pub fn command<A: AsRef<OsStr>>(&self, program: impl AsRef<OsStr>, arguments: &[A]) -> Invocation {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .envs(self.environment());
        Invocation {
            command,
            stdin: Vec::new(),
        }
    }

    /// The whole environment of a command run here.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let own = [
            ("HOME", self.home().into_os_string()),
            ("PATH", std::env::var_os("PATH").unwrap_or_default()),
            ("LANG", "C.UTF-8".into()),
            ("GIT_CONFIG_NOSYSTEM", "1".into()),
            ("GIT_AUTHOR_NAME", "Ada".into()),
            ("GIT_AUTHOR_EMAIL", "ada@example.org".into()),
            ("GIT_COMMITTER_NAME", "Ada".into()),
            ("GIT_COMMITTER_EMAIL", "ada@example.org".into()),
            ("RUNTIME__DLTHUB_TELEMETRY", "false".into()),
        ];
        let given = self.given.iter().map(|(name, value)| (*name, value.clone()));
        own.into_iter().chain(given).collect()
    }
}

/// One run of a program that is still being prepared.
pub struct Invocation {
    command: Command,
    stdin: Vec<u8>,
}

impl Invocation {
    /// Gives these bytes as the whole standard input.
    #[must_use]
    pub fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.stdin = bytes.as_ref().to_vec();
        self
    }

    /// Sets one variable of the environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in a folder of the project instead of its root.
    #[must_use]
    pub fn inside(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs to the end.
    ///
    /// # Panics
    ///
    /// As [`run_to_end`].
    pub fn run(mut self) -> Output {
        run_to_end(&mut self.command, &self.stdin)
    }

    /// The prepared command, for tests that need a running process.
    #[must_use]
    pub fn into_command(self) -> Command {
        self.command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_owners_environment_reaches_a_command() {
        let scratch = Scratch::new();
        let output = scratch.command("env", &[] as &[&str]).env("GIVEN", "1").run().success();
        let mut names: Vec<&str> = output.stdout.lines().filter_map(|line| line.split('=').next()).collect();
        names.retain(|name| !name.starts_with("GIT_"));
        names.sort_unstable();
        assert_eq!(names, ["GIVEN", "HOME", "LANG", "PATH", "RUNTIME__DLTHUB_TELEMETRY"]);
        assert!(output.stdout.contains(&format!("HOME={}", scratch.home().display())));
    }

    #[test]
    fn a_copy_has_the_files_and_another_home_but_not_what_was_given() {
        let mut scratch = Scratch::new();
        scratch.give("GIVEN", "1");
        scratch.write(".hidden/file", "x");
        let copy = Scratch::copy_of(&scratch);
        assert_eq!(copy.read(".hidden/file"), "x");
        assert_ne!(copy.home(), scratch.home());
        let print = ["-c", "printf %s \"$GIVEN\""];
        assert_eq!(scratch.command("sh", &print).run().success().stdout, "1");
        assert_eq!(copy.command("sh", &print).run().success().stdout, "");
        scratch.take("GIVEN");
        assert_eq!(scratch.command("sh", &print).run().success().stdout, "");
    }

    #[test]
    fn commands_run_in_the_project_with_the_given_input() {
        let scratch = Scratch::new();
        scratch.write("a/b.txt", "x");
        let output = scratch
            .command("bash", &["-c", "cat - a/b.txt > c.txt"])
            .stdin("in ")
            .run()
            .success();
        assert_eq!((output.stdout.as_str(), scratch.read("c.txt").as_str()), ("", "in x"));
    }
}
