//! `dango remote use`: the deployed project that commands mean from now on.

use clap::Args;
use dango_audit::Event;
use serde::Serialize;

use super::{edit, failures, parse_name, read};
use crate::Outcome;
use crate::arguments::Global;
use crate::opened::Opened;
use crate::output::Output;
use crate::recorded::{self as record, all_done, recorded};

#[derive(Args, Debug)]
pub(crate) struct UseArguments {
    /// The deployed project
    #[arg(value_name = "NAME")]
    name: String,
}

#[derive(Serialize)]
struct Done<'a> {
    name: &'a str,
    action: &'static str,
}

pub(crate) fn run(arguments: &UseArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let name = parse_name(&arguments.name)?;
    let opened = Opened::find(global, output.host)?;
    let failure = |error| failures::of_settings(&error, &opened);
    let remotes = read(&opened)?;
    let remote = remotes.find(&name).map_err(failure)?;
    let change = |output: &mut Output<'_>| edit(&opened, output, |remotes| remotes.using(&name).map_err(failure));
    let draft = record::remote(Event::RemoteSelected, &name, remote.destination.host());
    recorded(&opened, vec![draft], output, change, all_done(1))?;
    if output.json {
        return output.json(&Done {
            name: name.as_str(),
            action: "selected",
        });
    }
    output.say(format!("{name} is in use"));
    Ok(())
}
