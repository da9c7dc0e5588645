//! The first time: accepting an invitation, and becoming the first administrator by the claim.

use std::sync::Arc;

use dango_audit::{Detail, Event, Target, TargetKind, Word};
use dango_identity::{Email, NewUser, Password, PlainToken, Role, SecondFactorState, StoredPassword, UseClaim, User, WeakPassword, kind};

use crate::actions::Actions;
use crate::caller::Caller;
use crate::fault::{Fault, own_refusals};
use crate::unit::Record;

own_refusals! {
    /// The invitation is as it was.
    AcceptInviteError {
        /// It is unknown, used, replaced or expired; nobody is told which.
        InviteInvalid = "invite_invalid", "this invitation is invalid or has expired";
        /// The password may not be chosen.
        Weak(WeakPassword) = "weak_password", "{0}";
    }

    /// Nobody became an administrator.
    ClaimAdministratorError {
        /// It is unknown, used, replaced or expired, or there is an administrator already.
        ClaimInvalid = "claim_invalid", "this setup link is invalid or has expired";
        /// Somebody has this address. The claim is still good.
        UserExists = "user_exists", "a user with this e-mail address exists already";
        /// The password may not be chosen.
        Weak(WeakPassword) = "weak_password", "{0}";
    }
}

impl Actions {
    /// Whom a link invites, if it can be accepted. It changes nothing, however often it is asked.
    ///
    /// Permission: the link. Audit: none.
    ///
    /// # Errors
    ///
    /// [`Fault`] if the database cannot be read.
    pub async fn find_invited(&self, token: &PlainToken<kind::Invite>) -> Result<Option<User>, Fault> {
        let digest = token.digest(&self.inner().tokens);
        self.read(&Caller::system(), move |unit| {
            Box::pin(async move { Ok(unit.tx.find_invited(&digest, unit.now).await?) })
        })
        .await
    }

    /// Accepts an invitation: whoever has the link chooses the account's password. Nobody is logged in by it. `caller` is anonymous.
    ///
    /// Permission: the link. Audit: `invite_accepted`.
    ///
    /// # Errors
    ///
    /// [`AcceptInviteError`].
    pub async fn accept_invite(
        &self,
        caller: &Caller,
        token: &PlainToken<kind::Invite>,
        password: Password,
    ) -> Result<User, AcceptInviteError> {
        let inner = self.inner();
        let refused = |record: Record, refusal: AcceptInviteError| {
            self.write(caller, move |mut unit| Box::pin(async move { unit.refuse(record, refusal).await }))
        };
        let Some(invited) = self.find_invited(token).await? else {
            return refused(Record::of(Event::InviteAccepted), AcceptInviteError::InviteInvalid).await;
        };
        if let Err(weak) = inner.check_password(&password, &invited.email, SecondFactorState::Absent) {
            return refused(Record::of(Event::InviteAccepted).on_user(&invited), AcceptInviteError::Weak(weak)).await;
        }
        let hashed = self.hash(move |hasher, entropy| hasher.hash(&password, entropy)).await?;
        let digest = token.digest(&inner.tokens);
        self.write(caller, move |mut unit| {
            Box::pin(async move {
                let stored = StoredPassword::chosen(hashed, unit.now);
                let record = Record::of(Event::InviteAccepted).on_user(&invited);
                let Some(user) = unit.tx.accept_invite(&digest, &stored, unit.now).await? else {
                    return unit.refuse(record, AcceptInviteError::InviteInvalid).await;
                };
                unit.succeed(record).await?;
                Ok(Ok(user))
            })
        })
        .await
    }

    /// Makes the first administrator by the claim that was printed at the start. `caller` is anonymous.
    ///
    /// Permission: the claim. Audit: `admin_claimed`.
    ///
    /// # Errors
    ///
    /// [`ClaimAdministratorError`].
    pub async fn claim_administrator(
        &self,
        caller: &Caller,
        token: &PlainToken<kind::BootstrapClaim>,
        email: Email,
        password: Password,
    ) -> Result<User, ClaimAdministratorError> {
        let inner = self.inner();
        let digest = token.digest(&inner.tokens);
        let refused = |refusal: ClaimAdministratorError| {
            let record = Record::of(Event::AdminClaimed).on(Target::of(TargetKind::User));
            self.write(caller, move |mut unit| Box::pin(async move { unit.refuse(record, refusal).await }))
        };
        let open = self.read(caller, move |unit| {
            Box::pin(async move { Ok(unit.tx.is_claim_open(&digest, unit.now).await?) })
        });
        if !open.await? {
            return refused(ClaimAdministratorError::ClaimInvalid).await;
        }
        if let Err(weak) = inner.check_password(&password, &email, SecondFactorState::Absent) {
            return refused(ClaimAdministratorError::Weak(weak)).await;
        }
        let hashed = self.hash(move |hasher, entropy| hasher.hash(&password, entropy)).await?;
        let now = inner.clock.now();
        let stored = StoredPassword::chosen(hashed, now);
        let new = NewUser::with_password(email, Role::Admin, stored, now, &*inner.entropy).map_err(Fault::from)?;
        let new = Arc::new(new);
        self.write(caller, move |mut unit| {
            Box::pin(async move {
                let record = Record::of(Event::AdminClaimed).with(Detail::Role, Word::new(Role::Admin.name()));
                let refusal = match unit.tx.use_claim(&digest, &new, unit.now).await? {
                    UseClaim::Claimed => {
                        unit.succeed(record.on_user(&new.user)).await?;
                        return Ok(Ok(new.user.clone()));
                    }
                    UseClaim::Gone => ClaimAdministratorError::ClaimInvalid,
                    UseClaim::EmailTaken => ClaimAdministratorError::UserExists,
                };
                unit.refuse(record.on(Target::of(TargetKind::User)), refusal).await
            })
        })
        .await
    }
}
