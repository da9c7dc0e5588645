//! Waiting for the answer of one request: from the browser, from the terminal where somebody pastes it, or for Ctrl-C.

use std::cell::RefCell;
use std::fs::File;
use std::future::poll_fn;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use dango_oauth::{Browser, CallbackAnswer, Digest, LONGEST_QUERY, PendingFlow, Receiver};
use zeroize::Zeroizing;

use super::inbox::{Happening, Inbox};
use crate::failure::Failure;
use crate::hidden::{self, Typed};
use crate::output::Output;
use crate::prompt;
use crate::signals::Interrupts;

/// How the user gets to the provider's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Browsing {
    /// A browser is opened here.
    Here,
    /// By the user's own means: the address is shown, and what comes of it may be pasted.
    Elsewhere,
}

/// The answer, and the browser that brought it, if one did.
pub(super) struct Answered {
    pub(super) answer: CallbackAnswer,
    pub(super) browser: Option<Browser>,
}

/// Sends the user to the provider's page, and waits for the answer.
pub(super) async fn for_answer(
    receiver: Receiver,
    pending: &PendingFlow,
    address: &str,
    limit: Duration,
    browsing: Browsing,
    output: &mut Output<'_>,
) -> Result<Answered, Failure> {
    let inbox = Inbox::default();
    let teller = inbox.clone();
    // First, so that Ctrl-C ends an attempt that the audit log knows of in no other way.
    let _interrupts = Interrupts::start(move || teller.put(Happening::Interrupted))
        .map_err(|error| Failure::refused(format!("cannot take over signals: {error}")))?;
    let pastes = browsing == Browsing::Elsewhere || !open_browser(address, output);
    show(address, pastes, output);
    let reader = pastes.then(|| Reader::start(pending.state(), inbox.clone(), output.host.terminal.input));
    let happened = RefCell::new(None);
    let cancel = poll_fn(|context| {
        inbox.poll(context).map(|happening| {
            happened.replace(Some(happening));
        })
    });
    let received = receiver.receive(pending, limit, cancel).await;
    drop(reader);
    match (received, happened.into_inner()) {
        (Ok(received), _) => Ok(Answered {
            answer: received.answer,
            browser: Some(received.browser),
        }),
        (Err(_), Some(Happening::Pasted(answer))) => Ok(Answered { answer, browser: None }),
        (Err(_), Some(Happening::Interrupted)) => Err(prompt::interrupted().with_code("oauth_cancelled")),
        (Err(error), None) => {
            let failure = Failure::refused(format!("{error}; nothing was changed"))
                .with_code(error.code())
                .hint("the redirect URI that `dango oauth setup` shows has to be registered at the provider");
            Err(failure.hint(match pastes {
                true => "DANGO_OAUTH_TIMEOUT gives more seconds",
                false => "DANGO_OAUTH_TIMEOUT gives more seconds; with `--no-browser` the answer can be pasted",
            }))
        }
    }
}

fn show(address: &str, pastes: bool, output: &mut Output<'_>) {
    if !pastes {
        output.say("your browser shows the provider's page now; if it does not, open this address:");
        output.say(address);
        return;
    }
    output.say("open this address in a browser:");
    // Alone on its line, whatever else is silenced: a person copies it, or a program reads it.
    output.insist(address);
    output.say("a browser on another machine cannot get back here: paste the address that it ends at, beginning with `http://`");
}

/// Whether a browser was started. None is where there is no screen to show it on.
fn open_browser(address: &str, output: &Output<'_>) -> bool {
    let host = &output.host;
    let has_screen = cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| host.variable(name).is_some_and(|text| !text.is_empty()));
    let named = host.variable("BROWSER").filter(|name| !name.is_empty());
    let usual = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let program = match (named, has_screen) {
        (Some(named), _) => named,
        (None, true) => usual,
        (None, false) => return false,
    };
    // It is not waited for: some end with the window only. Neither its input nor what it prints is ours.
    let started = Command::new(program)
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    started.is_ok()
}

/// A thread that reads what is pasted, until it is dropped.
struct Reader {
    gone: Arc<AtomicBool>,
    /// Only that of a terminal, which has to be given back; a pipe's may wait for ever.
    terminal: Option<JoinHandle<()>>,
}

impl Reader {
    fn start(state: Digest, inbox: Inbox, at_terminal: bool) -> Self {
        let gone = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&gone);
        let terminal = at_terminal.then(|| {
            let inbox = inbox.clone();
            std::thread::spawn(move || read_terminal(&state, &inbox, &seen))
        });
        if !at_terminal {
            std::thread::spawn(move || read_input(&state, &inbox));
        }
        Self { gone, terminal }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Release);
        if let Some(terminal) = self.terminal.take() {
            // What it panicked with is nothing to tell; the terminal was given back on its way.
            let _ended = terminal.join();
        }
    }
}

fn read_terminal(state: &Digest, inbox: &Inbox, gone: &AtomicBool) {
    loop {
        match hidden::read_unless("the address (not shown):", gone) {
            Ok(Typed::Line(line)) => {
                if take(&line, state, inbox) {
                    return;
                }
            }
            Ok(Typed::Interrupted) => return inbox.put(Happening::Interrupted),
            Ok(Typed::Cancelled) if gone.load(Ordering::Acquire) => return,
            Ok(Typed::Cancelled) => return inbox.put(Happening::Interrupted),
            // A terminal that cannot be read: the browser may still come.
            Err(_) => return,
        }
    }
}

fn read_input(state: &Digest, inbox: &Inbox) {
    // A handle of its own: the program's reader of standard input is held by the thread that waits.
    let Ok(input) = io::stdin().as_fd().try_clone_to_owned() else {
        return;
    };
    let mut lines = BufReader::new(File::from(input));
    loop {
        let mut line = Zeroizing::new(String::with_capacity(2 * LONGEST_QUERY));
        match read_line(&mut lines, &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if take(&line, state, inbox) => return,
            Ok(_) => {}
        }
    }
}

/// A line, of which no more than an answer can have is kept.
fn read_line(lines: &mut impl BufRead, line: &mut String) -> io::Result<usize> {
    lines.take(2 * LONGEST_QUERY as u64).read_line(line)
}

/// Whether a pasted text was the answer to this request; else it is said why not, and the next is waited for.
fn take(line: &str, state: &Digest, inbox: &Inbox) -> bool {
    if line.trim().is_empty() {
        return false;
    }
    match CallbackAnswer::parse_pasted(line) {
        Ok(answer) if answer.state_digest().ct_eq(state) => {
            inbox.put(Happening::Pasted(answer));
            true
        }
        Ok(_) => complain("this is the answer to another request"),
        Err(error) => complain(&format!("{error}: paste the whole address that the browser ended at")),
    }
}

fn complain(why: &str) -> bool {
    // Where standard error is gone there is nobody left to tell.
    let _ = writeln!(io::stderr(), "warning: {why}");
    false
}
