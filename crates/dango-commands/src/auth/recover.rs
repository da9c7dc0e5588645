//! `dango auth recover`: an emergency administrator, for whoever has the machine and has lost the way in.

use clap::Args;
use dango_identity::Email;

use super::account::parse_email;
use super::refusals;
use super::view::{User, WithPassword};
use crate::Outcome;
use crate::arguments::Global;
use crate::failure::Failure;
use crate::house::{House, wait};
use crate::output::Output;

/// The address of an emergency administrator, unless another is asked for.
const RECOVERY: &str = "recovery@localhost";

#[derive(Args, Debug)]
pub(crate) struct RecoverArguments {
    /// The address of the emergency administrator
    #[arg(long, value_name = "EMAIL", default_value = RECOVERY)]
    email: String,
}

pub(super) fn run(arguments: &RecoverArguments, global: &Global, output: &mut Output<'_>) -> Outcome {
    let email: Email = parse_email(&arguments.email)?;
    let house = House::find(global, output.host)?;
    let actions = house.recovery(global, output)?;
    let permit = house.permit(&actions, output)?;
    let recovered = wait(actions.recover(&permit, Some(email.clone())));
    // A refusal has begun the chain, too.
    let told = house.record_replaced_key(&actions, output);
    house.keep_checkpoint(output);
    let recovered = recovered.map_err(|error| refusals::recover(error, &email))?;
    told?;
    if let Some(retired) = recovered.retired_records {
        output.warn(format!(
            "the audit log belonged to another identity key: its {retired} records are put away, and a new chain has begun"
        ));
    }
    output.warn(format!(
        "{email} is an administrator now; delete the account once you are back in: `dango auth delete-user {email}`"
    ));
    output.say("this temporary password has to be changed at the first login, within 24 hours; it is not shown again:");
    let temp_password = recovered.password.expose();
    let printed = match output.json {
        true => output.json(&WithPassword {
            user: User::from(&recovered.user),
            temp_password,
        }),
        false => output.line(temp_password),
    };
    printed.and_then(|()| tell_if_closed(&house, output))
}

/// An administrator who cannot sign in has not been helped.
fn tell_if_closed(house: &House, output: &mut Output<'_>) -> Result<(), Failure> {
    let actions = house.actions(output)?;
    let permit = house.permit(&actions, output)?;
    if wait(actions.status(&permit)).is_ok_and(|status| !status.enabled) {
        output.hint("nobody can sign in at present: `dango auth enable` opens the door");
    }
    Ok(())
}
