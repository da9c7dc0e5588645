//! Stored values over HTTP: who gets them, who does not, and what the log says of it.

use dango_identity::Role;
use serde_json::json;

use crate::moves::is;
use crate::world::World;

const ADA: &str = "ada@team.example";
const BOB: &str = "bob@team.example";
const READS: &str = "source.view_credentials";
const VALUES: &str = "/api/project/values";

fn run() -> serde_json::Value {
    json!({"purpose": "run"})
}

#[test]
fn values_are_given_to_a_key_that_names_them_with_one_record_of_which() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    browser.post("/api/secrets", json!({"key": "REGION", "value": "eu"}));
    let (_, key) = browser.make_key(&[READS]);
    let (answer, records) = world.recorded(|| world.with_key(&key, "POST", VALUES, Some(run())));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    let expected = json!({
        "credentials": "sources.stripe.api_key = \"stored\"\n",
        "variables": [{"key": "REGION", "value": "eu", "literal": true}],
        "warnings": [],
        "key_expires_at": answer.json()["key_expires_at"],
    });
    let own = world.with_key(&key, "GET", "/api/auth/api-key", None).json();
    assert_eq!(answer.json()["key_expires_at"], own["expires_at"]);
    assert_eq!(answer.json(), expected);
    assert_eq!(records, ["secrets_used success"]);
    let event = &world.events()[0];
    assert_eq!(event.actor.kind, "api_key");
    let details: serde_json::Value = serde_json::from_str(&event.details).expect("JSON");
    assert_eq!(
        details,
        json!({"paths": ["sources.stripe.api_key"], "via": "run", "count": 2, "keys": ["REGION"]})
    );
    assert!(!event.details.contains("stored"));
    let one = json!({"purpose": "get", "only": "sources.stripe.api_key"});
    let (answer, records) = world.recorded(|| world.with_key(&key, "POST", VALUES, Some(one)));
    assert_eq!((answer.status.as_u16(), records), (200, vec!["secret_revealed success".to_owned()]));
    assert_eq!(told_last(&world)["only"], "sources.stripe.api_key");
}

/// The details of the newest record.
fn told_last(world: &World) -> serde_json::Value {
    serde_json::from_str(&world.events()[0].details).expect("JSON")
}

#[test]
fn every_name_that_was_taken_stands_in_a_record_whatever_it_is_and_however_many_there_are() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let (_, key) = world.signed_in(ADA).make_key(&[READS]);
    let names: Vec<String> = (0..250).map(|number| format!("no name, {number:03}")).collect();
    let stored = names.iter().map(|name| (name.clone(), "v".to_owned()));
    world.files.variables.lock().expect("not poisoned").extend(stored);
    let (answer, records) = world.recorded(|| world.with_key(&key, "POST", VALUES, Some(run())));
    assert_eq!((answer.status.as_u16(), records), (200, vec!["secrets_used success".to_owned(); 3]));
    let told: Vec<serde_json::Value> = world.events()[..3]
        .iter()
        .rev()
        .map(|event| serde_json::from_str(&event.details).expect("JSON"))
        .collect();
    let keys: Vec<String> = told
        .iter()
        .flat_map(|details| serde_json::from_value::<Vec<String>>(details["keys"].clone()).expect("texts"))
        .collect();
    assert_eq!(keys, names);
    assert_eq!(
        (&told[0]["count"], &told[2]["count"], &told[1]["total"]),
        (&json!(101), &json!(50), &json!(251))
    );
    assert_eq!(told[0]["paths"], json!(["sources.stripe.api_key"]));
}

#[test]
fn what_is_wrong_with_the_files_is_told_and_recorded_with_the_values() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let (_, key) = world.signed_in(ADA).make_key(&[READS]);
    *world.files.warnings.lock().expect("not poisoned") = vec![dango_actions::ValuesWarning {
        code: "seal-rolled-back",
        text: ".env is an older version of itself".to_owned(),
    }];
    let answer = world.with_key(&key, "POST", VALUES, Some(run()));
    let told = json!([{"code": "seal-rolled-back", "message": ".env is an older version of itself"}]);
    assert_eq!(answer.json()["warnings"], told);
    assert_eq!(told_last(&world)["warnings"], json!(["seal-rolled-back"]));
}

