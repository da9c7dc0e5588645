//! What systemd is told: ready, stopping, alive (`sd_notify(3)`).
//!
//! Written here rather than taken from a crate: it is one datagram, and the crates read and change the process environment for it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use crate::system::System;

/// The way to the service manager; without one nothing is said.
#[derive(Clone, Default)]
pub(crate) struct Notifier {
    socket: Option<Arc<UnixDatagram>>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// The one that the environment names in `NOTIFY_SOCKET`, and how often it wants to hear in `WATCHDOG_USEC`.
    pub(crate) fn of(system: &System) -> Self {
        let socket = system.variable("NOTIFY_SOCKET").and_then(connect);
        let text = |name| system.variable(name).and_then(OsStr::to_str);
        let is_ours = text("WATCHDOG_PID").is_none_or(|pid| pid.parse() == Ok(std::process::id()));
        let micros = text("WATCHDOG_USEC")
            .and_then(|text| text.parse().ok())
            .filter(|micros| is_ours && *micros > 0);
        Self {
            watchdog: socket.as_ref().and(micros).map(Duration::from_micros),
            socket: socket.map(Arc::new),
        }
    }

    pub(crate) fn ready(&self) {
        self.say("READY=1");
    }

    pub(crate) fn stopping(&self) {
        self.say("STOPPING=1");
    }

    /// Says that the server is alive, twice as often as it has to; it never ends. It runs among the requests, so where those stand
    /// still nothing is said.
    pub(crate) async fn keep_watch(&self) {
        let Some(interval) = self.watchdog else {
            return std::future::pending().await;
        };
        let mut ticks = tokio::time::interval(interval / 2);
        loop {
            ticks.tick().await;
            self.say("WATCHDOG=1");
        }
    }

    fn say(&self, what: &str) {
        if let Some(socket) = &self.socket {
            // Who does not listen is told nothing; the server serves all the same.
            let _ = socket.send(what.as_bytes());
        }
    }
}

fn connect(name: &OsStr) -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    match name.as_bytes().strip_prefix(b"@") {
        #[cfg(target_os = "linux")]
        Some(name) => {
            use std::os::linux::net::SocketAddrExt;
            socket.connect_addr(&SocketAddr::from_abstract_name(name).ok()?).ok()?;
        }
        #[cfg(not(target_os = "linux"))]
        Some(_) => return None,
        None => socket.connect_addr(&SocketAddr::from_pathname(name).ok()?).ok()?,
    }
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}
