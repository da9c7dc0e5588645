//! What other commands make of a connection, day by day: loading renews it, removing its source gives it back, and its end is told of in time.

use std::time::{SystemTime, UNIX_EPOCH};

use dango_core::Timestamp;
use dango_tests::provider::{Fake, Google, Reply, Seen, Trouble};
use dango_tests::{Canary, Scratch};
use serde_json::json;

use super::{Waiting, connect, project_with_app};
use crate::answers::{Answer, revealed};

const DAY: i64 = 86_400;

fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_micros()).expect("before the year 290000")
}

fn time(unix_seconds: i64) -> String {
    Timestamp::from_unix_micros(unix_seconds * 1_000_000).to_string()
}

/// HubSpot's tokens, which live for half an hour; a renewal brings another one.
fn hubspot(seen: &Seen) -> Reply {
    let token = match seen.field("grant_type").as_deref() {
        Some("refresh_token") => "canary-second",
        _ => "canary-first",
    };
    Reply::json(
        200,
        match seen.path() {
            "/token" => json!({ "access_token": token, "refresh_token": "canary-refresh", "token_type": "bearer", "expires_in": 1800 }),
            _ => json!({ "portalId": 1, "uiDomain": "app.hubspot.com" }),
        }
        .to_string(),
    )
}

/// A source that is connected, and whose program writes down the token that it was given.
fn loading_project(fake: &Fake<impl dango_tests::provider::Answers>) -> Scratch {
    let project = project_with_app("hubspot", fake);
    project.write(
        ".dango/sources.yml",
        "sources:\n  - name: hubspot\n    type: hubspot\n    sync: sh -c 'echo $SOURCES__HUBSPOT__API_KEY >>loaded'\n",
    );
    let waiting = Waiting::start(&project, &["hubspot"]);
    let page = waiting.browse("GET", &waiting.callback("code=the-code"));
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    let _ = waiting.end().success();
    project
}

/// Lets the connection have been made an hour ago.
fn let_an_hour_pass(project: &Scratch) {
    let text = project.read(".dlt/secrets.toml");
    let (before, rest) = text.split_once("created_at = \"").expect("has one");
    let (_, after) = rest.split_once('"').expect("ends");
    let hour_ago = time(unix_now() / 1_000_000 - 3_600);
    project.write(".dlt/secrets.toml", format!("{before}created_at = \"{hour_ago}\"{after}"));
}

/// What a source of a user's own does first.
const PIPELINE: &str = "import dlt
from dlt.sources.credentials import GcpOAuthCredentials

@dlt.source(name='google_sheets', section='google_sheets')
def google_sheets(credentials: GcpOAuthCredentials = dlt.secrets.value):
    open('loaded', 'w').write(credentials.refresh_token)
    return []

google_sheets()
";

#[test]
fn from_an_app_to_a_loaded_source_each_step_names_the_next() {
    let fake = Fake::start(Google::new());
    let mut project = project_with_app("google", &fake);
    project.give("DANGO_KEY", "11".repeat(32));
    let missing = project.run(&["source", "add", "google_sheets"]);
    let _ = missing.fails(2, &["refresh_token"]);
    let _ = connect(&project, &["google_sheets", "--encrypt"]).says(&["dango source add google_sheets --name google_sheets"]);
    let added = project.run(&[
        "source",
        "add",
        "google_sheets",
        "--set",
        "spreadsheet_url_or_id=1x",
        "--set",
        "range_names=a",
    ]);
    let _ = added.success();
    project.write("pipeline.py", PIPELINE);
    let sync = format!("sync={} pipeline.py", dango_tests::python().display());
    let _ = project.run(&["source", "edit", "google_sheets", "--set", &sync]).success();
    let _ = project.run(&["sync", "google_sheets"]).success();
    assert_eq!(project.read("loaded"), "1//canary-refresh");
    let again = connect(&project, &["google_sheets"]);
    assert!(!again.stderr.contains("source add"), "it is a source already: {}", again.stderr);
}

#[test]
fn loading_renews_what_has_ended_and_only_that() {
    let fake = Fake::start(hubspot);
    let project = loading_project(&fake);
    let _ = project.run(&["sync", "hubspot"]).success();
    assert_eq!(fake.asked("/token").len(), 1, "the token is fresh");
    let_an_hour_pass(&project);
    let _ = project.run(&["sync", "hubspot"]).success();
    let _ = project.run(&["sync", "hubspot"]).success();
    assert_eq!(fake.asked("/token").len(), 2);
    assert_eq!(project.read("loaded"), "canary-first\ncanary-second\ncanary-second\n");
    let events = project.run(&["audit", "list", "--json"]).success().stdout;
    assert!(events.contains("oauth_refreshed") && !events.contains("canary"), "{events}");
}

