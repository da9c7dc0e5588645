//! The pages and the cross-site rule in real Chromium: each test plays one scenario of `tests/browser/scenarios`. What people do and see
//! there is in the scenarios; here is what they are given.

use std::sync::Mutex;

use dango_tests::browser::{claim, exhibition, run_script};
use dango_tests::provider::{Answers, Fake, Gate, Google, Reply, Seen};
use dango_tests::{Certified, Scratch, Server, workspace_root};

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
fn people_sign_in_with_an_account_elsewhere() {
    play_with_provider("social_login");
}

#[test]
fn an_account_elsewhere_is_linked_and_unlinked() {
    play_with_provider("linked_login");
}

#[test]
fn a_card_changes_at_the_second() {
    play("cards");
}

/// Plays a scenario on a server at which people may sign in at the certified provider.
#[track_caller]
fn play_with_provider(scenario: &str) {
    let provider = Certified::start(&["http://localhost/api/auth/oauth/oidc/callback"]);
    let mut project = Scratch::initialised();
    project.give("DANGO_LOGIN_OIDC_SECRET", provider.client_secret());
    let options = [
        ["--login-oidc-issuer", provider.issuer()],
        ["--login-oidc-client", provider.client_id()],
        ["--login-oidc-title", "Example"],
        ["--login-by-email", "oidc"],
    ];
    let server = Server::start_with(&project, &options.concat());
    claim(&server);
    act(scenario, &project, &server, &[("DANGO_TEST_PROVIDER", provider.issuer())]);
}

#[test]
fn a_source_is_connected_reconnected_and_disconnected_and_its_card_says_how_it_stands() {
    let google = Fake::start(ToldGoogle {
        google: Google::new(),
        gate: Mutex::default(),
    });
    google.provider().google.testing();
    let mut project = Scratch::initialised();
    google.stands_in_for("google", &mut project);
    project.write(".env", "GOOGLE_CLIENT_ID=client-1\nGOOGLE_CLIENT_SECRET=canary-app-secret\n");
    let own = rcgen::generate_simple_self_signed(["dango.test".to_owned()]).expect("a certificate");
    project.write("cert.pem", own.cert.pem());
    project.write("key.pem", own.signing_key.serialize_pem());
    let options = [
        "--public-url",
        "https://dango.test",
        "--tls-cert",
        "cert.pem",
        "--tls-key",
        "key.pem",
    ];
    let server = Server::start_with(&project, &options);
    let variables = [
        ("DANGO_TEST_URL", "https://dango.test"),
        ("DANGO_TEST_ADDRESS", &server.address().to_string()),
        ("DANGO_TEST_PROVIDER", &google.origin()),
    ];
    act("connections", &project, &server, &variables);
    assert_eq!(google.asked("/revoke").len(), 1, "what was disconnected is given back");
    let written = project.read(".dlt/secrets.toml");
    assert!(written.contains("client_id") && written.contains("refresh_token"), "{written}");
}

/// Google, which a scenario can tell what happens meanwhile.
struct ToldGoogle {
    google: Google,
    /// Before the page on which somebody is asked.
    gate: Mutex<Option<Gate>>,
}

impl ToldGoogle {
    fn gate(&self) -> Option<Gate> {
        self.gate.lock().expect("no thread failed").clone()
    }
}

impl Answers for ToldGoogle {
    fn answer(&self, seen: &Seen, origin: &str) -> Reply {
        let said = |name| seen.query(name).unwrap_or_default();
        match seen.path() {
            "/tell/account" => self.google.account(&said("email")),
            "/tell/untick" => self.google.untick(&said("scope")),
            "/tell/deny" => self.google.deny(),
            "/tell/hold" => *self.gate.lock().expect("no thread failed") = Some(Gate::shut()),
            "/tell/wait" => self.gate().iter().for_each(Gate::wait_for_somebody),
            "/tell/release" => self.gate.lock().expect("no thread failed").take().iter().for_each(Gate::open),
            "/authorize" => {
                self.gate().iter().for_each(Gate::pass);
                return self.google.answer(seen, origin);
            }
            _ => return self.google.answer(seen, origin),
        }
        Reply::json(200, "{}")
    }
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
    let mut project = Scratch::initialised();
    let server = exhibition(&mut project);
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
