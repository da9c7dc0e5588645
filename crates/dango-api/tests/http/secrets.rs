//! The project's secrets over HTTP: names and marks out, values in, and what is said where the files do not take them.

use dango_actions::FilesProblem;
use dango_identity::Role;
use serde_json::json;

use crate::world::{Browser, World};

fn admin(world: &World) -> Browser<'_> {
    world.add("ada@team.example", Role::Admin);
    world.signed_in("ada@team.example")
}

#[test]
fn a_variable_is_made_changed_listed_masked_and_deleted() {
    let world = World::new();
    let mut browser = admin(&world);
    let made = browser.post("/api/secrets", json!({"key": "STRIPE_API_KEY", "value": "sk_live_1"}));
    assert_eq!(
        (made.status.as_u16(), made.json()),
        (201, json!({"key": "STRIPE_API_KEY", "action": "created"}))
    );
    for value in ["sk_live_2", "sk_live_2"] {
        let changed = browser.post("/api/secrets", json!({"key": "STRIPE_API_KEY", "value": value}));
        assert_eq!((changed.status.as_u16(), changed.json()["action"].clone()), (200, json!("updated")));
    }
    let listed = browser.get("/api/secrets");
    assert!(!String::from_utf8_lossy(&listed.body).contains("sk_live"));
    let connection = json!({
        "name": "sheets", "source_type": "google_sheets", "provider": "google", "identifier": "ada@team.example", "account_info": null,
        "connected_at": "2026-11-06T21:20:00Z", "expires_at": null, "status": "valid", "is_expired": false, "days_until_expiry": null,
        "problem": null, "problem_detail": null,
    });
    assert_eq!(
        listed.json(),
        json!({
            "env_vars": [{"key": "STRIPE_API_KEY", "masked_value": "***", "source": "env", "encrypted": false}],
            "source_credentials": [{"path": "sources.stripe.api_key", "masked_value": "***", "encrypted": true}],
            "oauth_credentials": [connection],
        })
    );
    assert_eq!(browser.get("/api/secrets/oauth").json(), json!([connection]));
    assert_eq!(world.files.variables.lock().expect("not poisoned")["STRIPE_API_KEY"], "sk_live_2");
    let deleted = browser.send("DELETE", "/api/secrets/STRIPE_API_KEY", None);
    assert_eq!(deleted.json(), json!({"key": "STRIPE_API_KEY", "action": "deleted"}));
    assert_eq!(
        browser.send("DELETE", "/api/secrets/STRIPE_API_KEY", None).problem(),
        (404, "not_found".to_owned())
    );
    let events: Vec<String> = world
        .events()
        .into_iter()
        .filter(|one| one.outcome.is_some())
        .map(|one| one.event)
        .collect();
    assert_eq!(events[..4], ["secret_deleted", "secret_set", "secret_set", "secret_set"]);
}

#[test]
fn a_key_that_an_editor_put_there_can_be_deleted_whatever_it_is() {
    let world = World::new();
    let mut browser = admin(&world);
    for (key, path) in [
        ("a-b.c", "a-b.c"),
        ("with space/slash", "with%20space%2Fslash"),
        ("oauth", "oauth"),
        ("%", "%25"),
    ] {
        world
            .files
            .variables
            .lock()
            .expect("not poisoned")
            .insert(key.to_owned(), "x".to_owned());
        let deleted = browser.send("DELETE", &format!("/api/secrets/{path}"), None);
        assert_eq!((deleted.status.as_u16(), deleted.json()["key"].clone()), (200, json!(key)));
    }
}

#[test]
fn what_no_file_holds_is_refused_with_its_reason() {
    let world = World::new();
    let mut browser = admin(&world);
    for key in ["", "1A", "A-B", "A B", "Ä", &"K".repeat(129)] {
        let refused = browser.post("/api/secrets", json!({"key": key, "value": "x"}));
        assert_eq!(refused.problem(), (422, "invalid_key".to_owned()), "{key}");
    }
    for value in ["\0".to_owned(), "${HOME}".to_owned(), "x".repeat(32 * 1024 + 1)] {
        let refused = browser.post("/api/secrets", json!({"key": "KEY", "value": value}));
        assert_eq!(refused.problem(), (422, "invalid_value".to_owned()));
    }
    let largest = json!({"key": "K".repeat(128), "value": "é".repeat(16 * 1024)});
    assert_eq!(browser.post("/api/secrets", largest).status, 201);
    for problem in [
        FilesProblem::Unparsable {
            file: ".env",
            line: 7,
            column: 2,
            reason: "a byte that is not UTF-8".to_owned(),
        },
        FilesProblem::DiskFull,
        FilesProblem::ReadOnly,
        FilesProblem::Key,
        FilesProblem::Busy,
    ] {
        let code = problem.code();
        *world.files.problem.lock().expect("not poisoned") = Some(problem);
        let refused = browser.post("/api/secrets", json!({"key": "KEY", "value": "canary-value"}));
        let status = if code == "file_unparsable" { 409 } else { 503 };
        assert_eq!(refused.problem(), (status, code.to_owned()));
        assert_eq!(refused.headers.contains_key("retry-after"), status == 503);
        assert!(!String::from_utf8_lossy(&refused.body).contains("canary"));
        if status == 409 {
            assert_eq!((&refused.json()["line"], &refused.json()["column"]), (&json!(7), &json!(2)));
        }
        assert_eq!(browser.get("/api/secrets").problem(), (status, code.to_owned()));
    }
}

#[test]
fn only_those_who_may_manage_the_configuration_see_or_change_secrets() {
    let world = World::new();
    for (address, role) in [("eve@team.example", Role::Viewer), ("ed@team.example", Role::Editor)] {
        world.add(address, role);
        let mut browser = world.signed_in(address);
        assert_eq!(browser.get("/api/secrets").problem(), (403, "permission_denied".to_owned()));
        assert_eq!(browser.get("/api/secrets/oauth").status, 403);
        // Not even what is wrong with the request is said.
        assert_eq!(browser.send("POST", "/api/secrets", Some("{")).status, 403);
        assert_eq!(browser.send("DELETE", "/api/secrets/KEY", None).status, 403);
    }
    let denied = world.events().into_iter().filter(|one| one.event == "permission_denied").count();
    assert_eq!(denied, 8);
}
