//! Signals that other processes send to this one: passed on to a program, or answered by leaving the terminal as it was.

use std::io::{self, Write};
use std::process::Child;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};

use rustix::process::{Pid, Signal, getpid, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;

/// What is passed on.
const FORWARDED: [i32; 7] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH];

/// Those among them that ask a program to end.
const ENDING: [i32; 4] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/// Passes signals on to a program that runs below this process.
pub(crate) struct Forwarder {
    program: Arc<Mutex<Option<Pid>>>,
    handle: Handle,
    received: Arc<AtomicI32>,
}

impl Forwarder {
    /// Takes the signals over; before the program starts, so that none ends this process in between.
    ///
    /// At a terminal Ctrl-C and Ctrl-\ reach the program by themselves, because it shares the terminal's process group.
    pub(crate) fn start(at_terminal: bool) -> io::Result<Self> {
        let ignored = ignored_signals();
        let mut signals = Signals::new(FORWARDED.into_iter().filter(|number| ignored & (1 << (number - 1)) == 0))?;
        let handle = signals.handle();
        let program = Arc::new(Mutex::new(None));
        let target: Arc<Mutex<Option<Pid>>> = Arc::clone(&program);
        let received = Arc::new(AtomicI32::new(0));
        let last = Arc::clone(&received);
        std::thread::spawn(move || {
            for number in signals.forever() {
                if ENDING.contains(&number) {
                    last.store(number, Ordering::Relaxed);
                }
                if at_terminal && (number == SIGINT || number == SIGQUIT) {
                    continue;
                }
                if let (Ok(guard), Some(signal)) = (target.lock(), Signal::from_named_raw(number))
                    && let Some(pid) = *guard
                {
                    // The program may just have ended; then there is nobody to tell.
                    let _ = kill_process(pid, signal);
                }
            }
        });
        Ok(Self { program, handle, received })
    }

    /// The signal that was to end the program, if one came.
    pub(crate) fn received(&self) -> Option<u8> {
        u8::try_from(self.received.load(Ordering::Relaxed))
            .ok()
            .filter(|number| *number != 0)
    }

    /// Names the program.
    pub(crate) fn point_at(&self, child: &Child) {
        if let Ok(mut program) = self.program.lock() {
            *program = Some(Pid::from_child(child));
        }
    }

    /// Ends it: the program has been waited for, and its number may be another's now.
    pub(crate) fn stop(&self) {
        if let Ok(mut program) = self.program.lock() {
            *program = None;
        }
        self.handle.close();
    }
}

/// Tells of Ctrl-C and of a request to end, until it is dropped; neither ends this process by itself from then on.
pub(crate) struct Interrupts(Handle);

impl Interrupts {
    pub(crate) fn start(tell: impl Fn() + Send + 'static) -> io::Result<Self> {
        let ignored = ignored_signals();
        let mut signals = Signals::new([SIGINT, SIGTERM].into_iter().filter(|number| ignored & (1 << (number - 1)) == 0))?;
        let handle = signals.handle();
        std::thread::spawn(move || signals.forever().for_each(|_| tell()));
        Ok(Self(handle))
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Lets Ctrl-C and a request to end do so again, until it is dropped, whatever has taken them over before.
pub(crate) struct Mortal(Option<Handle>);

impl Mortal {
    pub(crate) fn start() -> Self {
        let ignored = ignored_signals();
        let signals = Signals::new([SIGINT, SIGTERM].into_iter().filter(|number| ignored & (1 << (number - 1)) == 0));
        // Without handlers they do what they did before.
        let Ok(mut signals) = signals else { return Self(None) };
        let handle = signals.handle();
        std::thread::spawn(move || signals.forever().for_each(die_of));
        Self(Some(handle))
    }
}

impl Drop for Mortal {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.close();
        }
    }
}

/// What is said before Ctrl-C or a request to end does so, until it is dropped.
pub(crate) struct LastWords(Option<Handle>);

impl LastWords {
    pub(crate) fn keep(words: String) -> Self {
        let ignored = ignored_signals();
        let signals = Signals::new([SIGINT, SIGTERM].into_iter().filter(|number| ignored & (1 << (number - 1)) == 0));
        // Without handlers nothing is said.
        let Ok(mut signals) = signals else { return Self(None) };
        let handle = signals.handle();
        std::thread::spawn(move || {
            for number in signals.forever() {
                let _ = writeln!(io::stderr(), "{words}");
                die_of(number);
            }
        });
        Self(Some(handle))
    }
}

impl Drop for LastWords {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.close();
        }
    }
}

/// The signals that this process was started to ignore, as under `nohup`: bit n - 1 for signal n. Taking one over would
/// give the program its default action. Where the system does not tell, none.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Ends this process by the signal that ended a program, so that whoever waits sees the same.
pub(crate) fn die_of(number: i32) {
    // A handler of ours is in the way of the default action; the crate's own way round it is used first.
    if emulate_default_handler(number).is_err()
        && let Some(signal) = Signal::from_named_raw(number)
    {
        let _ = kill_process(getpid(), signal);
    }
}

/// From now on, `restore` is called before a signal ends this process.
pub(crate) fn before_dying(restore: fn()) {
    // Without handlers the process ends as it always did; only the terminal may need a `reset`.
    let Ok(mut signals) = Signals::new([SIGTERM, SIGHUP]) else { return };
    std::thread::spawn(move || {
        for signal in signals.forever() {
            restore();
            die_of(signal);
        }
    });
}
