//! The project's secrets: for those who may manage its configuration.

use dango_audit::Event;
use dango_identity::Permission;

use super::{USUAL, handler};
use crate::api::secrets;
use crate::route::{Handler, Route, Verb};

/// What the rows have in common.
const SECRETS: Route = Route {
    permission: Some(Permission::ConfigManage),
    ..USUAL
};

/// What can be wrong with the files.
const FILES: &[&str] = &[
    "file_unparsable",
    "encryption_key_unavailable",
    "disk_full",
    "file_read_only",
    "file_permission_denied",
    "file_busy",
    "file_not_durable",
    "file_unusable",
];

pub(super) const ROUTES: &[Route] = &[
    Route {
        path: "/api/secrets",
        operation: "list_secrets",
        summary: "Lists variables, source credentials and connections, masked.",
        gives: &[(200, Some("Secrets"))],
        problems: FILES,
        handler: handler!(SessionOrKey, secrets::list),
        ..SECRETS
    },
    Route {
        verb: Verb::Post,
        path: "/api/secrets",
        operation: "set_variable",
        summary: "Adds a variable to `.env`, or gives it another value.",
        takes: Some("SetVariable"),
        gives: &[(201, Some("VariableDone")), (200, Some("VariableDone"))],
        problems: CHANGING,
        events: &[Event::SecretSet],
        handler: handler!(SessionOrKey, secrets::set),
        ..SECRETS
    },
    Route {
        verb: Verb::Delete,
        path: "/api/secrets/{key}",
        operation: "delete_variable",
        summary: "Takes a variable out of `.env`.",
        gives: &[(200, Some("VariableDone"))],
        problems: DELETING,
        events: &[Event::SecretDeleted],
        handler: handler!(SessionOrKey, secrets::delete),
        ..SECRETS
    },
    Route {
        path: "/api/secrets/oauth",
        operation: "list_connections",
        summary: "Lists the connections to providers as they are stored.",
        gives: &[(200, Some("[Connection]"))],
        problems: FILES,
        handler: handler!(SessionOrKey, secrets::list_connections),
        ..SECRETS
    },
    Route {
        verb: Verb::Delete,
        path: "/api/secrets/oauth",
        operation: "delete_variable_oauth",
        summary: "Takes the variable `oauth` out of `.env`.",
        gives: &[(200, Some("VariableDone"))],
        problems: DELETING,
        events: &[Event::SecretDeleted],
        handler: handler!(SessionOrKey, secrets::delete_oauth),
        ..SECRETS
    },
];

const CHANGING: &[&str] = &[
    "invalid_key",
    "invalid_value",
    "file_unparsable",
    "encryption_key_unavailable",
    "disk_full",
    "file_read_only",
    "file_permission_denied",
    "file_busy",
    "file_not_durable",
    "file_unusable",
    "busy",
    "stopping",
    "interrupted",
];

const DELETING: &[&str] = &[
    "not_found",
    "file_unparsable",
    "encryption_key_unavailable",
    "disk_full",
    "file_read_only",
    "file_permission_denied",
    "file_busy",
    "file_not_durable",
    "file_unusable",
    "busy",
    "stopping",
    "interrupted",
];
