//! What is promised of the table of events: spelling, uniqueness, the mapping to the OWASP vocabulary.

use super::*;

/// The 50 names of getdango 1.0.6 and the one that 1.0.13 adds.
const EARLIER: &str = "login_success login_failure logout session_expired password_change password_reset user_created user_deactivated \
    user_reactivated user_deleted role_changed permission_denied rate_limit_hit account_locked account_unlocked two_fa_enabled \
    two_fa_disabled api_key_created api_key_revoked recovery_code_used invite_accepted invite_resent secret_set secret_deleted \
    oauth_source_connected oauth_source_disconnected script_run script_cancelled schedule_created schedule_updated schedule_deleted \
    schedule_triggered schedules_reloaded job_cancelled sync_triggered notebook_created notebook_deleted notebook_lock_force_released \
    notebook_marimo_restarted governance_drift_viewed governance_pii_viewed catalog_viewed monitoring_viewed ai_catalog_viewed \
    deployment_history_viewed governance_drift_accepted query_executed csv_uploaded csv_deleted catalog_profile_triggered \
    telemetry_toggled";

#[test]
fn the_names_of_earlier_versions_keep_their_spelling() {
    assert_eq!(EARLIER.split_whitespace().count(), 51);
    for (index, name) in EARLIER.split_whitespace().enumerate() {
        assert_eq!(name.parse::<Event>(), Ok(Event::ALL[index]), "{name}");
    }
}

#[test]
fn every_name_is_one_word_and_stands_for_one_event() {
    let mut names: Vec<&str> = Event::ALL.iter().map(|event| event.as_str()).collect();
    for name in &names {
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        assert_eq!(name.parse::<Event>().map(Event::as_str), Ok(*name));
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Event::ALL.len());
    for wrong in ["", "Login_Success", "login_success ", "nothing"] {
        assert_eq!(wrong.parse::<Event>(), Err(UnknownEvent));
    }
}

#[test]
fn failures_and_refusals_have_the_words_that_monitoring_looks_for() {
    let cases = [
        (Event::LoginSuccess, Outcome::Success, "authn_login_success"),
        (Event::LoginFailure, Outcome::Failure, "authn_login_fail"),
        (Event::LoginFailure, Outcome::Denied, "authn_login_fail"),
        (Event::AccountLocked, Outcome::Success, "authn_login_lock"),
        (Event::PasswordChange, Outcome::Success, "authn_password_change"),
        (Event::PasswordChange, Outcome::Failure, "authn_password_change_fail"),
        (Event::TwoFaVerified, Outcome::Failure, "authn_login_fail"),
        (Event::TwoFaVerified, Outcome::Denied, "authn_login_fail"),
        (Event::CrossSiteRefused, Outcome::Denied, "malicious_cors"),
        (Event::SessionUseAfterExpire, Outcome::Denied, "session_use_after_expire"),
        (Event::SessionRowInvalid, Outcome::Denied, "malicious_direct_reference"),
        (Event::PermissionDenied, Outcome::Denied, "authz_fail"),
        (Event::SecretSet, Outcome::Success, "sensitive_update"),
        (Event::SecretSet, Outcome::Denied, "authz_fail"),
        (Event::RoleChanged, Outcome::Success, "authz_change"),
        (Event::ApiKeyCreated, Outcome::Success, "authn_token_created"),
        (Event::SecretsDecrypted, Outcome::Failure, "crypt_decrypt_fail"),
        (Event::RateLimitHit, Outcome::Failure, "excess_rate_limit_exceeded"),
        (Event::RateLimitHit, Outcome::Denied, "excess_rate_limit_exceeded"),
        (Event::ServerStarted, Outcome::Success, "sys_startup"),
    ];
    for (event, outcome, word) in cases {
        assert_eq!(event.owasp(Some(outcome)).as_str(), word, "{event} {outcome:?}");
    }
}

#[test]
fn the_page_of_events_is_the_table() {
    let page = include_str!("../../../../docs/formats/audit-events.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let table: Vec<String> = Event::ALL
        .iter()
        .map(|event| {
            let word = |outcome| event.owasp(Some(outcome)).as_str();
            let (name, category) = (event.as_str(), event.category().as_str());
            format!(
                "| `{name}` | {category} | {} | {} | {} |",
                word(Outcome::Success),
                word(Outcome::Failure),
                word(Outcome::Denied)
            )
        })
        .collect();
    assert!(
        rows == table,
        "docs/formats/audit-events.md must hold these rows:\n{}",
        table.join("\n")
    );
}

#[test]
fn every_word_of_the_vocabulary_is_used() {
    let outcomes = [Outcome::Success, Outcome::Failure, Outcome::Denied];
    for word in Owasp::ALL {
        let used = |event: &Event| outcomes.iter().any(|outcome| event.owasp(Some(*outcome)) == *word);
        assert!(Event::ALL.iter().any(used), "{}", word.as_str());
    }
}
