//! Connections kept alive and ended: one renewal at a time, no grant lost, and nothing left of what was removed.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use dango_tests::Scratch;
use dango_tests::provider::{Fake, Google, Reuse, Rotating, Trouble};
use serde_json::json;

use super::{connect, project_with_app};
use crate::answers::Answer;

fn rotating_project(fake: &Fake<Rotating>) -> Scratch {
    let mut project = Scratch::initialised();
    project.write(".dango/providers.toml", Rotating::DESCRIPTION);
    fake.stands_in_for("corp", &mut project);
    project.give("DANGO_OAUTH_CALLBACK_URL", "http://127.0.0.1:0/callback");
    let _ = project
        .dango(&["oauth", "setup", "corp", "--client-id", "c"])
        .stdin("canary-client")
        .run()
        .success();
    let _ = connect(&project, &["corp_data"]);
    project
}

#[test]
fn of_many_renewals_at_a_time_one_asks_the_provider_and_all_succeed() {
    let fake = Fake::start(Rotating::new(Reuse::Any));
    let project = rotating_project(&fake);
    let lock = project.path().join(".dango/oauth-corp_data.lock");
    let held = OpenOptions::new().write(true).open(lock).expect("connecting has made it");
    held.lock().expect("free");
    let mut children: Vec<_> = (0..12)
        .map(|_| {
            let mut command = project.dango(&["oauth", "refresh", "corp_data"]).into_command();
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("started")
        })
        .collect();
    for child in &mut children {
        let mut said = BufReader::new(child.stderr.take().expect("it was asked for"));
        let mut warning = String::new();
        said.read_line(&mut warning).expect("text");
        // It is said once the connection was read, so each of them began before the first renewal.
        assert!(warning.contains("DANGO_OAUTH_CORP_TOKEN_URL"), "{warning}");
        child.stderr.replace(said.into_inner());
    }
    held.unlock().expect("held");
    for child in &mut children {
        assert!(child.wait().expect("ended").success());
    }
    assert_eq!(fake.asked("/token").len(), 2, "one to connect, one to renew");
    // And the provider has seen no token twice: the next renewal works.
    let _ = project.run(&["oauth", "refresh", "corp_data"]).success();
    let text = project.read(".dlt/secrets.toml");
    assert!(text.contains("canary-r2") && !text.contains("canary-r1"), "{text}");
}

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
