//! `dango auth add-user`: somebody new, and what they need for their first login, shown once.

use clap::Args;
use dango_actions::{Credential, FirstLogin, PublicUrl, Setup};
use dango_identity::Role;
use serde::Serialize;

use super::account::parse_email;
use super::refusals;
use super::view::{User, WithPassword, minute};
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::house::{House, wait};
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct AddUserArguments {
    /// The user's e-mail address
    #[arg(value_name = "EMAIL")]
    pub(crate) email: String,
    /// What the user may do
    #[arg(long, value_name = "ROLE", default_value = "viewer", value_parser = super::change_role::ROLES)]
    pub(crate) role: String,
    /// Print a temporary password instead of an invitation link
    #[arg(long, conflicts_with = "base_url")]
    pub(crate) password: bool,
    /// Where people reach the server: what the link begins with [default: http://localhost:8800]
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
}

#[derive(Serialize)]
struct Invited<'a> {
    user: User,
    invite_url: &'a str,
}

pub(super) fn run(arguments: AddUserArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let email = parse_email(&arguments.email)?;
    let role = super::change_role::role(&arguments.role);
    let mut setup = Setup::default();
    if let Some(url) = &arguments.base_url {
        let url: Result<PublicUrl, _> = url.parse();
        setup.public_url = url.map_err(|error| Failure::usage(format!("--base-url: {error}")))?;
    }
    let first_login = match arguments.password {
        true => FirstLogin::TemporaryPassword,
        false => FirstLogin::Invite,
    };
    let house = House::find(global, output.host)?.with_setup(setup);
    let actions = house.actions(output)?;
    let permit = house.permit(&actions, output)?;
    let added = wait(actions.add_user(&permit, email.clone(), role, first_login));
    house.keep_checkpoint(output);
    let added = added.map_err(|error| refusals::add(error, &email))?;
    output.say(format!("added {email} as {}", with_article(role)));
    let user = User::from(&added.user);
    match &added.credential {
        Credential::Invite(link) => {
            output.say(format!(
                "they choose a password with this link until {} UTC; it is not shown again:",
                minute(link.expires_at)
            ));
            match output.json {
                true => output.json(&Invited {
                    user,
                    invite_url: link.url().expose(),
                }),
                false => output.line(link.url().expose()),
            }
        }
        Credential::TemporaryPassword(password) => {
            output.say("this temporary password has to be changed at the first login, within 24 hours; it is not shown again:");
            let temp_password = password.expose();
            match output.json {
                true => output.json(&WithPassword { user, temp_password }),
                false => output.line(temp_password),
            }
        }
    }
}

fn with_article(role: Role) -> &'static str {
    match role {
        Role::Admin => "an admin",
        Role::Editor => "an editor",
        Role::Viewer => "a viewer",
    }
}
