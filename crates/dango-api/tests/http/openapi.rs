//! The OpenAPI document: it is a valid one, it speaks of every operation and of no other, and it says who may have it. Whether it is true
//! is asked of every answer in `documented`.

use boon::{Compiler, Draft, Schemas};
use dango_api::{CODES, ROUTES, Site, Stage, document};
use dango_identity::{Permission, Role};
use serde_json::{Value, json};

use crate::documented::{DOCUMENT, JUDGE, members};
use crate::world::{RIGHT, World};

const ADA: &str = "ada@team.example";
/// Somebody with a second factor.
const TWO: &str = "two@team.example";

/// The schema of OpenAPI 3.1 documents, as the OpenAPI Initiative publishes it.
const METASCHEMA: &str = include_str!("fixtures/oas-3.1/schema.json");

#[test]
fn the_document_is_one_of_openapi_3_1_and_its_schemas_are_schemas() {
    let metaschema = serde_json::from_str(METASCHEMA).expect("JSON");
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    compiler.add_resource("urn:oas", metaschema).expect("a resource");
    let mut schemas = Schemas::new();
    let schema = compiler.compile("urn:oas", &mut schemas).expect("a schema");
    for site in [
        Site::Loopback { port: 8800, tls: false },
        Site::Public("https://d.example".parse().expect("an address")),
    ] {
        let document: Value = serde_json::from_slice(&document(&site)).expect("JSON");
        let judged = schemas.validate(&document, schema);
        assert!(judged.is_ok(), "{:#}", judged.expect_err("invalid"));
        let cookie = if site.is_secure() {
            "__Host-dango_session"
        } else {
            "dango_session"
        };
        assert_eq!(document["components"]["securitySchemes"]["session"]["name"], cookie);
    }
    assert!(JUDGE.places.len() > 100);
}

#[test]
fn each_operation_is_described_and_nothing_else() {
    let described = members(&DOCUMENT["paths"]).flat_map(|(path, item)| members(item).map(move |(verb, _)| (verb, path)));
    let mut described: Vec<(String, &str)> = described.map(|(verb, path)| (verb.to_ascii_uppercase(), path)).collect();
    let mut served: Vec<(String, &str)> = ROUTES.iter().map(|route| (route.verb.name().to_owned(), route.path)).collect();
    described.sort();
    served.sort();
    assert_eq!(described, served);
}

#[test]
fn whoever_is_signed_in_gets_the_document_and_nobody_else() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    world.add("vi@team.example", Role::Viewer);
    assert_eq!(world.send("GET", "/api/openapi.json", &[], None).status, 401);
    let answer = world.signed_in("vi@team.example").get("/api/openapi.json");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json(), *DOCUMENT);
    let mut admin = world.signed_in(ADA);
    let (_, key) = admin.make_key(&[]);
    let answer = world.with_key(&key, "GET", "/api/openapi.json", None);
    assert_eq!(answer.json(), *DOCUMENT);
}

#[test]
fn no_member_that_may_be_null_or_left_out_is_asked_for_and_no_other_is_forgotten() {
    let schemas = &DOCUMENT["components"]["schemas"];
    let login = &schemas["LogIn"];
    assert_eq!(login["required"], json!(["email", "password"]));
    assert_eq!(login["additionalProperties"], false);
    assert_eq!(login["properties"]["password"]["writeOnly"], true);
    let key = &schemas["MakeApiKey"];
    assert_eq!(key["required"], json!(["name"]));
    assert_eq!(key["properties"]["expires_in_days"]["type"], json!(["integer", "null"]));
    let user = &schemas["User"];
    assert_eq!(
        user["required"].as_array().map(Vec::len),
        user["properties"].as_object().map(serde_json::Map::len)
    );
    assert_eq!(user["properties"]["last_login"]["type"], json!(["string", "null"]));
}

