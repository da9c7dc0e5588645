//! The audit log.

use dango_identity::Permission;

use super::{USUAL, handler};
use crate::api::audit;
use crate::route::{Group, Handler, Route};
use crate::schema::Shape;
use crate::wire;

/// What the rows have in common.
const HERE: Route = Route {
    group: Group::Audit,
    ..USUAL
};

pub(super) const ROUTES: &[Route] = &[
    Route {
        path: "/api/admin/audit",
        operation: "list_audit",
        summary: "Lists what happened, the newest first.",
        permission: Some(Permission::AuditView),
        gives: &[(200, Shape::of::<wire::AuditPage>())],
        query: audit::PARAMETERS,
        handler: handler!(SessionOrKey, audit::list),
        ..HERE
    },
    Route {
        path: "/api/admin/audit/verify",
        operation: "verify_audit",
        summary: "Says whether the audit log is as it was written.",
        permission: Some(Permission::AuditView),
        gives: &[(200, Shape::of::<wire::AuditVerdict>())],
        handler: handler!(SessionOrKey, audit::verify),
        ..HERE
    },
];
