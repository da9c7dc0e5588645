//! The description of the interface (OpenAPI 3.1.0), written from the table of operations and the types of `wire`. Nothing is said here
//! that the server does not do: a test of every answer compares.

mod components;
mod operation;

use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use crate::route::{Group, ROUTES};
use crate::schema::Named;
use crate::site::Site;

/// What stands in front of everything.
const ABOUT: &str = "The interface of a Dango server: the credentials of a data project, and the people who may use them.\n\n\
    Errors are problem documents (RFC 9457); programs decide by `code`, which stays as it is. Requests and answers are JSON in UTF-8; \
    members that a request does not know are refused. Every `GET` answers `HEAD`, too. A path that is not here is 404 `not_found`, and a \
    method that a path does not have is 405 `method_not_allowed` with `Allow`.\n\n\
    A browser that changes something has to say that it comes from here: `Sec-Fetch-Site: same-origin` or `none`, or else the \
    server's own `Origin`. API keys are exempt.";

/// The document of a server at a site, whose cookies have another name without TLS.
pub fn document(site: &Site) -> Bytes {
    static SECURE: LazyLock<Bytes> = LazyLock::new(|| written(true));
    static PLAIN: LazyLock<Bytes> = LazyLock::new(|| written(false));
    let document = if site.is_secure() { &SECURE } else { &PLAIN };
    Bytes::clone(document)
}

fn written(is_secure: bool) -> Bytes {
    let mut named = Named::default();
    let mut paths = Map::new();
    for route in ROUTES.iter() {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.verb.name().to_ascii_lowercase()] = operation::operation(route, &mut named);
    }
    let tags = Group::ALL.map(|group| json!({"name": group.name(), "description": group.summary()}));
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title": "Dango", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT},
        "tags": tags,
        "paths": Value::Object(paths),
        "components": {
            "securitySchemes": components::security_schemes(is_secure),
            "headers": components::headers(),
            "schemas": named.into_value(),
        },
    });
    Bytes::from(document.to_string())
}
