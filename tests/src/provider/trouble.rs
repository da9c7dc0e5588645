//! What can befall a request on its way to a provider and back: refused, lost, or held until the test goes on.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::wire::Reply;

/// Far beyond what any client takes to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What befalls one request.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// 503, and nothing was done.
    Unavailable,
    /// Another answer than the provider's, and nothing was done.
    Instead(Reply),
    /// The connection breaks, and nothing was done.
    LostRequest,
    /// The provider has done it all, and the connection breaks before its answer.
    LostAnswer,
    /// The request waits at a gate before anything is done; if its client is gone by then, nothing ever is.
    Held(Gate),
    /// The provider has done it all, and its answer waits at a gate.
    HeldAnswer(Gate),
}

/// Where requests wait until it is opened.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    arrived: usize,
    open: bool,
}

impl Gate {
    /// A gate that is shut.
    #[must_use]
    pub fn shut() -> Self {
        Self::default()
    }

    /// Waits until a request stands before it.
    ///
    /// # Panics
    ///
    /// When none comes within a minute.
    #[track_caller]
    pub fn wait_for_somebody(&self) {
        assert!(self.wait(|state| state.arrived > 0), "nobody came to the gate");
    }

    /// Lets everybody through, also those who are still to come.
    ///
    /// # Panics
    ///
    /// When a thread that waits failed.
    pub fn open(&self) {
        self.0.0.lock().expect("no thread failed").open = true;
        self.0.1.notify_all();
    }

    /// Stands before it until it is open.
    ///
    /// # Panics
    ///
    /// When a thread that waits failed.
    pub fn pass(&self) {
        self.0.0.lock().expect("no thread failed").arrived += 1;
        self.0.1.notify_all();
        // Whoever is never let through is answered late; the test has failed by then.
        let _ = self.wait(|state| state.open);
    }

    fn wait(&self, until: impl Fn(&State) -> bool) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.0.0.lock().expect("no thread failed");
        while !until(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.0.1.wait_timeout(state, left).expect("no thread failed").0;
        }
        true
    }
}

/// The way of one request: what happens before the provider sees it, and what becomes of the answer.
pub(super) struct Course(Option<Trouble>);

impl Trouble {
    pub(super) const fn into_course(self) -> Course {
        Course(Some(self))
    }
}

impl Course {
    pub(super) const fn usual() -> Self {
        Self(None)
    }

    /// What happens to the request before the provider sees it.
    pub(super) fn before(&self, stream: &TcpStream) -> Before {
        match &self.0 {
            Some(Trouble::Unavailable) => Before::Answered(Reply::page(503, "Service Unavailable")),
            Some(Trouble::Instead(reply)) => Before::Answered(reply.clone()),
            Some(Trouble::LostRequest) => Before::Lost,
            Some(Trouble::Held(gate)) => {
                gate.pass();
                match is_gone(stream) {
                    true => Before::Lost,
                    false => Before::Nothing,
                }
            }
            _ => Before::Nothing,
        }
    }

    /// What is sent of the provider's answer.
    pub(super) fn after(&self, reply: Reply) -> Option<Reply> {
        match &self.0 {
            Some(Trouble::LostAnswer) => None,
            Some(Trouble::HeldAnswer(gate)) => {
                gate.pass();
                Some(reply)
            }
            _ => Some(reply),
        }
    }
}

/// Whether the client has closed the connection, or died.
fn is_gone(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).expect("a socket of ours");
    let read = stream.peek(&mut [0]);
    stream.set_nonblocking(false).expect("a socket of ours");
    !matches!(read, Ok(1..)) && !matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// What happened before the provider saw a request.
pub(super) enum Before {
    Nothing,
    Answered(Reply),
    Lost,
}
