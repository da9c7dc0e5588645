//! Findings as SARIF 2.1.0 (OASIS), which code hosts and editors show beside the code.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::finding::{Finding, Spelling, Subject};
use crate::tokens;

/// The schema that the document keeps to.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The folder that files are named from.
const BASE: &str = "SRCROOT";

/// Makes the document: one run, one result for each finding, the rules that they name.
pub fn document(findings: &[Finding], version: &str) -> Value {
    let numbers: BTreeMap<&str, usize> = findings
        .iter()
        .map(|finding| finding.rule)
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .zip(0..)
        .collect();
    let rules: Vec<Value> = numbers.keys().filter_map(|id| tokens::rules().find(|rule| rule.id == *id)).map(|rule| {
        json!({
            "id": rule.id,
            "shortDescription": { "text": rule.what },
            "fullDescription": { "text": format!("{}, as defined by {}", rule.what, rule.source) },
            "help": { "text": "Revoke it at its provider, put the new one where only the project reads it, and take this one out of the history." },
            "defaultConfiguration": { "level": "error" },
            "properties": { "tags": ["security"] },
        })
    }).collect();
    let results: Vec<Value> = findings
        .iter()
        .map(|finding| result(finding, numbers.get(finding.rule).copied()))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "dango scan", "semanticVersion": version, "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// What a finding is, in a sentence without a full stop.
pub fn sentence(finding: &Finding) -> String {
    match &finding.subject {
        Subject::Known {
            path,
            spelling: Spelling::Plain,
        } => format!("the value of {path}"),
        Subject::Known {
            path,
            spelling: Spelling::Encoded,
        } => format!("the value of {path}, encoded"),
        Subject::Token { what } => (*what).to_owned(),
    }
}

fn result(finding: &Finding, rule: Option<usize>) -> Value {
    let mut properties = Map::new();
    if let Some(path) = finding.path() {
        properties.insert("credential".to_owned(), json!(path));
    }
    if let Some(commit) = &finding.commit {
        properties.insert("commit".to_owned(), json!(commit));
    }
    let commit = finding
        .commit
        .as_deref()
        .map(|commit| format!(", since commit {commit}"))
        .unwrap_or_default();
    json!({
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": "error",
        "message": { "text": format!("{}{commit}", sentence(finding)) },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": location(&finding.file),
                "region": { "startLine": finding.line, "startColumn": finding.column },
            },
        }],
        "partialFingerprints": { "dangoScan/v1": finding.fingerprint.as_str() },
        "properties": properties,
    })
}

/// A relative reference below the base, or a `file:` URL (RFC 3986, RFC 8089).
fn location(file: &str) -> Value {
    // What is packed in a file has no location of its own.
    let outer = file.split_once('!').map_or(file, |(outer, _)| outer);
    match outer.starts_with('/') {
        true => json!({ "uri": format!("file://{}", encoded(outer)) }),
        false => json!({ "uri": encoded(outer), "uriBaseId": BASE }),
    }
}

fn encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) => uri.push(char::from(byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