#[test]
fn a_variable_is_named_in_the_log_only_where_there_is_one_of_that_name() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    browser.post("/api/secrets", json!({"key": "REGION", "value": "eu"}));
    let (_, key) = browser.make_key(&[READS]);
    let get = |name: &str| world.with_key(&key, "POST", VALUES, Some(json!({"purpose": "get", "key": name})));
    let (answer, records) = world.recorded(|| get("REGION"));
    assert_eq!((answer.status.as_u16(), records), (200, vec!["secret_revealed success".to_owned()]));
    assert_eq!(told_last(&world)["only"], "REGION");
    // A secret that was typed where a name belongs stays out of what is never deleted.
    let (answer, records) = world.recorded(|| get("REGION=sk_live_1"));
    assert_eq!(answer.problem(), is(404, "not_found"));
    assert_eq!(records, ["secret_revealed failure value_not_found"]);
    assert!(!world.events()[0].details.contains("sk_live_1"), "{}", world.events()[0].details);
    *world.files.problem.lock().expect("not poisoned") = Some(dango_actions::FilesProblem::Unusable);
    assert_eq!(get("REGION=sk_live_1").status, 503);
    assert!(!world.events()[0].details.contains("sk_live_1"), "{}", world.events()[0].details);
}

/// K3.
#[test]
fn a_key_that_is_ended_while_the_files_are_read_is_given_nothing() {
    let world = std::sync::Arc::new(World::new());
    world.add(ADA, Role::Admin);
    let (_, key) = world.signed_in(ADA).make_key(&[READS]);
    let (there, ended) = (std::sync::Arc::clone(&world), key.clone());
    let end = move || assert_eq!(there.with_key(&ended, "DELETE", "/api/auth/api-key", None).status, 200);
    *world.files.meanwhile.lock().expect("not poisoned") = Some(Box::new(move || {
        let end = end.clone();
        std::thread::spawn(end).join().expect("it is ended");
    }));
    let (answer, records) = world.recorded(|| world.with_key(&key, "POST", VALUES, Some(run())));
    assert_eq!(answer.problem(), is(403, "permission_denied"));
    assert_eq!(records, ["api_key_revoked success", "permission_denied denied permission_denied"]);
}

#[test]
fn a_key_that_reads_values_ends_and_the_log_says_what_each_key_may() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let endless = browser.post("/api/auth/api-keys", json!({"name": "ci", "scopes": [READS]}));
    assert_eq!(endless.problem(), is(422, "invalid_expiry"));
    let _ = browser.make_key(&[READS, "admin"]);
    assert_eq!(
        told_last(&world)["scopes"],
        json!([READS, "users.view", "users.manage", "auth.manage", "admin"])
    );
    let harmless = browser.post("/api/auth/api-keys", json!({"name": "ci", "scopes": ["config.manage"]}));
    assert_eq!(
        (harmless.status.as_u16(), &told_last(&world)["scopes"]),
        (201, &json!(["config.manage"]))
    );
    for scope in ["users.manage", "auth.manage"] {
        let filtered = browser.post("/api/auth/api-keys", json!({"name": "ci", "scopes": [scope]}));
        assert_eq!(filtered.problem(), is(422, "invalid_body"), "it would not have what it names");
    }
}

/// C17.
#[test]
fn no_session_and_no_other_key_gets_a_value() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    world.add(BOB, Role::Editor);
    let mut browser = world.signed_in(ADA);
    let denied = || is(403, "permission_denied");
    let (answer, records) = world.recorded(|| browser.post(VALUES, run()));
    assert_eq!(
        (answer.problem(), records),
        (denied(), vec!["permission_denied denied permission_denied".to_owned()])
    );
    assert_eq!(browser.get(VALUES).problem(), denied());
    for scopes in [&[][..], &["admin"], &["config.manage"], &["admin", "config.manage"]] {
        let (_, key) = browser.make_key(scopes);
        assert_eq!(world.with_key(&key, "POST", VALUES, Some(run())).problem(), denied(), "{scopes:?}");
        assert_eq!(world.with_key(&key, "GET", VALUES, None).problem(), denied(), "{scopes:?}");
    }
    let refused = world.signed_in(BOB).post(
        "/api/auth/api-keys",
        json!({"name": "ci", "scopes": [READS], "expires_in_days": 30}),
    );
    assert_eq!(refused.problem(), is(422, "scope_exceeds_owner"));
    let unknown = browser.post("/api/auth/api-keys", json!({"name": "ci", "scopes": ["source.everything"]}));
    assert_eq!(unknown.problem(), is(422, "invalid_body"));
}

