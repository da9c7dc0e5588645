//! The page for people who write clients of the API, made from the OpenAPI document, which every answer of the tests is held against.

use std::fmt::Write as _;

use dango_api::{CODES, Group, ROUTES, Route};
use serde_json::Value;

use crate::documented::{DOCUMENT, escaped, members};

const PAGE: &str = include_str!("../../../../docs/http-api.md");

const HEAD: &str = "# The HTTP API

A test writes this page from the server's table of operations; `UPDATE=1 cargo test -p dango-api --test http page` writes it anew. A
server gives the same to programs, as OpenAPI 3.1, at `GET /api/openapi.json`; every answer of the tests is held against that document.

## Conventions

- Requests and answers are JSON in UTF-8, with `Content-Type: application/json`. A request has at most 64 KiB, below `/api/auth/` 16 KiB.
  Members that a request does not know are refused, and so are members that stand twice.
- An answer may have more members in a later version; clients pass over what they do not know.
- Errors are problem documents (RFC 9457, `application/problem+json`). Programs decide by `code`, which stays as it is; `detail` is a
  sentence for a person, and `request_id` finds the request in the log. All codes are [below](#problems).
- Times are RFC 3339 in UTC. Ids are UUIDs.
- Who one is says a session's cookie, or `Authorization: Bearer dak_…` with an API key. With that header the cookie is not looked at. A key
  does what its owner may, but neither makes nor changes credentials; it administers people only if it was made with the scope `admin`.
- A browser that changes something has to say that it comes from here: `Sec-Fetch-Site: same-origin` or `none`, or else the server's own
  `Origin`. API keys are exempt.
- 423, 429 and 503 carry `Retry-After`. Where there is a limit, `RateLimit` says how much of it is left: of `failures` to prove who one is,
  of requests with an API `key`, of `anonymous` ones from an address. Requests of a session have no such limit.
- *Fresh* operations need a login, or `POST /api/auth/reauthenticate`, within the last 10 minutes.

```sh
curl -H \"Authorization: Bearer $DANGO_API_KEY\" https://dango.example.com/api/admin/users
```
";

fn operation(route: &Route) -> &'static Value {
    let pointer = format!("/paths/{}/{}", escaped(route.path), route.verb.name().to_ascii_lowercase());
    DOCUMENT.pointer(&pointer).expect("an operation")
}

fn page() -> String {
    let mut text = HEAD.to_owned();
    for group in Group::ALL {
        let (title, about) = group.summary().split_once(": ").expect("a title and what it is about");
        write!(text, "\n## {title}\n\n{}\n", capital(about)).expect("memory");
        for route in ROUTES.iter().filter(|route| route.group == group) {
            text += &section(route);
        }
    }
    text += "\n## Objects\n\nA member with `?` may be left out of a request.\n";
    for (name, schema) in members(&DOCUMENT["components"]["schemas"]) {
        write!(text, "\n### {name}\n\n{}", object(schema)).expect("memory");
    }
    text += "\n## Problems\n\nEach operation can answer with its own, which stand with it, and with those of the way to it: the connection, the \
             login, the body, the database.\n\n| status | code | title |\n|---|---|---|\n";
    for code in CODES {
        writeln!(text, "| {} | `{}` | {} |", code.status, code.name, code.title).expect("memory");
    }
    text
}

