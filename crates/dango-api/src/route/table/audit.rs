//! The audit log.

use dango_identity::Permission;

use super::{USUAL, handler};
use crate::api::audit;
use crate::route::{Handler, Route};

pub(super) const ROUTES: &[Route] = &[
    Route {
        path: "/api/admin/audit",
        operation: "list_audit",
        summary: "Lists what happened, the newest first.",
        permission: Some(Permission::AuditView),
        gives: &[(200, Some("AuditPage"))],
        query: audit::PARAMETERS,
        handler: handler!(SessionOrKey, audit::list),
        ..USUAL
    },
    Route {
        path: "/api/admin/audit/verify",
        operation: "verify_audit",
        summary: "Says whether the audit log is as it was written.",
        permission: Some(Permission::AuditView),
        gives: &[(200, Some("AuditVerdict"))],
        handler: handler!(SessionOrKey, audit::verify),
        ..USUAL
    },
];
