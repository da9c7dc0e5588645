//! What is served: the one place where the frame meets its router.

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use dango_actions::Actions;
use dango_core::{Clock, Entropy};
use dango_secrets::project::Project;
use prometheus_client::registry::Registry;

use crate::origin::Origin;
use crate::readiness::Readiness;
use crate::settings::Settings;

/// Everything that a router needs of the house; clones share it.
#[derive(Clone)]
#[non_exhaustive]
pub struct App {
    /// The use cases.
    pub actions: Actions,
    /// The project that is served.
    pub project: Project,
    /// The settings.
    pub settings: Arc<Settings>,
    /// What people reach the server by.
    pub origin: Origin,
    /// Whether the server can do its work.
    pub readiness: Readiness,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
}

/// Builds the router, and registers what it measures.
///
/// The address of the connection is in every request as `axum::extract::ConnectInfo<SocketAddr>`, and a request has exactly one `Host`.
pub(crate) fn router(_app: App, _registry: &mut Registry) -> Router {
    Router::new().route("/api/health", get(|| async { Json(serde_json::json!({"status": "ok"})) }))
}
