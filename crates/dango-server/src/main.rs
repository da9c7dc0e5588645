//! `dango-server`: real things in, the server called; the only place where they meet.
#![warn(missing_docs)]

use std::io::{self, IsTerminal, Write};
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;

use dango_core::{OsEntropy, SystemClock};
use dango_server::{System, process, run};
use listenfd::ListenFd;

/// Hashing a password takes 19 MiB for 20 ms: what is freed has to go back, or a storm of logins leaves hundreds behind.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit status for a bug of ours (`EX_SOFTWARE` of sysexits.h).
const BUG: u8 = 70;

fn main() -> ExitCode {
    process::keep_private();
    std::panic::set_hook(Box::new(|panic| {
        // The payload may hold a secret, so only the place is told.
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let _ = writeln!(
            io::stderr(),
            "error: dango-server has a bug at {place}\nhint: please report this place"
        );
    }));
    let status = std::panic::catch_unwind(|| match system() {
        Ok(system) => run(system),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: what the server is started with cannot be read: {error}");
            1
        }
    });
    ExitCode::from(status.unwrap_or(BUG))
}

/// The login name, else the number of the user.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that hands the real system to the program"
)]
fn user() -> String {
    let names = ["USER", "LOGNAME"].into_iter().filter_map(|name| std::env::var(name).ok());
    let name = names.into_iter().find(|name| !name.is_empty());
    name.unwrap_or_else(|| format!("uid {}", process::uid()))
}

/// Sockets that were opened before, in their order; what is no listening socket is an error.
fn sockets() -> io::Result<Vec<TcpListener>> {
    let mut passed = ListenFd::from_env();
    let taken = (0..passed.len()).map(|index| passed.take_tcp_listener(index));
    Ok(taken.collect::<io::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that hands the real system to the program"
)]
fn system() -> io::Result<System> {
    Ok(System {
        arguments: std::env::args_os().collect(),
        sockets: sockets()?,
        environment: std::env::vars_os().collect(),
        directory: std::env::current_dir()?,
        user: user(),
        uid: process::uid(),
        has_terminal: io::stderr().is_terminal(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
    })
}
