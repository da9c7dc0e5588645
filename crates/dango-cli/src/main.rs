//! `dango`: real things in, the command line called; the only place where they meet.
#![warn(missing_docs)]

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use dango_commands::{Host, Opening, Standard, StoreSchema};
use dango_core::{OsEntropy, SystemClock};
use dango_store::{Store, StoreFailure};
use dango_store_sqlite::{Open, SqliteStore, inspect, read_earlier};

mod process;

/// Exit status for a bug of ours (`EX_SOFTWARE` of sysexits.h).
const BUG: u8 = 70;

fn main() -> ExitCode {
    process::keep_private();
    std::panic::set_hook(Box::new(|panic| {
        // The payload may hold a secret, so only the place is told.
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let _ = writeln!(
            io::stderr(),
            "error: dango has a bug at {place}\nhint: nothing was half-written; please report this place"
        );
    }));
    let status = std::panic::catch_unwind(|| match host() {
        Ok(host) => dango_commands::run(host, std::env::args_os().collect()),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: the working directory cannot be read: {error}");
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

fn open_store(path: &Path, opening: Opening) -> Result<Arc<dyn Store>, StoreFailure> {
    let open = match opening {
        Opening::OrCreate => Open::OrCreate,
        Opening::Existing => Open::Existing,
    };
    Ok(Arc::new(SqliteStore::open(path, open)?))
}

fn inspect_store(path: &Path) -> Result<StoreSchema, StoreFailure> {
    let found = inspect(path)?;
    Ok(StoreSchema {
        found: found.schema_version,
        latest: found.latest,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that hands the real system to the program"
)]
fn host() -> io::Result<Host> {
    Ok(Host {
        stdin: Box::new(io::stdin().lock()),
        stdout: Box::new(io::stdout().lock()),
        stderr: Box::new(io::stderr()),
        terminal: Standard {
            input: io::stdin().is_terminal(),
            output: io::stdout().is_terminal(),
            error: io::stderr().is_terminal(),
        },
        environment: std::env::vars_os().collect(),
        user: user(),
        uid: Some(process::uid()),
        umask: Some(process::umask()),
        directory: std::env::current_dir()?,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
        open_store: Box::new(open_store),
        inspect_store: Box::new(inspect_store),
        read_earlier: Box::new(read_earlier),
        restore_core_limit: process::restore_core_limit,
        forbid_core: process::forbid_core,
    })
}
