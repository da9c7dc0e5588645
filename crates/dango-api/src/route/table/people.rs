//! Administering people: for administrators, under a proof that is minutes old.

use dango_audit::Event;
use dango_identity::Permission;

use super::{USUAL, codes, handler};
use crate::api::people;
use crate::route::{Group, Handler, Route, Verb};
use crate::schema::Shape;
use crate::wire;

/// What most rows have in common.
const ADMINISTRATION: Route = Route {
    group: Group::People,
    permission: Some(Permission::UsersManage),
    ..USUAL
};

pub(super) const ROUTES: &[Route] = &[
    Route {
        path: "/api/admin/users",
        operation: "list_users",
        summary: "Lists all users.",
        permission: Some(Permission::UsersView),
        gives: &[(200, Shape::of::<[wire::User]>())],
        handler: handler!(SessionOrKey, people::list),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users",
        operation: "add_user",
        summary: "Adds a user, with an invitation or a temporary password.",
        takes: Some(Shape::of::<wire::AddUser>()),
        gives: &[(201, Shape::of::<wire::AddedUser<'_>>())],
        problems: &codes![user_exists, busy, no_memory],
        events: &[Event::UserCreated],
        handler: handler!(SessionOrKey, people::add),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users/{id}/reinvite",
        operation: "reinvite_user",
        summary: "Makes a new invitation in the place of the old one.",
        gives: &[(200, Shape::of::<wire::InviteUrl<'_>>())],
        problems: &codes![not_found, invite_accepted, user_inactive],
        events: &[Event::InviteResent],
        handler: handler!(SessionOrKey, people::reinvite),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Put,
        path: "/api/admin/users/{id}/role",
        operation: "change_role",
        summary: "Gives a user another role.",
        takes: Some(Shape::of::<wire::ChangeRole>()),
        gives: &[(200, Shape::of::<wire::User>())],
        problems: &codes![not_found, last_admin],
        events: &[Event::RoleChanged],
        handler: handler!(SessionOrKey, people::change_role),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users/{id}/reset-password",
        operation: "reset_password",
        summary: "Gives a user a temporary password; sessions, invitations and API keys end.",
        gives: &[(200, Shape::of::<wire::ResetPassword<'_>>())],
        problems: &codes![not_found, busy, no_memory],
        events: &[Event::PasswordReset],
        handler: handler!(SessionOrKey, people::reset_password),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users/{id}/reset-2fa",
        operation: "reset_second_factor",
        summary: "Takes a user's second factor away; sessions end.",
        gives: &[(200, Shape::of::<wire::Success>())],
        problems: &codes![not_found],
        events: &[Event::TwoFaReset],
        handler: handler!(SessionOrKey, people::reset_second_factor),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users/{id}/deactivate",
        operation: "deactivate_user",
        summary: "Switches an account off.",
        gives: &[(200, Shape::of::<wire::User>())],
        problems: &codes![not_found, last_admin, own_account],
        events: &[Event::UserDeactivated],
        handler: handler!(SessionOrKey, people::deactivate),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users/{id}/reactivate",
        operation: "reactivate_user",
        summary: "Switches an account on again.",
        gives: &[(200, Shape::of::<wire::User>())],
        problems: &codes![not_found, last_admin, own_account],
        events: &[Event::UserReactivated],
        handler: handler!(SessionOrKey, people::reactivate),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users/{id}/unlock",
        operation: "unlock_user",
        summary: "Forgets the failed logins of an account.",
        gives: &[(200, Shape::of::<wire::User>())],
        problems: &codes![not_found, last_admin, own_account],
        events: &[Event::AccountUnlocked],
        handler: handler!(SessionOrKey, people::unlock),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Post,
        path: "/api/admin/users/{id}/revoke-sessions",
        operation: "revoke_user_sessions",
        summary: "Ends all sessions of a user.",
        gives: &[(200, Shape::of::<wire::Revoked>())],
        problems: &codes![not_found],
        events: &[Event::SessionRevoked],
        handler: handler!(SessionOrKey, people::revoke_sessions),
        ..ADMINISTRATION
    },
    Route {
        verb: Verb::Delete,
        path: "/api/admin/users/{id}",
        operation: "delete_user",
        summary: "Deletes a user for good.",
        takes: Some(Shape::of::<wire::DeleteUser>()),
        gives: &[(200, Shape::of::<wire::Success>())],
        problems: &codes![not_found, last_admin, own_account, confirmation_mismatch],
        events: &[Event::UserDeleted],
        handler: handler!(SessionOrKey, people::delete),
        ..ADMINISTRATION
    },
];
