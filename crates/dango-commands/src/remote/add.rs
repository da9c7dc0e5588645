//! `dango remote add`: where a deployed project is, written down; nothing is connected to.

use std::path::Path;

use clap::Args;
use dango_audit::Event;
use dango_remote::settings::Remote;
use dango_remote::{Destination, RemoteDirectory, check_option_path};
use serde::Serialize;

use super::{edit, failures, parse_name, read};
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::opened::Opened;
use crate::output::Output;
use crate::recorded::{self as record, all_done, recorded};

#[derive(Args, Debug)]
pub(crate) struct AddArguments {
    /// What it is to be called here
    #[arg(value_name = "NAME")]
    name: String,
    /// Who to log in as and where; a host may be an alias of ssh's configuration
    #[arg(value_name = "USER@HOST[:PORT]")]
    destination: String,
    /// The project's directory on the server: absolute, or below the user's home as in `~/project`
    #[arg(long, value_name = "DIR")]
    path: String,
    /// The private key that opens the server [default: what ssh and its agent offer]
    #[arg(long, value_name = "FILE")]
    identity: Option<String>,
}

#[derive(Serialize)]
struct Done<'a> {
    name: &'a str,
    action: &'static str,
}

pub(crate) fn run(arguments: &AddArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let remote = remote(arguments, output)?;
    // What the file says against it is told before anything is recorded.
    let before = read(&opened)?;
    before.with(&remote).map_err(|error| failures::of_settings(&error, &opened))?;
    let change = |output: &mut Output<'_>| {
        edit(&opened, output, |remotes| {
            remotes.with(&remote).map_err(|error| failures::of_settings(&error, &opened))
        })
    };
    let draft = record::remote(Event::RemoteAdded, &remote.name, remote.destination.host());
    recorded(&opened, vec![draft], output, change, all_done(1))?;
    if output.json {
        return output.json(&Done {
            name: remote.name.as_str(),
            action: "created",
        });
    }
    output.say(format!("{}: {}, {}", remote.name, remote.destination, remote.directory));
    if before.all().is_empty() {
        output.say(format!("{} is in use", remote.name));
    } else {
        output.hint(format!("`dango remote use {}` makes it the one that commands mean", remote.name));
    }
    Ok(())
}

fn remote(arguments: &AddArguments, output: &mut Output<'_>) -> Result<Remote, Failure> {
    let destination: Result<Destination, _> = arguments.destination.parse();
    let destination = destination.map_err(|error| Failure::usage(error.to_string()).hint("it is written as in `deploy@example.org:22`"))?;
    let directory: Result<RemoteDirectory, _> = arguments.path.parse();
    let directory = directory.map_err(|error| Failure::usage(error.to_string()))?;
    Ok(Remote {
        name: parse_name(&arguments.name)?,
        destination,
        directory,
        identity: arguments.identity.as_deref().map(|path| identity(path, output)).transpose()?,
    })
}

/// The key's path as it is meant from anywhere.
fn identity(path: &str, output: &mut Output<'_>) -> Result<String, Failure> {
    let absolute = match path.strip_prefix("~/") {
        Some(_) => path.to_owned(),
        None => output.host.directory.join(path).display().to_string(),
    };
    check_option_path(Path::new(&absolute)).map_err(|error| Failure::usage(error.to_string()))?;
    let place = match (absolute.strip_prefix("~/"), output.host.home()) {
        (Some(below), Some(home)) => home.join(below),
        _ => absolute.clone().into(),
    };
    if !place.is_file() {
        output.warn(format!("there is no file {absolute} yet"));
    }
    Ok(absolute)
}
