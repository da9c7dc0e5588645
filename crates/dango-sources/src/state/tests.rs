//! What counts as a credential that is there, and where.

use super::*;
use crate::catalogue;

fn state_of(yml: &str, present: &[&str]) -> CredentialState {
    let file = SourcesFile::parse(yml).expect("a file");
    let presence = |path: &CredentialPath| {
        let found = present.iter().find_map(|entry| {
            let (key, value) = entry.split_once('=').unwrap_or((entry, "x"));
            (key == path.to_string()).then_some(value)
        });
        found.map_or(Presence::Absent, Presence::of)
    };
    file.state(&file.sources()[0], &presence).expect("a known type")
}

fn missing(state: &CredentialState) -> Vec<String> {
    state.missing.iter().map(|missing| missing.path.to_string()).collect()
}

fn source(name: &str, source_type: &str) -> String {
    format!("sources:\n- name: {name}\n  type: {source_type}\n")
}

#[test]
fn a_source_is_complete_in_its_own_section_only() {
    let yml = source("stripe_eu", "stripe");
    assert_eq!(missing(&state_of(&yml, &[])), ["sources.stripe_eu.stripe_secret_key"]);
    assert_eq!(
        missing(&state_of(&yml, &["sources.other.stripe_secret_key"])),
        ["sources.stripe_eu.stripe_secret_key"]
    );
    assert!(state_of(&yml, &["sources.stripe_eu.stripe_secret_key"]).is_complete());
}

#[test]
fn empty_texts_and_placeholders_are_missing() {
    for (value, presence) in [
        ("", Presence::Empty),
        ("  ", Presence::Empty),
        ("<configure me>", Presence::Placeholder),
    ] {
        let state = state_of(&source("hubspot", "hubspot"), &[&format!("sources.hubspot.api_key={value}")]);
        assert_eq!(state.missing[0].presence, presence, "{value:?}");
    }
    assert_eq!(Presence::of("<b>7=x</b>"), Presence::Present);
}

#[test]
fn a_section_named_by_its_type_counts_unless_another_source_has_the_name() {
    let google = [
        "sources.google_sheets.credentials.client_id",
        "sources.google_sheets.credentials.client_secret",
        "sources.google_sheets.credentials.refresh_token",
    ];
    let alone = source("orders", "google_sheets");
    let state = state_of(&alone, &google);
    assert!(state.is_complete());
    assert_eq!(state.elsewhere.len(), 3);
    assert_eq!(state.elsewhere[0].path.to_string(), "sources.orders.credentials.client_id");

    let two = format!("{alone}- name: google_sheets\n  type: google_sheets\n");
    assert_eq!(
        missing(&state_of(&two, &google)).len(),
        3,
        "these are the other account's credentials"
    );
    let module = state_of(&source("pay", "stripe"), &["sources.stripe_analytics.stripe_secret_key"]);
    assert!(module.is_complete(), "dlt itself reads the section of its module");
}

#[test]
fn a_missing_project_id_is_a_default_to_write_not_a_hole() {
    let google = ["client_id", "client_secret", "refresh_token"].map(|key| format!("sources.google_sheets.credentials.{key}"));
    let google: Vec<&str> = google.iter().map(String::as_str).collect();
    let state = state_of(&source("google_sheets", "google_sheets"), &google);
    assert!(state.is_complete());
    assert_eq!(
        (state.defaults[0].path.to_string().as_str(), state.defaults[0].value),
        ("sources.google_sheets.credentials.project_id", "dango-oauth")
    );
}

#[test]
fn the_layouts_that_the_documentation_shows_are_read() {
    let flat = ["host", "port=5432", "database", "username", "password"].map(|key| format!("sources.my_postgres.{key}"));
    let flat: Vec<&str> = flat.iter().map(String::as_str).collect();
    let state = state_of(&source("my_postgres", "postgres"), &flat);
    assert!(state.is_complete(), "{:?}", missing(&state));
    assert!(
        state
            .elsewhere
            .iter()
            .any(|elsewhere| elsewhere.field == "password" && elsewhere.path.to_string() == "sources.my_postgres.credentials.password")
    );
    assert!(state_of(&source("stripe", "stripe"), &["sources.stripe.api_key"]).is_complete());
}

