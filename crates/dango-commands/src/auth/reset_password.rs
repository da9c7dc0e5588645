//! `dango auth reset-password`: a temporary password, shown once; what was open under the old one ends.

use super::account::{AccountArguments, parse_email, people};
use super::refusals;
use super::view::{User, WithPassword, minute};
use crate::Outcome;
use crate::arguments::Global;
use crate::house::{House, wait};
use crate::output::Output;

pub(super) fn run(arguments: &AccountArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let email = parse_email(&arguments.email)?;
    let house = House::find(global, output.host)?;
    let (actions, permit) = people(&house, output)?;
    let reset = wait(actions.reset_password(&permit, email.clone()));
    house.keep_checkpoint(output);
    let reset = reset.map_err(|error| refusals::reset(error, &email))?;
    output.say(format!(
        "the old password of {} is void, and their sessions, API keys and invitations have ended",
        reset.user.user.email
    ));
    output.say(format!(
        "this temporary password has to be changed at the next login, until {} UTC; it is not shown again:",
        minute(reset.expires_at)
    ));
    let temp_password = reset.password.expose();
    match output.json {
        true => output.json(&WithPassword {
            user: User::from(&reset.user),
            temp_password,
        }),
        false => output.line(temp_password),
    }
}
