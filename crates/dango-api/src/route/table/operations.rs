//! Whether the server is there and can work.

use super::{USUAL, handler};
use crate::api::operations;
use crate::route::{Handler, Route};

pub(super) const ROUTES: &[Route] = &[
    Route {
        path: "/api/health",
        operation: "health",
        summary: "Says that the process is up.",
        gives: &[(200, Some("Status"))],
        handler: handler!(operations::health),
        ..USUAL
    },
    Route {
        path: "/api/ready",
        operation: "ready",
        summary: "Says whether database, key and project directory can be used.",
        gives: &[(200, Some("Status"))],
        problems: &["not_ready"],
        handler: handler!(operations::ready),
        ..USUAL
    },
];
