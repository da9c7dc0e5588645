//! The account that a command is about: the address as it is typed, and the way to it.

use clap::Args;
use dango_actions::{AccountOutcome, Actions, ChangeAccountError, Permit, UsersManage};
use dango_identity::Email;

use super::refusals;
use crate::arguments::Global;
use crate::failure::{Failure, chain};
use crate::house::House;
use crate::output::Output;

#[derive(Args, Debug)]
pub(crate) struct AccountArguments {
    /// The user's e-mail address
    #[arg(value_name = "EMAIL")]
    pub(crate) email: String,
}

/// Takes an address; what stands there is not repeated, it may be anything.
pub(super) fn parse_email(text: &str) -> Result<Email, Failure> {
    text.parse().map_err(|error| {
        Failure::usage(format!("this is no e-mail address: {}", chain(&error))).hint("an address is written as in ada@example.com")
    })
}

/// The people of a project in which there are some, with the ticket to change them.
pub(super) fn people(house: &House, output: &mut Output<'_>) -> Result<(Actions, Permit<UsersManage>), Failure> {
    let actions = house.existing_actions(output)?.ok_or_else(refusals::nobody_yet)?;
    let permit = house.permit(&actions, output)?;
    Ok((actions, permit))
}

/// Does something to one account, with everything around it: the address, the ticket, the checkpoint, the refusals.
pub(super) fn change(
    email: &str,
    global: &Global,
    output: &mut Output<'_>,
    action: impl FnOnce(&Actions, &Permit<UsersManage>, Email) -> Result<AccountOutcome, ChangeAccountError>,
) -> Result<AccountOutcome, Failure> {
    let email = parse_email(email)?;
    let house = House::find(global, output.host)?;
    let (actions, permit) = people(&house, output)?;
    let done = action(&actions, &permit, email.clone());
    house.keep_checkpoint(output);
    done.map_err(|error| refusals::change(error, &email))
}
