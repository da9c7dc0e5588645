//! `dango oauth list`: the stored connections, as their records tell of them.

use dango_vault::Connection;

use super::view::{table, views};
use crate::Outcome;
use crate::arguments::Global;
use crate::opened::Opened;
use crate::output::Output;

pub(super) fn run(global: &Global, output: &mut Output<'_>) -> Outcome {
    let opened = Opened::find(global, output.host)?;
    let document = opened.secrets(output)?;
    let connections = Connection::list(&document, output.host.clock.as_ref());
    let views = views(&connections, &opened, output);
    if output.json {
        return output.json(&views);
    }
    if views.is_empty() {
        output.say("no connections yet");
        output.hint("`dango oauth google_sheets` makes one; `dango source types` lists the types");
        return Ok(());
    }
    table(&views, output)
}
