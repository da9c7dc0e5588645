//! Accounts: the record of a user, what state it shows, and the trait of its rows with the guards that must hold under races.

mod status;
mod store;
mod user;

pub use status::AccountStatus;
pub use store::{AccountChange, EmailChange, InsertUser, LoginCandidate, LoginCompletion, UserStore};
pub use user::{Activity, NewUser, PasswordOrigin, StoredPassword, User};

use crate::id::UserId;

/// Refuses what people may not do to their own account: deactivate, reactivate, unlock or delete it.
///
/// # Errors
///
/// [`OwnAccount`] where the two are the same user. Somebody at the server's terminal is no user and may do it.
pub fn check_not_own_account(actor: Option<UserId>, target: UserId) -> Result<(), OwnAccount> {
    if actor == Some(target) { Err(OwnAccount) } else { Ok(()) }
}

/// An administrator tried to do to their own account what only another one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this cannot be done to your own account")]
pub struct OwnAccount;

impl OwnAccount {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        "own-account"
    }
}
