//! One's own account: who one is, a new password, and the proof that one is still there.

use axum::http::StatusCode;
use dango_actions::{Holder, UserView};
use dango_identity::Full;

use super::Answer;
use super::second_factor::optional_code;
use crate::ask::Ask;
use crate::refusal::Refusal;
use crate::reply;
use crate::route::Due;
use crate::wire;

/// `GET /api/auth/me`.
pub(crate) async fn me(user: UserView, _: Ask) -> Answer {
    reply::json(StatusCode::OK, &wire::User::from(&user))
}

/// `POST /api/auth/change-password`.
pub(crate) async fn change_password(due: Due, ask: Ask) -> Answer {
    let wire::ChangePassword {
        current_password,
        new_password,
    } = ask.parse()?;
    let new = new_password.into_new_password()?;
    let current = current_password.into_password()?;
    let changed = match due {
        Due::Full(holder) => ask.actions().change_password(holder, current, new).await,
        Due::Restricted(holder) => ask.actions().change_password(holder, current, new).await,
    };
    changed.map_err(|error| error.into_problem(ask.now()))?;
    let mut response = reply::success()?;
    reply::clear_session(&mut response, ask.site());
    Ok(response)
}

/// `POST /api/auth/reauthenticate`.
pub(crate) async fn reauthenticate(holder: Holder<Full>, ask: Ask) -> Answer {
    let wire::PasswordAndOptionalCode { password, code } = ask.parse()?;
    let code = optional_code(code.as_ref())?;
    let password = password.into_password()?;
    let issued = ask.actions().reauthenticate(holder, password, code).await;
    let issued = issued.map_err(|error| error.into_problem(ask.now()))?;
    let mut response = reply::success()?;
    reply::set_session(&mut response, &issued, ask.now(), ask.site());
    Ok(response)
}
