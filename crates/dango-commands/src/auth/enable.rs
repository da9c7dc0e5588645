//! `dango auth enable`: the door is open again.

use dango_actions::Effect;
use serde::Serialize;

use super::refusals;
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::house::{House, wait};
use crate::output::Output;

/// Whether people can sign in.
#[derive(Serialize)]
pub(super) struct Switched {
    pub(super) enabled: bool,
}

pub(super) fn run(global: &Global, output: &mut Output<'_>) -> Outcome {
    let house = House::find(global, output.host)?;
    let Some(actions) = house.existing_actions(output)? else {
        return Err(Failure::refused("there is no administrator").hint("`dango auth add-user EMAIL --role admin` adds one"));
    };
    let permit = house.permit(&actions, output)?;
    let switched = wait(actions.enable(&permit));
    house.keep_checkpoint(output);
    match switched.map_err(refusals::switch)? {
        Effect::Changed => output.say("people can sign in again"),
        Effect::Unchanged => output.say("people could sign in already; nothing was changed"),
    }
    match output.json {
        true => output.json(&Switched { enabled: true }),
        false => Ok(()),
    }
}
