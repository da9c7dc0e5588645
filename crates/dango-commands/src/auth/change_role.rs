//! `dango auth change-role`: what a user may do, from their next request on.

use clap::Args;
use dango_actions::Effect;
use dango_identity::Role;

use super::account;
use super::view::User;
use crate::Outcome;
use crate::arguments::Global;
use crate::house::wait;
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct ChangeRoleArguments {
    /// The user's e-mail address
    #[arg(value_name = "EMAIL")]
    pub(crate) email: String,
    /// What the user may do from now on
    #[arg(value_name = "ROLE", value_parser = ROLES)]
    pub(crate) role: String,
}

/// The roles, as options name them.
pub(super) const ROLES: [&str; 3] = ["admin", "editor", "viewer"];

/// The role that an option names; clap has let nothing else through, and a viewer may do least.
pub(super) fn role(name: &str) -> Role {
    name.parse().unwrap_or(Role::Viewer)
}

pub(super) fn run(arguments: &ChangeRoleArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let role = role(&arguments.role);
    let outcome = account::change(&arguments.email, global, output, |actions, permit, email| {
        wait(actions.change_role(permit, email, role))
    })?;
    let email = &outcome.user.user.email;
    match outcome.effect {
        Effect::Changed => output.say(format!("{email} has the role {} now", role.name())),
        Effect::Unchanged => output.say(format!("{email} had the role {} already; nothing was changed", role.name())),
    }
    match output.json {
        true => output.json(&User::from(&outcome.user)),
        false => Ok(()),
    }
}
