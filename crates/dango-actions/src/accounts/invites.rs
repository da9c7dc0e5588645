//! Invitations of people who were added: another link, or none any more. Accepting one is elsewhere.

use dango_audit::{Detail, Event};
use dango_identity::{Invite, ReplaceInvite};

use super::{AccountOutcome, Effect, InviteLink, UserRef, about};
use crate::actions::Actions;
use crate::fault::{Fault, refusals};
use crate::permit::{Permit, UsersManage};
use crate::unit::Record;

refusals! {
    /// No link was made; an earlier one still counts.
    InviteError {
        /// There is no such user.
        NotFound = "not_found", "there is no such user";
        /// The account is switched off.
        Inactive = "user_inactive", "the account is deactivated";
        /// The user has a password already; a reset is what helps.
        AlreadyAccepted = "invite_accepted", "the user has accepted the invitation already";
    }

    /// The link still counts.
    RevokeInviteError {
        /// There is no such user.
        NotFound = "not_found", "there is no such user";
        /// The user waits for no invitation.
        NoInvite = "no_pending_invite", "the user has no pending invitation";
    }
}

impl Actions {
    /// Makes another link for somebody who has not accepted the invitation; every earlier link is dead.
    ///
    /// Permission: `users.manage`. Audit: `invite_resent`.
    ///
    /// # Errors
    ///
    /// [`InviteError`].
    pub async fn resend_invite(&self, permit: &Permit<UsersManage>, user: impl Into<UserRef>) -> Result<InviteLink, InviteError> {
        let wanted = user.into();
        let inner = self.inner();
        let made = Invite::make(&inner.tokens, inner.clock.now(), &*inner.entropy);
        let (invite, token) = made.map_err(Fault::from)?;
        let link = InviteLink::new(&inner.public_url, &token, invite.expires_at);
        self.act(permit, move |mut unit| {
            Box::pin(async move {
                let found = unit.find(&wanted).await?;
                let record = about(Record::of(Event::InviteResent), &wanted, found.as_ref());
                let replaced = match found {
                    Some(user) => unit.tx.replace_invite(user.id, &invite, unit.now).await?,
                    None => ReplaceInvite::NotFound,
                };
                let refusal = match replaced {
                    ReplaceInvite::Replaced(_) => {
                        unit.succeed(record.with(Detail::ExpiresAt, invite.expires_at)).await?;
                        return Ok(Ok(link));
                    }
                    ReplaceInvite::NotFound => InviteError::NotFound,
                    ReplaceInvite::Inactive => InviteError::Inactive,
                    ReplaceInvite::AlreadyAccepted => InviteError::AlreadyAccepted,
                };
                unit.refuse(record, refusal).await
            })
        })
        .await
    }

    /// Makes the link of a pending invitation void. The account stays and shows an expired invitation.
    ///
    /// Permission: `users.manage`. Audit: `invite_revoked`.
    ///
    /// # Errors
    ///
    /// [`RevokeInviteError`].
    pub async fn revoke_invite(&self, permit: &Permit<UsersManage>, user: impl Into<UserRef>) -> Result<AccountOutcome, RevokeInviteError> {
        let wanted = user.into();
        self.act(permit, move |mut unit| {
            Box::pin(async move {
                let found = unit.find(&wanted).await?;
                let record = about(Record::of(Event::InviteRevoked), &wanted, found.as_ref());
                let Some(user) = found else {
                    return unit.refuse(record, RevokeInviteError::NotFound).await;
                };
                // A link that nobody was given, and that is void from its first moment on, takes the place of the one that was.
                let (mut void, _) = Invite::make(&unit.inner.tokens, unit.now, &*unit.inner.entropy)?;
                void.expires_at = unit.now;
                let ReplaceInvite::Replaced(user) = unit.tx.replace_invite(user.id, &void, unit.now).await? else {
                    return unit.refuse(record, RevokeInviteError::NoInvite).await;
                };
                unit.succeed(record).await?;
                let user = unit.view(user).await?;
                Ok(Ok(AccountOutcome {
                    user,
                    effect: Effect::Changed,
                }))
            })
        })
        .await
    }
}
