//! The pages and the cross-site rule in real Chromium: each test plays one scenario of `tests/browser/scenarios`. What people do and see
//! there is in the scenarios; here is what they are given.

use dango_tests::browser::{claim, run_script};
use dango_tests::{Scratch, Server, workspace_root};

/// Plays a scenario on a server of its own that has an administrator.
#[track_caller]
fn play(scenario: &str) {
    let project = Scratch::initialised();
    let server = Server::start(&project);
    claim(&server);
    act(scenario, &project, &server, &[]);
}

/// Plays a scenario on a running server.
#[track_caller]
fn act(scenario: &str, project: &Scratch, server: &Server, variables: &[(&str, &str)]) {
    let output = run_script(&format!("scenarios/{scenario}"), project, server, variables);
    assert_eq!(output.status, 0, "{scenario} fails\n{}{}", output.stdout, output.stderr);
}

#[test]
fn the_harness_finds_what_nobody_would_notice() {
    play("harness_itself");
}

#[test]
fn no_page_of_another_origin_changes_anything_and_the_own_one_does() {
    play("cross_site");
}

/// Every scenario is played by a test of this file: one that nobody starts would find nothing.
#[test]
fn no_scenario_is_left_out() {
    let folder = std::fs::read_dir(workspace_root().join("tests/browser/scenarios")).expect("a folder");
    for entry in folder {
        let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
        let name = name.trim_end_matches(".mjs");
        assert!(include_str!("mod.rs").contains(&format!("(\"{name}\"")), "no test plays {name}");
    }
}
