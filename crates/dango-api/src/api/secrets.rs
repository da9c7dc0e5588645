//! The project's secrets: what there is, masked, and `.env` changed. No answer ever holds a stored value.

use axum::http::StatusCode;
use dango_actions::{Caller, ConnectionDesk, SecretsListing};

use super::Answer;
use crate::ask::Ask;
use crate::problem::{Problem, code};
use crate::refusal::Refusal;
use crate::reply;
use crate::wire;

/// `GET /api/secrets`.
pub(crate) async fn list(caller: Caller, ask: Ask) -> Answer {
    let listing = listing(&caller, &ask).await?;
    reply::json(StatusCode::OK, &wire::Secrets::new(&listing, ask.app.connections(), ask.now()))
}

/// `GET /api/secrets/oauth`: what is stored; nobody else is asked.
pub(crate) async fn list_connections(caller: Caller, ask: Ask) -> Answer {
    let listing = listing(&caller, &ask).await?;
    let connections = wire::Connection::all(&listing, ask.app.connections(), ask.now());
    reply::json(StatusCode::OK, &connections)
}

/// `POST /api/secrets`.
pub(crate) async fn set(caller: Caller, ask: Ask) -> Answer {
    let wire::SetVariable { key, value } = ask.parse()?;
    let done = ask.secrets().set_variable(&caller, &key, value.into_text()).await;
    let done = done.map_err(|error| error.into_problem(ask.now()))?;
    let status = match done.action() {
        "created" => StatusCode::CREATED,
        _ => StatusCode::OK,
    };
    let action = done.action();
    reply::json(status, &wire::VariableDone { key: &key, action })
}

/// `DELETE /api/secrets/{key}`.
pub(crate) async fn delete(caller: Caller, ask: Ask) -> Answer {
    let key = ask.parameter("key")?;
    remove(&caller, &ask, key).await
}

/// `DELETE /api/secrets/oauth`: the variable of that name, which the path of the connections would hide.
pub(crate) async fn delete_oauth(caller: Caller, ask: Ask) -> Answer {
    remove(&caller, &ask, "oauth").await
}

/// `DELETE /api/secrets/oauth/{source_type}`: the name, or the type where there is only one.
pub(crate) async fn disconnect(caller: Caller, ask: Ask) -> Answer {
    let name = ask.parameter("source_type")?;
    let gone = desk(&ask)?.disconnect(&caller, name).await;
    let (listed, gone) = gone.map_err(|error| error.into_problem(ask.now()))?;
    let answer = wire::Disconnected {
        source_type: &listed.source_type,
        action: "disconnected",
        revoked_at_provider: gone.revoked_at_provider,
    };
    reply::json(StatusCode::OK, &answer)
}

/// `POST /api/secrets/oauth/{source_type}/check`.
pub(crate) async fn check_connection(caller: Caller, ask: Ask) -> Answer {
    let name = ask.parameter("source_type")?;
    let desk = desk(&ask)?;
    let checked = desk.check(&caller, name).await;
    let (listed, checked) = checked.map_err(|error| error.into_problem(ask.now()))?;
    let trouble = desk.trouble(&listed);
    let answer = wire::CheckedConnection::new((&listed, trouble.as_ref()), &checked, ask.now());
    reply::json(StatusCode::OK, &answer)
}

/// A server that connects nothing has nothing there.
fn desk(ask: &Ask) -> Result<&ConnectionDesk, Problem> {
    let desk = ask.app.connections();
    desk.ok_or_else(|| Problem::new(code!(not_found), "there is no such connection"))
}

async fn remove(caller: &Caller, ask: &Ask, key: &str) -> Answer {
    let deleted = ask.secrets().delete_variable(caller, key).await;
    deleted.map_err(|error| error.into_problem(ask.now()))?;
    reply::json(StatusCode::OK, &wire::VariableDone { key, action: "deleted" })
}

async fn listing(caller: &Caller, ask: &Ask) -> Result<std::sync::Arc<SecretsListing>, Problem> {
    let listed = ask.secrets().list(caller).await;
    listed.map_err(|error| error.into_problem(ask.now()))
}
