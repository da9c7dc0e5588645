//! `dango auth deactivate-user`: an account is switched off, and what was open of it ends.

use dango_actions::Effect;

use super::account::{self, AccountArguments};
use super::view::User;
use crate::Outcome;
use crate::arguments::Global;
use crate::house::wait;
use crate::output::Output;

pub(super) fn run(arguments: &AccountArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let outcome = account::change(&arguments.email, global, output, |actions, permit, email| {
        wait(actions.deactivate_user(permit, email))
    })?;
    let email = &outcome.user.user.email;
    match outcome.effect {
        Effect::Changed => {
            output.say(format!("deactivated {email}; their sessions, API keys and invitations have ended"));
            output.hint(format!("`dango auth reactivate-user {email}` switches the account on again"));
        }
        Effect::Unchanged => output.say(format!("{email} was deactivated already; nothing was changed")),
    }
    match output.json {
        true => output.json(&User::from(&outcome.user)),
        false => Ok(()),
    }
}
