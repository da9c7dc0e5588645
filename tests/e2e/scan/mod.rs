//! `dango scan`: what is found where, what is never printed, and how it ends. The counterpart is the real git.
//!
//! | What is promised | Test |
//! |---|---|
//! | committed and deleted three commits ago | `history::a_value_that_was_committed_and_deleted_three_commits_ago_is_found_with_its_commit` |
//! | base64 in a notebook, URL-encoded in a log | `tree::a_value_is_found_in_base64_in_a_notebook_url_encoded_in_a_log_and_in_hex` |
//! | staged changes, the hook before each commit | `history::a_staged_value_…`, `hook::*` |
//! | nothing in a clean public tree, and what is put there | `crates/dango-scan/tests/public_tree.rs` |
//! | what machines draw is found, whatever the alphabet | `dango_scan::tokens::tests::nearly_all_that_machines_draw_…` |
//! | baseline, SARIF | `baseline::*`, `crates/dango-scan/tests/sarif.rs` |
//! | never prints what it found | `scan` below, in every test |
//! | hostile repositories start nothing, fetch nothing | `dango_scan::git::tests::nothing_that_a_repositorys_configuration_names_is_started`, `…a_clone_without_all_of_its_history_…` |
//! | what could not be searched is said | `obstacles::*`, `odd::*` |
//! | speed: 100 ms for a staged change, 100 MB/s on a tree | `cargo xtask bench scan-tree scan-tokens scan-staged` |

mod baseline;
mod history;
mod hook;
mod obstacles;
mod odd;
mod tree;

use dango_tests::{Canary, Output, Scratch};
use serde_json::Value;

use crate::answers::set;

/// A token of GitHub's format, the example of its own documentation; put together here so that no scanner finds it in this file.
pub(super) const TOKEN: &str = concat!("ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17");
/// The credential that holds the canary.
pub(super) const PATH: &str = "sources.stripe.api_key";

/// A project in a repository, with one credential.
pub(super) fn project(name: &str) -> (Scratch, Canary) {
    let (project, canary) = (Scratch::initialised(), Canary::new(name));
    git(&project, &["init", "--quiet", "--initial-branch=main"]);
    set(&project, PATH, canary.value());
    (project, canary)
}

pub(crate) fn git(project: &Scratch, arguments: &[&str]) -> String {
    project.command("git", arguments).run().success().stdout.trim_end().to_owned()
}

pub(super) fn commit(project: &Scratch, message: &str) -> String {
    git(project, &["add", "--all"]);
    git(project, &["commit", "--quiet", "--allow-empty", "-m", message]);
    git(project, &["rev-parse", "HEAD"])
}

/// One finding as `--json` tells it: file, line, path, rule, commit.
pub(super) type Row = (String, u64, Option<String>, String, Option<String>);

/// Runs a scan that is to find something (or not), sees that nothing of the canary is printed, and returns its findings.
pub(super) fn scan(project: &Scratch, canary: &Canary, arguments: &[&str]) -> Vec<Row> {
    let output = project.run(&[&["scan", "--json"], arguments].concat());
    canary.assert_absent_from(&output);
    let rows = rows(&output);
    assert_eq!(output.status, if rows.is_empty() { 0 } else { 3 }, "{}", output.stderr);
    rows
}

fn rows(output: &Output) -> Vec<Row> {
    let list: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {} {}", output.stdout, output.stderr));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let row = |row: &Value| {
        let keys: Vec<&String> = row.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["file", "line", "path", "rule", "commit"]);
        (
            text(&row["file"]).unwrap(),
            row["line"].as_u64().unwrap(),
            text(&row["path"]),
            text(&row["rule"]).unwrap(),
            text(&row["commit"]),
        )
    };
    list.as_array().unwrap().iter().map(row).collect()
}

/// A finding of the project's own value.
pub(super) fn known(file: &str, line: u64, commit: Option<&str>) -> Row {
    (
        file.to_owned(),
        line,
        Some(PATH.to_owned()),
        "known-value".to_owned(),
        commit.map(str::to_owned),
    )
}