#[test]
fn one_complete_variant_is_enough_and_the_furthest_one_is_named() {
    let zendesk = source("zendesk", "zendesk");
    let at = |key: &str| format!("sources.zendesk.credentials.{key}");
    assert!(state_of(&zendesk, &[&at("subdomain"), &at("oauth_token")]).is_complete());
    let half = state_of(&zendesk, &[&at("subdomain"), &at("email"), &at("password=")]);
    assert_eq!(half.variant.map(|variant| variant.name), Some("password"));
    assert_eq!(missing(&half), ["sources.zendesk.credentials.password"]);
    assert_eq!(missing(&state_of(&zendesk, &[])).len(), 3);

    let postgres = source("pg", "postgres");
    assert!(state_of(&postgres, &["sources.pg.credentials"]).is_complete());
    let half = state_of(&postgres, &["sources.pg.credentials.password"]);
    assert_eq!(half.variant.map(|variant| variant.name), Some("parts"));
}

#[test]
fn a_bucket_needs_nothing_until_a_part_of_a_key_is_there() {
    let filesystem = source("filesystem", "filesystem");
    assert!(state_of(&filesystem, &[]).is_complete());
    let half = state_of(&filesystem, &["sources.filesystem.credentials.aws_access_key_id"]);
    assert_eq!(missing(&half), ["sources.filesystem.credentials.aws_secret_access_key"]);
}

#[test]
fn auth_type_chooses_the_variant() {
    let api = |auth_type: &str| {
        format!(
            "{}  rest_api:\n    base_url: https://x\n    auth_type: {auth_type}\n",
            source("api", "rest_api")
        )
    };
    assert_eq!(
        missing(&state_of(&api("basic"), &["sources.api.token"])),
        ["sources.api.username", "sources.api.password"]
    );
    assert!(state_of(&api("none"), &[]).is_complete());
    assert_eq!(missing(&state_of(&source("api", "rest_api"), &[])), ["sources.api.token"]);
}

#[test]
fn settings_count_wherever_they_stand_and_are_no_credentials() {
    let github = source("gh", "github");
    let state = state_of(&github, &["sources.gh.access_token"]);
    assert!(state.is_complete());
    let unset: Vec<&str> = state.unset_settings.iter().map(|field| field.name).collect();
    assert_eq!(unset, ["owner", "repository"]);
    let nested = format!("{github}  github:\n    owner: a\n    name: b\n");
    assert!(state_of(&nested, &[]).unset_settings.is_empty());
    let facebook = format!("{}  facebook_ads: {{account_id: 12}}\n", source("fb", "facebook_ads"));
    let state = state_of(&facebook, &["sources.fb.access_token"]);
    assert!(state.is_complete());
    assert_eq!(state.elsewhere[0].found, None);
}

#[test]
fn a_secret_in_the_wrong_file_does_not_count() {
    let yml = format!("{}  stripe_secret_key: sk_canary\n", source("stripe", "stripe"));
    assert!(!state_of(&yml, &[]).is_complete());
}

#[test]
fn the_variable_of_earlier_versions_is_known() {
    let yml = format!("{}  stripe:\n    stripe_secret_key_env: PAY_KEY\n", source("pay", "stripe"));
    let file = SourcesFile::parse(&yml).expect("a file");
    let field = catalogue()
        .find(&"stripe".parse().expect("a type"))
        .and_then(|spec| spec.field("stripe_secret_key"));
    let field = field.expect("a field");
    assert_eq!(
        file.sources()[0].earlier_variable(field).map(|name| name.to_string()).as_deref(),
        Some("PAY_KEY")
    );
    let file = SourcesFile::parse(&source("pay", "stripe")).expect("a file");
    assert_eq!(
        file.sources()[0].earlier_variable(field).map(|name| name.to_string()).as_deref(),
        Some("STRIPE_API_KEY")
    );
}

#[test]
fn types_without_credentials_are_complete() {
    for name in ["csv", "local_files", "dlt_native", "chess"] {
        assert!(state_of(&source("x", name), &[]).is_complete(), "{name}");
    }
}
