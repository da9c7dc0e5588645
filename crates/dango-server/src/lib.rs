//! The server's frame: settings, project, listeners, limits, logs and a good end, around a router that `app` builds.
//!
//! - [`run`]: the whole program, given a [`System`];
//! - [`SETTINGS`]: every setting, from which options, variables, file keys and `docs/server.md` come; [`Settings`] holds what was given;
//! - `app`: what is served, the HTTP interface of `dango-api`: the only place that knows it;
//! - [`Limits`]: every limit on connections and requests, in one place;
//! - [`Readiness`]: whether the server can do its work.
//!
//! Nothing is made before everything that can be refused was looked at: a bad setting, a missing project or a port that is taken
//! leaves the disk as it was.
#![warn(missing_docs)]

mod access;
mod app;
mod check;
mod checkpoints;
mod database;
mod failure;
mod house;
mod limits;
mod logs;
mod migrate;
mod movable;
mod notify;
mod operations;
mod origin;
pub mod process;
mod providers;
mod readiness;
mod request_metrics;
mod retention;
mod serve;
mod server;
mod settings;
mod setup_link;
mod shared_files;
mod system;
mod traces;
mod verify;
mod workers;

use std::io::{self, Write};
use std::sync::Arc;

use dango_actions::InPlace;
use dango_secrets::project::Project;

pub use limits::Limits;
pub use origin::Origin;
pub use readiness::{NotReady, Readiness};
pub use serve::TlsError;
pub use settings::{
    Count, DatabaseSetting, LogFormat, Origin as SettingOrigin, Places, Profile, SETTINGS, Setting, Settings, SettingsError, TlsFiles,
    VARIABLE_PREFIX,
};
pub use system::System;

use database::Database;
use failure::{Failure, PASSWORD_PLACES};
use house::{Entry, House};
use server::Ended;
use settings::{CommandLine, Unplaced, Verb};
use verify::Verified;

/// What could not be done or was refused.
const REFUSED: u8 = 1;

/// What was asked for was done, and what it found is bad.
const FOUND: u8 = 3;

/// Runs the program and answers its exit status: 0, 1 for what was refused, 2 for a wrong command line, 3 for a log that was tampered with.
pub fn run(system: System) -> u8 {
    let line = match settings::parse_arguments(&system.arguments) {
        Ok(line) => line,
        Err(error) => {
            // Help and version are such an answer, too; clap knows where each belongs.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(REFUSED);
        }
    };
    match obey(system, line) {
        Ok(status) => status,
        Err(failure) => {
            failure.write(&mut io::stderr().lock());
            REFUSED
        }
    }
}

fn obey(system: System, line: CommandLine) -> Result<u8, Failure> {
    let given = Unplaced::new(line.options, &system.environment)?;
    let project = system.find_project(&given)?;
    let settings = given.with_file(&project, &system.directory)?;
    let by_default = if system.has_terminal { LogFormat::Human } else { LogFormat::Json };
    let format = settings.log_format.unwrap_or(by_default);
    logs::start(format, settings.log_level);
    for name in &settings.shown_passwords {
        tracing::warn!(
            "the password of --{name} stands in the list of processes, where everybody on this machine reads it: {PASSWORD_PLACES}"
        );
    }
    if let Some(moving) = &line.moving {
        return migrate::run(&system, &settings, &project, moving);
    }
    match line.verb {
        Verb::Auth(access) => access::run(&system, &settings, &project, &access),
        Verb::Serve => match server::run(system, settings, project) {
            Ok(Ended::Well) => Ok(0),
            Ok(Ended::Early) => Ok(REFUSED),
            // What reads the log reads this, too.
            Err(failure) if format == LogFormat::Json => {
                failure.log();
                Ok(REFUSED)
            }
            Err(failure) => Err(failure),
        },
        Verb::Check => {
            let is_well = check::run(&system, &settings, &project, &mut io::stdout().lock(), &mut io::stderr().lock());
            Ok(if is_well { 0 } else { REFUSED })
        }
        Verb::Migrate => {
            let database = Database::of(&system, &settings)?;
            if let Database::Postgres(url) = &database {
                let version = database::migrate(&system, &settings, &database, url)?;
                return say(&format!("{url} has schema {version}"));
            }
            let house = open(&system, &settings, &project, Entry::Checked)?;
            let version = pollster::block_on(house.store.schema_version())?;
            say(&format!("{} has schema {version}", house.premises.database().display()))
        }
        Verb::Verify => match verify::run(&system, &settings, &project)? {
            Verified::Intact(words) => say(&words),
            Verified::TamperedWith(failure) => {
                failure.write(&mut io::stderr().lock());
                Ok(FOUND)
            }
        },
        Verb::SetupLink => {
            let house = open(&system, &settings, &project, Entry::Checked)?;
            let link = pollster::block_on(setup_link::offer(&house.actions, &system))?;
            let link = link.ok_or_else(|| {
                Failure::new("there is an administrator already, who adds people")
                    .hint("`dango-server auth recover` adds an emergency administrator")
            })?;
            say(link.url().expose())
        }
    }
}

/// Opens the project's people and log for a verb that ends at once.
fn open(system: &System, settings: &Settings, project: &Project, entry: Entry) -> Result<House, Failure> {
    let origin = Origin {
        configured: settings.public_url.clone(),
        listen: settings.listen,
        is_tls: settings.tls.is_some(),
    };
    House::open(system, settings, project, &origin, Arc::new(InPlace), entry)
}

/// Writes what was asked for to standard output.
fn say(text: &str) -> Result<u8, Failure> {
    let written = writeln!(io::stdout().lock(), "{text}");
    written.map_err(|error| Failure::new(format!("cannot write to standard output: {error}")))?;
    Ok(0)
}
