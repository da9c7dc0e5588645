//! Logging in with another provider: whose account it is, who may link one, what must be left. Pure; the OAuth flow is elsewhere.

mod identity;
mod store;

use std::time::Duration;

use dango_core::Timestamp;

pub use identity::{ExternalIdentity, InvalidExternalIdentity};
pub use store::{InsertLink, Link, LinkStore, RemoveLink};

use crate::account::User;
use crate::email::Email;
use crate::session::{Full, Session};

/// What a provider says about the address of whoever has just logged in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmailClaim {
    /// It has checked that this person receives mail there.
    Verified(Email),
    /// It gave an address and has not checked it, or does not say so.
    Unverified,
    /// It gave none, or none that is one.
    Absent,
}

/// Whether somebody who has never linked this provider may be recognised by a verified address. An administrator decides
/// it for each issuer; without a decision it is not so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstUse {
    /// Only accounts that were linked.
    #[default]
    LinkedOnly,
    /// An account with the same verified address is linked and logged in.
    ByVerifiedEmail,
}

/// What the store knows that bears on a login with another provider, read at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkFacts<'a> {
    /// The user who has linked this very identity.
    pub linked: Option<&'a User>,
    /// The user with the verified address.
    pub by_email: Option<&'a User>,
    /// Whether that user has linked any identity already.
    pub by_email_links: bool,
}

/// Whose login it is.
#[derive(Clone, Debug)]
#[must_use]
pub enum ExternalLogin<'a> {
    /// The user who linked this identity. The second factor and everything after it are still to come.
    Of(&'a User),
    /// The user with the verified address; the identity is to be linked in the same transaction. Likewise.
    FirstUseOf(&'a User),
    /// Nobody's.
    Refused(ExternalLoginRefusal),
}

/// Why somebody who is known to a provider is not let in. People are told one sentence for all of them; this is for the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExternalLoginRefusal {
    /// Nobody has linked this identity, and no account was found by a verified address.
    #[error("no account is linked to this login")]
    NoAccount,
    /// The account is switched off.
    #[error("the account is switched off")]
    Inactive,
    /// The account has an invitation that is not accepted; nothing else activates it.
    #[error("the invitation has not been accepted")]
    NotAccepted,
    /// The provider does not vouch for the address.
    #[error("the provider has not verified the address")]
    EmailNotVerified,
    /// An administrator has not allowed recognition by address for this issuer.
    #[error("logins are not matched by address for this provider")]
    FirstUseNotAllowed,
    /// The account with this address has another identity linked.
    #[error("the account is linked to a different login")]
    DifferentIdentityLinked,
}

impl ExternalLoginRefusal {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoAccount => "no-account",
            Self::Inactive => "inactive",
            Self::NotAccepted => "invite-not-accepted",
            Self::EmailNotVerified => "email-not-verified",
            Self::FirstUseNotAllowed => "first-use-not-allowed",
            Self::DifferentIdentityLinked => "different-provider-linked",
        }
    }
}

/// Decides whose account a login at another provider opens.
///
/// The identity is issuer and subject; an address alone identifies nobody, since a provider can be made to send any.
pub fn decide_external_login<'a>(email: &EmailClaim, facts: LinkFacts<'a>, first_use: FirstUse) -> ExternalLogin<'a> {
    use ExternalLogin::Refused;
    if let Some(user) = facts.linked {
        return match check_account(user) {
            Ok(()) => ExternalLogin::Of(user),
            Err(refusal) => Refused(refusal),
        };
    }
    let EmailClaim::Verified(email) = email else {
        let refusal = match email {
            EmailClaim::Unverified => ExternalLoginRefusal::EmailNotVerified,
            _ => ExternalLoginRefusal::NoAccount,
        };
        return Refused(refusal);
    };
    // A fact about another address is no fact about this one.
    let Some(user) = facts.by_email.filter(|user| user.email == *email) else {
        return Refused(ExternalLoginRefusal::NoAccount);
    };
    if first_use == FirstUse::LinkedOnly {
        return Refused(ExternalLoginRefusal::FirstUseNotAllowed);
    }
    if facts.by_email_links {
        return Refused(ExternalLoginRefusal::DifferentIdentityLinked);
    }
    match check_account(user) {
        Ok(()) => ExternalLogin::FirstUseOf(user),
        Err(refusal) => Refused(refusal),
    }
}

fn check_account(user: &User) -> Result<(), ExternalLoginRefusal> {
    if user.may_log_in() {
        Ok(())
    } else if user.invite_expires_at.is_some() && user.activity == crate::account::Activity::Active {
        Err(ExternalLoginRefusal::NotAccepted)
    } else {
        Err(ExternalLoginRefusal::Inactive)
    }
}

/// Permission to link an identity to the account of whoever holds a session. It comes from [`permit_link`] alone.
#[derive(Debug)]
#[must_use]
pub struct LinkPermit {
    link: Link,
}

impl LinkPermit {
    /// The link to insert.
    pub const fn link(&self) -> &Link {
        &self.link
    }
}

/// Permits linking to whoever is logged in with every factor and has proven it within the window.
///
/// # Errors
///
/// [`ReauthenticationRequired`] where the last proof is older.
///
/// # Security
///
/// Somebody who only identified themselves cannot link: the type of the session says so.
pub fn permit_link(
    session: &Session<Full>,
    identity: ExternalIdentity,
    window: Duration,
    now: Timestamp,
) -> Result<LinkPermit, ReauthenticationRequired> {
    if !session.is_fresh(window, now) {
        return Err(ReauthenticationRequired);
    }
    Ok(LinkPermit {
        link: Link {
            user: session.user(),
            identity,
            linked_at: now,
        },
    })
}

/// The last proof of who somebody is was too long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this needs a fresh login")]
pub struct ReauthenticationRequired;

impl ReauthenticationRequired {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        "reauthentication-required"
    }
}

/// Whether people who log in with another provider may have a password here as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalPassword {
    /// An account that has links and no password gets none: whoever the provider has shut out stays out.
    #[default]
    NotBesideLinks,
    /// It may be set.
    Allowed,
}

/// What an account can be opened with, apart from second factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstFactors {
    /// A password, and no link.
    Password,
    /// Links, and no password.
    Links,
    /// Both.
    Both,
    /// Nothing yet.
    Neither,
}

/// Decides whether a password may be set or reset.
///
/// # Errors
///
/// [`LocalPasswordRefused`] for an account that is opened at another provider alone.
pub const fn check_local_password(factors: FirstFactors, rule: LocalPassword) -> Result<(), LocalPasswordRefused> {
    match (factors, rule) {
        (FirstFactors::Links, LocalPassword::NotBesideLinks) => Err(LocalPasswordRefused),
        _ => Ok(()),
    }
}

/// The account is opened at another provider alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this account logs in with another provider and has no password here")]
pub struct LocalPasswordRefused;

impl LocalPasswordRefused {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        "local-password-refused"
    }
}

#[cfg(test)]
mod tests;
