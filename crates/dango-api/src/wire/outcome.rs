//! Answers that say only that something was done, or how it stands, and problem documents.

use dango_identity::Permission;

use super::answers;
use crate::schema::{Described, Named, Presence, Schema};

answers! {
    /// It was done.
    Success { success: bool = Schema::constant(true) }
    /// So many sessions were ended.
    Revoked { revoked: u64 }
    /// How the server stands.
    Status { status: &'static str = Schema::word(["ok", "ready"]) }
    /// One reason why a password may not be chosen.
    Issue {
        /// The stable code.
        code: &'static str,
        /// A sentence for a person.
        message: String,
    }
}

/// The description of the interface itself.
pub(crate) struct Document;

impl Described for Document {
    fn schema(_: &mut Named) -> Schema {
        let version = Schema::text().pattern(r"^3\.1\.[0-9]+$");
        let document = Schema::object().member("openapi", version, Presence::Required);
        ["info", "paths", "components"]
            .into_iter()
            .fold(document, |document, name| {
                document.member(name, Schema::of("object"), Presence::Required)
            })
            .with("additionalProperties", true)
    }
}

/// A problem document (RFC 9457), as `problem` writes it.
pub(crate) struct ProblemDocument;

impl Described for ProblemDocument {
    fn schema(named: &mut Named) -> Schema {
        named.refer("Problem", |named| {
            let permissions = Permission::ALL.iter().map(|permission| permission.name());
            let required = |name: &'static str, schema: Schema, about: &'static str| (name, schema.about(about), Presence::Required);
            let sometimes = |name: &'static str, schema: Schema, about: &'static str| (name, schema.about(about), Presence::Optional);
            let members = [
                required(
                    "type",
                    Schema::text().pattern("^urn:dango:problem:[a-z0-9_]+$"),
                    "A URN made of the code.",
                ),
                required("title", Schema::text(), "The same for every problem with this code."),
                required("status", Schema::of("integer").between(400, 599), "The status of the answer."),
                required(
                    "detail",
                    Schema::text(),
                    "A sentence for a person. It repeats nothing that was sent.",
                ),
                required("code", Schema::text(), "What programs decide by; it stays as it is."),
                required("request_id", Schema::text(), "As in the header `X-Request-Id`."),
                sometimes(
                    "retry_after_seconds",
                    Schema::count(),
                    "With `account_locked`: how long it stays locked.",
                ),
                sometimes(
                    "issues",
                    <Vec<Issue> as Described>::schema(named),
                    "With `weak_password`: every reason.",
                ),
                sometimes("file", Schema::text(), "With `file_unparsable`: which file of the project."),
                sometimes(
                    "line",
                    Schema::of("integer").with("minimum", 1),
                    "With `file_unparsable`: in which line.",
                ),
                sometimes(
                    "column",
                    Schema::of("integer").with("minimum", 1),
                    "With `file_unparsable`: in which column.",
                ),
                sometimes(
                    "permission",
                    Schema::word(permissions),
                    "With `permission_denied` and `reauthentication_required`: what it takes.",
                ),
            ];
            let members = members.into_iter();
            members.fold(Schema::object(), |object, (name, schema, presence)| {
                object.member(name, schema, presence)
            })
        })
    }
}
