//! `dango doctor`: what is wrong with the project and what to do about it. Which rules there are is `dango-doctor`'s; here they meet the real machine.

mod house;
mod repairs;
mod report;
mod rotations;

use std::path::{Path, PathBuf};

use clap::Args;
use dango_doctor::{Code, Finding, Site, examine};
use dango_keyring::HolderError;

use crate::arguments::Global;
use crate::database::is_moved;
use crate::host::Host;
use crate::opened::{Opened, process_variable};
use crate::output::Output;
use crate::{Outcome, key_access};

/// Where a container's secrets are, and where dlt looks for them.
const RUN_SECRETS: &str = "/run/secrets";
/// Where temporary files go on systems that say nothing else.
const TEMPORARY: &str = "/tmp";

#[derive(Args, Debug)]
pub(crate) struct DoctorArguments {
    /// Put right what can safely be: permissions, .gitignore, byte order marks, leftovers of broken writes, defaults that dlt needs
    #[arg(long)]
    fix: bool,
}

pub(crate) fn run(arguments: &DoctorArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let mut found = look(&opened, output)?;
    if arguments.fix && found.iter().any(|finding| finding.repair.is_some()) {
        repairs::carry_out(&opened, &found, output)?;
        found = look(&opened, output)?;
    }
    report::print(&found, output)?;
    report::conclude(&found, output)
}

/// Everything that is wrong, in the order in which it is looked at.
fn look(opened: &Opened, output: &mut Output<'_>) -> Result<Vec<Finding>, crate::failure::Failure> {
    let temporary = temporary(output.host);
    let home = output.host.home();
    let mut found = examine(&site(opened, output.host, home.as_deref(), &temporary));
    if found.iter().any(|finding| finding.code == Code::KeyUnavailable)
        && let Err(error) = opened.keys.fetch()
        && error.code() == HolderError::Interrupted.code()
    {
        return Err(key_access::holder_failure(&error));
    }
    let is_moved = matches!(is_moved(&opened.project), Ok(true));
    if is_moved {
        output.say("the project's values are kept in the database of its server: they are not looked at here");
    } else {
        found.extend(providers(opened, output.host));
    }
    found.extend(house::check(opened, output));
    if !is_moved {
        let rotations = rotations::check(opened, &found, output);
        found.extend(rotations);
    }
    Ok(found)
}

/// The project on this machine.
fn site<'a>(opened: &'a Opened, host: &'a Host, home: Option<&'a Path>, temporary_dir: &'a Path) -> Site<'a> {
    Site {
        project: &opened.project,
        place: &opened.place,
        keys: &opened.keys,
        environment: &host.environment,
        home,
        user: host.uid,
        umask: host.umask,
        temporary_dir,
        run_secrets: Path::new(RUN_SECRETS),
        clock: host.clock.as_ref(),
        entropy: host.entropy.as_ref(),
    }
}

fn temporary(host: &Host) -> PathBuf {
    host.path_variable("TMPDIR").unwrap_or_else(|| PathBuf::from(TEMPORARY))
}

/// The project's own providers, which only connections read.
fn providers(opened: &Opened, host: &Host) -> Option<Finding> {
    let error = opened.connection_files(Box::new(process_variable(host))).providers().err()?;
    let place = ".dango/providers.toml";
    let message = format!("{place} cannot be used: {}", crate::failure::chain(&error));
    Some(Finding::new(
        Code::ProvidersMalformed,
        place,
        message,
        format!("correct {place} in an editor"),
    ))
}
