//! The running `ssh` of one session: what goes in, what it says, how it ended. What it is started with is in `ssh`.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crate::failure::LinkError;
use crate::frames::{Frames, NoAnswer};

/// How much is kept of what `ssh` says.
const MOST_SAID: u64 = 64 * 1024;
/// How long `ssh` may take to end once everything was said.
const LINGER: Duration = Duration::from_secs(3);
/// How often it is looked at meanwhile.
const GLANCE: Duration = Duration::from_millis(5);
/// What `ssh` ends with for a failure of its own.
const OF_SSH: i32 = 255;
const PROGRAM: &str = "ssh";

/// A running `ssh`. It is ended when it is dropped.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    said: Receiver<String>,
    pub(crate) answers: Frames,
}

/// What is known once it has ended.
pub(crate) struct Ended {
    status: Option<ExitStatus>,
    said: String,
}

impl Process {
    /// Starts a prepared command; `started` is told of it before anything is sent.
    pub(crate) fn start(mut command: Command, mark: &str, started: &dyn Fn(&Child)) -> Result<Self, LinkError> {
        let no_ssh = |source| LinkError::NoSsh { program: PROGRAM, source };
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(no_ssh)?;
        started(&child);
        let stdin = child.stdin.take();
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(no_ssh(std::io::ErrorKind::BrokenPipe.into()));
        };
        Ok(Self {
            child,
            stdin,
            said: listen(stderr),
            answers: Frames::new(stdout, mark),
        })
    }

    /// Sends something. Where it cannot be sent, the answers tell why.
    pub(crate) fn send(&mut self, write: impl FnOnce(&mut ChildStdin) -> std::io::Result<()>) {
        if let Some(stdin) = &mut self.stdin
            && write(stdin).and_then(|()| stdin.flush()).is_err()
        {
            self.stdin = None;
        }
    }

    /// Says that nothing more will be sent.
    pub(crate) fn close(&mut self) {
        self.stdin = None;
    }

    /// Waits for the end, which is near: everything was said. One that does not end is ended.
    pub(crate) fn end(&mut self) -> Ended {
        self.close();
        let deadline = Instant::now() + LINGER;
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(GLANCE),
                _ => {
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                    break None;
                }
            }
        };
        // A program that `ssh` has started may hold the stream open; what was said by then is lost, and no more.
        let said = self.said.recv_timeout(LINGER).unwrap_or_default();
        Ended { status, said }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            // It may end in this moment, and then there is nothing left to do.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Ended {
    /// Why the answers stopped; `was_there` where the script had answered before.
    pub(crate) fn failure(&self, no_answer: NoAnswer, was_there: bool) -> LinkError {
        if no_answer == NoAnswer::Silent {
            return LinkError::TimedOut;
        }
        match self.status.and_then(|status| status.code()) {
            Some(OF_SSH) => LinkError::of_ssh(&self.said),
            Some(_) if !was_there => LinkError::NoShell,
            Some(_) => LinkError::Lost,
            None if self.status.is_some() => LinkError::Interrupted,
            None if !was_there => LinkError::NoShell,
            None => LinkError::Lost,
        }
    }
}

/// Collects a stream on a thread of its own, so that whoever writes into it never waits.
fn listen(mut stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, said) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.by_ref().take(MOST_SAID).read_to_end(&mut bytes);
        // What is beyond is read and forgotten.
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
        // Nobody may be waiting any longer.
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    said
}
