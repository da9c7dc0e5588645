//! After `set` and `unset` every other value is as it was, and no byte outside the edited one has changed.
//!
//! The input is a document and then, behind NUL bytes, pairs of a path and an edit. An edit is a letter and a value:
//! `s` a string, `r` one with references, `i f b d j` the other types, `u` removes. Where the path cannot be read, it is
//! that of a value of the document. A document without edits gets some of every kind.
#![no_main]

use std::collections::HashMap;

use dango_core::{CredentialPath, SecretValue};
use dango_secrets::document::{DocumentProblem, EditError, NewType, NewValue, SecretsDocument};
use dango_secrets::{Piece, References, SetOutcome, Value};
use libfuzzer_sys::fuzz_target;

const EVERY_KIND: [&str; 6] = ["ud", "sx\ny", "r${A:-b}", "i1", "j{\"a\":[1,{\"b.c\":\"\"}],\"d\":{}}", "u"];

fuzz_target!(|data: &[u8]| {
    let mut parts = data.split(|&byte| byte == 0);
    let Ok(mut document) = SecretsDocument::parse(parts.next().unwrap_or_default()) else {
        return;
    };
    check_reading(&document);
    let mut edited = false;
    while let (Some(path), Some(edit)) = (parts.next(), parts.next()) {
        edited = true;
        if let (Some(path), Ok(edit)) = (choose(&document, path), std::str::from_utf8(edit)) {
            document = apply(&document, &path, edit);
        }
    }
    if !edited {
        for (at, edit) in EVERY_KIND.into_iter().enumerate() {
            let paths: Vec<_> = document.entries().into_iter().map(|entry| entry.path).collect();
            if let Some(path) = paths.get(at * paths.len() / EVERY_KIND.len()) {
                document = apply(&document, path, edit);
            }
        }
    }
});

fn choose(document: &SecretsDocument, text: &[u8]) -> Option<CredentialPath> {
    let read = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    read.or_else(|| {
        let entries = document.entries();
        let entry = entries.get(usize::from(*text.first()?) % entries.len().max(1))?;
        let depth = usize::from(text.get(1).copied().unwrap_or_default()) % 4;
        CredentialPath::from_parts(&entry.path.parts()[..entry.path.parts().len().saturating_sub(depth).max(1)])
    })
}

fn check_reading(document: &SecretsDocument) {
    for entry in document.entries().iter().take(50) {
        let found = document.value(&entry.path);
        assert!(
            found.is_some_and(|found| is_same(&found, &entry.value)),
            "a listed value is not found"
        );
    }
}

fn apply(document: &SecretsDocument, path: &CredentialPath, edit: &str) -> SecretsDocument {
    let mut characters = edit.chars();
    let kind = characters.next();
    if kind == Some('u') {
        return unset(document, path);
    }
    let (kind, references) = match kind {
        Some('i') => (NewType::Integer, References::Literal),
        Some('f') => (NewType::Float, References::Literal),
        Some('b') => (NewType::Boolean, References::Literal),
        Some('d') => (NewType::Datetime, References::Literal),
        Some('j') => (NewType::Json, References::Literal),
        Some('r') => (NewType::String, References::Expand),
        _ => (NewType::String, References::Literal),
    };
    let text = SecretValue::new(characters.as_str().to_owned()).expect("it was split at NUL");
    match NewValue::parse(kind, &text, references) {
        Ok(value) => set(document, path, &value),
        Err(_) => document.clone(),
    }
}

fn set(document: &SecretsDocument, path: &CredentialPath, value: &NewValue) -> SecretsDocument {
    let (edited, outcome) = match document.set(path, value) {
        Ok(done) => done,
        Err(error) => return refused(document, &error),
    };
    check_others(document, &edited, path);
    let (before, after) = (document.text(), edited.text());
    let old = document.value(path);
    match outcome {
        SetOutcome::Unchanged => assert_eq!(before, after),
        SetOutcome::Created => {
            assert!(old.is_none(), "something was there");
            assert!(is_one_insertion(before, after), "a new value changed bytes that were there");
        }
        SetOutcome::Replaced => {
            let old = old.expect("something was there");
            if !matches!(value, NewValue::Table(_)) && !has_sections(&old) {
                assert_eq!(without(document, path), without(&edited, path), "more than the value has changed");
            }
        }
    }
    match (edited.value(path), value) {
        (Some(Value::String(read)), NewValue::String { text, references }) => {
            assert_eq!(read.verbatim().as_str(), text.expose());
            assert!(*references == References::Expand || !read.has_reference());
        }
        (Some(Value::Integer { value: read, .. }), NewValue::Integer(value)) => assert_eq!(read, *value),
        (Some(Value::Float { value: read, .. }), NewValue::Float(value)) => assert!(read == *value || (read.is_nan() && value.is_nan())),
        (Some(Value::Boolean(read)), NewValue::Boolean(value)) => assert_eq!(read, *value),
        (Some(Value::Datetime(read)), NewValue::Datetime(value)) => assert_eq!(read.as_str(), value.as_str()),
        (Some(Value::Array(read)), NewValue::Array(values)) => assert_eq!(read.len(), values.len()),
        (Some(Value::Table(read)), NewValue::Table(values)) => assert_eq!(read.len(), values.len()),
        _ => panic!("the value is not there, or has another type"),
    }
    let again = edited
        .set(path, value)
        .map(|(again, outcome)| (again.text() == edited.text(), outcome));
    assert_eq!(again, Ok((true, SetOutcome::Unchanged)), "setting the same again changes something");
    edited
}

