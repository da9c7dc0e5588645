//! A user as the command line shows one: the object of the HTTP API, and the words of the table.

use dango_actions::UserView;
use dango_core::Timestamp;
use dango_identity::Activity;
use serde::Serialize;

/// The object *user* of the HTTP API.
#[derive(Serialize)]
pub(super) struct User {
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

/// What is printed where nothing but the success is to be said.
#[derive(Serialize)]
pub(super) struct Success {
    success: bool,
}

/// The answer of commands that leave nothing to show.
pub(super) const SUCCESS: Success = Success { success: true };

/// A user together with the temporary password that a command has made.
#[derive(Serialize)]
pub(super) struct WithPassword<'a> {
    pub(super) user: User,
    pub(super) temp_password: &'a str,
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

/// The headings of the table of users.
pub(crate) const HEADING: [&str; 5] = ["EMAIL", "ROLE", "STATUS", "LAST LOGIN", "CREATED"];

/// The line of a user in it.
pub(super) fn row(view: &UserView) -> Vec<String> {
    vec![
        view.user.email.to_string(),
        view.user.role.name().to_owned(),
        view.status.as_str().replace('_', " "),
        view.user.last_login.map_or_else(|| "never".to_owned(), minute),
        minute(view.user.created_at),
    ]
}

/// A time to the minute, in UTC: `2026-11-21 21:34`.
pub(super) fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    let minute = text.get(..16).unwrap_or(&text);
    minute.replacen('T', " ", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_minutes() {
        let at: Timestamp = "2026-11-21T21:34:56Z".parse().expect("RFC 3339");
        assert_eq!(minute(at), "2026-11-21 21:34");
    }
}
