//! Users as answers show them.

use dango_actions::UserView;
use dango_core::Timestamp;
use dango_identity::{AccountStatus, Activity, Role};
use serde::Serialize;

use super::answers;
use crate::schema::{Described, Named, Schema};

answers! {
    /// The object *user*.
    User {
        id: String = Schema::id(),
        email: String = Schema::email(),
        role: &'static str = Schema::word(Role::ALL.map(Role::name)),
        status: &'static str = Schema::word(AccountStatus::ALL.map(AccountStatus::as_str)),
        is_active: bool,
        totp_enabled: bool,
        oauth_provider: Option<String>,
        locked_until: Option<String> = Schema::time(),
        must_change_password: bool,
        last_login: Option<String> = Schema::time(),
        invite_expires_at: Option<String> = Schema::time(),
        has_pending_invite: bool,
        created_at: String = Schema::time(),
        updated_at: String = Schema::time(),
    }
    /// A login that is done.
    LoggedIn {
        user: User,
        must_change_password: bool,
        /// Whether the role of the user asks for a second factor that is not set up yet.
        requires_2fa_setup: bool,
    }
    /// A login that waits for its second factor: `POST /api/auth/2fa/verify`.
    SecondFactorDue { requires_2fa: bool = Schema::constant(true) }
    /// A login that was ended by a second factor.
    Verified {
        user: User,
        must_change_password: bool,
        recovery_codes_remaining: u32,
    }
    /// A user who was invited; the link is shown once.
    InvitedUser<'a> { user: User, invite_url: &'a str = url() }
    /// A user who logs in with a temporary password, which is shown once and has to be changed.
    ResetPassword<'a> { user: User, temp_password: &'a str }
    /// A new invitation; the link is shown once.
    InviteUrl<'a> { invite_url: &'a str = url() }
}

fn url() -> Schema {
    Schema::text().with("format", "uri")
}

impl From<&UserView> for User {
    fn from(view: &UserView) -> Self {
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Self {
            id: view.user.id.to_string(),
            email: view.user.email.to_string(),
            role: view.user.role.name(),
            status: view.status.as_str(),
            is_active: view.user.activity == Activity::Active,
            totp_enabled: view.totp_enabled,
            oauth_provider: view.oauth_provider.clone(),
            locked_until: time(view.locked_until()),
            must_change_password: view.user.must_change_password,
            last_login: time(view.user.last_login),
            invite_expires_at: time(view.user.invite_expires_at),
            has_pending_invite: view.has_pending_invite(),
            created_at: view.user.created_at.to_string(),
            updated_at: view.user.updated_at.to_string(),
        }
    }
}

/// The answer to a password that was right.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum LogInAnswer {
    Done(Box<LoggedIn>),
    SecondFactorDue(SecondFactorDue),
}

impl Described for LogInAnswer {
    fn schema(named: &mut Named) -> Schema {
        named.refer("LogInAnswer", |named| {
            Schema::either([LoggedIn::schema(named), SecondFactorDue::schema(named)])
        })
    }
}

/// A user who was added, with what they need to log in.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum AddedUser<'a> {
    Invited(InvitedUser<'a>),
    WithPassword(ResetPassword<'a>),
}

impl Described for AddedUser<'_> {
    fn schema(named: &mut Named) -> Schema {
        named.refer("AddedUser", |named| {
            Schema::either([InvitedUser::schema(named), ResetPassword::schema(named)])
        })
    }
}
