//! The catalogue is complete and consistent, and names what real dlt reads.

use std::collections::HashSet;

use dango_core::VariableName;

use super::*;
use crate::Value;

fn spec(name: &str) -> &'static TypeSpec {
    catalogue().find(&name.parse().expect("a type")).expect("in the catalogue")
}

#[test]
fn every_type_of_earlier_versions_is_there() {
    let all = [
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
    ];
    assert_eq!(catalogue().types().len(), all.len());
    for name in all {
        assert_eq!(spec(name).name, name);
    }
}

#[test]
fn every_row_is_consistent() {
    let mut titles = HashSet::new();
    for spec in catalogue().types() {
        let context = spec.name;
        assert!(spec.name.parse::<SourceType>().is_ok(), "{context}");
        assert!(spec.default_name().parse::<dango_core::SourceName>().is_ok(), "{context}");
        assert!(titles.insert(spec.title), "{context}: title given twice");
        assert!(spec.module.is_some() || spec.source_names.is_empty(), "{context}");
        assert!(spec.module.is_none_or(|module| !spec.source_names.contains(&module)), "{context}");
        assert!(spec.credentials_url.is_none_or(|url| url.starts_with("https://")), "{context}");
        let mut names = HashSet::new();
        for field in spec.fields {
            let context = format!("{context}.{}", field.name);
            for name in std::iter::once(&field.name).chain(field.also) {
                assert!(names.insert(*name), "{context}: {name} given twice");
            }
            assert!(
                !field.secret || field.place != Place::SourcesFile,
                "{context}: a secret in sources.yml"
            );
            assert!(!field.secret || field.default.is_none(), "{context}: a secret with a default");
            assert!(!field.label.is_empty() && !field.help.is_empty(), "{context}");
            assert!(!field.help.ends_with('.') && !field.help.contains('\n'), "{context}");
            assert!(
                field
                    .earlier_variable
                    .is_none_or(|variable| variable.parse::<VariableName>().is_ok()),
                "{context}"
            );
            assert!(
                field.place != Place::SourcesFile || !["name", "type", "sync", "enabled", "description"].contains(&field.name),
                "{context}: the name of a member that every source has"
            );
            if let Some(default) = field.default {
                assert!(field.parse_value(default).is_ok(), "{context}");
            }
        }
        for variant in spec.variants {
            for name in variant.needs.iter().chain(variant.takes) {
                assert!(spec.fields.iter().any(|field| field.name == *name), "{context}: {name} is no field");
            }
        }
        let has_credentials = spec
            .fields
            .iter()
            .any(|field| field.secret && (field.required || !spec.is_common(field)));
        assert_eq!(has_credentials, spec.auth != AuthKind::None, "{context}");
    }
}

#[test]
fn types_come_by_category_and_title() {
    let types = catalogue().types();
    let order: Vec<_> = types.iter().map(|spec| (spec.category, spec.title.to_lowercase())).collect();
    let mut sorted = order.clone();
    sorted.sort();
    assert_eq!(order, sorted);
    assert_eq!(types[0].category, Category::LocalAndCustom);
}

#[test]
fn paths_are_those_that_dlt_reads() {
    let path = |source_type: &str, name: &str, field: &str| {
        let spec = spec(source_type);
        let field = spec.field(field).expect("a field");
        spec.path(&name.parse().expect("a name"), field).map(|path| path.to_string())
    };
    for (source_type, field, expected) in [
        ("stripe", "stripe_secret_key", "sources.stripe_analytics.stripe_secret_key"),
        ("shopify", "private_app_password", "sources.shopify_dlt.private_app_password"),
        ("asana", "access_token", "sources.asana_dlt.access_token"),
        ("postgres", "password", "sources.sql_database.credentials.password"),
        ("postgres", "credentials", "sources.sql_database.credentials"),
        ("google_sheets", "refresh_token", "sources.google_sheets.credentials.refresh_token"),
        ("google_ads", "dev_token", "sources.google_ads.dev_token"),
        ("facebook_ads", "account_id", "sources.facebook_ads.account_id"),
        ("kafka", "bootstrap_servers", "sources.kafka.credentials.bootstrap_servers"),
        ("zendesk", "token", "sources.zendesk.credentials.token"),
        ("pipedrive", "pipedrive_api_key", "sources.pipedrive.pipedrive_api_key"),
    ] {
        assert_eq!(
            path(source_type, spec(source_type).default_name(), field).as_deref(),
            Some(expected)
        );
    }
    assert_eq!(path("github", "github", "owner"), None);
}

/// What dlt answered when it was asked for each section; made by `dlt_sections.py`.
const DLT: &str = include_str!("../../tests/fixtures/dlt_sections.json");

#[test]
fn sections_are_read_as_dlt_reads_them() {
    let answers: serde_json::Value = serde_json::from_str(DLT).expect("JSON");
    let cases = answers["cases"].as_array().expect("a list");
    let mut compared = 0;
    for case in cases {
        let text = |key: &str| case[key].as_str().expect("a text");
        let spec = catalogue()
            .types()
            .into_iter()
            .find(|spec| spec.module == Some(text("module")))
            .expect("a type of this module");
        let name = text("section").parse().expect("a name");
        let nested = spec.fields.iter().any(|field| field.secret && field.place == Place::Credentials);
        let layout = match text("layout") {
            "url" => true,
            layout => (layout == "nested") == nested,
        };
        let cloned = case["cloned"].as_bool().expect("a boolean");
        let expected = layout && (cloned || spec.is_read_by_dlt(&name));
        assert_eq!(case["found"].as_bool(), Some(expected), "{case}");
        compared += 1;
    }
    assert!(compared >= 15, "{compared}");
}

#[test]
fn a_type_that_was_meant_is_found() {
    for (text, expected) in [
        ("Google Sheets", "google_sheets"),
        ("google-sheets", "google_sheets"),
        ("gogle_sheets", "google_sheets"),
        ("postgresql", "postgres"),
        ("Postgre", "postgres"),
        ("strpie", "stripe"),
        ("mysqll", "mysql"),
        ("hub_spot", "hubspot"),
        ("sheets", "google_sheets"),
        ("s3", "filesystem"),
    ] {
        assert_eq!(catalogue().suggest(text).map(|spec| spec.name), Some(expected), "{text}");
    }
    for text in ["", "x", "google", "ads", "completely_else", &"a".repeat(100_000)] {
        assert!(catalogue().suggest(text).is_none(), "{:.20}", text);
    }
}

#[test]
fn typed_values_fit_their_kind() {
    let field = |source_type: &str, field: &str| spec(source_type).field(field).expect("a field");
    assert_eq!(field("matomo", "site_id").parse_value(" 7 "), Ok(Value::Number("7".to_owned())));
    assert_eq!(
        field("matomo", "site_id").parse_value("seven").expect_err("no number").to_string(),
        "site_id must be an integer"
    );
    let list = Value::List(vec![Value::String("a b".to_owned()), Value::String("c".to_owned())]);
    assert_eq!(field("slack", "selected_channels").parse_value("a b, c,"), Ok(list.clone()));
    assert_eq!(field("slack", "selected_channels").parse_value("[\"a b\", c]"), Ok(list));
    assert!(field("slack", "selected_channels").parse_value("[a").is_err());
    assert!(field("notion", "database_ids").parse_value("[{\"id\": \"x\"}]").is_ok());
    assert!(field("notion", "database_ids").parse_value("x").is_err());
    assert_eq!(field("kinesis", "parse_json").parse_value("false"), Ok(Value::Boolean(false)));
    assert!(field("kinesis", "parse_json").parse_value("maybe").is_err());
}
