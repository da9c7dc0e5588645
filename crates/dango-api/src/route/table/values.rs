//! Stored values for programs: for API keys that were made for it, and for nobody else.

use dango_audit::Event;
use dango_identity::Permission;

use super::{USUAL, codes, handler};
use crate::api::values;
use crate::problem::Code;
use crate::route::{Group, Handler, Route, Verb};
use crate::schema::Shape;
use crate::wire;

/// What the rows have in common.
const VALUES: Route = Route {
    group: Group::Secrets,
    path: "/api/project/values",
    permission: Some(Permission::SourceViewCredentials),
    problems: READING,
    ..USUAL
};

/// What the rows have in common that change something.
const CREDENTIALS: Route = Route {
    path: "/api/project/credentials",
    permission: Some(Permission::ConfigManage),
    problems: CHANGING,
    ..VALUES
};

pub(super) const ROUTES: &[Route] = &[
    Route {
        operation: "list_values",
        summary: "Lists credentials and variables with their types, masked.",
        gives: &[(200, Shape::of::<wire::Listing<'_>>())],
        handler: handler!(SessionOrKey, values::list),
        ..VALUES
    },
    Route {
        verb: Verb::Post,
        operation: "read_values",
        summary: "Gives stored values, in one answer and with records of who took which.",
        takes: Some(Shape::of::<wire::ReadValues>()),
        gives: &[(200, Shape::of::<wire::Values<'_>>())],
        events: &[Event::SecretsUsed, Event::SecretRevealed, Event::SecretsExported],
        handler: handler!(SessionOrKey, values::read),
        ..VALUES
    },
    Route {
        verb: Verb::Put,
        operation: "set_credential",
        summary: "Adds a credential to `.dlt/secrets.toml`, or gives it another value.",
        takes: Some(Shape::of::<wire::SetCredential>()),
        gives: &[(200, Shape::of::<wire::CredentialSet<'_>>())],
        events: &[Event::SecretSet],
        handler: handler!(Key, values::set),
        ..CREDENTIALS
    },
    Route {
        verb: Verb::Delete,
        operation: "delete_credential",
        summary: "Takes a credential, or a table of them, out of `.dlt/secrets.toml`.",
        takes: Some(Shape::of::<wire::DeleteCredential>()),
        gives: &[(200, Shape::of::<wire::CredentialDeleted<'_>>())],
        events: &[Event::SecretDeleted],
        handler: handler!(Key, values::delete),
        ..CREDENTIALS
    },
];

const READING: &[&Code] = &codes![
    not_found,
    file_unparsable,
    encryption_key_unavailable,
    file_permission_denied,
    file_unusable,
    busy
];

const CHANGING: &[&Code] = &codes![
    not_found,
    invalid_value,
    file_unparsable,
    encryption_key_unavailable,
    disk_full,
    file_read_only,
    file_permission_denied,
    file_busy,
    file_not_durable,
    file_unusable,
    busy
];
