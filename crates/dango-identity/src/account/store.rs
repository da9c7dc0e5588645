//! Where users are kept: the trait that every backend implements. Its guards hold inside the store, where races are decided.

use async_trait::async_trait;
use dango_core::Timestamp;

use super::{NewUser, StoredPassword, User};
use crate::email::Email;
use crate::epoch::SecurityEpoch;
use crate::id::UserId;
use crate::password::PasswordRecord;
use crate::role::Role;
use crate::store::StoreError;

/// What became of a user that was to be inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum InsertUser {
    /// Stored.
    Inserted,
    /// Another user has this address, or one that nobody can tell from it.
    EmailTaken,
}

/// What became of a change to an account.
#[derive(Clone, Debug)]
#[must_use]
pub enum AccountChange {
    /// It was made; this is the record now.
    Changed(User),
    /// It was so already; nothing was written.
    Unchanged(User),
    /// There is no such user.
    NotFound,
    /// It would have left nobody who can administer ([`User::can_stand_in_for`]).
    LastAdmin,
}

/// What became of a change of address.
#[derive(Clone, Debug)]
#[must_use]
pub enum EmailChange {
    /// It was made; everything issued to the user has ended.
    Changed(User),
    /// Another user has this address, or one that nobody can tell from it.
    Taken,
    /// There is no such user.
    NotFound,
}

/// A user together with what is needed to check a password, read at one moment.
#[derive(Clone, Debug)]
pub struct LoginCandidate {
    /// The user.
    pub user: User,
    /// The password, if there is one.
    pub password: Option<StoredPassword>,
}

/// The last step of a login, to be written where nothing has changed since it was checked.
#[derive(Clone, Debug)]
pub struct LoginCompletion<'a> {
    /// Who logs in.
    pub user: UserId,
    /// The epoch under which everything was checked.
    pub epoch: SecurityEpoch,
    /// The stored password that was proven, if one was. A temporary one is used up by this.
    pub password: Option<&'a PasswordRecord>,
    /// What to store in its place, if it is outdated.
    pub upgrade: Option<&'a PasswordRecord>,
    /// The time of the login.
    pub now: Timestamp,
}

/// Users. Every method is one whole intent, and happens wholly or not at all, whatever else happens at once.
///
/// *Ends everything issued* means: the user's epoch is raised, sessions (partial ones too) and invitations of the user are
/// removed. Where API keys are revoked, too, the method says so.
#[async_trait]
pub trait UserStore: Send {
    /// Inserts a user with password and invitation, unless the address (by its likeness) is taken.
    async fn insert_user(&mut self, new: &NewUser) -> Result<InsertUser, StoreError>;

    /// Finds a user.
    async fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError>;

    /// Finds the user who has an address, by its likeness.
    async fn find_user_by_email(&mut self, email: &Email) -> Result<Option<User>, StoreError>;

    /// All users, by the time they were made, then by id.
    async fn users(&mut self) -> Result<Vec<User>, StoreError>;

    /// Finds the user who has an address, with the password.
    async fn find_candidate_by_email(&mut self, email: &Email) -> Result<Option<LoginCandidate>, StoreError>;

    /// Finds a user with the password.
    async fn find_candidate(&mut self, id: UserId) -> Result<Option<LoginCandidate>, StoreError>;

    /// Writes a login: if the user may log in, the epoch is the same and the password is still the stored one and, if
    /// temporary, neither used nor expired. Answers whether it happened.
    async fn complete_login(&mut self, login: &LoginCompletion<'_>) -> Result<bool, StoreError>;

    /// Stores another hash of the password that was proven in the place of that one, if it is still the stored one. Nothing else
    /// changes: not the epoch, no session, not whether the password is temporary. Answers whether it happened.
    async fn upgrade_password(&mut self, id: UserId, proven: &PasswordRecord, upgrade: &PasswordRecord) -> Result<bool, StoreError>;

    /// Gives a user another role; never takes the last administrator's.
    async fn change_role(&mut self, id: UserId, role: Role, now: Timestamp) -> Result<AccountChange, StoreError>;

    /// Switches an account off, ends everything issued and revokes API keys; never the last administrator's.
    async fn deactivate_user(&mut self, id: UserId, now: Timestamp) -> Result<AccountChange, StoreError>;

    /// Switches an account on again. Nothing that was ended comes back; an invitation that was pending has expired.
    async fn reactivate_user(&mut self, id: UserId, now: Timestamp) -> Result<AccountChange, StoreError>;

    /// Removes a user with everything that belongs to them; never the last administrator. The answer holds the
    /// record as it was.
    async fn delete_user(&mut self, id: UserId) -> Result<AccountChange, StoreError>;

    /// Gives a user another address and ends everything issued.
    async fn change_email(&mut self, id: UserId, email: &Email, now: Timestamp) -> Result<EmailChange, StoreError>;

    /// Stores the password that a user chose, if the epoch is still the one under which the old password was proven; no
    /// change is due any more. Ends everything issued; API keys stay. Answers whether it happened.
    async fn change_password(&mut self, id: UserId, epoch: SecurityEpoch, password: &StoredPassword) -> Result<bool, StoreError>;

    /// Stores a password that an administrator hands over, ends everything issued and revokes API keys. An invitation
    /// that was pending counts as accepted. Answers the user, if there is one.
    async fn reset_password(&mut self, id: UserId, password: &StoredPassword) -> Result<Option<User>, StoreError>;
}
