//! Real dlt resolves one credential of each kind in the catalogue with its own specs, through the file and through `dango run`.

use dango_tests::Scratch;
use serde_json::{Map, Value, json};

use crate::answers::set;
use crate::dlt::{from_file, from_run};

const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC+/=\nabc\n-----END PRIVATE KEY-----\n";

/// A credential object: the source it belongs to, dlt's spec for it, what is stored below `sources.SOURCE`, and what dlt is to make of it.
struct Kind {
    source: &'static str,
    spec: &'static str,
    stored: Value,
    expected: Value,
}

impl Kind {
    /// Fields that are stored one by one below `credentials` and come back as they are.
    fn fields(source: &'static str, spec: &'static str, fields: Value) -> Self {
        Self {
            source,
            spec,
            stored: json!({ "credentials": fields }),
            expected: fields,
        }
    }

    /// One text that dlt takes apart.
    fn text(source: &'static str, spec: &'static str, text: &str, expected: Value) -> Self {
        Self {
            source,
            spec,
            stored: json!({ "credentials": text }),
            expected,
        }
    }
}

#[rustfmt::skip]
fn kinds() -> Vec<Kind> {
    let key_file = json!({ "type": "service_account", "project_id": "p", "private_key_id": "1f", "private_key": PEM, "client_email": "a@p" });
    vec![
        Kind::fields("google_sheets", "GcpOAuthCredentials", json!({
            "client_id": "1-a.apps.googleusercontent.com", "client_secret": "GOCSPX-$x{y}\\", "refresh_token": "1//0e\"'#${A}", "project_id": "p",
        })),
        Kind::fields("google_analytics", "GcpOAuthCredentials", json!({
            "client_id": "c", "client_secret": "00123", "refresh_token": "1e5", "project_id": "true",
            "scopes": ["https://www.googleapis.com/auth/analytics.readonly", "openid"],
        })),
        Kind::fields("filesystem_gcs", "GcpServiceAccountCredentials", json!({ "project_id": "p", "private_key": PEM, "client_email": "a@p.iam.gserviceaccount.com" })),
        Kind::text("service_account_file", "GcpServiceAccountCredentials", &format!("{key_file:#}"), json!({
            "private_key": PEM, "client_email": "a@p", "private_key_id": "1f",
        })),
        Kind::text("postgres", "ConnectionStringCredentials", "postgresql://u:p%40s%23s@db.example.org:5432/d?sslmode=require", json!({
            "drivername": "postgresql", "username": "u", "password": "p@s#s", "host": "db.example.org", "port": 5432, "database": "d",
        })),
        Kind::fields("mysql", "ConnectionStringCredentials", json!({
            "drivername": "mysql+pymysql", "username": "u", "password": "p@ss/#?:${A}é", "host": "db", "port": 3306, "database": "d",
        })),
        Kind::fields("kinesis", "AwsCredentials", json!({
            "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY=", "region_name": "eu-central-1",
        })),
        Kind::fields("filesystem_azure", "AzureCredentials", json!({ "azure_storage_account_name": "n", "azure_storage_sas_token": "sv=2024&sig=a%3D%3D" })),
        Kind::fields("zendesk", "ZendeskCredentials", json!({ "subdomain": "acme", "email": "a@acme.org", "token": "00123" })),
        Kind::fields("salesforce", "SalesforceCredentials", json!({ "user_name": "a@acme.org", "password": "true", "security_token": "1e5" })),
        Kind::fields("kafka", "KafkaCredentials", json!({
            "bootstrap_servers": "localhost:9092", "group_id": "g", "security_protocol": "SASL_SSL", "sasl_mechanisms": "PLAIN",
            "sasl_username": "u", "sasl_password": "p\\ss",
        })),
    ]
}

/// Stores what is in a table, one value at a time; what is no text goes in as JSON.
fn store(project: &Scratch, path: &str, table: &Map<String, Value>) {
    for (key, value) in table {
        let path = format!("{path}.{key}");
        match value {
            Value::Object(table) => store(project, &path, table),
            Value::String(text) => set(project, &path, text),
            value => {
                let _ = project
                    .dango(&["secrets", "set", &path, "--type", "json"])
                    .stdin(value.to_string())
                    .run()
                    .success();
            }
        }
    }
}

#[test]
fn every_kind_of_credentials_is_resolved_by_the_spec_that_dlt_has_for_it() {
    let project = Scratch::initialised();
    let mut specs = Map::new();
    for kind in kinds() {
        store(
            &project,
            &format!("sources.{}", kind.source),
            kind.stored.as_object().expect("a table is stored"),
        );
        specs.insert(kind.source.to_owned(), kind.spec.into());
    }
    let job = json!({ "task": "specs", "specs": specs });
    for (how, answer) in [("file", from_file(&project, &job)), ("run", from_run(&project, &job))] {
        for kind in kinds() {
            let found = &answer[kind.source];
            assert_eq!(found["is_resolved"], true, "{} through {how}: {found}", kind.source);
            for (field, value) in kind.expected.as_object().expect("fields are expected") {
                assert_eq!(&found[field], value, "{field} of {} through {how}", kind.source);
            }
        }
    }
}

#[test]
fn plain_keys_of_sources_are_given_to_their_functions_as_text() {
    let project = Scratch::initialised();
    let keys = [
        ("hubspot", "api_key", "00123"),
        ("stripe_analytics", "stripe_secret_key", "sk_live_${x}"),
        ("slack", "access_token", "xoxb-1"),
    ];
    let mut sections = Vec::new();
    for (source, key, value) in keys {
        set(&project, &format!("sources.{source}.{key}"), value);
        sections.push(json!({ "name": source, "folder": project.path(), "values": { (key): value } }));
    }
    let job = json!({ "task": "strings", "sections": sections });
    for answer in [from_file(&project, &job), from_run(&project, &job)] {
        assert_eq!(answer, json!({ "read": keys.len(), "wrong": [] }));
    }
}