fn unset(document: &SecretsDocument, path: &CredentialPath) -> SecretsDocument {
    let (edited, count) = match document.unset(path) {
        Ok(done) => done,
        Err(error) => return refused(document, &error),
    };
    assert!(edited.value(path).is_none(), "it is still there");
    assert_eq!(document.entries().len(), edited.entries().len() + count);
    assert!(is_subsequence(edited.text(), document.text()), "removing has written something");
    check_others(document, &edited, path);
    edited
}

fn refused(document: &SecretsDocument, error: &EditError) -> SecretsDocument {
    match error {
        EditError::Unproven { .. } => panic!("an edit that did not prove itself"),
        EditError::Unreadable { source, .. } => assert!(
            matches!(source.problem, DocumentProblem::TooDeep { .. } | DocumentProblem::TooLarge { .. }),
            "an edit made a document that cannot be read: {error} {source}"
        ),
        _ => {}
    }
    document.clone()
}

/// Whether the value may be an array of tables with headers, in whose place another value cannot stand.
fn has_sections(value: &Value) -> bool {
    matches!(value, Value::Array(values) if values.iter().any(|value| matches!(value, Value::Table(_))))
}

/// Every value outside of `path` is in both, in the same order and with the same text.
fn check_others(before: &SecretsDocument, after: &SecretsDocument, path: &CredentialPath) {
    let others = |document: &SecretsDocument| {
        let entries = document.entries().into_iter();
        entries
            .filter(|entry| !entry.path.parts().starts_with(path.parts()))
            .collect::<Vec<_>>()
    };
    let (before, after) = (others(before), others(after));
    assert_eq!(before.len(), after.len(), "another value came or went");
    let after: HashMap<_, _> = after.iter().map(|entry| (entry.path.to_string(), &entry.value)).collect();
    for entry in before {
        assert!(
            after.get(&entry.path.to_string()).is_some_and(|value| is_same(&entry.value, value)),
            "another value changed"
        );
    }
}

fn without(document: &SecretsDocument, path: &CredentialPath) -> String {
    document
        .unset(path)
        .map(|(removed, _)| removed.text().to_owned())
        .expect("it is there")
}

fn is_one_insertion(before: &str, after: &str) -> bool {
    let (before, after) = (before.as_bytes(), after.as_bytes());
    let same = |(a, b): &(&u8, &u8)| a == b;
    let prefix = before.iter().zip(after).take_while(same).count();
    let suffix = before.iter().rev().zip(after.iter().rev()).take_while(same).count();
    before.len() <= after.len() && prefix + suffix >= before.len()
}

fn is_subsequence(part: &str, whole: &str) -> bool {
    let mut whole = whole.bytes();
    part.bytes().all(|byte| whole.any(|other| other == byte))
}

fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => {
            let is_reference = |piece: &Piece| matches!(piece, Piece::Reference(_));
            let shape = |pieces: &[Piece]| pieces.iter().map(is_reference).collect::<Vec<_>>();
            a.verbatim() == b.verbatim() && shape(a.pieces()) == shape(b.pieces())
        }
        (Value::Integer { text: a, .. }, Value::Integer { text: b, .. })
        | (Value::Float { text: a, .. }, Value::Float { text: b, .. })
        | (Value::Datetime(a), Value::Datetime(b)) => a == b,
        (Value::Boolean(a), Value::Boolean(b)) => a == b,
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Table(a), Value::Table(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((name, a), (other, b))| name == other && is_same(a, b))
        }
        _ => false,
    }
}