/// K3, S10.
#[test]
fn what_becomes_of_a_key_or_its_owner_counts_with_the_next_request() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    world.add(BOB, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let key_of = |email: &str| world.signed_in(email).make_key(&[READS]);
    let read = |key: &str| world.with_key(key, "POST", VALUES, Some(run()));
    let (_, demoted) = key_of(BOB);
    assert_eq!(read(&demoted).status, 200);
    let bob = browser.get("/api/admin/users").json();
    let bob = bob
        .as_array()
        .expect("a list")
        .iter()
        .find(|user| user["email"] == BOB)
        .expect("is there")["id"]
        .clone();
    let bob = bob.as_str().expect("an id");
    browser.send(
        "PUT",
        &format!("/api/admin/users/{bob}/role"),
        Some(&json!({"role": "editor"}).to_string()),
    );
    assert_eq!(read(&demoted).problem(), is(403, "permission_denied"));
    browser.send(
        "PUT",
        &format!("/api/admin/users/{bob}/role"),
        Some(&json!({"role": "admin"}).to_string()),
    );
    assert_eq!(read(&demoted).status, 200);
    browser.post(&format!("/api/admin/users/{bob}/deactivate"), json!({}));
    assert_eq!(read(&demoted).problem(), is(401, "authentication_required"));
    // A key ends itself.
    let (_, own) = key_of(ADA);
    let shown = world.with_key(&own, "GET", "/api/auth/api-key", None);
    assert_eq!(shown.json()["scopes"], json!([READS]));
    let (ended, records) = world.recorded(|| world.with_key(&own, "DELETE", "/api/auth/api-key", None));
    assert_eq!((ended.status.as_u16(), records), (200, vec!["api_key_revoked success".to_owned()]));
    assert_eq!(read(&own).problem(), is(401, "authentication_required"));
    assert_eq!(browser.get("/api/auth/api-key").problem(), is(403, "key_required"));
}

#[test]
fn credentials_are_set_and_deleted_by_whoever_manages_the_configuration() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let mut browser = world.signed_in(ADA);
    let (_, key) = browser.make_key(&["config.manage"]);
    let (_, reader) = browser.make_key(&[READS]);
    let path = "/api/project/credentials";
    let set = json!({"path": "sources.x.port", "value": "5432", "value_type": "integer", "keep": "plain"});
    let (answer, records) = world.recorded(|| world.with_key(&key, "PUT", path, Some(set.clone())));
    assert_eq!(
        answer.json(),
        json!({"path": "sources.x.port", "action": "created", "encrypted": true})
    );
    assert_eq!(records, ["secret_set intent", "secret_set success"]);
    assert_eq!(
        world.with_key(&reader, "PUT", path, Some(set)).problem(),
        is(403, "permission_denied")
    );
    assert_eq!(
        browser
            .send("PUT", path, Some(&json!({"path": "a.b", "value": "x"}).to_string()))
            .problem(),
        is(403, "key_required")
    );
    assert_eq!(
        browser
            .send("DELETE", path, Some(&json!({"path": "sources", "table": true}).to_string()))
            .problem(),
        is(403, "key_required")
    );
    let large = json!({"path": "a.b", "value": "x".repeat(1_000_000)});
    assert_eq!(world.with_key(&key, "PUT", path, Some(large)).status, 200);
    for (body, code) in [
        (json!({"path": "a..b", "value": "x"}), "invalid_body"),
        (json!({"path": "a.b", "value": "x", "value_type": "integer"}), "invalid_value"),
        (json!({"path": "a.b", "value": "a\u{0}"}), "invalid_value"),
    ] {
        assert_eq!(world.with_key(&key, "PUT", path, Some(body)).problem(), is(422, code));
    }
    let (answer, records) = world.recorded(|| world.with_key(&key, "DELETE", path, Some(json!({"path": "sources.x", "table": true}))));
    assert_eq!(answer.json()["removed"], 1);
    assert_eq!(records, ["secret_deleted intent", "secret_deleted success"]);
}

#[test]
fn what_is_wanted_has_to_be_said_plainly() {
    let world = World::new();
    world.add(ADA, Role::Admin);
    let (_, key) = world.signed_in(ADA).make_key(&[READS]);
    for body in [
        json!({}),
        json!({"purpose": "look"}),
        json!({"purpose": "get"}),
        json!({"purpose": "get", "only": "a.b", "key": "A"}),
        json!({"purpose": "run", "key": "A"}),
        json!({"purpose": "run", "only": "a..b"}),
        json!({"purpose": "run", "everything": true}),
    ] {
        let (answer, records) = world.recorded(|| world.with_key(&key, "POST", VALUES, Some(body.clone())));
        assert_eq!((answer.problem(), records.len()), (is(422, "invalid_body"), 0), "{body}");
    }
}
