//! Holds every answer of the tests against the OpenAPI document: its status, fields and body have to be described, and what was done
//! has to have been asked for as described.

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::http::Request;
use boon::{Compiler, Draft, SchemaIndex, Schemas};
use dango_api::{PAGES, ROUTES, Route, Site, document};
use serde_json::{Map, Value, json};

use crate::world::Answer;

/// The document as clients get it.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let site = Site::Loopback { port: 8800, tls: false };
    serde_json::from_slice(&document(&site)).expect("JSON")
});

/// Header fields whose presence in an answer has to be described.
const TELLING: [&str; 7] = [
    "set-cookie",
    "clear-site-data",
    "retry-after",
    "www-authenticate",
    "ratelimit",
    "ratelimit-policy",
    "allow",
];

/// A request, as far as the document speaks of it.
pub(crate) struct Asked {
    method: String,
    path: String,
    query: String,
    /// Where the test knows it as a whole.
    body: Option<String>,
}

impl Asked {
    pub(crate) fn new<B>(request: &Request<B>, body: Option<&str>) -> Self {
        Self {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            body: body.map(str::to_owned),
        }
    }
}

/// Ends the test if the document does not describe an answer.
pub(crate) fn check(asked: &Asked, answer: &Answer) {
    // Pages are for people; the document is for programs.
    if PAGES.iter().any(|page| is_at(page.path, &asked.path)) {
        return;
    }
    let what = format!("{} {} → {}", asked.method, asked.path, answer.status);
    let status = answer.status.as_u16();
    let is_exact = |route: &&Route| route.path == asked.path;
    let mut of_path: Vec<&Route> = ROUTES.iter().filter(is_exact).collect();
    if of_path.is_empty() {
        of_path = ROUTES.iter().filter(|route| is_at(route.path, &asked.path)).collect();
    }
    // Every GET answers HEAD, without the body.
    let method = if asked.method == "HEAD" { "GET" } else { &asked.method };
    let Some(route) = of_path.iter().find(|route| route.verb.name() == method) else {
        // The gate comes first; behind it there is nothing, or nothing of this method.
        let expected = if of_path.is_empty() { 404 } else { 405 };
        assert!(status == expected || [400, 421, 429, 503].contains(&status), "{what}");
        return;
    };
    let pointer = format!("/paths/{}/{}", escaped(route.path), route.verb.name().to_ascii_lowercase());
    let operation = DOCUMENT.pointer(&pointer).unwrap_or_else(|| panic!("{what}: no such operation"));
    let Some(described) = operation["responses"].get(status.to_string()) else {
        panic!("{what}: the status is not described: {}", String::from_utf8_lossy(&answer.body))
    };
    check_fields(&what, described, answer);
    if asked.method != "HEAD" {
        let (media_type, _) = members(&described["content"]).next().expect("a media type");
        assert_eq!(answer.header("content-type"), media_type, "{what}");
        let place = format!("{pointer}/responses/{status}/content/{}/schema", escaped(media_type));
        assert_valid(&what, &place, &answer.json());
    }
    if answer.status.is_success() {
        check_asked(&what, &pointer, operation, asked);
    }
}

fn check_fields(what: &str, described: &Value, answer: &Answer) {
    let described: Vec<&str> = members(&described["headers"]).map(|(name, _)| name).collect();
    for name in &described {
        let field = &DOCUMENT["components"]["headers"][*name];
        let values: Vec<_> = answer.headers.get_all(*name).iter().collect();
        assert!(!values.is_empty() || field["required"] != true, "{what}: {name} is missing");
        for value in values {
            let text = value.to_str().expect("ASCII");
            let value = match field["schema"]["type"].as_str() {
                Some("integer") => text.parse::<u64>().map_or(Value::Null, Value::from),
                _ => text.into(),
            };
            assert_valid(what, &format!("/components/headers/{name}/schema"), &value);
        }
    }
    for name in TELLING {
        let is_described = described.iter().any(|field| field.eq_ignore_ascii_case(name));
        assert!(
            is_described || !answer.headers.contains_key(name),
            "{what}: {name} is not described"
        );
    }
}

