//! A socket that looks like a D-Bus session and counts who comes; it passes everything on to a real bus, or shuts the door. What is said is not understood here.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

/// A listening socket in the place of a session bus.
pub struct BusTap {
    folder: TempDir,
    /// What each client has sent so far.
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
    /// How many of them were this tap's own questions.
    asked: AtomicUsize,
}

impl BusTap {
    /// A bus behind which there is nothing: whoever comes is counted and sent away.
    #[must_use]
    pub fn alone() -> Self {
        Self::listen(None)
    }

    /// A bus that is the one at this address, `unix:path=…`, but for the counting.
    #[must_use]
    pub fn before(address: &str) -> Self {
        let path = address.strip_prefix("unix:path=").and_then(|rest| rest.split(',').next());
        Self::listen(Some(path.expect("the bus listens at a path").to_owned()))
    }

    /// What `DBUS_SESSION_BUS_ADDRESS` is for those who are to be counted.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }

    /// How many have come.
    #[must_use]
    pub fn connections(&self) -> usize {
        // Whoever stands in the queue is let in before this one, which comes last and leaves at once.
        let mut last = UnixStream::connect(self.folder.path().join("bus")).expect("the tap listens");
        let _ = last.shutdown(Shutdown::Write);
        let _ = last.read_to_end(&mut Vec::new());
        let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.heard.lock().expect("no test stops with it in hand").len() - asked
    }

    /// How often a word was said to the bus, by all together: a method's name, for one.
    #[must_use]
    pub fn heard(&self, word: &str) -> usize {
        let heard = self.heard.lock().expect("no test stops with it in hand");
        let count = |bytes: &Vec<u8>| bytes.windows(word.len()).filter(|window| *window == word.as_bytes()).count();
        heard.iter().map(count).sum()
    }

    fn listen(real: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("the folder for temporary files is writable");
        let listener = UnixListener::bind(folder.path().join("bus")).expect("a fresh folder takes a socket");
        let tap = Self {
            folder,
            heard: Arc::default(),
            asked: AtomicUsize::new(0),
        };
        let heard = Arc::clone(&tap.heard);
        // It ends with the test run; a listener cannot be woken to be told that its test is over.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let number = {
                    let mut heard = heard.lock().expect("no test stops with it in hand");
                    heard.push(Vec::new());
                    heard.len() - 1
                };
                if let Some(bus) = real.as_ref().and_then(|path| UnixStream::connect(path).ok()) {
                    pass_on(client, bus, number, &heard);
                }
            }
        });
        tap
    }
}

/// Lets both talk until one of them leaves, and notes what the client says.
fn pass_on(client: UnixStream, bus: UnixStream, number: usize, heard: &Arc<Mutex<Vec<Vec<u8>>>>) {
    let (to_client, to_bus) = (client.try_clone(), bus.try_clone());
    let (Ok(to_client), Ok(to_bus)) = (to_client, to_bus) else { return };
    let heard = Arc::clone(heard);
    thread::spawn(move || {
        copy(client, to_bus, |bytes| {
            // Noted before it is passed on, so that whoever has an answer was heard.
            heard.lock().expect("no test stops with it in hand")[number].extend_from_slice(bytes);
        });
    });
    thread::spawn(move || copy(bus, to_client, |_| {}));
}

fn copy(mut from: UnixStream, mut to: UnixStream, mut note: impl FnMut(&[u8])) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        note(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::keyring::KeyringSession;
    use crate::process::run_to_end;

    fn call(address: &str) -> i32 {
        let mut command = Command::new("dbus-send");
        command.args([
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.DBus",
            "/",
            "org.freedesktop.DBus.ListNames",
        ]);
        run_to_end(command.env("DBUS_SESSION_BUS_ADDRESS", address), b"").status
    }

    #[test]
    fn a_tap_before_a_bus_passes_on_and_counts() {
        let session = KeyringSession::without_keyring();
        let tap = BusTap::before(session.address());
        assert_eq!((call(&tap.address()), call(&tap.address())), (0, 0));
        assert_eq!((tap.connections(), tap.heard("ListNames")), (2, 2));
    }

    #[test]
    fn a_tap_alone_counts_and_answers_nobody() {
        let tap = BusTap::alone();
        assert_eq!(tap.connections(), 0);
        assert_ne!(call(&tap.address()), 0);
        assert_eq!((tap.connections(), tap.heard("ListNames")), (1, 0));
    }
}
