//! Administering people: for administrators, under a proof that is minutes old.

use dango_audit::Event;
use dango_identity::Permission;

use super::{USUAL, handler};
use crate::api::people;
use crate::route::{Handler, Route, Verb};

/// What most rows have in common.
const ADMINISTRATION: Route = Route {
    permission: Some(Permission::UsersManage),
    ..USUAL
};

pub(super) const ROUTES: &[Route] = &[
    Route {
        path: "/api/admin/users",
        operation: "list_users",
        summary: "Lists all users.",
        permission: Some(Permission::UsersView),
        gives: &[(200, Some("[User]"))],
        handler: handler!(SessionOrKey, people::list),
        ..USUAL
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users",
        operation: "add_user",
        summary: "Adds a user, with an invitation or a temporary password.",
        takes: Some("AddUser"),
        gives: &[(201, Some("AddedUser"))],
        problems: &["reauthentication_required", "user_exists", "busy"],
        events: &[Event::UserCreated],
        handler: handler!(SessionOrKey, people::add),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users/{id}/reinvite",
        operation: "reinvite_user",
        summary: "Makes a new invitation in the place of the old one.",
        gives: &[(200, Some("InviteUrl"))],
        problems: &["reauthentication_required", "not_found", "invite_accepted", "user_inactive"],
        events: &[Event::InviteResent],
        handler: handler!(SessionOrKey, people::reinvite),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Put,
        path: "/api/admin/users/{id}/role",
        operation: "change_role",
        summary: "Gives a user another role.",
        takes: Some("ChangeRole"),
        gives: &[(200, Some("User"))],
        problems: &["reauthentication_required", "not_found", "last_admin"],
        events: &[Event::RoleChanged],
        handler: handler!(SessionOrKey, people::change_role),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users/{id}/reset-password",
        operation: "reset_password",
        summary: "Gives a user a temporary password; sessions, invitations and API keys end.",
        gives: &[(200, Some("ResetPassword"))],
        problems: &["reauthentication_required", "not_found", "busy"],
        events: &[Event::PasswordReset],
        handler: handler!(SessionOrKey, people::reset_password),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users/{id}/reset-2fa",
        operation: "reset_second_factor",
        summary: "Takes a user's second factor away; sessions end.",
        gives: &[(200, Some("Success"))],
        problems: &["reauthentication_required", "not_found"],
        events: &[Event::TwoFaReset],
        handler: handler!(SessionOrKey, people::reset_second_factor),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users/{id}/deactivate",
        operation: "deactivate_user",
        summary: "Switches an account off.",
        gives: &[(200, Some("User"))],
        problems: &["reauthentication_required", "not_found", "last_admin", "own_account"],
        events: &[Event::UserDeactivated],
        handler: handler!(SessionOrKey, people::deactivate),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users/{id}/reactivate",
        operation: "reactivate_user",
        summary: "Switches an account on again.",
        gives: &[(200, Some("User"))],
        problems: &["reauthentication_required", "not_found", "last_admin", "own_account"],
        events: &[Event::UserReactivated],
        handler: handler!(SessionOrKey, people::reactivate),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users/{id}/unlock",
        operation: "unlock_user",
        summary: "Forgets the failed logins of an account.",
        gives: &[(200, Some("User"))],
        problems: &["reauthentication_required", "not_found", "last_admin", "own_account"],
        events: &[Event::AccountUnlocked],
        handler: handler!(SessionOrKey, people::unlock),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users/{id}/revoke-sessions",
        operation: "revoke_user_sessions",
        summary: "Ends all sessions of a user.",
        gives: &[(200, Some("Revoked"))],
        problems: &["reauthentication_required", "not_found"],
        events: &[Event::SessionRevoked],
        handler: handler!(SessionOrKey, people::revoke_sessions),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Delete,
        path: "/api/admin/users/{id}",
        operation: "delete_user",
        summary: "Deletes a user for good.",
        takes: Some("DeleteUser"),
        gives: &[(200, Some("Success"))],
        problems: &[
            "reauthentication_required",
            "not_found",
            "last_admin",
            "own_account",
            "confirmation_mismatch",
        ],
        events: &[Event::UserDeleted],
        handler: handler!(SessionOrKey, people::delete),
        ..ADMINISTRATION
    },
];
