//! What lies between a store and its server, and can lose what goes through it at a chosen place. It understands one message: COMMIT.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A simple query that commits, as it is sent (PostgreSQL, "Message Formats").
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// What becomes of what goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// All of it arrives.
    Open,
    /// Nobody gets through any more.
    Closed,
    /// The next commit does not arrive, nor does what follows it.
    LosesCommit,
    /// The next commit arrives, and nothing that is answered from there on does.
    LosesAnswer,
}

struct State {
    to: u16,
    way: Way,
    /// Whether a commit was met that is to be lost, or the answer to it.
    has_met: bool,
    /// Both ends of every connection.
    ends: Vec<TcpStream>,
}

/// A way to a server; what goes through it is copied by threads that end with the connections.
pub struct Wire {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Wire {
    /// A way to a port of this machine.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface is there");
        let state = Arc::new(Mutex::new(State {
            to: port,
            way: Way::Open,
            has_met: false,
            ends: Vec::new(),
        }));
        let (port, shared) = (listener.local_addr().expect("it is bound").port(), Arc::clone(&state));
        let _ = thread::spawn(move || {
            for client in listener.incoming() {
                let state = Arc::clone(&shared);
                let _ = thread::spawn(move || carry(client.ok(), &state));
            }
        });
        Self { port, state }
    }

    /// Where it begins.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Says what becomes of everything from here on.
    pub fn set(&self, way: Way) {
        let mut state = lock(&self.state);
        (state.way, state.has_met) = (way, false);
    }

    /// Says where it leads to from here on.
    pub fn lead_to(&self, port: u16) {
        lock(&self.state).to = port;
    }

    /// Whether a commit was met that is to be lost, or the answer to it.
    pub fn has_met_commit(&self) -> bool {
        lock(&self.state).has_met
    }

    /// Breaks every connection.
    pub fn cut(&self) {
        for end in lock(&self.state).ends.drain(..) {
            drop(end.shutdown(Shutdown::Both));
        }
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Copies both ways until one end is gone.
fn carry(client: Option<TcpStream>, state: &Arc<Mutex<State>>) {
    let (to, way) = {
        let state = lock(state);
        (state.to, state.way)
    };
    let Some((mut client, true)) = client.map(|client| (client, way != Way::Closed)) else {
        return;
    };
    let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)) else {
        return;
    };
    let twin = |end: &TcpStream| end.try_clone().expect("there are descriptors");
    lock(state).ends.extend([twin(&client), twin(&server)]);
    let (mut from_server, mut to_client) = (twin(&server), twin(&client));
    let is_deaf = Arc::new(Mutex::new(false));
    let deaf = Arc::clone(&is_deaf);
    let back = thread::spawn(move || {
        copy(&mut from_server, |bytes| {
            let is_deaf = deaf.lock().unwrap_or_else(PoisonError::into_inner);
            *is_deaf || to_client.write_all(bytes).is_ok()
        });
        drop(to_client.shutdown(Shutdown::Both));
    });
    let mut is_lost = false;
    copy(&mut client, |bytes| {
        let at = bytes.windows(COMMIT.len()).position(|part| part == COMMIT);
        let way = lock(state).way;
        let arrives = match (way, at) {
            _ if is_lost => 0,
            (Way::LosesCommit, Some(at)) => {
                is_lost = true;
                at
            }
            (Way::LosesAnswer, Some(_)) => {
                *is_deaf.lock().unwrap_or_else(PoisonError::into_inner) = true;
                bytes.len()
            }
            _ => bytes.len(),
        };
        let is_sent = server.write_all(&bytes[..arrives]).is_ok();
        if at.is_some() && matches!(way, Way::LosesCommit | Way::LosesAnswer) {
            lock(state).has_met = true;
        }
        // Whoever lost a commit hears nothing, not even that the server is gone, until it is cut.
        is_sent || is_lost
    });
    drop(server.shutdown(Shutdown::Both));
    drop(back.join());
}

fn copy(from: &mut TcpStream, mut give: impl FnMut(&[u8]) -> bool) {
    let mut bytes = [0; 65_536];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        if !give(&bytes[..count]) {
            return;
        }
    }
}
