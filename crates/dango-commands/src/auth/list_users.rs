//! `dango auth list-users`: everybody, by the time they were added.

use super::view::{HEADING, User, row};
use crate::Outcome;
use crate::arguments::Global;
use crate::house::{House, fault, wait};
use crate::output::Output;

pub(super) fn run(global: &Global, output: &mut Output<'_>) -> Outcome {
    let house = House::find(global, output.host)?;
    let users = match house.readable(output)? {
        Some(actions) => {
            let permit = house.permit(&actions, output)?;
            wait(actions.list_users(&permit)).map_err(|error| fault(&error))?
        }
        None => Vec::new(),
    };
    if output.json {
        return output.json(&users.iter().map(User::from).collect::<Vec<_>>());
    }
    if users.is_empty() {
        output.say("there are no users yet");
        output.hint("`dango auth add-user EMAIL --role admin` adds the first one");
        return Ok(());
    }
    output.table(&HEADING, &users.iter().map(row).collect::<Vec<_>>())
}