fn section(route: &Route) -> String {
    let operation = operation(route);
    let mut text = format!("\n### {} {}\n\n{}\n\n", route.verb.name(), route.path, route.summary);
    let mut row = |name: &str, value: String| writeln!(text, "- {name}: {value}").expect("memory");
    row("Who", who(operation));
    if let Some(body) = operation.pointer("/requestBody/content/application~1json/schema") {
        row("Takes", kind(body));
    }
    for parameter in operation["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|parameter| parameter["in"] == "query")
    {
        let (name, about) = (parameter["name"].as_str(), parameter["description"].as_str());
        let schema = &parameter["schema"];
        // The names of all events would fill the page.
        let values = if schema["enum"].is_array() {
            "the name of an event".to_owned()
        } else {
            kind(schema)
        };
        row(
            &format!("`?{}=`", name.unwrap_or_default()),
            format!("{values}. {}", about.unwrap_or_default()),
        );
    }
    for (status, response) in members(&operation["responses"]) {
        if let Some(body) = response.pointer("/content/application~1json/schema") {
            row("Gives", format!("{status}, {}", kind(body)));
        }
    }
    let own: Vec<String> = route
        .problems
        .iter()
        .map(|code| format!("{} `{}`", code.status, code.name))
        .collect();
    if !own.is_empty() {
        row("Problems", own.join(", "));
    }
    text
}

fn who(operation: &Value) -> String {
    let ways = operation["security"].as_array().into_iter().flatten().flat_map(members);
    let ways: Vec<&str> = ways
        .map(|(way, _)| match way {
            "session" => "a session",
            "partial_session" => "a login that waits for its second factor",
            _ => "an API key",
        })
        .collect();
    let mut text = if ways.is_empty() { "anybody".to_owned() } else { ways.join(" or ") };
    if let Some(permission) = operation["x-dango-permission"].as_str() {
        write!(text, ", with the permission `{permission}`").expect("memory");
    }
    if operation["x-dango-fresh-proof"] == true {
        text += ", fresh";
    }
    text
}

fn object(schema: &Value) -> String {
    if let Some(either) = schema["oneOf"].as_array() {
        let kinds: Vec<String> = either
            .iter()
            .map(|one| if one["properties"].is_object() { object(one) } else { kind(one) })
            .collect();
        return format!("Either of these:\n\n{}\n", kinds.join("\nor\n\n"));
    }
    if !schema["properties"].is_object() {
        return format!(
            "{}. {}\n",
            capital(&kind(schema)),
            schema["description"].as_str().unwrap_or_default()
        );
    }
    let mut text = "| member | value | |\n|---|---|---|\n".to_owned();
    for (name, member) in members(&schema["properties"]) {
        let is_required = schema["required"]
            .as_array()
            .is_some_and(|required| required.contains(&name.into()));
        let mark = if is_required { "" } else { "?" };
        let about = member["description"].as_str().unwrap_or_default();
        writeln!(text, "| `{name}`{mark} | {} | {about} |", kind(member)).expect("memory");
    }
    text
}

/// A schema in a few words.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return format!("[{name}](#{})", name.to_ascii_lowercase());
    }
    if let (Some(any), true) = (schema["anyOf"].as_array(), schema["type"].is_null()) {
        return any.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    if !schema["const"].is_null() {
        return format!("`{}`", schema["const"]);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(only) => vec![only],
        several => several.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    };
    let words: Vec<String> = types.into_iter().map(|name| plain(name, schema)).collect();
    words.join(" or ")
}

fn plain(name: &str, schema: &Value) -> String {
    let bounds = |least: &str, most: &str| match (schema[least].as_u64(), schema[most].as_u64()) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (None, Some(most)) => format!(", at most {most}"),
        _ => String::new(),
    };
    match (name, schema["format"].as_str()) {
        ("null", _) => "`null`".to_owned(),
        ("boolean", _) => "`true` or `false`".to_owned(),
        ("integer", _) => format!("number{}", bounds("minimum", "maximum")),
        ("array", _) => format!("list of {}", kind(&schema["items"])),
        ("string", Some("date-time")) => "time".to_owned(),
        ("string", Some("uuid")) => "id".to_owned(),
        ("string", Some("idn-email")) => "e-mail address".to_owned(),
        ("string", Some("password")) => format!("password{}", bounds("minLength", "maxLength")),
        ("string", Some("uri")) => "URL".to_owned(),
        ("string", _) => format!("text{}", bounds("minLength", "maxLength")),
        (other, _) => other.to_owned(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[test]
fn the_page_for_writers_of_clients_is_the_one_of_the_table() {
    crate::pages::compare(&page(), PAGE, "docs/http-api.md");
}
