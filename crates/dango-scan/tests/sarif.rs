//! The SARIF document against the schema of OASIS, with findings of every kind.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests write scratch files and stop loudly"
)]

use boon::{Compiler, Draft, Schemas};
use dango_core::SecretValue;
use dango_scan::tree::{self, Files, Tree};
use dango_scan::{Formats, KnownValue, Scanner, sarif};
use serde_json::Value;

const SCHEMA: &str = include_str!("fixtures/sarif-schema-2.1.0.json");

fn violation(document: &Value) -> Option<String> {
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V7);
    compiler.add_resource("sarif.json", serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let mut schemas = Schemas::new();
    let schema = compiler.compile("sarif.json", &mut schemas).unwrap();
    schemas.validate(document, schema).err().map(|error| error.to_string())
}

#[test]
fn the_document_keeps_to_the_schema_and_holds_no_value() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("a b#é.txt"),
        "x hunter22-in-sarif\naHVudGVyMjItaW4tc2FyaWY=\n-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\n",
    )
    .unwrap();
    let value = SecretValue::new("hunter22-in-sarif".to_owned()).unwrap();
    let (scanner, _) = Scanner::new([KnownValue::new("sources.\"my.db\".password", value)], Formats::Sought);
    let tree = Tree {
        roots: &[folder.path().to_path_buf()],
        files: Files::All,
        base: folder.path(),
        stores: &[],
        repository: None,
    };
    let mut findings = tree::search(&scanner, &tree).unwrap().findings;
    findings[0].commit = Some("0123456789012345678901234567890123456789".to_owned());
    let mut elsewhere = findings[0].clone();
    elsewhere.file = "/abs olute/file".to_owned();
    findings.push(elsewhere);

    let document = sarif::document(&findings, "0.1.0");
    assert_eq!(violation(&document), None);
    assert_eq!(violation(&sarif::document(&[], "0.1.0")), None);
    let results = document["runs"][0]["results"].as_array().unwrap();
    let rules: Vec<&str> = results.iter().filter_map(|result| result["ruleId"].as_str()).collect();
    assert_eq!(rules, ["known-value", "known-value", "private-key", "known-value"]);
    let place = &results[1]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b%23%C3%A9.txt");
    assert_eq!(place["region"]["startLine"], 2);
    assert_eq!(
        results[3]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "file:///abs%20olute/file"
    );
    let text = document.to_string();
    assert!(!text.contains("hunter22") && !text.contains("aHVudGVy") && !text.contains("MIIEvQ"));
}

#[test]
fn the_schema_refuses_what_is_no_sarif() {
    assert!(violation(&serde_json::json!({ "version": "2.1.0" })).is_some());
}
