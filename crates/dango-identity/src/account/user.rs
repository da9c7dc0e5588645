//! The record of a user and of the password that belongs to it.

use dango_core::{Entropy, EntropyError, Timestamp};

use super::AccountStatus;
use crate::email::Email;
use crate::epoch::SecurityEpoch;
use crate::id::UserId;
use crate::lockout::Lock;
use crate::password::PasswordRecord;
use crate::role::Role;

/// A user, without anything that could be used to log in.
#[derive(Clone, Debug)]
pub struct User {
    /// The id. It never changes and is never used again.
    pub id: UserId,
    /// The address; unique among users by its likeness.
    pub email: Email,
    /// What the user may do.
    pub role: Role,
    /// Whether an administrator has switched the account off.
    pub activity: Activity,
    /// While the user has not accepted an invitation: when the last one expires or expired.
    pub invite_expires_at: Option<Timestamp>,
    /// Whether a password of their own has to be chosen before anything else.
    pub must_change_password: bool,
    /// Which sessions, device cookies and API keys still count.
    pub epoch: SecurityEpoch,
    /// When the record was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When the user last logged in.
    pub last_login: Option<Timestamp>,
}

/// Whether an account is switched on. It is all that is stored of the account's state: that it is locked or that an
/// invitation has expired is worked out from times, so no job can forget to change it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activity {
    /// It may be used.
    Active,
    /// It may not; nothing of it was kept that would come back with it.
    Inactive,
}

impl User {
    /// What the account shows.
    pub fn status(&self, lock: Option<Lock>, now: Timestamp) -> AccountStatus {
        AccountStatus::of(self.activity, lock, self.invite_expires_at, now)
    }

    /// Whether the user can log in, once they prove who they are.
    pub const fn may_log_in(&self) -> bool {
        matches!(self.activity, Activity::Active) && self.invite_expires_at.is_none()
    }

    /// Whether this administrator can help others now: an invited one cannot yet.
    pub fn is_working_admin(&self) -> bool {
        self.role == Role::Admin && self.may_log_in()
    }

    /// Whether this is an administrator who is switched on, be it by an invitation that was not accepted yet.
    pub fn is_active_admin(&self) -> bool {
        self.role == Role::Admin && self.activity == Activity::Active
    }

    /// Whether one administrator is left if another goes. One who works is replaced only by one who works: an invitation
    /// may never be accepted. Where all are invited, one of them has to stay.
    pub fn can_stand_in_for(&self, other: &Self) -> bool {
        self.is_active_admin() && (self.may_log_in() || !other.may_log_in())
    }
}

/// A stored password and where it came from.
#[derive(Clone, Debug)]
pub struct StoredPassword {
    /// The hash.
    pub record: PasswordRecord,
    /// When it was set.
    pub set_at: Timestamp,
    /// Who chose it.
    pub origin: PasswordOrigin,
}

/// Who chose a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordOrigin {
    /// Its owner.
    Chosen,
    /// Dango made it for an administrator to hand over.
    Temporary {
        /// From then on it is void.
        expires_at: Timestamp,
        /// Somebody has logged in with it already. It still counts as the current password of the change that is due.
        used: bool,
    },
}

impl StoredPassword {
    /// A password that its owner chose.
    pub const fn chosen(record: PasswordRecord, now: Timestamp) -> Self {
        Self {
            record,
            set_at: now,
            origin: PasswordOrigin::Chosen,
        }
    }

    /// Whether one can log in with it.
    pub fn opens_login(&self, now: Timestamp) -> bool {
        match self.origin {
            PasswordOrigin::Chosen => true,
            PasswordOrigin::Temporary { expires_at, used } => !used && now < expires_at,
        }
    }

    /// Whether it proves to a session that its holder is still there.
    pub fn is_current(&self, now: Timestamp) -> bool {
        match self.origin {
            PasswordOrigin::Chosen => true,
            PasswordOrigin::Temporary { expires_at, .. } => now < expires_at,
        }
    }

    /// Whether it has to be changed before anything else.
    pub const fn is_temporary(&self) -> bool {
        matches!(self.origin, PasswordOrigin::Temporary { .. })
    }
}

/// A user to be inserted, with a password or an invitation to choose one.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The record.
    pub user: User,
    /// The password, if the user begins with one.
    pub password: Option<StoredPassword>,
    /// The invitation, if the user begins with one.
    pub invite: Option<crate::invite::Invite>,
}

impl NewUser {
    /// A user who chooses a password by the link of an invitation.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness for an id.
    pub fn invited(
        email: Email,
        role: Role,
        invite: crate::invite::Invite,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Self, EntropyError> {
        let mut user = new_user(email, role, now, entropy)?;
        user.invite_expires_at = Some(invite.expires_at);
        Ok(Self {
            user,
            password: None,
            invite: Some(invite),
        })
    }

    /// A user who begins with a password, temporary or chosen.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] where there is no randomness for an id.
    pub fn with_password(
        email: Email,
        role: Role,
        password: StoredPassword,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Self, EntropyError> {
        let mut user = new_user(email, role, now, entropy)?;
        user.must_change_password = password.is_temporary();
        Ok(Self {
            user,
            password: Some(password),
            invite: None,
        })
    }
}

fn new_user(email: Email, role: Role, now: Timestamp, entropy: &dyn Entropy) -> Result<User, EntropyError> {
    Ok(User {
        id: UserId::make(now, entropy)?,
        email,
        role,
        activity: Activity::Active,
        invite_expires_at: None,
        must_change_password: false,
        epoch: SecurityEpoch::default(),
        created_at: now,
        updated_at: now,
        last_login: None,
    })
}
