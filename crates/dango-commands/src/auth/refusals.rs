//! What the use cases refuse about accounts, in the words of the command line, with what to do about it.

use dango_actions::{AddUserError, ChangeAccountError, DeleteUserError, RecoverError, ResetPasswordError, SwitchError};
use dango_identity::Email;

use crate::failure::Failure;
use crate::house::{denied, fault};

/// A project to which no user was ever added.
pub(super) fn nobody_yet() -> Failure {
    Failure::refused("this project has no users yet").hint(FIRST)
}

const FIRST: &str = "`dango auth add-user EMAIL --role admin` adds the first one";

pub(super) fn change(error: ChangeAccountError, email: &Email) -> Failure {
    match error {
        ChangeAccountError::NotFound => unknown(email),
        ChangeAccountError::LastAdmin => last_admin(email),
        ChangeAccountError::Denied(error) => denied(&error),
        ChangeAccountError::Fault(error) => fault(&error),
        error => Failure::caused_by(&error),
    }
}

pub(super) fn delete(error: DeleteUserError, email: &Email) -> Failure {
    match error {
        DeleteUserError::NotFound => unknown(email),
        DeleteUserError::LastAdmin => last_admin(email),
        DeleteUserError::Denied(error) => denied(&error),
        DeleteUserError::Fault(error) => fault(&error),
        error => Failure::caused_by(&error),
    }
}

pub(super) fn reset(error: ResetPasswordError, email: &Email) -> Failure {
    match error {
        ResetPasswordError::NotFound => unknown(email),
        ResetPasswordError::Denied(error) => denied(&error),
        ResetPasswordError::Fault(error) => fault(&error),
        error => Failure::caused_by(&error),
    }
}

pub(super) fn add(error: AddUserError, email: &Email) -> Failure {
    match error {
        AddUserError::UserExists => exists(email)
            .hint(format!("`dango auth reset-password {email}` gives them a new way in"))
            .hint(format!("`dango auth change-role {email} ROLE` gives them another role")),
        AddUserError::Denied(error) => denied(&error),
        AddUserError::Fault(error) => fault(&error),
        error => Failure::caused_by(&error),
    }
}

pub(super) fn recover(error: RecoverError, email: &Email) -> Failure {
    match error {
        RecoverError::UserExists => exists(email)
            .hint(format!("`dango auth reset-password {email}` gives them a temporary password"))
            .hint("`--email EMAIL` makes the emergency administrator under another address"),
        RecoverError::Denied(error) => denied(&error),
        RecoverError::Fault(error) => fault(&error),
        error => Failure::caused_by(&error),
    }
}

pub(super) fn switch(error: SwitchError) -> Failure {
    match error {
        SwitchError::NoAdministrator => Failure::caused_by(&error)
            .hint("`dango auth add-user EMAIL --role admin` adds one")
            .hint("`dango auth reactivate-user EMAIL` switches one on again; `dango auth list-users` shows who there is"),
        SwitchError::Denied(error) => denied(&error),
        SwitchError::Fault(error) => fault(&error),
        error => Failure::caused_by(&error),
    }
}

/// Nobody has this address.
pub(super) fn unknown(email: &Email) -> Failure {
    Failure::refused(format!("there is no user {email}")).hint("`dango auth list-users` shows who there is")
}

fn exists(email: &Email) -> Failure {
    Failure::refused(format!(
        "there is a user {email} already, or one whose address cannot be told from it"
    ))
}

fn last_admin(email: &Email) -> Failure {
    Failure::refused(format!(
        "{email} is the only active administrator, so nobody could administer any more; nothing was changed"
    ))
    .hint("make somebody else an administrator first: `dango auth change-role EMAIL admin`")
}