#[test]
fn what_a_schema_takes_the_server_takes_and_what_it_refuses_is_refused() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let schema = JUDGE.places["/components/schemas/MakeApiKey"];
    for (body, is_taken) in [
        (json!({"name": "ci"}), true),
        (
            json!({"name": "ci", "expires_at": null, "expires_in_days": null, "scopes": null}),
            true,
        ),
        (json!({"name": "ci", "expires_in_days": 1}), true),
        (json!({"name": "ci", "expires_in_days": 365, "scopes": ["admin", "admin"]}), true),
        (json!({"name": "é".repeat(128)}), true),
        (json!({"name": "ci", "expires_in_days": 0}), false),
        (json!({"name": "ci", "expires_in_days": 366}), false),
        (json!({"name": "ci", "expires_in_days": "1"}), false),
        (
            json!({"name": "ci", "expires_in_days": 1, "expires_at": "2026-12-24T00:00:00Z"}),
            false,
        ),
        (json!({"name": "ci", "expires_at": "tomorrow"}), false),
        (json!({"name": "ci", "scopes": ["root"]}), false),
        (json!({"name": "ci", "scopes": "admin"}), false),
        (json!({"name": ""}), false),
        (json!({"name": " "}), false),
        (json!({"name": "a\u{7}b"}), false),
        (json!({"name": "a\u{85}b"}), false),
        (json!({"name": "x".repeat(129)}), false),
        (json!({"name": null}), false),
        (json!({"name": "ci", "owner": "ada"}), false),
        (json!({}), false),
    ] {
        assert_eq!(JUDGE.schemas.validate(&body, schema).is_ok(), is_taken, "the schema: {body}");
        let answered = browser.post("/api/auth/api-keys", body.clone()).status.as_u16();
        assert_eq!(answered, if is_taken { 201 } else { 422 }, "the server: {body}");
    }
}

/// What each operation says of itself, by the codes that it can be made to answer with by the request alone.
#[test]
fn what_lies_on_the_way_to_an_operation_is_in_the_document_and_the_server_does_it() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    world.add(TWO, Role::Admin);
    let bearer = format!("Bearer {}", world.signed_in(ADA).make_key(&["admin"]).1);
    world.signed_in(TWO).enrol();
    for route in ROUTES.iter() {
        let path = route
            .path
            .replace("{id}", "0193d5a0-0000-7000-8000-000000000000")
            .replace("{key}", "NO_SUCH");
        let method = route.verb.name();
        // Whoever gets furthest.
        let mut browser = world.browser();
        browser.log_in(if route.stage() == Stage::Partial { TWO } else { ADA }, RIGHT);
        let cookie = browser.cookie();
        // A key of its own, since one operation ends the key that it is sent with.
        let is_for_keys = route.stage() == Stage::Key || route.permission == Some(Permission::SourceViewCredentials);
        let own = is_for_keys.then(|| format!("Bearer {}", browser.make_key(&["source.view_credentials", "config.manage"]).1));
        let bearer = own.as_deref().unwrap_or(&bearer);
        let known = |headers: &[(&str, &str)], body: Option<&str>, query: &str| {
            let mut all = headers.to_vec();
            all.push(("cookie", &cookie));
            if !headers.iter().any(|(name, _)| *name == "sec-fetch-site") {
                all.push(("sec-fetch-site", "same-origin"));
            }
            if is_for_keys {
                all.push(("authorization", bearer));
            }
            world.send(method, &format!("{path}{query}"), &all, body).code()
        };
        let long = format!("{{\"x\":\"{}\"}}", "x".repeat(route.largest_body() + 1));
        let nobody = if route.stage() == Stage::Partial {
            "session_expired"
        } else {
            "authentication_required"
        };
        let says = |name: &str| route.all_problems().iter().any(|code| code.name == name);
        let probes = [
            ("unknown_host", known(&[("host", "evil.example")], None, "")),
            ("malformed_request", known(&[], None, "?x=%ff")),
            ("secret_in_url", known(&[], None, "?token=x")),
            ("cross_site", known(&[("sec-fetch-site", "cross-site")], Some("{}"), "")),
            ("body_too_large", known(&[], Some(&long), "")),
            ("unsupported_media_type", known(&[("content-type", "text/plain")], Some("x"), "")),
            ("malformed_json", known(&[], Some("{"), "")),
            ("invalid_body", known(&[], Some("{\"no_such_member\":1}"), "")),
            ("invalid_parameter", known(&[], Some("{}"), "?no_such_parameter=1")),
            (nobody, world.send(method, &path, &[], Some("{}")).code()),
            (
                "session_required",
                world.send(method, &path, &[("authorization", bearer)], Some("{}")).code(),
            ),
        ];
        for (code, answered) in probes {
            assert_eq!(says(code), answered == code, "{method} {path} {code}: {answered}");
        }
    }
}

#[test]
fn each_code_is_one_that_some_operation_answers_with() {
    // A method that is not there is no operation.
    let elsewhere = ["method_not_allowed"];
    for code in CODES {
        let is_used = ROUTES.iter().any(|route| route.all_problems().contains(&code));
        assert_eq!(is_used, !elsewhere.contains(&code.name), "{}", code.name);
    }
}
