//! Running one command or one named step: quiet when it works, everything shown when it does not.

use std::fmt;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Why a step stopped, in words for the person who started it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    message: String,
}

impl Failure {
    /// Takes the message as it will be shown after `error: `.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Runs a step under its name and says how long it took.
///
/// # Errors
///
/// What the step itself returns.
pub fn timed<T>(name: &str, step: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    println!("==> {name}");
    // The commands that a step starts write to the same stream: ours has to be there first.
    let _ = std::io::stdout().flush();
    let start = Instant::now();
    let outcome = step();
    let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
    println!("<== {name}: {verdict} in {:.1} s", start.elapsed().as_secs_f64());
    outcome
}

/// Runs a command to its end with its output shown as it comes.
///
/// # Errors
///
/// When the command cannot be started or ends with anything but success.
pub fn shown(command: &mut Command) -> Result<(), Failure> {
    let line = command_line(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| Failure::new(format!("cannot start `{line}`: {error}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("`{line}` ended with {status}")))
    }
}

/// Runs a command to its end and returns its standard output; nothing is shown unless it fails.
///
/// # Errors
///
/// When the command cannot be started or ends with anything but success; the message then holds all its output.
pub fn quiet(command: &mut Command) -> Result<String, Failure> {
    let line = command_line(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::new(format!("cannot start `{line}`: {error}")))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(Failure::new(format!(
        "`{line}` ended with {}; it said:\n{stdout}{stderr}",
        output.status
    )))
}

fn command_line(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&argument.to_string_lossy());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_command_that_works_returns_its_standard_output() {
        assert_eq!(quiet(Command::new("echo").arg("hello")), Ok("hello\n".to_owned()));
    }

    #[test]
    fn a_quiet_command_that_fails_tells_everything_it_said() {
        let failure = quiet(Command::new("bash").args(["-c", "echo out; echo err >&2; exit 4"])).expect_err("it exits with 4");
        let message = failure.to_string();
        assert!(
            message.contains("exit status: 4") && message.contains("out\n") && message.contains("err\n"),
            "{message}"
        );
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let failure = shown(&mut Command::new("no-such-program-anywhere")).expect_err("it does not exist");
        assert!(failure.to_string().contains("no-such-program-anywhere"));
    }
}
