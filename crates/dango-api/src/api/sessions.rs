//! One's own sessions: listed and ended.

use axum::http::StatusCode;
use dango_actions::Holder;
use dango_identity::Full;

use super::Answer;
use crate::ask::Ask;
use crate::refusal::Refusal;
use crate::reply;
use crate::wire;

/// `GET /api/auth/sessions`.
pub(crate) async fn list(holder: Holder<Full>, ask: Ask) -> Answer {
    let listed = ask.actions().list_sessions(&holder).await;
    let listed = listed.map_err(|fault| fault.into_problem(ask.now()))?;
    let current = holder.session().record().id;
    let sessions: Vec<_> = listed.live.iter().map(|record| wire::Session::new(record, current)).collect();
    reply::json(StatusCode::OK, &sessions)
}

/// `DELETE /api/auth/sessions/{id}`.
pub(crate) async fn revoke(holder: Holder<Full>, ask: Ask) -> Answer {
    let revoked = ask.actions().revoke_session(holder, ask.id()?).await;
    revoked.map_err(|error| error.into_problem(ask.now()))?;
    reply::success()
}

/// `DELETE /api/auth/sessions`.
pub(crate) async fn revoke_others(holder: Holder<Full>, ask: Ask) -> Answer {
    let revoked = ask.actions().revoke_other_sessions(holder).await;
    let revoked = revoked.map_err(|error| error.into_problem(ask.now()))?;
    reply::json(StatusCode::OK, &wire::Revoked { revoked })
}
