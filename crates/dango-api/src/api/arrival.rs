//! Getting an account by a link: an invitation, or the claim of the first administrator.

use axum::http::StatusCode;
use dango_identity::PlainToken;

use super::Answer;
use crate::ask::Ask;
use crate::problem::{Problem, code};
use crate::refusal::Refusal;
use crate::reply;
use crate::wire;

/// `POST /api/auth/accept-invite`.
pub(crate) async fn accept_invite(ask: Ask) -> Answer {
    let wire::AcceptInvite { token, password } = ask.parse()?;
    let password = password.into_new_password()?;
    let Ok(token) = PlainToken::parse(token.as_str()) else {
        return Err(Problem::new(code!(invite_invalid), "this invitation is invalid or has expired"));
    };
    let accepted = ask.actions().accept_invite(&ask.anonymous(), &token, password).await;
    accepted.map_err(|error| error.into_problem(ask.now()))?;
    reply::success()
}

/// `POST /api/auth/claim`.
pub(crate) async fn claim_administrator(ask: Ask) -> Answer {
    let wire::ClaimAdministrator { token, email, password } = ask.parse()?;
    let password = password.into_new_password()?;
    let email = super::people::email_of(&email)?;
    let Ok(token) = PlainToken::parse(token.as_str()) else {
        return Err(Problem::new(code!(claim_invalid), "this setup link is invalid or has expired"));
    };
    let claimed = ask.actions().claim_administrator(&ask.anonymous(), &token, email, password).await;
    claimed.map_err(|error| error.into_problem(ask.now()))?;
    reply::json(StatusCode::CREATED, &wire::Success { success: true })
}
