//! One row of the table as an operation of the document: who may, what it takes, and everything that it can answer.

use std::collections::BTreeMap;

use dango_audit::Event;
use dango_identity::Role;
use serde_json::{Map, Value, json};

use super::components::{Field, security};
use crate::problem::Code;
use crate::route::{Limit, Route, SessionCookie, Stage};
use crate::schema::{Described, Named, Schema};
use crate::wire::ProblemDocument;

/// Describes an operation.
pub(super) fn operation(route: &Route, named: &mut Named) -> Value {
    let mut operation = Map::new();
    let mut say = |name: &str, value: Value| operation.insert(name.to_owned(), value);
    say("operationId", route.operation.into());
    say("tags", json!([route.group.name()]));
    say("summary", route.summary.into());
    say("security", security(route));
    let parameters = parameters(route);
    if !parameters.is_empty() {
        say("parameters", parameters.into());
    }
    if let Some(shape) = route.takes {
        let content = json!({"application/json": {"schema": shape.schema(named).into_value()}});
        say("requestBody", json!({"required": true, "content": content}));
    }
    say("responses", responses(route, named));
    say("x-dango-stage", route.stage().name().into());
    if let Some(permission) = route.permission {
        let roles = Role::ALL.into_iter().filter(|role| role.permissions().contains(permission));
        say("x-dango-permission", permission.name().into());
        say("x-dango-roles", roles.map(Role::name).collect::<Vec<_>>().into());
    }
    say("x-dango-fresh-proof", route.needs_fresh_proof().into());
    say(
        "x-dango-audit-events",
        route.events.iter().map(|event| Event::as_str(*event)).collect(),
    );
    Value::Object(operation)
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path.map(|name| {
        let schema = if name == "id" {
            Schema::id()
        } else {
            Schema::text().with("minLength", 1)
        };
        json!({"name": name, "in": "path", "required": true, "schema": schema.into_value()})
    });
    let in_query = route.query.iter().map(|parameter| {
        let schema = (parameter.schema)().into_value();
        json!({"name": parameter.name, "in": "query", "description": parameter.summary, "schema": schema})
    });
    in_path.chain(in_query).collect()
}

fn responses(route: &Route, named: &mut Named) -> Value {
    let mut responses = BTreeMap::new();
    for (status, shape) in route.gives {
        let content = json!({"application/json": {"schema": shape.schema(named).into_value()}});
        let response = json!({"description": "It was done.", "headers": headers(route, done(route)), "content": content});
        responses.insert(*status, response);
    }
    let mut problems: BTreeMap<u16, Vec<&Code>> = BTreeMap::new();
    for code in route.all_problems() {
        problems.entry(code.status).or_default().push(code);
    }
    for (status, codes) in problems {
        responses.insert(status, refusal(route, status, &codes, named));
    }
    let responses = responses.into_iter();
    Value::Object(responses.map(|(status, response)| (status.to_string(), response)).collect())
}

fn refusal(route: &Route, status: u16, codes: &[&Code], named: &mut Named) -> Value {
    let names: Vec<&str> = codes.iter().map(|code| code.name).collect();
    let about: Vec<String> = codes.iter().map(|code| format!("`{}`: {}.", code.name, code.title)).collect();
    let closer = json!({"status": {"const": status}, "code": {"enum": names}});
    let schema = ProblemDocument::schema(named).with("properties", closer).into_value();
    let fields: &[Field] = match status {
        401 => &[Field::Authenticate],
        423 | 429 | 503 => &[Field::RetryAfter],
        _ => &[],
    };
    json!({
        "description": about.join("\n"),
        "headers": headers(route, fields),
        "content": {"application/problem+json": {"schema": schema}},
    })
}

/// The fields of an answer: those that every one has, those of a limit, and its own.
fn headers(route: &Route, own: &[Field]) -> Value {
    let limit: &[Field] = match (route.limit, route.stage()) {
        (Limit::Load, Stage::Open) => &[],
        (Limit::Load | Limit::Proof, _) => &[Field::RateLimit, Field::RateLimitPolicy],
    };
    let fields = [Field::RequestId, Field::CacheControl].iter().chain(limit).chain(own);
    Value::Object(fields.map(|field| (field.name().to_owned(), field.reference())).collect())
}

/// What goes with the answer that it was done.
const fn done(route: &Route) -> &'static [Field] {
    match route.session_cookie {
        SessionCookie::Untouched => &[],
        SessionCookie::Given => &[Field::SetCookie],
        SessionCookie::Taken => &[Field::SetCookie, Field::ClearSiteData],
    }
}
