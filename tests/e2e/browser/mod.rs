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

#[test]
fn from_the_first_start_to_a_signed_in_administrator() {
    let project = Scratch::initialised();
    let server = Server::start(&project);
    act("first_start", &project, &server, &[("DANGO_TEST_SETUP_LINK", &server.setup_link())]);
}

#[test]
fn variables_are_added_edited_and_deleted() {
    play("variables");
}

#[test]
fn a_temporary_password_is_changed_before_anything_else() {
    play("temporary_password");
}

#[test]
fn an_invitation_is_accepted_once() {
    play("invitation");
}

#[test]
fn a_second_factor_is_switched_on_used_renewed_and_switched_off() {
    play("second_factor");
}

#[test]
fn sessions_of_two_browsers_end_each_other() {
    play("sessions");
}

#[test]
fn an_api_key_is_made_copied_used_and_revoked() {
    play("api_keys");
}

#[test]
fn a_locked_account_counts_down() {
    play("lockout");
}

#[test]
fn users_in_all_five_states_are_told_apart() {
    play("users");
}

#[test]
fn the_audit_log_is_filtered_verified_and_exported() {
    play("audit");
}

#[test]
fn without_script_people_get_in_and_out() {
    play("without_script");
}

#[test]
fn the_keyboard_alone_reaches_and_works_everything() {
    play("keyboard");
}

#[test]
fn pages_are_light_and_lead_back() {
    play("weight");
}

#[test]
fn a_thousand_rows_are_searched_sorted_and_paged() {
    play("many_rows");
}

#[test]
fn every_component_in_every_state_is_accessible() {
    play("components");
}

#[test]
fn every_page_is_drawn_for_review() {
    let project = Scratch::initialised();
    let server = Server::start(&project);
    claim(&server);
    let folder = project.everything().join("pictures");
    let variables = [
        ("DANGO_SCREENSHOTS", folder.to_str().expect("UTF-8")),
        ("DANGO_SCREENSHOTS_QUICK", "1"),
    ];
    let output = run_script("screenshots", &project, &server, &variables);
    assert_eq!(output.status, 0, "{}{}", output.stdout, output.stderr);
    let pictures = std::fs::read_dir(folder).expect("it was made").count();
    assert!(pictures >= 20, "{pictures} pictures");
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
