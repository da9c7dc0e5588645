//! The verbs that ask nobody: setup, list, status, offline checks, projects of earlier versions, and what is wrong usage.

use dango_tests::Scratch;
use dango_tests::provider::{Fake, Google};
use serde_json::json;

use super::{connect, project_with_app};
use crate::answers::Answer;

#[test]
fn setup_stores_the_app_says_what_to_register_and_updates_the_copies() {
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    let env = project.read(".env");
    assert!(env.contains("GOOGLE_CLIENT_ID=") && env.contains("GOOGLE_CLIENT_SECRET="), "{env}");
    let _ = connect(&project, &["google_sheets"]);
    let changed = project
        .dango(&["oauth", "setup", "google", "--client-id", "other-id"])
        .env("DANGO_OAUTH_CALLBACK_URL", "http://localhost:8080/callback")
        .stdin("other-secret\n")
        .run()
        .success();
    let _ = changed
        .says(&["http://localhost:8080/callback", "sources.google_sheets.credentials.client_secret"])
        .hides(&["other-secret"]);
    let text = project.read(".dlt/secrets.toml");
    assert!(
        text.contains("client_id = \"other-id\"") && text.contains("client_secret = \"other-secret\""),
        "{text}"
    );
    let _ = project
        .dango(&["oauth", "setup", "google"])
        .stdin("s")
        .run()
        .fails(2, &["--client-id"]);
    let _ = project
        .dango(&["oauth", "setup", "google", "--client-id", "x"])
        .run()
        .fails(1, &["empty"]);
    let _ = project
        .dango(&["oauth", "setup", "nobody", "--client-id", "x"])
        .run()
        .fails(2, &["google"]);
}

#[test]
fn an_earlier_project_opens_with_its_connections_and_status_tells_of_what_ends() {
    let project = Scratch::initialised();
    project.write(
        ".dlt/secrets.toml",
        "[sources.facebook_ads]\naccess_token = \"EAAcanary\"\naccount_id = \"1\"\n\n[dango.oauth.facebook_ads]\nprovider = \"facebook_ads\"\n\
         identifier = \"1\"\naccount_info = \"Ad Account 1\"\ncreated_at = \"2020-01-01T00:00:00.123456\"\nexpires_at = \"2020-03-01T00:00:00\"\n\n\
         [dango.oauth.sheets]\nsource_type = \"google_sheets\"\nprovider = \"google\"\ncreated_at = \"2020-01-01T00:00:00Z\"\n",
    );
    let listed = project.run(&["oauth", "list", "--json"]).success().json();
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    assert_eq!(
        (
            &listed[0]["source_type"],
            &listed[0]["provider"],
            &listed[0]["status"],
            &listed[0]["days_until_expiry"]
        ),
        (&json!("facebook_ads"), &json!("facebook"), &json!("expired"), &json!(0))
    );
    assert_eq!(
        (&listed[1]["name"], &listed[1]["status"], &listed[1]["is_expired"]),
        (&json!("sheets"), &json!("valid"), &json!(false))
    );
    let found = project.run(&["oauth", "status", "--json"]).ending_with(3).json();
    assert_eq!(found, json!([listed[0]]));
    let checked = project.run(&["oauth", "check", "--offline", "--json"]).ending_with(3).json();
    assert_eq!((&checked[0]["error_code"], &checked[1]["valid"]), (&json!("expired"), &json!(true)));
    let shown = project.run(&["oauth", "list"]).success().hides(&["canary"]);
    assert!(shown.stdout.contains("Ad Account 1"), "{}", shown.stdout);
}

#[test]
fn what_is_wrong_is_said_before_anything_is_done() {
    let mut project = Scratch::initialised();
    let _ = project.run(&["oauth", "status"]).success();
    let _ = project
        .run(&["oauth", "google_sheets", "--no-browser"])
        .fails(1, &["GOOGLE_CLIENT_ID", "oauth setup google"]);
    let _ = project.run(&["oauth", "stripe"]).fails(2, &["source add stripe"]);
    let _ = project.run(&["oauth", "no_such_type"]).fails(2, &["source types"]);
    let _ = project.run(&["oauth", "refresh", "nothing"]).fails(1, &["oauth list"]);
    let _ = project.run(&["oauth", "remove", "nothing", "--yes"]).fails(1, &["oauth list"]);
    let _ = project.run(&["oauth", "google_sheets", "list"]).fails(2, &["alone"]);
    project.give("GOOGLE_CLIENT_ID", "id");
    project.give("GOOGLE_CLIENT_SECRET", "canary");
    for (variable, value) in [
        ("DANGO_OAUTH_GOOGLE_TOKEN_URL", "http://example.com/token"),
        ("DANGO_OAUTH_GOOGLE_TOKEN_URL", ""),
        ("DANGO_OAUTH_GOOGLE_AUTHORIZE_URL", "https://canary@example.com/"),
        ("DANGO_OAUTH_CALLBACK_URL", "http://192.0.2.1:8080/callback"),
        ("DANGO_OAUTH_CALLBACK_URL", "https://127.0.0.1:8080/callback"),
        ("DANGO_OAUTH_TIMEOUT", "soon"),
    ] {
        let refused = project
            .dango(&["oauth", "google_sheets", "--no-browser"])
            .env(variable, value)
            .run();
        let _ = refused.fails(1, &[variable]).hides(&["canary"]);
    }
}
