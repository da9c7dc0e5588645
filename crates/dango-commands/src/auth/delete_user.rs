//! `dango auth delete-user`: a user is removed, after a question; what they did stays in the audit log.

use super::account::{AccountArguments, parse_email, people};
use super::refusals;
use super::view::SUCCESS;
use crate::Outcome;
use crate::arguments::Global;
use crate::house::{House, fault, wait};
use crate::output::Output;
use crate::prompt;

pub(super) fn run(arguments: &AccountArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let email = parse_email(&arguments.email)?;
    let house = House::find(global, output.host)?;
    let (actions, permit) = people(&house, output)?;
    let view = house.permit(&actions, output)?;
    let found = wait(actions.find_user(&view, email.clone())).map_err(|error| fault(&error))?;
    // Nobody is asked about somebody who is not there; the refusal is recorded all the same.
    if let Some(found) = found {
        let question = format!(
            "delete {} ({}), with their sessions, API keys and second factor?",
            found.user.email,
            found.user.role.name()
        );
        prompt::confirm(&question, global.yes, output)
            .map_err(|failure| failure.hint(format!("`dango auth deactivate-user {email}` can be taken back")))?;
    }
    let deleted = wait(actions.delete_user(&permit, email.clone(), None));
    house.keep_checkpoint(output);
    let deleted = deleted.map_err(|error| refusals::delete(error, &email))?;
    output.say(format!("deleted {}; what they did stays in the audit log", deleted.email));
    match output.json {
        true => output.json(&SUCCESS),
        false => Ok(()),
    }
}