#[test]
fn trouble_of_the_provider_keeps_nothing_from_being_loaded_but_a_dead_connection_does() {
    let fake = Fake::start(hubspot);
    let project = loading_project(&fake);
    let_an_hour_pass(&project);
    fake.trouble("/token", [Trouble::Unavailable]);
    let _ = project
        .run(&["sync", "hubspot"])
        .success()
        .says(&["hubspot was not renewed: the provider has trouble of its own (status 503)"]);
    let dead =
        "{\"status\":\"BAD_REFRESH_TOKEN\",\"error\":\"invalid_grant\",\"error_description\":\"missing or invalid refresh token canary\"}";
    fake.trouble("/token", [Trouble::Instead(Reply::json(400, dead))]);
    let before = project.read(".dlt/secrets.toml");
    let _ = project
        .run(&["sync", "hubspot"])
        .fails(
            1,
            &["HubSpot takes the connection hubspot no more", "dango oauth hubspot --name hubspot"],
        )
        .hides(&["canary"]);
    assert_eq!(project.read("loaded"), "canary-first\n");
    assert_eq!(project.read(".dlt/secrets.toml"), before);
}

#[test]
fn a_source_that_is_removed_with_its_credentials_gives_its_access_back() {
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    let before = project.read(".dlt/secrets.toml");
    let sources = "sources:\n  - name: google_sheets\n    type: google_sheets\n";
    project.write(".dango/sources.yml", sources);
    let _ = connect(&project, &["google_sheets"]);

    let kept = project
        .run(&["source", "remove", "google_sheets", "--keep-credentials", "--yes"])
        .success();
    let _ = kept.says(&["still connected", "dango oauth remove google_sheets"]);
    assert_eq!(fake.asked("/revoke").len(), 0);

    project.write(".dango/sources.yml", sources);
    let answer = project
        .run(&["source", "remove", "google_sheets", "--yes", "--json"])
        .success()
        .json();
    assert_eq!(answer["action"], "deleted");
    assert_eq!(fake.asked("/revoke")[0].field("token").as_deref(), Some("1//canary-refresh"));
    assert_eq!(project.read(".dlt/secrets.toml").trim_end(), before.trim_end());
    let events = project.run(&["audit", "list", "--json"]).success().stdout;
    assert!(
        events.contains("source_removed") && events.contains("oauth_source_disconnected"),
        "{events}"
    );
}

#[test]
fn a_connection_ends_soon_from_seven_days_on_and_has_ended_from_its_end_on() {
    let project = Scratch::initialised();
    for (days, before, after) in [(7, "valid", "expiring"), (0, "expiring", "expired")] {
        // As many seconds as this machine needs to look once before the edge.
        let seen = [3, 6, 12, 24, 48]
            .into_iter()
            .any(|seconds| crosses(&project, days, seconds, before, after));
        assert!(seen, "the machine is too slow to look before the edge");
    }
}

/// Looks until an end that is `days` and a few seconds away has come so near; whether it could look before. Each look is held against
/// the clock before and after it, so a slow machine makes no wrong answer right or a right one wrong.
#[track_caller]
fn crosses(project: &Scratch, days: i64, seconds: i64, before: &str, after: &str) -> bool {
    let edge = unix_now() / 1_000_000 + seconds;
    let record = "[sources.ads]\naccess_token = \"EAAx\"\n\n[dango.oauth.ads]\nsource_type = \"facebook_ads\"\nprovider = \"facebook\"\n";
    project.write(
        ".dlt/secrets.toml",
        format!("{record}expires_at = \"{}\"\n", time(edge + days * DAY)),
    );
    let mut seen_before = false;
    loop {
        let begin = unix_now();
        let listed = project.run(&["oauth", "list", "--json"]).success().json();
        let status = project.run(&["oauth", "status", "--json"]);
        let end = unix_now();
        if end < edge * 1_000_000 {
            seen_before = true;
            assert_eq!((&listed[0]["status"], status.status == 3), (&json!(before), before != "valid"));
        } else if begin >= edge * 1_000_000 {
            assert_eq!((&listed[0]["status"], status.status), (&json!(after), 3));
            assert_eq!(status.json()[0]["is_expired"], after == "expired");
            return seen_before;
        }
    }
}

