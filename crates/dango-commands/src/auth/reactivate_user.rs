//! `dango auth reactivate-user`: an account is switched on again; no session and no key comes back.

use dango_actions::Effect;

use super::account::{self, AccountArguments};
use super::view::User;
use crate::Outcome;
use crate::arguments::Global;
use crate::house::wait;
use crate::output::Output;

pub(super) fn run(arguments: &AccountArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let outcome = account::change(&arguments.email, global, output, |actions, permit, email| {
        wait(actions.reactivate_user(permit, email))
    })?;
    let email = &outcome.user.user.email;
    match outcome.effect {
        Effect::Changed => output.say(format!("reactivated {email}; sessions and API keys that had ended stay so")),
        Effect::Unchanged => output.say(format!("{email} was active already; nothing was changed")),
    }
    match output.json {
        true => output.json(&User::from(&outcome.user)),
        false => Ok(()),
    }
}
