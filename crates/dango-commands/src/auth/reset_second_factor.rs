//! `dango auth reset-2fa`: a second factor that was lost is removed, with its recovery codes.

use dango_actions::Effect;

use super::account::{self, AccountArguments};
use super::view::SUCCESS;
use crate::Outcome;
use crate::arguments::Global;
use crate::house::wait;
use crate::output::Output;

pub(super) fn run(arguments: &AccountArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let outcome = account::change(&arguments.email, global, output, |actions, permit, email| {
        wait(actions.reset_second_factor(permit, email))
    })?;
    let email = &outcome.user.user.email;
    match outcome.effect {
        Effect::Changed => output.say(format!("removed the second factor of {email}; their sessions have ended")),
        Effect::Unchanged => output.say(format!("{email} had no second factor; their sessions have ended")),
    }
    match output.json {
        true => output.json(&SUCCESS),
        false => Ok(()),
    }
}
