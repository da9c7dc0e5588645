//! Accounts as administrators see and change them. How people log in to their own is elsewhere.

mod admission;
mod change;
mod credentials;
mod first;
mod invites;
mod people;

use std::fmt;

use dango_audit::{Target, TargetKind};
use dango_core::{SecretValue, Timestamp};
use dango_identity::{AccountStatus, AttemptKey, ClientClass, Email, Lock, PlainToken, User, UserId, kind};
use dango_store::Standing;

pub use admission::{AuthStatus, Effect, SwitchError};
pub(crate) use change::count;
pub use change::{AccountOutcome, ChangeAccountError, DeleteUserError};
pub use credentials::{ResetPassword, ResetPasswordError};
pub use first::{ClaimError, ClaimLink, RecoverError, Recovered};
pub use invites::{InviteError, RevokeInviteError};
pub use people::{AddUserError, AddedUser, Credential, FirstLogin};

use crate::actions::Inner;
use crate::caller::audit_id;
use crate::fault::Fault;
use crate::public_url::PublicUrl;
use crate::unit::{Record, Unit};

/// Which account: people at a terminal know addresses, programs know ids.
#[derive(Clone, Debug)]
pub enum UserRef {
    /// By its id.
    Id(UserId),
    /// By its address, however it is written.
    Email(Email),
}

impl From<UserId> for UserRef {
    fn from(id: UserId) -> Self {
        Self::Id(id)
    }
}

impl From<Email> for UserRef {
    fn from(email: Email) -> Self {
        Self::Email(email)
    }
}

impl UserRef {
    /// The target of a record about an account that is not there. What was typed as an address is not repeated.
    fn missing(&self) -> Target {
        match self {
            Self::Id(id) => Target::new(TargetKind::User, &audit_id(id)),
            Self::Email(_) => Target::of(TargetKind::User),
        }
    }
}

/// A user as lists show one, without anything that could be used to log in.
#[derive(Clone, Debug)]
pub struct UserView {
    /// The record.
    pub user: User,
    /// What the account shows.
    pub status: AccountStatus,
    /// What locks it for browsers that it does not know.
    pub lock: Option<Lock>,
    /// Whether a second factor is active.
    pub totp_enabled: bool,
    /// The other provider that opens the account, the first where there are several: `google` or `github`, else the issuer.
    pub oauth_provider: Option<String>,
}

impl UserView {
    pub(crate) fn new(user: User, lock: Option<Lock>, totp_enabled: bool, oauth_provider: Option<String>, now: Timestamp) -> Self {
        Self {
            status: user.status(lock, now),
            user,
            lock,
            totp_enabled,
            oauth_provider: oauth_provider.map(name_of_issuer),
        }
    }

    /// The account as it was read when somebody showed a token of it.
    pub(crate) fn of(standing: &Standing, now: Timestamp) -> Self {
        Self::new(
            standing.user.clone(),
            standing.lock(now),
            standing.totp_enabled,
            standing.oauth_provider.clone(),
            now,
        )
    }

    /// When the lock ends, for one that ends by itself.
    pub const fn locked_until(&self) -> Option<Timestamp> {
        match self.lock {
            Some(Lock::Until(end)) => Some(end),
            Some(Lock::Stopped) | None => None,
        }
    }

    /// Whether the account waits for an invitation to be accepted, in time or not.
    pub const fn has_pending_invite(&self) -> bool {
        self.user.invite_expires_at.is_some()
    }
}

/// The link of an invitation: whoever has it chooses the password of the account. It is shown once.
pub struct InviteLink {
    url: SecretValue,
    /// From then on it is void.
    pub expires_at: Timestamp,
}

impl InviteLink {
    fn new(base: &PublicUrl, token: &PlainToken<kind::Invite>, expires_at: Timestamp) -> Self {
        let url = link(base, "invite", token.expose());
        Self { url, expires_at }
    }

    /// Looks inside, for whoever hands it over.
    pub const fn url(&self) -> &SecretValue {
        &self.url
    }
}

impl fmt::Debug for InviteLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InviteLink")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

fn link(base: &PublicUrl, page: &str, token: &str) -> SecretValue {
    SecretValue::new(format!("{base}/{page}/{token}")).expect("neither an address nor a token holds NUL")
}

/// The two that everybody knows have the names that clients of earlier versions know.
fn name_of_issuer(issuer: String) -> String {
    match issuer.as_str() {
        "https://accounts.google.com" => "google".to_owned(),
        "https://github.com" => "github".to_owned(),
        _ => issuer,
    }
}

impl Unit<'_> {
    /// Finds the account that is meant.
    pub(crate) async fn find(&mut self, wanted: &UserRef) -> Result<Option<User>, Fault> {
        Ok(match wanted {
            UserRef::Id(id) => self.tx.find_user(*id).await?,
            UserRef::Email(email) => self.tx.find_user_by_email(email).await?,
        })
    }

    /// The account as lists show it.
    pub(crate) async fn view(&mut self, user: User) -> Result<UserView, Fault> {
        let budget = self.inner.budget_of_strangers(&user.email);
        let lock = self.tx.find_lock(&budget, self.inner.rules.lockout(), self.now).await?;
        let totp_enabled = self.tx.active_totp(user.id).await?.is_some();
        let provider = self.tx.links_of(user.id).await?.into_iter().next();
        let provider = provider.map(|link| link.identity.issuer().to_owned());
        Ok(UserView::new(user, lock, totp_enabled, provider, self.now))
    }
}

impl Inner {
    pub(crate) fn budget_of_strangers(&self, email: &Email) -> AttemptKey {
        AttemptKey {
            account: self.rules.account_key(email),
            client: ClientClass::Untrusted,
        }
    }
}

/// A record about an account, there or not.
fn about(record: Record, wanted: &UserRef, user: Option<&User>) -> Record {
    match user {
        Some(user) => record.on_user(user),
        None => record.on(wanted.missing()),
    }
}
