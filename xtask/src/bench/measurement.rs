//! Wall time of whole processes, or the figure that a process prints: every contestant once per round, so that a busy moment of the machine hits them all.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::statistics;
use crate::step::{self, Failure};

/// Rounds before the clock counts: files are in memory then, and programs linked.
const WARM_UP: usize = 3;
/// A program that measures inside itself runs for seconds, and warms itself up.
const WARM_UP_INSIDE: usize = 1;

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
    /// What stands before the figure that it measured itself; else the whole process is timed.
    figure: Option<&'static str>,
}

/// The figures of one contestant, sorted: milliseconds of its process, or what it printed.
pub(super) struct Figures(Vec<f64>);

impl Contestant {
    pub(super) fn new(label: &str, program: &Path, arguments: &[&str], project: &Path) -> Self {
        Self {
            label: label.to_owned(),
            program: program.to_path_buf(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            project: project.to_path_buf(),
            variables: Vec::new(),
            answer: None,
            figure: None,
        }
    }

    /// Takes the number after this text in its output for what was measured, in place of the time of the whole process.
    pub(super) fn reporting(self, figure: &'static str) -> Self {
        Self {
            figure: Some(figure),
            ..self
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

    fn measure(&self) -> Result<f64, Failure> {
        match self.figure {
            None => Ok(self.time()?.as_secs_f64() * 1000.0),
            Some(figure) => self.figure_in(figure, &step::quiet(&mut self.command())?),
        }
    }

    /// The number that stands after a text.
    fn figure_in(&self, figure: &str, said: &str) -> Result<f64, Failure> {
        let after = said.lines().find_map(|line| line.strip_prefix(figure));
        let number = after
            .and_then(|after| after.split_whitespace().next())
            .and_then(|word| word.parse().ok());
        number.ok_or_else(|| Failure::new(format!("{} did not say `{figure}` and a number", self.label)))
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

impl Figures {
    pub(super) fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }

    pub(super) fn least(&self) -> f64 {
        self.0[0]
    }

    pub(super) fn most(&self) -> f64 {
        self.0[self.0.len() - 1]
    }
}

/// Runs every contestant `runs` times in turn.
pub(super) fn measure(contestants: &[Contestant], runs: usize) -> Result<Vec<Figures>, Failure> {
    let is_inside = contestants.iter().any(|contestant| contestant.figure.is_some());
    for _ in 0..if is_inside { WARM_UP_INSIDE } else { WARM_UP } {
        contestants.iter().try_for_each(Contestant::check)?;
    }
    let mut figures: Vec<Vec<f64>> = contestants.iter().map(|_| Vec::with_capacity(runs)).collect();
    for _ in 0..runs.max(1) {
        for (contestant, figures) in contestants.iter().zip(&mut figures) {
            figures.push(contestant.measure()?);
        }
    }
    Ok(figures.iter().map(|figures| Figures(statistics::sorted(figures))).collect())
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
    fn a_figure_that_a_program_prints_is_taken_in_place_of_its_time() {
        let told = shell("echo warmed up; echo 'checks a second: 12.5 of them'").reporting("checks a second: ");
        let figures = measure(&[told], 2).expect("it says so");
        assert_eq!(figures[0].0, [12.5, 12.5]);
        for other in ["echo nothing", "echo 'checks a second: many'"] {
            assert!(measure(&[shell(other).reporting("checks a second: ")], 1).is_err(), "{other}");
        }
    }

    #[test]
    fn the_median_of_three_is_the_middle_one() {
        let figures = Figures(vec![1.0, 2.0, 9.0]);
        assert_eq!((figures.median(), figures.least(), figures.most()), (2.0, 1.0, 9.0));
    }
}
