//! What `set` accepts is read back exactly, and no other key of the `.env` file changes.
//!
//! The input is a file and then, behind NUL bytes, pairs of a key and a value. A key in lower case takes references.
#![no_main]

use dango_core::{SecretValue, VariableName};
use dango_secrets::dotenv::{EnvDocument, EnvEditError, EnvPiece, Precedence, Reader, Sees, lint};
use dango_secrets::{References, SetOutcome};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut parts = data.split(|&byte| byte == 0);
    let Ok(mut document) = EnvDocument::parse(parts.next().unwrap_or_default()) else {
        return;
    };
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        let (Ok(key), Ok(value)) = (std::str::from_utf8(key), SecretValue::from_utf8(value.to_vec())) else {
            return;
        };
        let references = if key.starts_with(|c: char| c.is_ascii_lowercase()) {
            References::Expand
        } else {
            References::Literal
        };
        let Ok(key) = key.parse::<VariableName>() else { return };
        check_alone(&key, &value, references);
        document = set(&document, &key, &value, references);
    }
});

/// A value that can be spelled at all can be set in an empty file.
fn check_alone(key: &VariableName, value: &SecretValue, references: References) {
    match EnvDocument::default().set(key, value, references) {
        Ok((document, outcome)) => {
            assert_eq!(outcome, SetOutcome::Created);
            assert_eq!(document.bindings().count(), 1);
        }
        Err(EnvEditError::Reference { .. }) => assert!(references == References::Literal && value.expose().contains("${")),
        Err(EnvEditError::Unspellable { .. }) => {}
        Err(error) => panic!("no other line is there: {error}"),
    }
}

fn set(document: &EnvDocument, key: &VariableName, value: &SecretValue, references: References) -> EnvDocument {
    let Ok((edited, outcome)) = document.set(key, value, references) else {
        return document.clone();
    };
    let name = key.as_str();
    let last = edited.bindings().rfind(|binding| binding.key() == name).expect("it was set");
    assert_eq!(last.expose(), Some(value.expose()));
    if references == References::Literal {
        let read = edited.value(name, &|_| None, Precedence::File);
        assert!(read.is_ok_and(|read| read.is_some_and(|read| read.expose() == value.expose())) || is_too_large(&edited));
        assert!(last.pieces().iter().all(|piece| matches!(piece, EnvPiece::Literal(_))));
        check_node(&edited, last.line());
    }
    let others = |document: &EnvDocument| -> Vec<(String, Option<String>)> {
        let bindings = document.bindings().filter(|binding| binding.key() != name);
        bindings
            .map(|binding| (binding.key().to_owned(), binding.expose().map(str::to_owned)))
            .collect()
    };
    assert_eq!(others(document), others(&edited), "another key has changed");
    assert_eq!(document.problems().count(), edited.problems().count());
    let (before, after) = (document.text(), edited.text());
    match outcome {
        SetOutcome::Unchanged => assert_eq!(before, after),
        SetOutcome::Created => {
            assert!(document.bindings().all(|binding| binding.key() != name));
            assert!(after.starts_with(before), "a new line stands at the end");
        }
        SetOutcome::Replaced => {
            let without = |document: &EnvDocument| document.unset(name).map(|(removed, count)| (removed.text().to_owned(), count));
            assert_eq!(without(document), without(&edited), "more than the value has changed");
        }
    }
    let again = edited
        .set(key, value, references)
        .map(|(again, outcome)| (again.text() == after, outcome));
    assert_eq!(again, Ok((true, SetOutcome::Unchanged)), "setting the same again changes something");
    edited
}

/// References of other lines may blow the file up; then it has no values at all.
fn is_too_large(document: &EnvDocument) -> bool {
    document.values(&|_| None, Precedence::File).is_err()
}

/// The linter, which models node dotenv by itself, sees the same value there.
fn check_node(document: &EnvDocument, line: usize) {
    for finding in lint(document).iter().filter(|finding| finding.line == line) {
        let node = finding.readings.iter().find(|reading| reading.reader == Reader::NodeDotenv);
        assert!(
            node.is_none_or(|node| node.sees == Sees::SameValue),
            "node dotenv reads something else: {finding:?}"
        );
    }
}
