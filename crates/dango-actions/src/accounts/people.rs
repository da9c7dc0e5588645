//! Adding people and listing them.

use std::collections::HashMap;
use std::fmt;

use dango_audit::{Detail, Event, Target, TargetKind, Word};
use dango_identity::{Email, InsertUser, Invite, Lock, NewUser, Password, Role, hash_temporary_password, make_temporary_password};

use super::{InviteLink, UserView};
use crate::actions::Actions;
use crate::fault::{Fault, refusals};
use crate::permit::{Permit, UsersManage, UsersView};
use crate::unit::Record;

/// How a new user gets in for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstLogin {
    /// By a link, valid for 72 hours, with which they choose a password.
    Invite,
    /// By a temporary password, which they have to change.
    TemporaryPassword,
}

/// What the new user needs, to be handed over once.
pub enum Credential {
    /// The link.
    Invite(InviteLink),
    /// The temporary password.
    TemporaryPassword(Password),
}

/// A user who was added.
pub struct AddedUser {
    /// The user.
    pub user: UserView,
    /// What the user needs.
    pub credential: Credential,
}

/// Says which kind it is, and nothing of what is in it.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invite(_) => "Invite(..)",
            Self::TemporaryPassword(_) => "TemporaryPassword(..)",
        })
    }
}

impl fmt::Debug for AddedUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddedUser")
            .field("user", &self.user)
            .field("credential", &self.credential)
            .finish()
    }
}

refusals! {
    /// Nobody was added.
    AddUserError {
        /// Somebody has this address, or one that nobody can tell from it.
        UserExists = "user_exists", "a user with this e-mail address exists already";
    }
}

impl Actions {
    /// Adds a user.
    ///
    /// Permission: `users.manage`. Audit: `user_created` with role and method.
    ///
    /// # Errors
    ///
    /// [`AddUserError::UserExists`].
    pub async fn add_user(
        &self,
        permit: &Permit<UsersManage>,
        email: Email,
        role: Role,
        first_login: FirstLogin,
    ) -> Result<AddedUser, AddUserError> {
        let (new, credential) = match first_login {
            FirstLogin::Invite => self.invited(email, role)?,
            FirstLogin::TemporaryPassword => {
                let (new, password) = self.with_temporary_password(email, role).await?;
                (new, Credential::TemporaryPassword(password))
            }
        };
        self.act(permit, move |mut unit| {
            Box::pin(async move {
                let method = match credential {
                    Credential::Invite(_) => "invite",
                    Credential::TemporaryPassword(_) => "temp_password",
                };
                let record = Record::of(Event::UserCreated)
                    .with(Detail::Role, Word::new(new.user.role.name()))
                    .with(Detail::Method, Word::new(method));
                if unit.tx.insert_user(&new).await? == InsertUser::EmailTaken {
                    let record = record.on(Target::of(TargetKind::User));
                    return unit.refuse(record, AddUserError::UserExists).await;
                }
                unit.succeed(record.on_user(&new.user)).await?;
                let user = unit.view(new.user).await?;
                Ok(Ok(AddedUser { user, credential }))
            })
        })
        .await
    }

    fn invited(&self, email: Email, role: Role) -> Result<(NewUser, Credential), Fault> {
        let inner = self.inner();
        let (now, entropy) = (inner.clock.now(), &*inner.entropy);
        let (invite, token) = Invite::make(&inner.tokens, now, entropy)?;
        let link = InviteLink::new(&inner.public_url, &token, invite.expires_at);
        Ok((NewUser::invited(email, role, invite, now, entropy)?, Credential::Invite(link)))
    }

    /// A user who begins with a temporary password; hashing it takes a while.
    pub(super) async fn with_temporary_password(&self, email: Email, role: Role) -> Result<(NewUser, Password), Fault> {
        let inner = self.inner();
        let (now, entropy) = (inner.clock.now(), &*inner.entropy);
        let password = make_temporary_password(entropy)?;
        let hashed = self.hash(move |hasher, entropy| {
            let stored = hash_temporary_password(&password, hasher, now, entropy)?;
            Ok((password, stored))
        });
        let (password, stored) = hashed.await?;
        let new = NewUser::with_password(email, role, stored, now, entropy)?;
        Ok((new, password))
    }

    /// Lists everybody, by the time they were added. It goes on where the log cannot be written.
    ///
    /// Permission: `users.view`. Audit: none.
    ///
    /// # Errors
    ///
    /// [`Fault`] if the database cannot be read.
    pub async fn list_users(&self, permit: &Permit<UsersView>) -> Result<Vec<UserView>, Fault> {
        self.read(permit.caller(), |unit| {
            Box::pin(async move {
                let users = unit.tx.users().await?;
                let rules = &unit.inner.rules;
                let locks: HashMap<_, Lock> = unit
                    .tx
                    .locks(rules.lockout(), unit.now)
                    .await?
                    .into_iter()
                    .map(|view| (view.account, view.lock))
                    .collect();
                let enrolled = unit.tx.enrolled_users().await?;
                let mut issuers = unit.tx.first_issuers().await?;
                // The key of an account costs an HMAC, and mostly nobody is locked.
                let lock_of = |email: &Email| (!locks.is_empty()).then(|| locks.get(&rules.account_key(email)).copied()).flatten();
                let view = |user: dango_identity::User| {
                    let (lock, totp) = (lock_of(&user.email), enrolled.contains(&user.id));
                    let issuer = issuers.remove(&user.id);
                    UserView::new(user, lock, totp, issuer, unit.now)
                };
                Ok(users.into_iter().map(view).collect())
            })
        })
        .await
    }

    /// Finds one user. It goes on where the log cannot be written.
    ///
    /// Permission: `users.view`. Audit: none.
    ///
    /// # Errors
    ///
    /// [`Fault`] if the database cannot be read.
    pub async fn find_user(&self, permit: &Permit<UsersView>, user: impl Into<super::UserRef>) -> Result<Option<UserView>, Fault> {
        let wanted = user.into();
        self.read(permit.caller(), move |mut unit| {
            Box::pin(async move {
                match unit.find(&wanted).await? {
                    Some(user) => Ok(Some(unit.view(user).await?)),
                    None => Ok(None),
                }
            })
        })
        .await
    }
}
