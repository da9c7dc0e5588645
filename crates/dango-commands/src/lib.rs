//! The `dango` command line: one file per verb; rules live in the crates below, real things come
//! from the [`Host`].
//!
//! [`run`] is the whole program: it parses the arguments, does what they say and returns the exit
//! status. Exit status: 0 done · 1 could not be done or was refused · 2 wrong usage · 3 a check
//! found something · 70 a bug of ours.
#![warn(missing_docs)]

mod arguments;
mod audit;
mod auth;
mod checking;
mod completions;
mod database;
mod doctor;
mod env;
mod exposed;
mod failure;
mod hidden;
mod host;
mod house;
mod init;
mod input;
mod key;
mod key_access;
mod man;
mod oauth;
mod opened;
mod output;
mod prompt;
mod protection;
mod recorded;
mod remote;
mod rotate;
mod run;
mod scan;
mod secrets;
mod server;
mod signals;
mod source;
mod sync;
mod table;
mod usage;
mod vault;

use std::ffi::OsString;

use clap::Parser;

use crate::arguments::{Arguments, Command};
use crate::failure::Failure;
pub use crate::host::{EarlierReader, Host, Opening, Standard, StoreInspector, StoreOpener, StoreSchema};
use crate::output::Output;

/// What a command answers: nothing where it is done, else why not, with the exit status.
type Outcome = Result<(), Failure>;

/// Runs the program with `arguments` (the program's name first) and returns its exit status.
///
/// `dango run` without `--redact` replaces the process and does not return.
pub fn run(mut host: Host, arguments: Vec<OsString>) -> u8 {
    let mut parsed = match Arguments::try_parse_from(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => return usage::report(&mut host, &arguments, &error),
    };
    parsed.global.settle(&host);
    let mut output = Output::new(&mut host, &parsed.global);
    match dispatch(parsed, &mut output) {
        Ok(()) => 0,
        Err(failure) => output.report(&failure),
    }
}

fn dispatch(parsed: Arguments, output: &mut Output<'_>) -> Outcome {
    let global = &parsed.global;
    server::check_offered(&parsed.command, global)?;
    vault::check_home(&parsed.command, global, output.host)?;
    match parsed.command {
        Command::Init(arguments) => init::run(&arguments, global, output),
        Command::Secrets(command) => secrets::run(command, global, output),
        Command::Env(command) => env::run(command, global, output),
        Command::Key(command) => key::run(command, global, output),
        Command::Run(arguments) => run::run(arguments, global, output),
        Command::Source(command) => source::run(command, global, output),
        Command::Oauth(arguments) => oauth::run(&arguments, global, output),
        Command::Sync(arguments) => sync::run(&arguments, global, output),
        Command::Rotate(arguments) => rotate::run(&arguments, global, output),
        Command::Exposed(arguments) => exposed::run(&arguments, global, output),
        Command::Doctor(arguments) => doctor::run(&arguments, global, output),
        Command::Scan(arguments) => scan::run(&arguments, global, output),
        Command::Auth(command) => auth::run(command, global, output),
        Command::Audit(command) => audit::run(command, global, output),
        Command::Vault(command) => vault::run(command, global, output),
        Command::Remote(command) => remote::run(command, global, output),
        Command::Login(arguments) => server::log_in(&arguments, global, output),
        Command::Logout(arguments) => server::log_out(&arguments, global, output),
        Command::Completions(arguments) => completions::run(&arguments, output),
        Command::Man(arguments) => man::run(&arguments, output),
    }
}
