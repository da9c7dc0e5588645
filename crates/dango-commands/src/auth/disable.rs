//! `dango auth disable`: the door is closed; nothing is opened by it.

use dango_actions::Effect;

use super::enable::Switched;
use super::refusals;
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::house::{House, fault, wait};
use crate::output::Output;
use crate::prompt;

pub(super) fn run(global: &Global, output: &mut Output<'_>) -> Outcome {
    let house = House::find(global, output.host)?;
    if !is_closed(&house, output)? {
        let question = "close the door: nobody can sign in, and no session and no API key counts, until `dango auth enable`?";
        prompt::confirm(question, global.yes, output)?;
    }
    let actions = house.actions(output)?;
    let permit = house.permit(&actions, output)?;
    let switched = wait(actions.disable(&permit));
    house.keep_checkpoint(output);
    match switched.map_err(refusals::switch)? {
        Effect::Changed => {
            output.say("nobody can sign in any more");
            output.hint("`dango auth enable` lets people in again");
        }
        Effect::Unchanged => output.say("nobody could sign in already; nothing was changed"),
    }
    match output.json {
        true => output.json(&Switched { enabled: false }),
        false => Ok(()),
    }
}

/// Whether it is closed already, so that nobody has to be asked: there are administrators, and they cannot sign in.
fn is_closed(house: &House, output: &mut Output<'_>) -> Result<bool, Failure> {
    let Some(actions) = house.existing_actions(output)? else {
        return Ok(false);
    };
    let permit = house.permit(&actions, output)?;
    let status = wait(actions.status(&permit)).map_err(|error| fault(&error))?;
    Ok(!status.enabled && status.admins > 0)
}
