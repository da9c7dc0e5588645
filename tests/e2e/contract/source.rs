//! `dango source` without a terminal and `dango sync`: what is written where, what is missing, and the command's own end.

use dango_tests::{Output, Scratch};
use serde_json::json;

use crate::answers::{Answer, revealed};

/// Adds a Stripe source of this name; its one secret comes from standard input.
fn add_stripe(project: &Scratch, name: &str, more: &[&str]) -> Output {
    let words = [&["source", "add", "stripe", "--name", name, "--field", "stripe_secret_key"], more].concat();
    project.dango(&words).stdin("rk_canary\n").run()
}

fn listed(project: &Scratch, name: &str) -> serde_json::Value {
    let rows = project.run(&["source", "list", "--json"]).success().hides(&["canary"]).json();
    let rows = rows.as_array().expect("a list").clone();
    rows.into_iter().find(|row| row["name"] == name).unwrap_or_default()
}

#[test]
fn the_catalogue_names_every_type_and_what_it_needs() {
    let project = Scratch::new();
    let types = project.run(&["source", "types", "--json"]).success().json();
    let types = types.as_array().expect("a list");
    let names: Vec<&str> = types.iter().filter_map(|spec| spec["name"].as_str()).collect();
    for name in [
        "csv",
        "local_files",
        "dlt_native",
        "filesystem",
        "rest_api",
        "google_sheets",
        "google_analytics",
        "google_ads",
        "facebook_ads",
        "shopify",
        "hubspot",
        "stripe",
        "github",
        "slack",
        "airtable",
        "pipedrive",
        "freshdesk",
        "workable",
        "notion",
        "mux",
        "asana",
        "matomo",
        "strapi",
        "personio",
        "jira",
        "zendesk",
        "inbox",
        "mongodb",
        "postgres",
        "mysql",
        "salesforce",
        "kafka",
        "kinesis",
        "chess",
    ] {
        assert!(names.contains(&name), "{name} is missing in {names:?}");
    }
    let sheets = project.run(&["source", "types", "google_sheets"]).success().stdout;
    for field in ["client_id", "client_secret", "refresh_token", "project_id", "spreadsheet_url_or_id"] {
        assert!(sheets.contains(field), "{field} in:\n{sheets}");
    }
    let _ = project.run(&["source", "types", "strpie"]).fails(2, &["hint:", "stripe"]);
}

#[test]
fn a_source_is_added_from_options_with_its_secret_in_secrets_toml_only() {
    let project = Scratch::initialised();
    let answer = add_stripe(&project, "stripe_eu", &["--set", "start_date=2024-01-01"])
        .success()
        .hides(&["canary"]);
    assert_eq!(answer.stdout, "");
    let file = project.read(".dango/sources.yml");
    assert!(
        file.contains("name: stripe_eu") && file.contains("type: stripe") && file.contains("2024-01-01") && !file.contains("canary"),
        "{file}"
    );
    assert_eq!(revealed(&project, "sources.stripe_eu.stripe_secret_key"), "rk_canary");
    assert_eq!(listed(&project, "stripe_eu")["type"], "stripe");
}

#[test]
fn google_sheets_credentials_go_where_dlt_reads_them() {
    let project = Scratch::initialised();
    let words = [
        "source",
        "add",
        "google_sheets",
        "--name",
        "sheets",
        "--field",
        "client_secret",
        "--field",
        "refresh_token",
        "--set",
        "client_id=c",
        "--set",
        "project_id=p",
        "--set",
        "spreadsheet_url_or_id=https://docs.google.com/x",
        "--set",
        "range_names=A,B",
    ];
    let _ = project.dango(&words).stdin("s_canary\nr_canary\n").run().success();
    for (field, value) in [
        ("client_id", "c"),
        ("client_secret", "s_canary"),
        ("refresh_token", "r_canary"),
        ("project_id", "p"),
    ] {
        assert_eq!(revealed(&project, &format!("sources.sheets.credentials.{field}")), value);
    }
    let answer = crate::dlt::from_file(&project, &json!({ "task": "specs", "specs": { "sheets": "GcpOAuthCredentials" } }));
    assert_eq!(answer["sheets"]["is_resolved"], true, "{answer}");
}

