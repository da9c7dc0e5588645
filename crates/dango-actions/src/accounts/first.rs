//! Becoming an administrator without being one: the claim of the first start, and the way back in. Only at the machine.

use std::fmt;

use dango_audit::log;
use dango_audit::{Detail, Event, Outcome, Stage, Target, TargetKind, Word};
use dango_core::{SecretValue, Timestamp};
use dango_identity::{BootstrapClaim, Email, InsertUser, Password, Role};

use super::{UserView, link};
use crate::actions::Actions;
use crate::fault::{Fault, refusals};
use crate::permit::{Machine, Permit};
use crate::unit::{Record, Unit};

/// The link of the first administrator's claim. Print it to the terminal of whoever started the server, and nowhere else.
pub struct ClaimLink {
    url: SecretValue,
    /// From then on it is void.
    pub expires_at: Timestamp,
}

impl ClaimLink {
    /// Looks inside, for the terminal.
    pub const fn url(&self) -> &SecretValue {
        &self.url
    }
}

impl fmt::Debug for ClaimLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimLink")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// An emergency administrator.
pub struct Recovered {
    /// The administrator.
    pub user: UserView,
    /// The temporary password, to be shown once.
    pub password: Password,
    /// How many records were put away because the log belonged to another identity key; nothing where it did not.
    pub retired_records: Option<u64>,
}

impl fmt::Debug for Recovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recovered")
            .field("user", &self.user)
            .field("retired_records", &self.retired_records)
            .finish_non_exhaustive()
    }
}

refusals! {
    /// No claim was made.
    ClaimError {
        /// There is an administrator, who adds people.
        AdministratorExists = "administrator_exists", "there is an administrator already";
    }

    /// Nobody was added.
    RecoverError {
        /// Somebody has this address.
        UserExists = "user_exists", "a user with this e-mail address exists already";
    }
}

impl Actions {
    /// Makes the claim with which the first administrator is made, in the place of any earlier one.
    ///
    /// Permission: the machine. Audit: `setup_link_issued`.
    ///
    /// # Errors
    ///
    /// [`ClaimError::AdministratorExists`].
    pub async fn offer_claim(&self, permit: &Permit<Machine>) -> Result<ClaimLink, ClaimError> {
        let inner = self.inner();
        let made = BootstrapClaim::make(&inner.tokens, inner.clock.now(), &*inner.entropy);
        let (claim, token) = made.map_err(Fault::from)?;
        let url = link(&inner.public_url, "setup", token.expose());
        self.act(permit, move |mut unit| {
            Box::pin(async move {
                let record = Record::of(Event::SetupLinkIssued).with(Detail::ExpiresAt, claim.expires_at);
                if !unit.tx.offer_claim(&claim).await? {
                    return unit.refuse(record, ClaimError::AdministratorExists).await;
                }
                unit.succeed(record).await?;
                let expires_at = claim.expires_at;
                Ok(Ok(ClaimLink { url, expires_at }))
            })
        })
        .await
    }

    /// Adds an emergency administrator with a temporary password; `recovery@localhost` unless told otherwise.
    ///
    /// Where the identity key was lost, the log of the old key can neither be continued nor verified. It is put away, readable, and
    /// a new chain begins with `audit_chain_started`: without that nobody could ever get in again.
    ///
    /// Permission: the machine. Audit: `account_recovered`.
    ///
    /// # Errors
    ///
    /// [`RecoverError::UserExists`].
    pub async fn recover(&self, permit: &Permit<Machine>, email: Option<Email>) -> Result<Recovered, RecoverError> {
        let email = match email {
            Some(email) => email,
            None => "recovery@localhost".parse().expect("an address with a host is an address"),
        };
        let (new, password) = self.with_temporary_password(email, Role::Admin).await?;
        self.act(permit, move |mut unit| {
            Box::pin(async move {
                let retired_records = unit.begin_chain_if_lost().await?;
                let record = Record::of(Event::AccountRecovered).with(Detail::Role, Word::new(Role::Admin.name()));
                if unit.tx.insert_user(&new).await? == InsertUser::EmailTaken {
                    let record = record.on(Target::of(TargetKind::User));
                    return unit.refuse(record, RecoverError::UserExists).await;
                }
                unit.succeed(record.on_user(&new.user)).await?;
                let user = unit.view(new.user).await?;
                Ok(Ok(Recovered {
                    user,
                    password,
                    retired_records,
                }))
            })
        })
        .await
    }
}

impl Unit<'_> {
    /// Puts the log of a lost key away and begins another, if this key is not the log's.
    async fn begin_chain_if_lost(&mut self) -> Result<Option<u64>, Fault> {
        let head = self.tx.head().await?;
        let is_ours = head.is_none_or(|head| head.open(&self.inner.chain).is_ok());
        if is_ours {
            return Ok(None);
        }
        let record = Record::of(Event::AuditChainStarted)
            .on(Target::of(TargetKind::Audit))
            .with(Detail::Reason, Word::new("identity_key_lost"));
        let draft = self.draft(record, Stage::Ended(Outcome::Success));
        let retired = log::begin_anew(&mut *self.tx, &self.inner.chain, &*self.inner.entropy, draft).await?;
        Ok(Some(retired))
    }
}
