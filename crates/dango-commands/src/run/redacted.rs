//! `dango run --redact`: the program's output passes a filter that replaces known values by `***`.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use dango_core::SecretValue;
use dango_secrets::redact::{Filter, Redactor, is_maskable};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zeroize::Zeroizing;

use super::Program;
use crate::Outcome;
use crate::failure::{Failure, Status};
use crate::output::Output;
use crate::signals::{self, Forwarder};

/// How long a program that has ended may leave its output open through a child of its own.
const LINGER: Duration = Duration::from_millis(200);

/// How often an ended program is looked for while its output is silent.
const GLANCE: Duration = Duration::from_millis(50);

pub(crate) fn run(program: &Program, values: Vec<SecretValue>, output: &mut Output<'_>) -> Outcome {
    let plain = values
        .iter()
        .filter(|value| !value.expose().is_empty() && !is_maskable(value))
        .count();
    if plain > 0 {
        output.hint(format!("{plain} values are too short or too common to be masked"));
    }
    let redactor = Redactor::new(&values).map_err(|error| Failure::caused_by(&error))?;
    drop(values);
    let forwarder =
        Forwarder::start(output.host.terminal.input).map_err(|error| Failure::refused(format!("cannot take over signals: {error}")))?;
    let mut child = program
        .start(Stdio::piped, output)
        .map_err(|error| program.not_started(&error, output))?;
    forwarder.point_at(&child);
    let pumped = pump(&mut child, &redactor, output);
    let waited = child.wait();
    forwarder.stop();
    let status = waited.map_err(|error| Failure::refused(format!("cannot wait for the command: {error}")))?;
    pumped?;
    passed_on(status)
}

/// Ends as the program ended: with its exit status, or by the signal that ended it.
pub(crate) fn passed_on(status: ExitStatus) -> Outcome {
    if let Some(number) = status.signal() {
        signals::die_of(number);
        return Err(Failure::silent(Status::Program(
            128u8.wrapping_add(u8::try_from(number).unwrap_or(0)),
        )));
    }
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(Failure::silent(Status::Program(u8::try_from(code).unwrap_or(1)))),
        None => Err(Failure::silent(Status::Refused)),
    }
}

/// One of the program's two streams and the filter that it passes; nothing once it has ended.
struct Stream<R>(Option<(R, Filter)>);

impl<R: Read + AsFd> Stream<R> {
    fn new(source: Option<R>, redactor: &Redactor) -> Self {
        Self(source.map(|source| (source, redactor.filter())))
    }

    fn deadline(&self) -> Option<Duration> {
        self.0.as_ref().and_then(|(_, filter)| filter.deadline())
    }

    /// Reads what is there, if something is, and appends what may be shown by now.
    fn advance(&mut self, readable: bool, buffer: &mut [u8], now: Duration, clean: &mut Vec<u8>) {
        let Some((source, filter)) = &mut self.0 else { return };
        if readable {
            match source.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return self.end(clean),
                Ok(length) => filter.push(&buffer[..length], now, clean),
            }
        }
        filter.flush_due(now, clean);
    }

    /// Appends what is still held back; there is nothing more to come.
    fn end(&mut self, clean: &mut Vec<u8>) {
        if let Some((_, filter)) = self.0.take() {
            filter.finish(clean);
        }
    }
}

fn pump(child: &mut Child, redactor: &Redactor, output: &mut Output<'_>) -> Outcome {
    let begin = Instant::now();
    let mut standard = Stream::new(child.stdout.take(), redactor);
    let mut errors = Stream::new(child.stderr.take(), redactor);
    let mut buffer = Zeroizing::new(vec![0u8; 64 * 1024]);
    let mut clean = Zeroizing::new(Vec::new());
    let mut last_data = Instant::now();
    while standard.0.is_some() || errors.0.is_some() {
        let due = [standard.deadline(), errors.deadline()].into_iter().flatten().min();
        let wait = due.map_or(GLANCE, |due| due.saturating_sub(begin.elapsed())).min(GLANCE);
        let (from_standard, from_errors) = readable(&standard, &errors, wait)?;
        let now = begin.elapsed();
        clean.clear();
        standard.advance(from_standard, &mut buffer, now, &mut clean);
        if !show(&clean, &mut output.host.stdout)? {
            standard.0 = None;
        }
        clean.clear();
        errors.advance(from_errors, &mut buffer, now, &mut clean);
        if !show(&clean, &mut output.host.stderr).unwrap_or(false) {
            errors.0 = None;
        }
        if from_standard || from_errors {
            last_data = Instant::now();
        } else if matches!(child.try_wait(), Ok(Some(_))) && last_data.elapsed() > LINGER {
            break;
        }
    }
    clean.clear();
    standard.end(&mut clean);
    show(&clean, &mut output.host.stdout)?;
    clean.clear();
    errors.end(&mut clean);
    // Where standard error is gone there is nobody left to tell.
    let _ = show(&clean, &mut output.host.stderr);
    Ok(())
}

/// Passes on what may be shown. `false`: nobody reads it any longer (`| head`); the program then has to meet a closed pipe
/// of its own, and ends as it would without a filter.
fn show(clean: &[u8], to: &mut dyn Write) -> Result<bool, Failure> {
    if clean.is_empty() {
        return Ok(true);
    }
    match to.write_all(clean).and_then(|()| to.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::refused(format!("cannot write the command's output: {error}"))),
    }
}

fn readable<A: AsFd, B: AsFd>(standard: &Stream<A>, errors: &Stream<B>, wait: Duration) -> Result<(bool, bool), Failure> {
    let flags = PollFlags::IN;
    let mut polled = Vec::with_capacity(2);
    polled.extend(standard.0.as_ref().map(|(source, _)| PollFd::new(source, flags)));
    polled.extend(errors.0.as_ref().map(|(source, _)| PollFd::new(source, flags)));
    let timeout = Timespec {
        tv_sec: 0,
        tv_nsec: i64::from(wait.subsec_nanos()),
    };
    match poll(&mut polled, Some(&timeout)) {
        Ok(_) => {}
        Err(rustix::io::Errno::INTR) => return Ok((false, false)),
        Err(error) => return Err(Failure::refused(format!("cannot wait for the command's output: {error}"))),
    }
    let mut ready = polled.iter().map(|polled| !polled.revents().is_empty());
    let from_standard = standard.0.is_some() && ready.next().unwrap_or(false);
    let from_errors = errors.0.is_some() && ready.next().unwrap_or(false);
    Ok((from_standard, from_errors))
}
