//! Administering people: each operation takes its ticket first, so whoever may not learns nothing about the request.

use axum::http::StatusCode;
use axum::response::Response;
use dango_actions::{AccountOutcome, Caller, ChangeAccountError, Credential, FirstLogin, Permit, UsersManage, UsersView};
use dango_identity::{Email, Role, UserId};

use super::Answer;
use crate::ask::Ask;
use crate::problem::{Problem, code};
use crate::refusal::Refusal;
use crate::reply;
use crate::wire;

/// `GET /api/admin/users`.
pub(crate) async fn list(caller: Caller, ask: Ask) -> Answer {
    let permit = ask.actions().permit::<UsersView>(&caller).await;
    let permit = permit.map_err(|denied| denied.into_problem(ask.now()))?;
    let users = ask.actions().list_users(&permit).await;
    let users = users.map_err(|fault| fault.into_problem(ask.now()))?;
    let users: Vec<_> = users.iter().map(wire::User::from).collect();
    reply::json(StatusCode::OK, &users)
}

/// `POST /api/admin/users`.
pub(crate) async fn add(caller: Caller, ask: Ask) -> Answer {
    let permit = manage(&caller, &ask).await?;
    let wire::AddUser {
        email,
        role,
        generate_password,
    } = ask.parse()?;
    let first_login = match generate_password {
        Some(true) => FirstLogin::TemporaryPassword,
        Some(false) | None => FirstLogin::Invite,
    };
    let added = ask
        .actions()
        .add_user(&permit, email_of(&email)?, role_of(&role)?, first_login)
        .await;
    let added = added.map_err(|error| error.into_problem(ask.now()))?;
    let user = wire::User::from(&added.user);
    let answer = match &added.credential {
        Credential::Invite(link) => wire::AddedUser::Invited(wire::InvitedUser {
            user,
            invite_url: link.url().expose(),
        }),
        Credential::TemporaryPassword(password) => wire::AddedUser::WithPassword(wire::ResetPassword {
            user,
            temp_password: password.expose(),
        }),
    };
    reply::json(StatusCode::CREATED, &answer)
}

/// `POST /api/admin/users/{id}/reinvite`.
pub(crate) async fn reinvite(caller: Caller, ask: Ask) -> Answer {
    let permit = manage(&caller, &ask).await?;
    let link = ask.actions().resend_invite(&permit, ask.id::<UserId>()?).await;
    let link = link.map_err(|error| error.into_problem(ask.now()))?;
    let invite_url = link.url().expose();
    reply::json(StatusCode::OK, &wire::InviteUrl { invite_url })
}

/// `PUT /api/admin/users/{id}/role`.
pub(crate) async fn change_role(caller: Caller, ask: Ask) -> Answer {
    let permit = manage(&caller, &ask).await?;
    let wire::ChangeRole { role } = ask.parse()?;
    let changed = ask.actions().change_role(&permit, ask.id::<UserId>()?, role_of(&role)?).await;
    account(changed, &ask)
}

/// `POST /api/admin/users/{id}/reset-password`.
pub(crate) async fn reset_password(caller: Caller, ask: Ask) -> Answer {
    let permit = manage(&caller, &ask).await?;
    let reset = ask.actions().reset_password(&permit, ask.id::<UserId>()?).await;
    let reset = reset.map_err(|error| error.into_problem(ask.now()))?;
    let answer = wire::ResetPassword {
        user: wire::User::from(&reset.user),
        temp_password: reset.password.expose(),
    };
    reply::json(StatusCode::OK, &answer)
}

/// `POST /api/admin/users/{id}/reset-2fa`.
pub(crate) async fn reset_second_factor(caller: Caller, ask: Ask) -> Answer {
    let permit = manage(&caller, &ask).await?;
    let reset = ask.actions().reset_second_factor(&permit, ask.id::<UserId>()?).await;
    reset.map_err(|error| error.into_problem(ask.now()))?;
    reply::success()
}

/// `POST /api/admin/users/{id}/deactivate`.
pub(crate) async fn deactivate(caller: Caller, ask: Ask) -> Answer {
    let permit = manage(&caller, &ask).await?;
    let changed = ask.actions().deactivate_user(&permit, ask.id::<UserId>()?).await;
    account(changed, &ask)
}

/// `POST /api/admin/users/{id}/reactivate`.
pub(crate) async fn reactivate(caller: Caller, ask: Ask) -> Answer {
    let permit = manage(&caller, &ask).await?;
    let changed = ask.actions().reactivate_user(&permit, ask.id::<UserId>()?).await;
    account(changed, &ask)
}

/// `POST /api/admin/users/{id}/unlock`.
pub(crate) async fn unlock(caller: Caller, ask: Ask) -> Answer {
    let permit = manage(&caller, &ask).await?;
    let changed = ask.actions().unlock(&permit, ask.id::<UserId>()?).await;
    account(changed, &ask)
}

/// `POST /api/admin/users/{id}/revoke-sessions`.
pub(crate) async fn revoke_sessions(caller: Caller, ask: Ask) -> Answer {
    let permit = manage(&caller, &ask).await?;
    let revoked = ask.actions().revoke_sessions(&permit, ask.id::<UserId>()?).await;
    let revoked = revoked.map_err(|error| error.into_problem(ask.now()))?;
    reply::json(StatusCode::OK, &wire::Revoked { revoked })
}

/// `DELETE /api/admin/users/{id}`.
pub(crate) async fn delete(caller: Caller, ask: Ask) -> Answer {
    let permit = manage(&caller, &ask).await?;
    let wire::DeleteUser { confirm_email } = ask.parse()?;
    let id = ask.id::<UserId>()?;
    // What is no address is not the account's.
    let confirmation = confirm_email.parse().map_err(|_| {
        Problem::new(
            code!(confirmation_mismatch),
            "the address typed to confirm is not that of the account",
        )
    })?;
    let deleted = ask.actions().delete_user(&permit, id, Some(confirmation)).await;
    deleted.map_err(|error| error.into_problem(ask.now()))?;
    reply::success()
}

/// An address, as people are known by.
pub(super) fn email_of(text: &str) -> Result<Email, Problem> {
    text.parse()
        .map_err(|_| Problem::new(code!(invalid_body), "`email` is not an e-mail address that can be used"))
}

fn role_of(text: &str) -> Result<Role, Problem> {
    text.parse()
        .map_err(|_| Problem::new(code!(invalid_body), "`role` is admin, editor or viewer"))
}

async fn manage(caller: &Caller, ask: &Ask) -> Result<Permit<UsersManage>, Problem> {
    let permit = ask.actions().permit::<UsersManage>(caller).await;
    permit.map_err(|denied| denied.into_problem(ask.now()))
}

fn account(changed: Result<AccountOutcome, ChangeAccountError>, ask: &Ask) -> Result<Response, Problem> {
    let changed = changed.map_err(|error| error.into_problem(ask.now()))?;
    reply::json(StatusCode::OK, &wire::User::from(&changed.user))
}
