//! Whether the server is there, whether it can work, and what it can do.

use axum::http::StatusCode;
use dango_actions::Caller;

use super::Answer;
use crate::ask::Ask;
use crate::problem::{Problem, code};
use crate::{openapi, reply, wire};

/// `GET /api/health`: the process is up; nothing else is asked.
pub(crate) async fn health(_: Ask) -> Answer {
    reply::json(StatusCode::OK, &wire::Status { status: "ok" })
}

/// `GET /api/ready`: database, key and project directory can be used.
pub(crate) async fn ready(ask: Ask) -> Answer {
    match ask.app.machine().check_readiness().await {
        Ok(()) => reply::json(StatusCode::OK, &wire::Status { status: "ready" }),
        // Whoever found it out has logged why, once; anybody may ask here as often as they like.
        Err(_) => Err(Problem::new(code!(not_ready), "the server cannot work just now; its log says why")),
    }
}

/// `GET /api/openapi.json`: what the server can do, for programs.
pub(crate) async fn openapi(_: Caller, ask: Ask) -> Answer {
    Ok(reply::text_of(StatusCode::OK, openapi::document(ask.site())))
}
