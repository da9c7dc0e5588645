//! Users and their passwords.

use async_trait::async_trait;
use dango_core::Timestamp;
use dango_identity::{
    AccountChange, Activity, Email, EmailChange, InsertUser, LoginCandidate, LoginCompletion, NewUser, PasswordOrigin, PasswordRecord,
    Role, SecurityEpoch, StoreError, StoredPassword, User, UserId, UserStore,
};
use dango_store::StoreFailure;

use crate::column::{Columns, signed};
use crate::connection::{Row, Statement, query};
use crate::transaction::PostgresTransaction;

/// The columns that [`user`] reads.
macro_rules! user_columns {
    () => {
        "users.id, email, email_canonical, email_likeness, role, active, invite_expires_at, must_change_password, epoch, created_at, updated_at, last_login_at"
    };
}
pub(super) use user_columns;

/// That a user can log in, once they prove who they are.
macro_rules! may_log_in {
    () => {
        "active AND invite_expires_at IS NULL"
    };
}

/// That without this user nobody would be left who can administer ([`User::can_stand_in_for`]).
macro_rules! last_admin {
    () => {
        "(users.role = 'admin' AND users.active AND NOT EXISTS (
            SELECT 1 FROM users AS other
            WHERE other.id <> users.id AND other.role = 'admin' AND other.active
            AND (other.invite_expires_at IS NULL OR users.invite_expires_at IS NOT NULL)))"
    };
}

/// Finds the user with the id `$1`.
const FIND_USER: &str = concat!("SELECT ", user_columns!(), " FROM users WHERE id = $1");

/// Reads [`user_columns`].
pub(super) fn user(row: &Row<'_>) -> Result<User, StoreFailure> {
    user_behind(row, 0)
}

/// Reads [`user_columns`] behind so many others.
pub(crate) fn user_behind(row: &Row<'_>, others: usize) -> Result<User, StoreFailure> {
    read_user(&mut Columns::behind(row, others))
}

fn read_user(columns: &mut Columns<'_>) -> Result<User, StoreFailure> {
    Ok(User {
        id: columns.id(UserId::from_bytes)?,
        email: Email::from_stored(columns.text()?.to_owned(), columns.text()?.to_owned(), columns.text()?.to_owned()),
        role: columns.parsed()?,
        activity: if columns.flag()? { Activity::Active } else { Activity::Inactive },
        invite_expires_at: columns.optional_time()?,
        must_change_password: columns.flag()?,
        epoch: SecurityEpoch::from_number(columns.number()?),
        created_at: columns.time()?,
        updated_at: columns.time()?,
        last_login: columns.optional_time()?,
    })
}

/// Reads [`user_columns`], then `record, set_at, expires_at, used` of the password.
fn candidate(row: &Row<'_>) -> Result<LoginCandidate, StoreFailure> {
    let columns = &mut Columns::of(row);
    let user = read_user(columns)?;
    let Some(record) = columns.optional_text()? else {
        return Ok(LoginCandidate { user, password: None });
    };
    let record = PasswordRecord::parse(record).map_err(StoreFailure::damaged)?;
    let (set_at, expires_at, used) = (columns.time()?, columns.optional_time()?, columns.optional_flag()?);
    let origin = expires_at.map_or(PasswordOrigin::Chosen, |expires_at| PasswordOrigin::Temporary {
        expires_at,
        used: used == Some(true),
    });
    let password = Some(StoredPassword { record, set_at, origin });
    Ok(LoginCandidate { user, password })
}

/// What may be done to an account.
enum Guarded {
    Done(User),
    /// Nothing was written; this is the user, if there is one.
    Refused(Option<User>),
}

