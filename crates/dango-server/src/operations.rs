//! The listener for whoever runs the server: `/metrics` for Prometheus, `/ready` for a load balancer. It knows no session and no key.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use crate::readiness::Readiness;

/// What Prometheus is told that it reads (OpenMetrics 1.0.0).
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(crate) fn router(registry: Registry, readiness: Readiness) -> Router {
    let metrics = Router::new().route("/metrics", get(metrics)).with_state(Arc::new(registry));
    let ready = Router::new().route("/ready", get(ready)).with_state(readiness);
    metrics.merge(ready)
}

async fn metrics(State(registry): State<Arc<Registry>>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => ([(CONTENT_TYPE, OPEN_METRICS), (CACHE_CONTROL, "no-store")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn ready(State(readiness): State<Readiness>) -> Response {
    let (status, body) = match readiness.check().await {
        Ok(()) => (StatusCode::OK, serde_json::json!({"status": "ready"})),
        Err(reason) => (
            StatusCode::SERVICE_UNAVAILABLE,
            serde_json::json!({"status": "not ready", "code": reason.code(), "detail": reason.to_string()}),
        ),
    };
    (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
