//! Projects with which nothing is wrong: a doctor says so, whatever they look like.

use std::collections::BTreeSet;

use dango_tests::{Canary, Scratch, python};

use super::{examine, full, seeds};
use crate::scan::git;

#[track_caller]
fn assert_healthy(project: &Scratch) {
    assert_eq!(examine(project, &[]), BTreeSet::new());
    let said = project.run(&["doctor"]).success();
    assert_eq!(
        (said.stdout.as_str(), said.stderr.as_str()),
        ("", "nothing is wrong with this project\n")
    );
}

#[test]
fn a_fresh_project_is_healthy_with_git_and_without() {
    let project = Scratch::initialised();
    assert_healthy(&project);
    git(&project, &["init", "--quiet"]);
    assert_healthy(&project);
}

#[test]
fn a_project_in_daily_use_is_healthy() {
    let project = full();
    assert_healthy(&project);
    let quiet = project.run(&["--quiet", "doctor"]).success();
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

#[test]
fn a_project_with_people_and_a_log_is_healthy() {
    let project = crate::auth::with_admin();
    let canary = Canary::new("healthy");
    crate::answers::set(&project, "sources.shop.api_key", canary.value());
    assert_healthy(&project);
}

/// Real dlt makes it; its files are made private, its placeholders are replaced, and nothing of Dango's is in it.
#[test]
fn a_project_of_dlts_own_is_healthy_once_it_is_filled_in() {
    let project = Scratch::new();
    let make =
        "umask 077; printf 'y\\n' | \"$0\" -m dlt._workspace.cli init chess duckdb || printf 'y\\n' | \"$0\" -m dlt init chess duckdb";
    let made = project.command("sh", &["-c".as_ref(), make.as_ref(), python().as_os_str()]).run();
    if !project.path().join(".dlt").is_dir() {
        // Its templates come from the network; what it writes is known all the same.
        assert!(!made.stderr.is_empty() || !made.stdout.is_empty());
        project.write(
            ".dlt/config.toml",
            "# put your configuration values here\n\n[runtime]\nlog_level = \"WARNING\"\n",
        );
        project.write(".dlt/secrets.toml", "[destination.duckdb]\n# put your secret values here\n");
        project.write(
            ".gitignore",
            "# ignore secrets, virtual environments and typical python compilation artifacts\nsecrets.toml\n*.secrets.toml\n",
        );
        seeds::chmod(&project, ".dlt", 0o700);
        seeds::chmod(&project, ".dlt/secrets.toml", 0o600);
    }
    seeds::append(
        &project,
        ".dlt/secrets.toml",
        "\n[sources.shop]\napi_key = \"kanarienvogel-shop\"\n",
    );
    assert_healthy(&project);
    git(&project, &["init", "--quiet"]);
    assert_healthy(&project);
}

/// The form of an earlier Dango: sections named by type, records with naive times, its own files in `.dango/`.
#[test]
fn a_project_of_an_earlier_dango_is_healthy() {
    let project = Scratch::initialised();
    project.write(".dango/project.yml", "project:\n  name: shop\n  created: 2024-05-01\n");
    project.write(
        ".dango/sources.yml",
        "version: '1.0'\nsources:\n  - name: orders\n    type: stripe\n    enabled: true\n    stripe:\n      stripe_secret_key_env: STRIPE_API_KEY\n  \
         - name: campaigns\n    type: facebook_ads\n    enabled: true\n  - name: sheet\n    type: google_sheets\n    enabled: true\n",
    );
    seeds::append(&project, ".env", "STRIPE_API_KEY=sk_test_kanarienvogel\n");
    seeds::append(
        &project,
        ".dlt/secrets.toml",
        "\n[sources.facebook_ads]\naccess_token = \"EAAkanarienvogel\"\naccount_id = \"123456\"\n\n[sources.google_sheets.credentials]\n\
         client_id = \"1-a\"\nclient_secret = \"GOCSPX-kanarienvogel\"\nrefresh_token = \"1//kanarienvogel\"\nproject_id = \"dango-oauth\"\n\n\
         [dango.oauth.google_sheets]\nprovider = \"google\"\nidentifier = \"ada@example.org\"\ncreated_at = \"2024-05-01T10:00:00.123456\"\n",
    );
    assert_healthy(&project);
}