impl PostgresTransaction<'_> {
    /// Inserts a user whose address is free.
    pub(super) async fn add_user(&mut self, new: &NewUser) -> Result<InsertUser, StoreFailure> {
        let user = &new.user;
        let sql = "INSERT INTO users (id, email, email_canonical, email_likeness, role, active, invite_expires_at, must_change_password, epoch, \
                   created_at, updated_at, last_login_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING";
        let insert = query(sql)
            .bind(user.id.as_bytes().to_vec())
            .bind(user.email.as_str().to_owned())
            .bind(user.email.canonical().to_owned())
            .bind(user.email.likeness().to_owned())
            .bind(user.role.name())
            .bind(user.activity == Activity::Active)
            .bind(user.invite_expires_at.map(Timestamp::unix_micros))
            .bind(user.must_change_password)
            .bind(signed(user.epoch.number()))
            .bind(user.created_at.unix_micros())
            .bind(user.updated_at.unix_micros())
            .bind(user.last_login.map(Timestamp::unix_micros));
        if !self.changed(insert).await? {
            return Ok(InsertUser::EmailTaken);
        }
        if let Some(password) = &new.password {
            self.put_password(user.id, password).await?;
        }
        if let Some(invite) = &new.invite {
            self.put_invite(user.id, invite).await?;
        }
        Ok(InsertUser::Inserted)
    }

    pub(super) async fn put_password(&mut self, user: UserId, password: &StoredPassword) -> Result<(), StoreFailure> {
        let (expires_at, used) = match password.origin {
            PasswordOrigin::Chosen => (None, None),
            PasswordOrigin::Temporary { expires_at, used } => (Some(expires_at.unix_micros()), Some(used)),
        };
        let sql = "INSERT INTO passwords (user_id, record, set_at, expires_at, used) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (user_id) DO UPDATE SET record = excluded.record, set_at = excluded.set_at, \
                   expires_at = excluded.expires_at, used = excluded.used";
        let put = query(sql)
            .bind(user.as_bytes().to_vec())
            .bind(password.record.as_str().to_owned())
            .bind(password.set_at.unix_micros())
            .bind(expires_at)
            .bind(used);
        self.change(put).await?;
        Ok(())
    }

    /// Removes sessions and invitations; the epoch is raised by the statement that is the reason.
    pub(super) async fn end_everything_issued(&mut self, user: UserId) -> Result<(), StoreFailure> {
        self.change(query("DELETE FROM sessions WHERE user_id = $1").bind(user.as_bytes().to_vec()))
            .await?;
        self.change(query("DELETE FROM invites WHERE user_id = $1").bind(user.as_bytes().to_vec()))
            .await?;
        Ok(())
    }

    async fn user_of(&mut self, id: UserId) -> Result<Option<User>, StoreFailure> {
        self.one(query(FIND_USER).bind(id.as_bytes().to_vec()), user).await
    }

    /// Runs a statement that gives back the user where its guard let it.
    async fn guarded(&mut self, id: UserId, statement: Statement) -> Result<Guarded, StoreFailure> {
        match self.one(statement, user).await? {
            Some(user) => Ok(Guarded::Done(user)),
            None => Ok(Guarded::Refused(self.user_of(id).await?)),
        }
    }
}

