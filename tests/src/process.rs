//! One process run to its end, with everything it says, and stopped if it never ends.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// Far beyond what any command needs, so that only one that hangs is stopped.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a process ended and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The exit status; 128 and the signal's number for a process that a signal ended, as in a shell.
    pub status: i32,
    /// Standard output; bytes that are no UTF-8 are replaced.
    pub stdout: String,
    /// Standard error; bytes that are no UTF-8 are replaced.
    pub stderr: String,
}

impl Output {
    /// Returns the output of a command that was to succeed.
    ///
    /// # Panics
    ///
    /// When the exit status is not 0; the message holds all that was said.
    #[track_caller]
    #[must_use]
    pub fn success(self) -> Self {
        self.ending_with(0)
    }

    /// Returns the output of a command that was to end with this exit status.
    ///
    /// # Panics
    ///
    /// When it ended with another; the message holds all that was said.
    #[track_caller]
    #[must_use]
    pub fn ending_with(self, status: i32) -> Self {
        assert_eq!(
            self.status, status,
            "unexpected exit status\n--- stdout\n{}--- stderr\n{}",
            self.stdout, self.stderr
        );
        self
    }
}

/// Runs a command to its end with these bytes as its whole standard input.
///
/// # Panics
///
/// When it cannot be started, or has not ended after two minutes.
pub fn run_to_end(command: &mut Command, stdin: &[u8]) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
    let mut input = child.stdin.take().expect("it was asked for");
    let stdin = stdin.to_vec();
    // A command may end without reading its input, which is no fault of it.
    thread::spawn(move || drop(input.write_all(&stdin)));
    let stdout = drain(child.stdout.take().expect("it was asked for"));
    let stderr = drain(child.stderr.take().expect("it was asked for"));
    let deadline = Instant::now() + PATIENCE;
    let mut said = [stdout, stderr].map(|stream| stream.recv_timeout(deadline.saturating_duration_since(Instant::now())));
    let [Ok(stdout), Ok(stderr)] = &mut said else {
        drop(child.kill());
        panic!("{name} has not ended after {} s", PATIENCE.as_secs());
    };
    let status = child.wait().unwrap_or_else(|error| panic!("cannot wait for {name}: {error}"));
    Output {
        status: number(status),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

fn drain(mut stream: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        drop(stream.read_to_end(&mut bytes));
        drop(sender.send(bytes));
    });
    receiver
}

fn number(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_arrives_and_both_streams_and_the_status_come_back() {
        let output = run_to_end(Command::new("bash").args(["-c", "cat; echo no >&2; exit 3"]), b"in");
        assert_eq!(
            output,
            Output {
                status: 3,
                stdout: "in".to_owned(),
                stderr: "no\n".to_owned()
            }
        );
    }

    #[test]
    fn a_process_that_a_signal_ended_has_a_shells_number() {
        assert_eq!(run_to_end(Command::new("bash").args(["-c", "kill -TERM $$"]), b"").status, 143);
    }
}