#[test]
fn what_is_missing_without_a_terminal_is_named_and_nothing_is_written() {
    let project = Scratch::initialised();
    let before = (project.read(".dlt/secrets.toml"), crate::answers::names(&project.path()));
    let _ = project.run(&["source", "add"]).fails(2, &["TYPE", "hint:"]);
    let _ = project.run(&["source", "add", "stripe"]).fails(2, &["stripe_secret_key"]);
    let _ = project.run(&["source", "add", "zendesk", "--name", "z"]).fails(2, &["subdomain"]);
    let _ = project.run(&["source", "add", "nosuchtype"]).fails(2, &["source type", "hint:"]);
    let _ = add_stripe(&project, "../evil", &[]).fails(2, &["source name"]);
    let _ = add_stripe(&project, "a b", &[]).fails(2, &["source name"]);
    let _ = add_stripe(&project, "s", &["--set", "stripe_secret_key=canary"])
        .fails(2, &["stripe_secret_key", "hint:"])
        .hides(&["canary"]);
    let _ = add_stripe(&project, "s", &["--set", "nosuchfield=canary"])
        .fails(2, &["field"])
        .hides(&["=canary"]);
    let _ = add_stripe(&project, "s", &["--field", "nosuchfield"]).fails(2, &["field"]);
    assert_eq!((project.read(".dlt/secrets.toml"), crate::answers::names(&project.path())), before);
}

#[test]
fn two_accounts_of_one_type_are_two_sources_and_a_name_is_taken_once() {
    let project = Scratch::initialised();
    let _ = add_stripe(&project, "eu", &[]).success();
    let _ = add_stripe(&project, "us", &[]).success();
    let before = project.read(".dango/sources.yml");
    let _ = add_stripe(&project, "eu", &[]).fails(1, &["eu", "already"]);
    assert_eq!(project.read(".dango/sources.yml"), before);
    assert_eq!(revealed(&project, "sources.us.stripe_secret_key"), "rk_canary");
}

#[test]
fn edit_changes_a_field_and_leaves_the_rest_of_the_file() {
    let project = Scratch::initialised();
    project.write(
        ".dango/sources.yml",
        "# mine\nsources:\n  # the first\n  - name: eu  # europe\n    type: stripe\n    start_date: '2024-01-01'\n    unknown: kept\n",
    );
    let _ = project.run(&["source", "edit", "eu", "--set", "start_date=2025-05-05"]).success();
    let file = project.read(".dango/sources.yml");
    for kept in ["# mine\n", "# the first\n", "# europe\n", "unknown: kept\n", "2025-05-05"] {
        assert!(file.contains(kept), "{kept:?} in {file}");
    }
    let _ = project
        .dango(&["source", "edit", "eu", "--field", "stripe_secret_key"])
        .stdin("rk_canary")
        .run()
        .success();
    assert_eq!(revealed(&project, "sources.eu.stripe_secret_key"), "rk_canary");
    let _ = project.run(&["source", "edit", "nobody", "--set", "a=b"]).fails(1, &["nobody"]);
    let _ = project.run(&["source", "edit", "eu"]).fails(2, &["hint:"]);
}

#[test]
fn remove_is_confirmed_and_takes_the_credentials_only_when_wanted() {
    let project = Scratch::initialised();
    let _ = add_stripe(&project, "eu", &[]).success();
    let _ = project.run(&["source", "remove", "eu"]).fails(1, &["eu", "--yes"]);
    assert_eq!(listed(&project, "eu")["name"], "eu");
    let _ = project.run(&["source", "remove", "eu", "--yes", "--keep-credentials"]).success();
    assert_eq!(listed(&project, "eu"), serde_json::Value::Null);
    assert_eq!(revealed(&project, "sources.eu.stripe_secret_key"), "rk_canary");
    let _ = add_stripe(&project, "us", &[]).success();
    let _ = project.run(&["source", "remove", "us", "--yes"]).success();
    let _ = project
        .run(&["secrets", "get", "sources.us.stripe_secret_key"])
        .fails(1, &["sources.us"]);
    let _ = project.run(&["source", "remove", "nobody", "--yes"]).fails(1, &["nobody"]);
}

