//! The pages for people. Each is plain HTML that works without script, over the same use cases as the JSON operations.

mod page;
mod setup;

use axum::Router;
use axum::extract::Request;
use axum::routing::get;

use crate::app::App;

/// The pages.
pub(crate) fn router(app: &App) -> Router {
    let (shown, sent) = (app.clone(), app.clone());
    let show = move |request: Request| setup::show(shown.clone(), request);
    let claim = move |request: Request| setup::claim(sent.clone(), request);
    Router::new().route("/setup/{token}", get(show).post(claim))
}
