//! A source connected: what is stored for dlt, what is asked of the provider, and nothing secret anywhere else.

use dango_tests::provider::{Facebook, Fake, Google};
use serde_json::json;

use super::{CLIENT_SECRET, Waiting, connect, project_with_app};
use crate::answers::Answer;
use crate::dlt::{from_file, from_run};

#[test]
fn google_sheets_is_connected_and_dlt_resolves_what_was_stored_plain_and_encrypted() {
    for encrypted in [false, true] {
        let fake = Fake::start(Google::new());
        let mut project = project_with_app("google", &fake);
        let mut arguments = vec!["google_sheets", "--json"];
        if encrypted {
            project.give("DANGO_KEY", "11".repeat(32));
            arguments.push("--encrypt");
        }
        let view = connect(&project, &arguments).json();
        assert_eq!(view["name"], "google_sheets");
        assert_eq!(view["identifier"], "ada@example.com");
        assert_eq!(view["account_info"], "Ada Lovelace (ada@example.com)");
        assert_eq!((&view["status"], &view["expires_at"]), (&json!("valid"), &json!(null)));
        let listed = project.run(&["oauth", "list", "--json"]).success().json();
        assert_eq!(listed, json!([view]));

        let text = project.read(".dlt/secrets.toml");
        assert_eq!(text.contains("canary"), !encrypted, "{text}");
        let job = json!({ "task": "specs", "specs": { "google_sheets": "GcpOAuthCredentials" } });
        let mut answers = vec![from_run(&project, &job)];
        if !encrypted {
            answers.push(from_file(&project, &job));
        }
        for answer in answers {
            let found = &answer["google_sheets"];
            assert_eq!(found["is_resolved"], true, "{found}");
            assert_eq!(found["client_id"], "client id+1");
            assert_eq!(found["client_secret"], CLIENT_SECRET);
            assert_eq!(found["refresh_token"], "1//canary-refresh");
            assert_eq!(found["project_id"], "dango-oauth");
        }
        let token = &fake.asked("/token")[0];
        assert_eq!(token.field("code_verifier").map(|verifier| verifier.len()), Some(43));
        assert_eq!(token.field("client_secret").as_deref(), Some(CLIENT_SECRET));
        assert!(
            fake.all()
                .iter()
                .all(|seen| !seen.target.contains("canary") && !seen.target.contains("the-code"))
        );
    }
}

#[test]
fn facebook_takes_the_account_beside_the_token_and_counts_its_sixty_days() {
    let fake = Fake::start(Facebook::new());
    let project = project_with_app("facebook", &fake);
    let missing = project.run(&["oauth", "facebook_ads", "--no-browser"]);
    let _ = missing.fails(2, &["account_id", "--set"]);
    let view = connect(&project, &["facebook_ads", "--set", "account_id=act_123456", "--json"]).json();
    assert_eq!((&view["provider"], &view["days_until_expiry"]), (&json!("facebook"), &json!(59)));
    let text = project.read(".dlt/secrets.toml");
    assert!(text.contains("[sources.facebook_ads]"), "{text}");
    assert!(
        text.contains("account_id = \"123456\"") && text.contains("access_token = \"EAAcanary-long-2\""),
        "{text}"
    );
    assert!(!text.contains("EAAcanary-short") && !text.contains(CLIENT_SECRET), "{text}");
}

#[test]
fn whatever_else_knocks_disturbs_nothing() {
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    let waiting = Waiting::start(&project, &["google_sheets"]);
    for (method, target) in [
        ("GET", "/favicon.ico"),
        ("GET", "/callback"),
        ("GET", "/callback?code=stolen&state=wrong"),
        ("GET", "/other?code=stolen&state=wrong"),
        ("POST", &waiting.callback("code=the-code")),
        ("HEAD", &waiting.callback("code=the-code")),
    ] {
        let answer = waiting.browse(method, target);
        assert!(answer.starts_with("HTTP/1.1 4"), "{method} {target}: {answer}");
    }
    assert!(fake.all().is_empty());
    let page = waiting.browse("GET", &waiting.callback("code=the-code"));
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    let _ = waiting
        .end()
        .success()
        .says(&["connected to Google"])
        .hides(&["canary", "the-code"]);
    assert_eq!(fake.asked("/token").len(), 1);
}

#[test]
fn who_says_no_has_changed_nothing() {
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    let before = project.read(".dlt/secrets.toml");
    let waiting = Waiting::start(&project, &["google_sheets"]);
    let page = waiting.browse("GET", &waiting.callback("error=access_denied&error_description=%3Cscript%3Eno"));
    assert!(!page.contains("<script>"), "{page}");
    let _ = waiting.end().fails(1, &["access_denied", "nothing was changed"]);
    assert_eq!(project.read(".dlt/secrets.toml"), before);
    assert!(fake.all().is_empty());
}

#[test]
fn a_machine_without_a_browser_takes_the_pasted_answer() {
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    let mut waiting = Waiting::start(&project, &["google_sheets", "--quiet"]);
    assert_eq!(
        waiting.before.lines().filter(|line| !line.starts_with("warning:")).count(),
        0,
        "{}",
        waiting.before
    );
    waiting.paste("what is this?");
    waiting.paste("http://127.0.0.1:1/callback?code=stolen&state=wrong");
    let answer = format!("http://127.0.0.1:1{}", waiting.callback("code=the-code"));
    waiting.paste(&answer);
    let _ = waiting.end().success().says(&["another request"]);
    assert_eq!(fake.asked("/token").len(), 1);
    assert!(project.read(".dlt/secrets.toml").contains("[dango.oauth.google_sheets]"));
}

#[test]
fn nobody_who_answers_ends_the_wait() {
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    let timed_out = project
        .dango(&["oauth", "google_sheets", "--no-browser"])
        .env("DANGO_OAUTH_TIMEOUT", "1")
        .run();
    let _ = timed_out.fails(1, &["no answer came in time"]);
    let verified = project.run(&["audit", "verify", "--json"]).success().json();
    assert_eq!(verified["ok"], true);
}

#[test]
fn another_account_than_before_is_asked_about_and_two_live_side_by_side() {
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    let _ = connect(&project, &["google_sheets"]);
    let text = project.read(".dlt/secrets.toml").replace("ada@example.com", "bob@example.com");
    project.write(".dlt/secrets.toml", &text);
    let waiting = Waiting::start(&project, &["google_sheets"]);
    let _ = waiting.browse("GET", &waiting.callback("code=the-code"));
    let _ = waiting.end().fails(1, &["bob@example.com", "--name"]);
    assert_eq!(project.read(".dlt/secrets.toml"), text);

    let _ = connect(&project, &["google_sheets", "--name", "sheets_ada"]);
    let listed = project.run(&["oauth", "list", "--json"]).success().json();
    assert_eq!(
        (&listed[0]["identifier"], &listed[1]["identifier"]),
        (&json!("bob@example.com"), &json!("ada@example.com"))
    );
    let _ = connect(&project, &["google_sheets", "--name", "google_sheets", "--yes"]);
}
