//! Wall time of whole processes: every contestant once per round, so that a busy moment of the machine hits them all.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::step::{self, Failure};

/// Rounds before the clock counts: files are in memory then, and programs linked.
const WARM_UP: usize = 3;

/// One command that is measured.
pub(super) struct Contestant {
    pub(super) label: String,
    program: PathBuf,
    arguments: Vec<String>,
    project: PathBuf,
    /// Variables of its environment beside those that all have.
    variables: Vec<(String, String)>,
    /// What its output holds if it does its work.
    answer: Option<String>,
}

/// The times of one contestant, sorted.
pub(super) struct Times(Vec<Duration>);

impl Contestant {
    pub(super) fn new(label: &str, program: &Path, arguments: &[&str], project: &Path) -> Self {
        Self {
            label: label.to_owned(),
            program: program.to_path_buf(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            project: project.to_path_buf(),
            variables: Vec::new(),
            answer: None,
        }
    }

    /// Demands that the output holds a text, so that a command that does less is never taken for a fast one.
    pub(super) fn answering(self, answer: String) -> Self {
        Self {
            answer: Some(answer),
            ..self
        }
    }

    /// Puts a variable into its environment.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs it once, to see that it does its work.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let said = step::quiet(&mut self.command())?;
        match &self.answer {
            Some(answer) if !said.contains(answer) => Err(Failure::new(format!("{} did not answer {answer}", self.label))),
            _ => Ok(()),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(&self.project)
            .env_clear()
            .stdin(Stdio::null());
        command
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.project)
            .env("RUNTIME__DLTHUB_TELEMETRY", "false")
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    fn time(&self) -> Result<Duration, Failure> {
        let mut command = self.command();
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let status = command.status();
        let elapsed = start.elapsed();
        match status {
            Ok(status) if status.success() => Ok(elapsed),
            Ok(status) => Err(Failure::new(format!("{} ended with {status} while it was measured", self.label))),
            Err(error) => Err(Failure::new(format!("cannot start {}: {error}", self.label))),
        }
    }
}

impl Times {
    pub(super) fn median(&self) -> Duration {
        self.0[self.0.len() / 2]
    }

    pub(super) fn least(&self) -> Duration {
        self.0[0]
    }
}

/// Runs every contestant `runs` times in turn.
pub(super) fn measure(contestants: &[Contestant], runs: usize) -> Result<Vec<Times>, Failure> {
    for _ in 0..WARM_UP {
        contestants.iter().try_for_each(Contestant::check)?;
    }
    let mut times: Vec<Vec<Duration>> = contestants.iter().map(|_| Vec::with_capacity(runs)).collect();
    for _ in 0..runs.max(1) {
        for (contestant, times) in contestants.iter().zip(&mut times) {
            times.push(contestant.time()?);
        }
    }
    Ok(times
        .into_iter()
        .map(|mut times| {
            times.sort_unstable();
            Times(times)
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Contestant {
        Contestant::new("a script", Path::new("bash"), &["-c", script], Path::new("/"))
    }

    #[test]
    fn a_command_that_fails_or_answers_otherwise_is_never_measured() {
        assert!(measure(&[shell("exit 3")], 1).is_err());
        assert!(measure(&[shell("echo no").answering("yes".to_owned())], 1).is_err());
        assert!(measure(&[shell("echo yes").answering("yes".to_owned())], 1).is_ok());
    }

    #[test]
    fn the_median_of_three_is_the_middle_one() {
        let times = Times([1, 2, 9].map(Duration::from_millis).to_vec());
        assert_eq!(
            (times.median(), times.least()),
            (Duration::from_millis(2), Duration::from_millis(1))
        );
    }
}
