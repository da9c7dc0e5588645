//! The router: one entry for each row of the table, and the gate around all of them.

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::dispatch::serve;
use super::{ROUTES, Verb};
use crate::app::App;
use crate::gate::gate;
use crate::web;

/// Everything that the server answers. The listener puts a [`Peer`](crate::Peer) into each request's extensions.
pub fn router(app: App) -> Router {
    let mut router = Router::new();
    for (index, route) in ROUTES.iter().enumerate() {
        let state = app.clone();
        let handler = move |request: Request| serve(index, state.clone(), request);
        let methods: MethodRouter = on(filter(route.verb), handler);
        router = router.route(route.path, methods);
    }
    router.merge(web::router(&app)).layer(from_fn_with_state(app, gate))
}

const fn filter(verb: Verb) -> MethodFilter {
    match verb {
        Verb::Get => MethodFilter::GET,
        Verb::Post => MethodFilter::POST,
        Verb::Put => MethodFilter::PUT,
        Verb::Delete => MethodFilter::DELETE,
    }
}
