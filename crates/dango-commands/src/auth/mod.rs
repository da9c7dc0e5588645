//! `dango auth`: who may sign in and what they may do, one file a verb.

mod account;
mod add_user;
mod change_role;
mod deactivate_user;
mod delete_user;
mod disable;
mod enable;
mod import;
mod list_users;
mod reactivate_user;
mod recover;
mod refusals;
mod reset_password;
mod reset_second_factor;
mod status;
mod unlock;
mod view;

use clap::Subcommand;

use crate::arguments::Global;
use crate::audit::ListArguments;
use crate::output::Output;
use crate::server::{self, Server};
use crate::{Outcome, audit};
pub(crate) use view::HEADING;

#[derive(Subcommand, Debug)]
pub(crate) enum AuthCommand {
    /// Let people sign in again
    Enable,
    /// Let nobody sign in: no session and no API key counts until `enable`
    Disable,
    /// Show whether people can sign in, and how many there are
    Status,
    /// Add a user, and print the invitation link or the temporary password for them
    AddUser(add_user::AddUserArguments),
    /// List users with role, status and last login
    ListUsers,
    /// Give a user a temporary password; their sessions and API keys end
    ResetPassword(account::AccountArguments),
    /// Give a user another role
    ChangeRole(change_role::ChangeRoleArguments),
    /// Switch an account off; its sessions and API keys end for good
    DeactivateUser(account::AccountArguments),
    /// Switch an account on again
    ReactivateUser(account::AccountArguments),
    /// Remove a user with everything that belongs to them
    DeleteUser(account::AccountArguments),
    /// Forget the failed logins of an account, so that it is no longer locked
    Unlock(account::AccountArguments),
    /// List the audit log; another name for `dango audit list`
    Audit(ListArguments),
    /// Make an emergency administrator, for whoever has lost the way in
    Recover(recover::RecoverArguments),
    /// Take over the users of an earlier Dango from its `auth.db`
    Import(import::ImportArguments),
    /// Remove a user's second factor; their sessions end
    #[command(name = "reset-2fa")]
    ResetSecondFactor(account::AccountArguments),
}

pub(crate) fn run(command: AuthCommand, global: &Global, output: &mut Output<'_>) -> Outcome {
    if let Some(server) = Server::of(global, output)? {
        return server::auth(command, &server, global, output);
    }
    match command {
        AuthCommand::Enable => enable::run(global, output),
        AuthCommand::Disable => disable::run(global, output),
        AuthCommand::Status => status::run(global, output),
        AuthCommand::AddUser(arguments) => add_user::run(arguments, global, output),
        AuthCommand::ListUsers => list_users::run(global, output),
        AuthCommand::ResetPassword(arguments) => reset_password::run(&arguments, global, output),
        AuthCommand::ChangeRole(arguments) => change_role::run(&arguments, global, output),
        AuthCommand::DeactivateUser(arguments) => deactivate_user::run(&arguments, global, output),
        AuthCommand::ReactivateUser(arguments) => reactivate_user::run(&arguments, global, output),
        AuthCommand::DeleteUser(arguments) => delete_user::run(&arguments, global, output),
        AuthCommand::Unlock(arguments) => unlock::run(&arguments, global, output),
        AuthCommand::Audit(arguments) => audit::list(&arguments, global, output),
        AuthCommand::Recover(arguments) => recover::run(&arguments, global, output),
        AuthCommand::Import(arguments) => import::run(&arguments, global, output),
        AuthCommand::ResetSecondFactor(arguments) => reset_second_factor::run(&arguments, global, output),
    }
}
