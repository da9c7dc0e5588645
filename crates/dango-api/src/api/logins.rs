//! The accounts at providers that open one's own: listed, linked, taken away again.

use axum::http::StatusCode;
use dango_actions::{Holder, LoginProvider, LoginProviders};
use dango_identity::Full;

use super::Answer;
use crate::ask::Ask;
use crate::problem::{Problem, code};
use crate::refusal::Refusal;
use crate::reply;
use crate::wire;

/// `GET /api/auth/oauth`.
pub(crate) async fn list(holder: Holder<Full>, ask: Ask) -> Answer {
    let ways = ask.actions().list_logins(&holder, configured(&ask)).await;
    let ways = ways.map_err(|fault| fault.into_problem(ask.now()))?;
    let ways: Vec<_> = ways.providers.iter().map(wire::LoginWay::from).collect();
    reply::json(StatusCode::OK, &ways)
}

/// `POST /api/auth/oauth/{provider}/link`: answers where the browser has to go.
pub(crate) async fn begin_link(holder: Holder<Full>, ask: Ask) -> Answer {
    let provider = ask.parameter("provider")?;
    let (Some(logins), Some(base)) = (ask.app.logins(), ask.site().base(&ask.host)) else {
        return Err(Problem::new(code!(not_found), "there is no such login provider"));
    };
    let redirect_uri = login_callback(&base, provider);
    let url = ask.actions().begin_link(&holder, logins, provider, &redirect_uri).await;
    let url = url.map_err(|error| error.into_problem(ask.now()))?;
    reply::json(StatusCode::OK, &wire::BegunLink { url: &url })
}

/// `DELETE /api/auth/oauth/{provider}`.
pub(crate) async fn unlink(holder: Holder<Full>, ask: Ask) -> Answer {
    let provider = ask.parameter("provider")?;
    let unlinked = ask.actions().unlink(holder, configured(&ask), provider).await;
    unlinked.map_err(|error| error.into_problem(ask.now()))?;
    reply::success()
}

/// Where a provider sends a browser back to, whether it has logged in or linked.
pub(crate) fn login_callback(base: &str, provider: &str) -> String {
    format!("{base}/api/auth/oauth/{}/callback", crate::web::encoded(provider))
}

fn configured(ask: &Ask) -> &[LoginProvider] {
    ask.app.logins().map(LoginProviders::providers).unwrap_or_default()
}
