//! The project's secrets: for those who may manage its configuration.

use dango_audit::Event;
use dango_identity::Permission;

use super::{USUAL, codes, handler};
use crate::api::secrets;
use crate::problem::Code;
use crate::route::{Group, Handler, Route, Verb};
use crate::schema::Shape;
use crate::wire;

/// What the rows have in common.
const SECRETS: Route = Route {
    group: Group::Secrets,
    permission: Some(Permission::ConfigManage),
    ..USUAL
};

/// What can be wrong with the files.
const FILES: &[&Code] = &codes![
    file_unparsable,
    encryption_key_unavailable,
    disk_full,
    file_read_only,
    file_permission_denied,
    file_busy,
    file_not_durable,
    file_unusable
];

pub(super) const ROUTES: &[Route] = &[
    Route {
        path: "/api/secrets",
        operation: "list_secrets",
        summary: "Lists variables, source credentials and connections, masked.",
        gives: &[(200, Shape::of::<wire::Secrets<'_>>())],
        problems: FILES,
        handler: handler!(SessionOrKey, secrets::list),
        ..SECRETS
    },
    Route {
        verb: Verb::Post,
        path: "/api/secrets",
        operation: "set_variable",
        summary: "Adds a variable to `.env`, or gives it another value.",
        takes: Some(Shape::of::<wire::SetVariable>()),
        gives: &[
            (201, Shape::of::<wire::VariableDone<'_>>()),
            (200, Shape::of::<wire::VariableDone<'_>>()),
        ],
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
        gives: &[(200, Shape::of::<wire::VariableDone<'_>>())],
        problems: DELETING,
        events: &[Event::SecretDeleted],
        handler: handler!(SessionOrKey, secrets::delete),
        ..SECRETS
    },
    Route {
        path: "/api/secrets/oauth",
        operation: "list_connections",
        summary: "Lists the connections to providers as they are stored.",
        gives: &[(200, Shape::of::<[wire::Connection<'_>]>())],
        problems: FILES,
        handler: handler!(SessionOrKey, secrets::list_connections),
        ..SECRETS
    },
    Route {
        verb: Verb::Delete,
        path: "/api/secrets/oauth",
        operation: "delete_variable_oauth",
        summary: "Takes the variable `oauth` out of `.env`.",
        gives: &[(200, Shape::of::<wire::VariableDone<'_>>())],
        problems: DELETING,
        events: &[Event::SecretDeleted],
        handler: handler!(SessionOrKey, secrets::delete_oauth),
        ..SECRETS
    },
    Route {
        verb: Verb::Delete,
        path: "/api/secrets/oauth/{source_type}",
        operation: "disconnect_source",
        summary: "Gives a connection back at its provider, and deletes what is stored of it.",
        gives: &[(200, Shape::of::<wire::Disconnected<'_>>())],
        problems: FILES,
        events: &[Event::OauthSourceDisconnected],
        handler: handler!(SessionOrKey, secrets::disconnect),
        ..SECRETS
    },
    Route {
        verb: Verb::Post,
        path: "/api/secrets/oauth/{source_type}/check",
        operation: "check_connection",
        summary: "Asks the provider whether a connection works.",
        gives: &[(200, Shape::of::<wire::CheckedConnection<'_>>())],
        problems: FILES,
        events: &[Event::OauthChecked],
        handler: handler!(SessionOrKey, secrets::check_connection),
        ..SECRETS
    },
];

const CHANGING: &[&Code] = &codes![
    invalid_key,
    invalid_value,
    file_unparsable,
    encryption_key_unavailable,
    disk_full,
    file_read_only,
    file_permission_denied,
    file_busy,
    file_not_durable,
    file_unusable,
    busy,
    stopping,
    interrupted
];

const DELETING: &[&Code] = &codes![
    not_found,
    file_unparsable,
    encryption_key_unavailable,
    disk_full,
    file_read_only,
    file_permission_denied,
    file_busy,
    file_not_durable,
    file_unusable,
    busy,
    stopping,
    interrupted
];
