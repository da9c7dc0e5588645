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
fn a_file_that_is_encrypted_as_a_whole_may_be_committed() {
    let project = Scratch::initialised();
    git(&project, &["init", "--quiet"]);
    let _ = project.run(&["key", "create", "--holder", "file"]).success();
    let set = project.dango(&["secrets", "set", "--encrypt", "sources.shop.api_key"]);
    let _ = set.stdin("kanarienvogel").run().success();
    git(&project, &["add", "--force", ".dlt/secrets.toml"]);
    assert_healthy(&project);
    seeds::append(&project, ".dlt/secrets.toml", "\n[sources.crm]\nkey = \"kanarienvogel-plain\"\n");
    assert_eq!(
        examine(&project, &[]),
        [("tracked".to_owned(), ".dlt/secrets.toml".to_owned())].into()
    );
}

#[test]
fn a_project_with_people_and_a_log_is_healthy() {
    let project = crate::auth::with_admin();
    let canary = Canary::new("healthy");
    crate::answers::set(&project, "sources.shop.api_key", canary.value());
    assert_healthy(&project);
}

/// Real dlt makes it, nothing of Dango's is in it: what it asks for is told, and once it is there, nothing is.
#[test]
fn a_project_of_dlts_own_is_healthy_once_it_is_filled_in() {
    let project = Scratch::new();
    let make = "umask 077; printf 'y\\ny\\n' | \"$0\" -m dlt init sql_database duckdb";
    let made = project.command("sh", &["-c".as_ref(), make.as_ref(), python().as_os_str()]);
    let _ = made.run().success();
    seeds::chmod(&project, ".dlt/config.toml", 0o644);
    let found = examine(&project, &[]);
    assert!(found.iter().all(|(code, _)| code == "placeholder"), "{found:?}");
    assert!(
        found.contains(&("placeholder".to_owned(), "sources.sql_database.credentials.password".to_owned())),
        "{found:?}"
    );
    for (name, value) in [
        ("password", "kanarienvogel-db"),
        ("drivername", "postgresql"),
        ("host", "db"),
        ("database", "shop"),
        ("username", "ada"),
        ("table", "orders"),
    ] {
        for file in [".dlt/secrets.toml", ".dlt/config.toml"] {
            let text = project.read(file);
            let path = project.path().join(file);
            std::fs::write(
                path,
                text.replace(&format!("{name} = \"<configure me>\""), &format!("{name} = \"{value}\"")),
            )
            .unwrap();
        }
    }
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
