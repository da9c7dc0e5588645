//! One shell for one document: what a command leaves behind, files, variables and folder, the next one finds.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::scratch::Scratch;

/// Runs each command of the folder in turn in this very shell, both streams into one file as on a terminal.
const SCRIPT: &str = r#"
__answers=$1
for __number in $(seq "$2"); do
  eval "$(cat "$__answers/$__number.command")" >"$__answers/$__number.output" 2>&1 </dev/null
  echo $? >"$__answers/$__number.status"
done
"#;

/// A shell that is yet to be started, in a project of its own.
pub struct Session {
    scratch: Scratch,
    path: OsString,
}

/// What came of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Both streams, in the order in which they were written.
    pub output: String,
    /// The exit status.
    pub status: i32,
}

impl Session {
    /// Makes the project; programs are looked for in these folders first.
    ///
    /// # Panics
    ///
    /// When a folder's name cannot stand in `PATH`.
    #[must_use]
    pub fn new(folders_on_path: &[&Path]) -> Self {
        let system = std::env::var_os("PATH").unwrap_or_default();
        let folders = folders_on_path
            .iter()
            .map(|folder| folder.to_path_buf())
            .chain(std::env::split_paths(&system));
        Self {
            scratch: Scratch::new(),
            path: std::env::join_paths(folders).expect("no folder's name holds a colon"),
        }
    }

    /// Runs the commands; those that were not reached because the shell ended have no answer.
    ///
    /// # Panics
    ///
    /// When the shell cannot be started or hangs.
    #[must_use]
    pub fn run(&self, commands: &[&str]) -> Vec<Option<Answer>> {
        let answers = self.scratch.everything().join("answers");
        fs::create_dir(&answers).expect("a scratch folder is writable");
        for (index, command) in commands.iter().enumerate() {
            fs::write(file(&answers, index, "command"), command).expect("a scratch folder is writable");
        }
        // `setsid` takes the terminal away, so that nothing can ask the one who runs the tests.
        let folder = answers.to_str().expect("a scratch folder's name is plain");
        let arguments = [
            "--wait",
            "bash",
            "--noprofile",
            "--norc",
            "-c",
            SCRIPT,
            "bash",
            folder,
            &commands.len().to_string(),
        ];
        let _ = self.scratch.command("setsid", &arguments).env("PATH", &self.path).run();
        (0..commands.len()).map(|index| answer(&answers, index)).collect()
    }
}

fn answer(folder: &Path, index: usize) -> Option<Answer> {
    let status = fs::read_to_string(file(folder, index, "status")).ok()?;
    let output = fs::read(file(folder, index, "output")).ok()?;
    Some(Answer {
        output: String::from_utf8_lossy(&output).into_owned(),
        status: status.trim().parse().ok()?,
    })
}

fn file(folder: &Path, index: usize, kind: &str) -> PathBuf {
    folder.join(format!("{}.{kind}", index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(commands: &[&str]) -> Vec<Option<Answer>> {
        Session::new(&[]).run(commands)
    }

    fn said(output: &str, status: i32) -> Option<Answer> {
        Some(Answer {
            output: output.to_owned(),
            status,
        })
    }

    #[test]
    fn folder_variables_and_files_stay_from_command_to_command() {
        let answers = answers(&["mkdir a; cd a; x=1", "echo $x > b", "cat b; ls -A ~ ; basename $PWD"]);
        assert_eq!(answers, [said("", 0), said("", 0), said("1\na\n", 0)]);
    }

    #[test]
    fn a_command_that_is_no_shell_text_fails_alone() {
        let answers = answers(&["if then", "echo on"]);
        assert_eq!(answers[1], said("on\n", 0));
        assert_ne!(answers[0].as_ref().unwrap().status, 0);
    }

    #[test]
    fn both_streams_come_in_order_and_there_is_no_terminal_to_ask() {
        let answers = answers(&["echo a; echo b >&2; echo c", "cat; : < /dev/tty"]);
        assert_eq!(answers[0], said("a\nb\nc\n", 0));
        assert_ne!(answers[1].as_ref().unwrap().status, 0);
    }
}