#[test]
fn records_of_every_earlier_form_are_listed_and_say_nothing_secret() {
    let project = Scratch::initialised();
    let canary = Canary::new("token");
    let token = canary.value();
    project.write(
        ".dlt/secrets.toml",
        format!(
            "[sources.google_ads]\ndev_token = \"{token}\"\ncustomer_id = \"1\"\n\n[sources.google_ads.credentials]\nclient_id = \"c\"\n\
             client_secret = \"{token}\"\nrefresh_token = \"{token}\"\nproject_id = \"dango-oauth\"\n\n\
             [dango.oauth.google_ads]\nprovider = \"google\"\nidentifier = \"ada@example.com\"\naccount_info = \"Ada (ada@example.com)\"\n\
             created_at = \"2026-01-15T09:30:00.123456\"\nexpires_at = \"2026-01-15T10:29:59.123456\"\n\n\
             [dango.oauth.google_ads.metadata]\nscopes = [\"https://www.googleapis.com/auth/adwords\"]\n\n\
             [sources.facebook_ads]\naccess_token = \"{token}\"\naccount_id = \"2\"\n\n\
             [dango.oauth.facebook_ads]\nprovider = \"facebook_ads\"\nidentifier = \"2\"\naccount_info = \"Ad Account 2\"\n\
             created_at = 2020-01-15T09:30:00\nexpires_at = 2020-03-15T09:30:00\n\n\
             [dango.oauth.facebook_ads.metadata]\napp_id = \"3\"\napp_secret = \"{token}\"\n\n\
             [sources.shopify]\nprivate_app_password = \"{token}\"\nshop_url = \"acme.myshopify.com\"\n\n\
             [dango.oauth.shopify]\nprovider = \"shopify\"\ncreated_at = \"soon\"\n"
        ),
    );
    let listed = project.run(&["oauth", "list", "--json"]).success();
    canary.assert_absent_from(&listed);
    let _ = listed.clone().says(&["dango.oauth.shopify.created_at is no time"]);
    let listed = listed.json();
    let told: Vec<_> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| [&one["name"], &one["provider"], &one["status"]].map(|text| text.as_str().unwrap_or_default().to_owned()))
        .collect();
    let expected = [
        ["google_ads", "google", "valid"],
        ["facebook_ads", "facebook", "expired"],
        ["shopify", "shopify", "valid"],
    ];
    assert_eq!(told, expected, "{listed}");
    for words in [&["oauth", "list"][..], &["oauth", "status"], &["oauth", "check", "--offline"]] {
        canary.assert_absent_from(&project.run(words));
    }
}

#[test]
fn a_project_of_an_earlier_dango_is_renewed_and_removed_as_one_of_its_own() {
    let fake = Fake::start(Google::new());
    let project = project_with_app("google", &fake);
    let _ = connect(&project, &["google_sheets"]);
    // As it was written: named by its type, the record without it, local times, the app beside the source alone.
    let text = project.read(".dlt/secrets.toml");
    let (before, _) = text.split_once("[dango.oauth.google_sheets]").expect("has one");
    project.write(
        ".dlt/secrets.toml",
        format!(
            "{before}[dango.oauth.google_sheets]\nprovider = \"google\"\nidentifier = \"ada@example.com\"\n\
             account_info = \"Ada Lovelace (ada@example.com)\"\ncreated_at = \"2026-01-15T09:30:00.123456\"\n\
             expires_at = \"2026-01-15T10:29:59.123456\"\n\n[dango.oauth.google_sheets.metadata]\nscopes = [\"a\"]\n"
        ),
    );
    project.write(".env", "");
    let _ = project.run(&["oauth", "refresh", "google_sheets"]).success();
    assert_eq!(
        revealed(&project, "sources.google_sheets.credentials.refresh_token"),
        "1//canary-refresh"
    );
    let checked = project.run(&["oauth", "check", "--json"]).success().json();
    assert_eq!((&checked[0]["valid"], &checked[0]["status"]), (&json!(true), &json!("valid")));
    let _ = project.run(&["oauth", "remove", "google_sheets", "--yes"]).success();
    assert!(
        !project.read(".dlt/secrets.toml").contains("google"),
        "{}",
        project.read(".dlt/secrets.toml")
    );
    assert_eq!(fake.asked("/revoke").len(), 1);
}

#[test]
fn a_connection_that_does_not_open_keeps_nobody_from_hearing_of_the_others() {
    let fake = Fake::start(Google::new());
    let mut project = project_with_app("google", &fake);
    project.give("DANGO_KEY", "11".repeat(32));
    let _ = connect(&project, &["google_sheets", "--encrypt"]);
    let _ = connect(&project, &["google_analytics", "--plain"]);
    project.give("DANGO_KEY", "22".repeat(32));
    let checked = project.run(&["oauth", "check", "--json"]).ending_with(1);
    let rows = checked.json();
    assert_eq!(rows.as_array().map(Vec::len), Some(2), "{rows}");
    for row in rows.as_array().expect("rows") {
        assert_eq!(row["valid"], row["name"] == "google_analytics", "{rows}");
    }
    let _ = checked.says(&["sources.google_sheets"]).hides(&["canary"]);
}
