//! Reading a `.env` file ends, its bindings stand in order, and its values resolve; so for bytes that are none.
#![no_main]

use std::collections::HashSet;

use dango_core::SecretValue;
use dango_secrets::dotenv::{Binding, EnvDocument, EnvPiece, Precedence, lint, lint_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let findings = lint_bytes(data);
    assert!(findings.is_sorted_by_key(|finding| finding.line));
    let document = match EnvDocument::parse(data) {
        Ok(document) => document,
        Err(error) => {
            let (line, column) = error.place();
            assert!(line >= 1 && column >= 1 && line <= data.len() + 1);
            assert!(!findings.is_empty(), "bytes that are refused are not reported");
            return;
        }
    };
    assert_eq!(document.text().as_bytes(), data);
    assert_eq!(lint(&document).len(), findings.len());
    let bindings: Vec<&Binding> = document.bindings().collect();
    check_order(&document, &bindings, data);
    check_values(&document, &bindings);
    check_removal(&document);
});

fn check_order(document: &EnvDocument, bindings: &[&Binding], data: &[u8]) {
    let problems: Vec<usize> = document.problems().collect();
    let mut lines: Vec<usize> = bindings.iter().map(|binding| binding.line()).chain(problems).collect();
    lines.sort_unstable();
    assert!(bindings.is_sorted_by(|a, b| a.line() < b.line()));
    assert!(lines.is_sorted_by(|a, b| a < b), "two statements begin on one line");
    let breaks = data.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
    assert!(lines.iter().all(|line| (1..=breaks + 1).contains(line)));
}

fn check_values(document: &EnvDocument, bindings: &[&Binding]) {
    let environment = |name: &str| (name.len() % 2 == 1).then(|| SecretValue::new(format!("${{{name}}}")).expect("no NUL"));
    for binding in bindings {
        let mut written = String::new();
        for piece in binding.pieces() {
            match piece {
                EnvPiece::Literal(text) => written.push_str(text),
                EnvPiece::Reference { name, default: None } => written.push_str(&format!("${{{name}}}")),
                EnvPiece::Reference { name, default: Some(text) } => written.push_str(&format!("${{{name}:-{text}}}")),
            }
        }
        assert_eq!(written, binding.expose().unwrap_or_default(), "the pieces are not the value");
    }
    for precedence in [Precedence::File, Precedence::Environment] {
        let Ok(values) = document.values(&environment, precedence) else {
            continue;
        };
        let keys: Vec<&str> = values.iter().map(|(key, _)| key).collect();
        assert_eq!(keys, document.keys());
        for (key, value) in values.iter().take(20) {
            let last = bindings.iter().rfind(|binding| binding.key() == key).expect("a key has a binding");
            assert_eq!(last.has_reference(), document.has_reference(key));
            assert_eq!(last.has_value(), value.is_some());
            if !last.has_reference() {
                assert_eq!(value.map(SecretValue::expose), last.expose());
            }
        }
    }
    for name in document.keys().into_iter().take(10).filter_map(|key| key.parse().ok()) {
        if let Some(circle) = document.cycle(&name, &environment) {
            assert_eq!(circle.first(), circle.last());
        }
    }
}

/// Without one key, all others are as they were.
fn check_removal(document: &EnvDocument) {
    for key in document.keys().into_iter().take(5) {
        let (removed, count) = document.unset(key).expect("the key is there");
        let read = |document: &EnvDocument| -> Vec<(String, Option<String>)> {
            let bindings = document
                .bindings()
                .map(|binding| (binding.key().to_owned(), binding.expose().map(str::to_owned)));
            bindings.collect()
        };
        let mut expected = read(document);
        expected.retain(|(other, _)| other != key);
        assert_eq!(read(&removed), expected);
        assert_eq!(document.bindings().count(), expected.len() + count);
        assert_eq!(removed.problems().count(), document.problems().count());
    }
    let keys: HashSet<&str> = document.keys().into_iter().collect();
    assert_eq!(keys.len(), document.keys().len());
}
