//! Invitations, and the first administrator's claim.

use async_trait::async_trait;
use dango_core::Timestamp;
use dango_identity::{
    Activity, BootstrapClaim, BootstrapStore, InsertUser, Invite, InviteStore, NewUser, ReplaceInvite, StoreError, StoredPassword,
    TokenDigest, UseClaim, User, UserId, kind,
};
use dango_store::StoreFailure;

use super::user::{user, user_columns};
use crate::column::Columns;
use crate::connection::query;
use crate::transaction::PostgresTransaction;

/// That nobody can administer.
macro_rules! no_working_admin {
    () => {
        "NOT EXISTS (SELECT 1 FROM users WHERE role = 'admin' AND active AND invite_expires_at IS NULL)"
    };
}

impl PostgresTransaction<'_> {
    pub(super) async fn put_invite(&mut self, user: UserId, invite: &Invite) -> Result<(), StoreFailure> {
        let sql = "INSERT INTO invites (digest, id, user_id, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO UPDATE SET \
                   digest = excluded.digest, id = excluded.id, expires_at = excluded.expires_at";
        let put = query(sql)
            .bind(invite.digest.as_bytes().to_vec())
            .bind(invite.id.as_bytes().to_vec())
            .bind(user.as_bytes().to_vec())
            .bind(invite.expires_at.unix_micros());
        self.change(put).await?;
        Ok(())
    }
}

#[async_trait]
impl InviteStore for PostgresTransaction<'_> {
    async fn replace_invite(&mut self, id: UserId, invite: &Invite, now: Timestamp) -> Result<ReplaceInvite, StoreError> {
        let sql = concat!(
            "UPDATE users SET invite_expires_at = $2, updated_at = $3 WHERE id = $1 AND active AND invite_expires_at IS NOT NULL RETURNING ",
            user_columns!()
        );
        let replace = query(sql)
            .bind(id.as_bytes().to_vec())
            .bind(invite.expires_at.unix_micros())
            .bind(now.unix_micros());
        if let Some(user) = self.one(replace, user).await? {
            self.put_invite(id, invite).await?;
            return Ok(ReplaceInvite::Replaced(user));
        }
        Ok(match dango_identity::UserStore::find_user(self, id).await? {
            None => ReplaceInvite::NotFound,
            Some(user) if user.activity == Activity::Inactive => ReplaceInvite::Inactive,
            Some(_) => ReplaceInvite::AlreadyAccepted,
        })
    }

    async fn find_invited(&mut self, digest: &TokenDigest<kind::Invite>, now: Timestamp) -> Result<Option<User>, StoreError> {
        let sql = concat!(
            "SELECT ",
            user_columns!(),
            " FROM invites JOIN users ON users.id = invites.user_id WHERE digest = $1 AND $2 < expires_at AND active"
        );
        let find = query(sql).bind(digest.as_bytes().to_vec()).bind(now.unix_micros());
        Ok(self.one(find, user).await?)
    }

    async fn accept_invite(
        &mut self,
        digest: &TokenDigest<kind::Invite>,
        password: &StoredPassword,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let sql = "DELETE FROM invites WHERE digest = $1 AND $2 < expires_at \
                   AND EXISTS (SELECT 1 FROM users WHERE users.id = user_id AND active) RETURNING user_id";
        let take = query(sql).bind(digest.as_bytes().to_vec()).bind(now.unix_micros());
        let Some(id) = self.one(take, |row| Columns::of(row).id(UserId::from_bytes)).await? else {
            return Ok(None);
        };
        let sql = concat!(
            "UPDATE users SET invite_expires_at = NULL, must_change_password = false, epoch = epoch + 1, updated_at = $2 WHERE id = $1 RETURNING ",
            user_columns!()
        );
        let accept = query(sql).bind(id.as_bytes().to_vec()).bind(now.unix_micros());
        let user = self.one(accept, user).await?;
        self.put_password(id, password).await?;
        self.end_everything_issued(id).await?;
        Ok(user)
    }
}

#[async_trait]
impl BootstrapStore for PostgresTransaction<'_> {
    async fn offer_claim(&mut self, claim: &BootstrapClaim) -> Result<bool, StoreError> {
        let sql = concat!(
            "INSERT INTO bootstrap_claim (one, digest, expires_at) SELECT 1, $1, $2 WHERE ",
            no_working_admin!(),
            " ON CONFLICT (one) DO UPDATE SET digest = excluded.digest, expires_at = excluded.expires_at"
        );
        let offer = query(sql)
            .bind(claim.digest.as_bytes().to_vec())
            .bind(claim.expires_at.unix_micros());
        Ok(self.changed(offer).await?)
    }

    async fn is_claim_open(&mut self, digest: &TokenDigest<kind::BootstrapClaim>, now: Timestamp) -> Result<bool, StoreError> {
        let sql = concat!(
            "SELECT 1 FROM bootstrap_claim WHERE digest = $1 AND $2 < expires_at AND ",
            no_working_admin!()
        );
        let find = query(sql).bind(digest.as_bytes().to_vec()).bind(now.unix_micros());
        Ok(self.one(find, |_| Ok(())).await?.is_some())
    }

    async fn use_claim(
        &mut self,
        digest: &TokenDigest<kind::BootstrapClaim>,
        admin: &NewUser,
        now: Timestamp,
    ) -> Result<UseClaim, StoreError> {
        let sql = concat!(
            "DELETE FROM bootstrap_claim WHERE digest = $1 AND $2 < expires_at AND ",
            no_working_admin!(),
            " RETURNING expires_at"
        );
        let take = query(sql).bind(digest.as_bytes().to_vec()).bind(now.unix_micros());
        let Some(expires_at) = self.one(take, |row| Columns::of(row).time()).await? else {
            return Ok(UseClaim::Gone);
        };
        if self.add_user(admin).await? == InsertUser::Inserted {
            return Ok(UseClaim::Claimed);
        }
        // Still inside the transaction, so nobody has seen that it was gone.
        let claim = BootstrapClaim {
            digest: *digest,
            expires_at,
        };
        self.offer_claim(&claim).await?;
        Ok(UseClaim::EmailTaken)
    }
}