#[test]
fn list_says_what_is_missing() {
    let project = Scratch::initialised();
    project.write(".dango/sources.yml", "sources:\n  - name: eu\n    type: stripe\n");
    let row = listed(&project, "eu");
    assert_eq!(row["missing"], json!(["sources.eu.stripe_secret_key"]));
    let answer = project.run(&["source", "list"]).success();
    assert!(answer.stdout.contains("sources.eu.stripe_secret_key"), "{}", answer.stdout);
    crate::answers::set(&project, "sources.eu.stripe_secret_key", "v");
    assert_eq!(listed(&project, "eu")["missing"], json!([]));
}

#[test]
fn a_malformed_sources_file_is_named_with_line_and_column_and_never_written() {
    let project = Scratch::initialised();
    for (text, place) in [
        ("sources:\n  - name: [\n", "line"),
        ("sources: x\n", "line 1"),
        ("sources:\n- {name: a, type: b}\n- {name: a, type: b}\n", "line 3"),
    ] {
        project.write(".dango/sources.yml", text);
        let _ = project.run(&["source", "list"]).fails(1, &["sources.yml", place]);
        let _ = add_stripe(&project, "eu", &[]).fails(1, &["sources.yml", place]);
        assert_eq!(project.read(".dango/sources.yml"), text);
    }
    assert!(!project.read(".dlt/secrets.toml").contains("rk_"), "no half of it was written");
}

#[test]
fn sync_runs_the_command_with_the_credentials_and_passes_its_exit_status_on() {
    let project = Scratch::initialised();
    let _ = add_stripe(
        &project,
        "eu",
        &["--set", "sync=sh -c 'printf %s \"$SOURCES__EU__STRIPE_SECRET_KEY\"; exit 9'"],
    )
    .success();
    let answer = project.run(&["sync", "eu"]).ending_with(9);
    assert_eq!(answer.stdout, "rk_canary");
    let _ = project.run(&["source", "edit", "eu", "--set", "sync=no-such-command"]).success();
    let _ = project.run(&["sync", "eu"]).fails(127, &["no-such-command"]);
    let _ = project.run(&["source", "edit", "eu", "--set", "sync=pwd"]).success();
    std::fs::create_dir(project.path().join("below")).expect("the folder is ours");
    let answer = project.dango(&["sync", "eu"]).inside(project.path().join("below")).run().success();
    assert_eq!(
        answer.stdout,
        format!("{}\n", project.path().display()),
        "it runs in the project's folder"
    );
}

#[test]
fn sync_starts_nothing_without_complete_credentials() {
    let project = Scratch::initialised();
    project.write(
        ".dango/sources.yml",
        "sources:\n  - name: eu\n    type: stripe\n    sync: touch started\n  - name: none\n    type: chess\n",
    );
    let _ = project
        .run(&["sync", "eu"])
        .fails(1, &["eu", "sources.eu.stripe_secret_key", "hint:"]);
    assert!(!project.path().join("started").exists());
    let _ = project.run(&["sync", "none"]).fails(1, &["none", "sync"]);
    let _ = project.run(&["sync", "nobody"]).fails(1, &["nobody"]);
    let _ = project.run(&["sync"]).fails(2, &["SOURCE"]);
    crate::answers::set(&project, "sources.eu.stripe_secret_key", "v");
    project.write(
        ".dlt/secrets.toml",
        format!(
            "{}[dango.oauth.eu]\nexpires_at = \"2020-01-01T00:00:00Z\"\n",
            project.read(".dlt/secrets.toml")
        ),
    );
    let _ = project.run(&["sync", "eu"]).fails(1, &["eu", "expired"]);
    assert!(!project.path().join("started").exists());
}

#[test]
fn several_sources_are_checked_before_the_first_runs_and_a_failure_stops_the_rest() {
    let project = Scratch::initialised();
    project.write(
        ".dango/sources.yml",
        "sources:\n  - {name: one, type: chess, sync: [sh, -c, echo one]}\n  - {name: two, type: chess, sync: sh -c 'exit 5'}\n  \
         - {name: three, type: chess, sync: echo three}\n  - {name: bare, type: chess}\n",
    );
    assert_eq!(project.run(&["sync", "one", "three"]).success().stdout, "one\nthree\n");
    let answer = project.run(&["sync", "one", "two", "three"]).ending_with(5);
    assert_eq!(answer.stdout, "one\n");
    let answer = project.run(&["sync", "one", "bare"]).ending_with(1);
    assert_eq!(answer.stdout, "", "nothing ran");
}
