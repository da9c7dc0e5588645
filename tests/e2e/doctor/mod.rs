//! `dango doctor`: every fault alone and all together, healthy projects, what `--fix` does, and how it ends. Counterparts: the real git and dlt.

mod faults;
mod healthy;
mod house;
mod readers;
mod repairs;
mod seeds;

use std::collections::BTreeSet;

use dango_tests::{Output, Scratch};
use serde_json::Value;

use crate::answers::{Answer, set};
use crate::scan::git;

/// One finding: its code and its place.
pub(super) type Row = (String, String);

/// What no output may hold: part of every secret in these projects.
pub(super) const CANARY: &str = "kanarienvogel";

/// Runs a doctor and returns what it found, after a look at the form of every finding and at what is not said.
#[track_caller]
pub(super) fn examine(project: &Scratch, arguments: &[&str]) -> BTreeSet<Row> {
    let output = project.run(&[&["doctor", "--json"], arguments].concat());
    rows(&output)
}

#[track_caller]
pub(super) fn rows(output: &Output) -> BTreeSet<Row> {
    let list: Value = output.json();
    let rows: Vec<Row> = list.as_array().unwrap().iter().map(row).collect();
    assert_eq!(
        output.status,
        if rows.is_empty() { 0 } else { 3 },
        "{}\n{}",
        output.stdout,
        output.stderr
    );
    assert!(
        !output.stdout.contains(CANARY) && !output.stderr.contains(CANARY),
        "{}",
        output.stdout
    );
    let found: BTreeSet<Row> = rows.iter().cloned().collect();
    assert_eq!(found.len(), rows.len(), "nothing is told twice: {rows:?}");
    found
}

fn row(row: &Value) -> Row {
    let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["code", "path", "message", "fix", "fixable"]);
    assert!(row["fixable"].is_boolean());
    for text in ["code", "path", "message", "fix"] {
        assert!(!row[text].as_str().unwrap().is_empty(), "{row}");
    }
    let text = |key: &str| row[key].as_str().unwrap().to_owned();
    (text("code"), text("path"))
}

/// A project as a team has it: in git, with sources, a connection, encrypted values, a history and a log.
pub(super) fn full() -> Scratch {
    let project = Scratch::initialised();
    git(&project, &["init", "--quiet", "--initial-branch=main"]);
    let _ = project.run(&["key", "create", "--holder", "file"]).success();
    set(
        &project,
        "sources.stripe_analytics.stripe_secret_key",
        "sk_test_kanarienvogel_stripe",
    );
    for path in ["sources.shop.api_key", "sources.crm.api_token", "sources.erp.password"] {
        let set = project.dango(&["secrets", "set", "--encrypt", path]);
        let _ = set.stdin(format!("kanarienvogel of {path}")).run().success();
    }
    let append = "\n[sources.google_sheets.credentials]\nclient_id = \"1-a.apps.googleusercontent.com\"\nclient_secret = \"GOCSPX-kanarienvogel\"\n\
                  refresh_token = \"1//kanarienvogel\"\nproject_id = \"dango-oauth\"\n\n[dango.oauth.google_sheets]\nsource_type = \"google_sheets\"\n\
                  provider = \"google\"\nidentifier = \"ada@example.org\"\ncreated_at = \"2026-01-01T00:00:00Z\"\n\n\
                  [destination.postgres.credentials]\nhost = \"db.example.org\"\nport = 5432\npassword = \"0123456kanarienvogel\"\n";
    seeds::append(&project, ".dlt/secrets.toml", append);
    project.write(
        ".dango/sources.yml",
        "sources:\n  - name: stripe_analytics\n    type: stripe\n    sync: python pipeline.py\n  - name: google_sheets\n    type: google_sheets\n",
    );
    let _ = project
        .dango(&["env", "set", "WAREHOUSE_PASSWORD"])
        .stdin("kanarienvogel+warehouse")
        .run()
        .success();
    let _ = project.dango(&["env", "set", "GREETING"]).stdin("hello").run().success();
    project.write(".dlt/config.toml", "[runtime]\nlog_level = \"WARNING\"\n");
    project.write("pipeline.py", "import dlt\n");
    git(&project, &["add", "--all"]);
    git(&project, &["commit", "--quiet", "-m", "a project"]);
    project
}