/// What the server did it has to have been asked for in a way that the document allows.
fn check_asked(what: &str, pointer: &str, operation: &Value, asked: &Asked) {
    if let (true, Some(body)) = (operation["requestBody"].is_object(), &asked.body) {
        let body = serde_json::from_str(body).expect("JSON was accepted");
        assert_valid(what, &format!("{pointer}/requestBody/content/application~1json/schema"), &body);
    }
    for pair in asked.query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, text) = pair.split_once('=').unwrap_or((pair, ""));
        let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
        let parameters = operation["parameters"].as_array().expect("parameters");
        let place = parameters
            .iter()
            .position(|parameter| parameter["name"] == name && parameter["in"] == "query");
        let place = place.unwrap_or_else(|| panic!("{what}: {name} is not described"));
        let value = match parameters[place]["schema"]["type"].as_str() {
            Some("integer") => text.parse::<i64>().map_or(Value::Null, Value::from),
            _ => text.as_ref().into(),
        };
        assert_valid(what, &format!("{pointer}/parameters/{place}/schema"), &value);
    }
}

/// Whether the router takes a path for one of a template: a part in the middle may be empty, the last one may not.
fn is_at(template: &str, path: &str) -> bool {
    let (wanted, found): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let is_free = |place: usize| wanted[place].starts_with('{') && (place + 1 < wanted.len() || !found[place].is_empty());
    wanted.len() == found.len() && (0..wanted.len()).all(|place| wanted[place] == found[place] || is_free(place))
}

/// As part of a JSON pointer (RFC 6901 §3).
pub(crate) fn escaped(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

pub(crate) fn members(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = object.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.as_str(), value))
}

fn assert_valid(what: &str, place: &str, value: &Value) {
    let schema = JUDGE.places.get(place).unwrap_or_else(|| panic!("{what}: no schema at {place}"));
    if let Err(why) = JUDGE.schemas.validate(value, *schema) {
        panic!("{what}: {why:#}\n{value:#}");
    }
}

/// Every schema of the document, ready to judge values, by its place.
pub(crate) struct Judge {
    pub(crate) schemas: Schemas,
    pub(crate) places: HashMap<String, SchemaIndex>,
}

pub(crate) static JUDGE: LazyLock<Judge> = LazyLock::new(|| {
    let mut document = DOCUMENT.clone();
    // Clients have to take members that they do not know; the tests know all.
    for schema in document["components"]["schemas"]
        .as_object_mut()
        .into_iter()
        .flat_map(Map::values_mut)
    {
        if schema["properties"].is_object() && schema.get("additionalProperties").is_none() {
            schema["additionalProperties"] = json!(false);
        }
    }
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    compiler.enable_format_assertions();
    compiler.add_resource("urn:dango:openapi", document).expect("a name of a resource");
    let mut schemas = Schemas::new();
    let places = places().into_iter().map(|place| {
        let url = format!("urn:dango:openapi#{}", place.replace('{', "%7B").replace('}', "%7D"));
        let schema = compiler.compile(&url, &mut schemas);
        let schema = schema.unwrap_or_else(|error| panic!("{place} is no schema of 2020-12: {error:#}"));
        (place, schema)
    });
    let places = places.collect();
    Judge { schemas, places }
});

/// Where the document has schemas.
fn places() -> Vec<String> {
    let components = &DOCUMENT["components"];
    let mut places: Vec<String> = members(&components["schemas"])
        .map(|(name, _)| format!("/components/schemas/{name}"))
        .collect();
    places.extend(members(&components["headers"]).map(|(name, _)| format!("/components/headers/{name}/schema")));
    for route in ROUTES.iter() {
        let pointer = format!("/paths/{}/{}", escaped(route.path), route.verb.name().to_ascii_lowercase());
        let operation = DOCUMENT.pointer(&pointer).expect("an operation");
        let parameters = operation["parameters"].as_array().map_or(0, Vec::len);
        places.extend((0..parameters).map(|number| format!("{pointer}/parameters/{number}/schema")));
        for (status, response) in members(&operation["responses"]) {
            let types = members(&response["content"]);
            places.extend(types.map(|(name, _)| format!("{pointer}/responses/{status}/content/{}/schema", escaped(name))));
        }
        if operation["requestBody"].is_object() {
            places.push(format!("{pointer}/requestBody/content/application~1json/schema"));
        }
    }
    places
}
