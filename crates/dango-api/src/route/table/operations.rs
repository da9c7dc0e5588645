//! Whether the server is there and can work.

use super::{USUAL, codes, handler};
use crate::api::operations;
use crate::route::{Group, Handler, Route};
use crate::schema::Shape;
use crate::wire;

/// What the rows have in common.
const HERE: Route = Route {
    group: Group::Operations,
    ..USUAL
};

pub(super) const ROUTES: &[Route] = &[
    Route {
        path: "/api/health",
        operation: "health",
        summary: "Says that the process is up.",
        gives: &[(200, Shape::of::<wire::Status>())],
        handler: handler!(operations::health),
        ..HERE
    },
    Route {
        path: "/api/ready",
        operation: "ready",
        summary: "Says whether database, key and project directory can be used.",
        gives: &[(200, Shape::of::<wire::Status>())],
        problems: &codes![not_ready],
        handler: handler!(operations::ready),
        ..HERE
    },
    Route {
        path: "/api/openapi.json",
        operation: "openapi",
        summary: "Describes all operations, for programs (OpenAPI 3.1).",
        gives: &[(200, Shape::of::<wire::Document>())],
        handler: handler!(SessionOrKey, operations::openapi),
        ..HERE
    },
];
