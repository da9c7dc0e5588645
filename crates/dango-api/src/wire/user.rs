//! Users as answers show them.

use dango_actions::UserView;
use dango_core::Timestamp;
use dango_identity::Activity;
use serde::Serialize;

/// The object *user*.
#[derive(Debug, Serialize)]
pub(crate) struct User {
    id: String,
    email: String,
    role: &'static str,
    status: &'static str,
    is_active: bool,
    totp_enabled: bool,
    oauth_provider: Option<String>,
    locked_until: Option<String>,
    must_change_password: bool,
    last_login: Option<String>,
    invite_expires_at: Option<String>,
    has_pending_invite: bool,
    created_at: String,
    updated_at: String,
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

/// The answer to a login that is done.
#[derive(Serialize)]
pub(crate) struct LoggedIn {
    pub(crate) user: User,
    pub(crate) must_change_password: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requires_2fa_setup: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recovery_codes_remaining: Option<u32>,
}

/// A user who was added, with what they need to log in; it is shown once.
#[derive(Serialize)]
pub(crate) struct AddedUser<'a> {
    pub(crate) user: User,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) invite_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) temp_password: Option<&'a str>,
}

/// A user whose password was reset.
#[derive(Serialize)]
pub(crate) struct ResetPassword<'a> {
    pub(crate) user: User,
    pub(crate) temp_password: &'a str,
}
