//! `dango oauth status`: the connections that have expired or are about to, as their records tell of them.

use dango_vault::Connection;

use super::view::{table, views};
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::{Failure, Status};
use crate::opened::Opened;
use crate::output::Output;

pub(super) fn run(global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let document = opened.secrets(output)?;
    let connections = Connection::list(&document, output.host.clock.as_ref());
    let mut found = views(&connections, &opened, output);
    found.retain(|view| view.status != "valid");
    if output.json {
        output.json(&found)?;
    } else if found.is_empty() {
        match connections.len() {
            0 => output.say("no connections yet"),
            1 => output.say("the connection is valid"),
            count => output.say(format!("all {count} connections are valid")),
        }
    } else {
        table(&found, output)?;
    }
    if found.is_empty() {
        return Ok(());
    }
    for view in &found {
        output.hint(format!("`dango oauth refresh {}` renews {}", view.name, view.name));
    }
    Err(Failure::silent(Status::Found))
}