#[async_trait]
impl UserStore for PostgresTransaction<'_> {
    async fn insert_user(&mut self, new: &NewUser) -> Result<InsertUser, StoreError> {
        Ok(self.add_user(new).await?)
    }

    async fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.user_of(id).await?)
    }

    async fn find_user_by_email(&mut self, email: &Email) -> Result<Option<User>, StoreError> {
        let sql = concat!("SELECT ", user_columns!(), " FROM users WHERE email_likeness = $1");
        Ok(self.one(query(sql).bind(email.likeness().to_owned()), user).await?)
    }

    async fn users(&mut self) -> Result<Vec<User>, StoreError> {
        let sql = concat!("SELECT ", user_columns!(), " FROM users ORDER BY created_at, id");
        Ok(self.all(query(sql), user).await?)
    }

    async fn find_candidate_by_email(&mut self, email: &Email) -> Result<Option<LoginCandidate>, StoreError> {
        let sql = concat!(
            "SELECT ",
            user_columns!(),
            ", record, set_at, expires_at, used FROM users LEFT JOIN passwords ON user_id = users.id WHERE email_likeness = $1"
        );
        Ok(self.one(query(sql).bind(email.likeness().to_owned()), candidate).await?)
    }

    async fn find_candidate(&mut self, id: UserId) -> Result<Option<LoginCandidate>, StoreError> {
        let sql = concat!(
            "SELECT ",
            user_columns!(),
            ", record, set_at, expires_at, used FROM users LEFT JOIN passwords ON user_id = users.id WHERE users.id = $1"
        );
        Ok(self.one(query(sql).bind(id.as_bytes().to_vec()), candidate).await?)
    }

    async fn complete_login(&mut self, login: &LoginCompletion<'_>) -> Result<bool, StoreError> {
        let now = login.now.unix_micros();
        if let Some(proven) = login.password {
            let sql = concat!(
                "UPDATE passwords SET record = coalesce($3, record), used = CASE WHEN used IS NULL THEN NULL ELSE true END ",
                "WHERE user_id = $1 AND record = $2 AND (expires_at IS NULL OR (NOT used AND $4 < expires_at)) ",
                "AND EXISTS (SELECT 1 FROM users WHERE id = $1 AND epoch = $5 AND ",
                may_log_in!(),
                ")"
            );
            let prove = query(sql)
                .bind(login.user.as_bytes().to_vec())
                .bind(proven.as_str().to_owned())
                .bind(login.upgrade.map(|upgrade| upgrade.as_str().to_owned()))
                .bind(now)
                .bind(signed(login.epoch.number()));
            if !self.changed(prove).await? {
                return Ok(false);
            }
        }
        let sql = concat!(
            "UPDATE users SET last_login_at = $3 WHERE id = $1 AND epoch = $2 AND ",
            may_log_in!()
        );
        let complete = query(sql)
            .bind(login.user.as_bytes().to_vec())
            .bind(signed(login.epoch.number()))
            .bind(now);
        Ok(self.changed(complete).await?)
    }

    async fn upgrade_password(&mut self, id: UserId, proven: &PasswordRecord, upgrade: &PasswordRecord) -> Result<bool, StoreError> {
        let upgrade = query("UPDATE passwords SET record = $3 WHERE user_id = $1 AND record = $2")
            .bind(id.as_bytes().to_vec())
            .bind(proven.as_str().to_owned())
            .bind(upgrade.as_str().to_owned());
        Ok(self.changed(upgrade).await?)
    }

    async fn change_role(&mut self, id: UserId, role: Role, now: Timestamp) -> Result<AccountChange, StoreError> {
        let sql = concat!(
            "UPDATE users SET role = $2, updated_at = $3 WHERE id = $1 AND role <> $2 AND ($2 = 'admin' OR NOT ",
            last_admin!(),
            ") RETURNING ",
            user_columns!()
        );
        let change = query(sql).bind(id.as_bytes().to_vec()).bind(role.name()).bind(now.unix_micros());
        Ok(match self.guarded(id, change).await? {
            Guarded::Done(user) => AccountChange::Changed(user),
            Guarded::Refused(None) => AccountChange::NotFound,
            Guarded::Refused(Some(user)) if user.role == role => AccountChange::Unchanged(user),
            Guarded::Refused(Some(_)) => AccountChange::LastAdmin,
        })
    }

    async fn deactivate_user(&mut self, id: UserId, now: Timestamp) -> Result<AccountChange, StoreError> {
        // The link is dead; what is shown after a reactivation must not say that it can still be used.
        let sql = concat!(
            "UPDATE users SET active = false, epoch = epoch + 1, invite_expires_at = CASE WHEN invite_expires_at > $2 THEN $2 ELSE invite_expires_at END, updated_at = $2 ",
            "WHERE id = $1 AND active AND NOT ",
            last_admin!(),
            " RETURNING ",
            user_columns!()
        );
        let change = query(sql).bind(id.as_bytes().to_vec()).bind(now.unix_micros());
        match self.guarded(id, change).await? {
            Guarded::Done(user) => {
                self.end_everything_issued(id).await?;
                self.revoke_keys_of(id, now).await?;
                Ok(AccountChange::Changed(user))
            }
            Guarded::Refused(None) => Ok(AccountChange::NotFound),
            Guarded::Refused(Some(user)) if user.activity == Activity::Inactive => Ok(AccountChange::Unchanged(user)),
            Guarded::Refused(Some(_)) => Ok(AccountChange::LastAdmin),
        }
    }

    async fn reactivate_user(&mut self, id: UserId, now: Timestamp) -> Result<AccountChange, StoreError> {
        let sql = concat!(
            "UPDATE users SET active = true, updated_at = $2 WHERE id = $1 AND NOT active RETURNING ",
            user_columns!()
        );
        let change = query(sql).bind(id.as_bytes().to_vec()).bind(now.unix_micros());
        Ok(match self.guarded(id, change).await? {
            Guarded::Done(user) => AccountChange::Changed(user),
            Guarded::Refused(None) => AccountChange::NotFound,
            Guarded::Refused(Some(user)) => AccountChange::Unchanged(user),
        })
    }

    async fn delete_user(&mut self, id: UserId) -> Result<AccountChange, StoreError> {
        // What belongs to the user goes with the row: every table says so itself.
        let sql = concat!(
            "DELETE FROM users WHERE id = $1 AND NOT ",
            last_admin!(),
            " RETURNING ",
            user_columns!()
        );
        Ok(match self.guarded(id, query(sql).bind(id.as_bytes().to_vec())).await? {
            Guarded::Done(user) => AccountChange::Changed(user),
            Guarded::Refused(None) => AccountChange::NotFound,
            Guarded::Refused(Some(_)) => AccountChange::LastAdmin,
        })
    }

    async fn change_email(&mut self, id: UserId, email: &Email, now: Timestamp) -> Result<EmailChange, StoreError> {
        let sql = concat!(
            "UPDATE users SET email = $2, email_canonical = $5, email_likeness = $3, epoch = epoch + 1, invite_expires_at = CASE WHEN invite_expires_at > $4 THEN $4 ELSE invite_expires_at END, ",
            "updated_at = $4 WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM users AS other WHERE other.email_likeness = $3 AND other.id <> $1) ",
            "RETURNING ",
            user_columns!()
        );
        let change = query(sql)
            .bind(id.as_bytes().to_vec())
            .bind(email.as_str().to_owned())
            .bind(email.likeness().to_owned())
            .bind(now.unix_micros())
            .bind(email.canonical().to_owned());
        match self.guarded(id, change).await? {
            Guarded::Done(user) => {
                self.end_everything_issued(id).await?;
                Ok(EmailChange::Changed(user))
            }
            Guarded::Refused(None) => Ok(EmailChange::NotFound),
            Guarded::Refused(Some(_)) => Ok(EmailChange::Taken),
        }
    }

    async fn change_password(&mut self, id: UserId, epoch: SecurityEpoch, password: &StoredPassword) -> Result<bool, StoreError> {
        let sql = concat!(
            "UPDATE users SET must_change_password = false, epoch = epoch + 1, updated_at = $3 WHERE id = $1 AND epoch = $2 AND ",
            may_log_in!()
        );
        let change = query(sql)
            .bind(id.as_bytes().to_vec())
            .bind(signed(epoch.number()))
            .bind(password.set_at.unix_micros());
        if !self.changed(change).await? {
            return Ok(false);
        }
        self.put_password(id, password).await?;
        self.end_everything_issued(id).await?;
        Ok(true)
    }

    async fn reset_password(&mut self, id: UserId, password: &StoredPassword) -> Result<Option<User>, StoreError> {
        let sql = concat!(
            "UPDATE users SET must_change_password = $2, invite_expires_at = NULL, epoch = epoch + 1, updated_at = $3 WHERE id = $1 RETURNING ",
            user_columns!()
        );
        let reset = query(sql)
            .bind(id.as_bytes().to_vec())
            .bind(password.is_temporary())
            .bind(password.set_at.unix_micros());
        let Some(user) = self.one(reset, user).await? else {
            return Ok(None);
        };
        self.put_password(id, password).await?;
        self.end_everything_issued(id).await?;
        self.revoke_keys_of(id, password.set_at).await?;
        Ok(Some(user))
    }
}
