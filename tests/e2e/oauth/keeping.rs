//! Connections kept alive and ended: no grant lost by a provider's trouble, and nothing left of what was removed.

use dango_tests::provider::{Fake, Google, Trouble};
use serde_json::json;

use super::{connect, project_with_app};
use crate::answers::Answer;

#[test]
fn trouble_of_the_provider_costs_no_grant_and_a_refusal_names_its_cause() {
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    let _ = connect(&project, &["google_sheets"]);
    let before = project.read(".dlt/secrets.toml");
    fake.trouble("/token", [const { Trouble::Unavailable }; 5]);
    for _ in 0..5 {
        let _ = project
            .run(&["oauth", "refresh", "google_sheets"])
            .fails(1, &["503", "try again later"]);
        assert_eq!(project.read(".dlt/secrets.toml"), before);
    }
    let _ = project.run(&["oauth", "refresh", "google_sheets"]).success();
    let after = project.read(".dlt/secrets.toml");
    assert!(after.contains("last_refreshed = ") && after.contains("canary-refresh"), "{after}");
    fake.provider().end_grants();
    let checked = project.run(&["oauth", "check", "--json"]).ending_with(3).json();
    assert_eq!(
        (&checked[0]["valid"], &checked[0]["error_code"]),
        (&json!(false), &json!("revoked"))
    );
    assert_eq!(
        project.read(".dlt/secrets.toml"),
        after,
        "what is stored stays until somebody connects again"
    );
}

#[test]
fn removing_revokes_and_leaves_nothing() {
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    let before = project.read(".dlt/secrets.toml");
    let _ = connect(&project, &["google_sheets"]);
    let _ = project.run(&["oauth", "remove", "google_sheets"]).fails(1, &["--yes"]);
    let answer = project
        .run(&["oauth", "remove", "google_sheets", "--yes", "--json"])
        .success()
        .json();
    assert_eq!(
        (&answer["action"], &answer["revoked_at_provider"]),
        (&json!("disconnected"), &json!(true))
    );
    assert_eq!(fake.asked("/revoke")[0].field("token").as_deref(), Some("1//canary-refresh"));
    assert_eq!(fake.asked("/revoke")[0].header("authorization"), None);
    assert_eq!(project.read(".dlt/secrets.toml").trim_end(), before.trim_end());
    assert_eq!(project.run(&["oauth", "list", "--json"]).success().json(), json!([]));
    let events = project.run(&["audit", "list", "--json"]).success().stdout;
    assert!(events.contains("oauth_source_connected") && events.contains("oauth_source_disconnected"));
    assert!(!events.contains("canary"));
}

#[test]
fn a_token_that_stays_stays_as_it_is_written() {
    let fake = Fake::start(Google::new());
    let mut project = project_with_app("google", &fake);
    let _ = connect(&project, &["google_sheets"]);
    let text = project
        .read(".dlt/secrets.toml")
        .replace("\"1//canary-refresh\"", "\"${KEPT_ELSEWHERE}\"");
    project.write(".dlt/secrets.toml", text);
    project.give("KEPT_ELSEWHERE", "1//canary-refresh");
    let _ = project.run(&["oauth", "refresh", "google_sheets"]).success();
    let after = project.read(".dlt/secrets.toml");
    assert!(
        after.contains("\"${KEPT_ELSEWHERE}\"") && after.contains("last_refreshed"),
        "{after}"
    );
    assert_eq!(fake.asked("/token")[1].field("refresh_token").as_deref(), Some("1//canary-refresh"));
}
