//! `.dlt/secrets.toml` edited: over a corpus of real layouts here, and in the modules beside it by rule, by refusal and over random layouts.
#![allow(clippy::panic, reason = "the functions that tests share fail as tests do")]

#[path = "document/judged.rs"]
mod judged;
#[path = "document/placement.rs"]
mod placement;
#[path = "document/refusals.rs"]
mod refusals;

use std::fs;
use std::path::PathBuf;

use dango_core::{CredentialPath, SecretValue};
use dango_secrets::document::{EditError, NewType, NewValue, SecretsDocument};
use dango_secrets::{References, SetOutcome};
use dango_secrets::{Value, ValueType};
use toml_edit::Document;

fn corpus() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<(String, String)> = fs::read_dir(folder)
        .expect("the corpus is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("readable"))
        })
        .collect();
    files.sort();
    assert!(files.len() >= 40, "the corpus is complete");
    files
}

fn parse(text: &str) -> SecretsDocument {
    SecretsDocument::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error} in\n{text}"))
}

fn path(text: &str) -> CredentialPath {
    text.parse().expect("a path")
}

fn value(kind: NewType, text: &str, references: References) -> NewValue {
    let text = SecretValue::new(text.to_owned()).expect("no NUL");
    NewValue::parse(kind, &text, references).unwrap_or_else(|error| panic!("{error}"))
}

fn string(text: &str) -> NewValue {
    value(NewType::String, text, References::Literal)
}

fn json(text: &str) -> NewValue {
    value(NewType::Json, text, References::Literal)
}

fn set(text: &str, at: &str, new: &NewValue) -> (String, SetOutcome) {
    let (edited, outcome) = parse(text)
        .set(&path(at), new)
        .unwrap_or_else(|error| panic!("{error}: {at} in\n{text}"));
    (edited.text().to_owned(), outcome)
}

fn unset(text: &str, at: &str) -> (String, usize) {
    let (edited, count) = parse(text)
        .unset(&path(at))
        .unwrap_or_else(|error| panic!("{error}: {at} in\n{text}"));
    (edited.text().to_owned(), count)
}

/// A value as text that is equal for equal values, whatever their layout.
fn describe(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}{}", text.verbatim().as_str(), if text.has_reference() { " ref" } else { "" }),
        Value::Integer { value, .. } => value.to_string(),
        Value::Float { value, .. } => format!("{value:?}"),
        Value::Boolean(value) => value.to_string(),
        Value::Datetime(text) => format!("time {}", text.as_str()),
        Value::Array(items) => format!("{:?}", items.iter().map(describe).collect::<Vec<_>>()),
        Value::Table(entries) => {
            let mut entries: Vec<_> = entries.iter().map(|(key, value)| (key, describe(value))).collect();
            entries.sort();
            format!("{entries:?}")
        }
        _ => unreachable!("there are no other values"),
    }
}

fn entries(document: &SecretsDocument) -> Vec<(CredentialPath, String)> {
    document
        .entries()
        .into_iter()
        .map(|entry| (entry.path, describe(&entry.value)))
        .collect()
}

/// The entries that are neither at a path nor below it, in no order.
fn others(document: &SecretsDocument, path: &CredentialPath) -> Vec<(CredentialPath, String)> {
    let mut others = entries(document);
    others.retain(|(other, _)| !other.starts_with(path));
    others.sort();
    others
}

/// Where `toml_edit` says the value is, or nothing for an array of tables.
fn span(text: &str, path: &CredentialPath) -> Option<std::ops::Range<usize>> {
    let document = Document::parse(text).expect("accepted before");
    let mut item = document.as_item();
    for part in path.parts() {
        item = item.as_table_like()?.get(part)?;
    }
    item.as_value()?.span()
}

fn new_values() -> Vec<NewValue> {
    vec![
        string("plain"),
        string("sk \"quoted\" \\ \u{1}\t${X} é🍡"),
        string("-----BEGIN-----\nline\n-----END-----\n"),
        value(NewType::String, "${STRIPE_API_KEY}", References::Expand),
        value(NewType::Integer, "-42", References::Literal),
        value(NewType::Float, "1.5", References::Literal),
        value(NewType::Boolean, "true", References::Literal),
        value(NewType::Datetime, "2024-01-31T08:00:00Z", References::Literal),
        json(r#"["a", {"b": [1, 2.5, true]}, []]"#),
    ]
}

#[test]
fn a_document_keeps_the_bytes_it_was_given() {
    for (name, text) in corpus() {
        let document = parse(&text);
        assert_eq!(document.text(), text, "{name}");
        assert_eq!(document.has_bom(), text.starts_with('\u{feff}'), "{name}");
    }
}

#[test]
fn replacing_a_value_changes_its_span_and_nothing_else() {
    for (name, text) in corpus() {
        let document = parse(&text);
        for (path, old) in entries(&document) {
            let Some(span) = span(&text, &path) else { continue };
            for new in new_values() {
                let (edited, outcome) = document.set(&path, &new).unwrap_or_else(|error| panic!("{name}: {error}"));
                let (before, after) = (&text[..span.start], &text[span.end..]);
                assert!(
                    edited.text().starts_with(before) && edited.text().ends_with(after),
                    "{name}: {path}"
                );
                assert_eq!(others(&edited, &path), others(&document, &path), "{name}: {path}");
                let now = describe(&edited.value(&path).expect("it was set"));
                assert_eq!(outcome == SetOutcome::Unchanged, now == old, "{name}: {path}");
                let (again, outcome) = edited.set(&path, &new).expect("set once already");
                assert!(again.text() == edited.text() && outcome == SetOutcome::Unchanged, "{name}: {path}");
                let lone = |text: &str| text.replace("\r\n", "").contains('\n');
                assert!(lone(&text) || !lone(edited.text()) || !text.contains("\r\n"), "{name}: {path}");
            }
        }
    }
}

#[test]
fn a_key_set_beside_another_and_unset_again_leaves_no_trace() {
    for (name, text) in corpus() {
        let document = parse(&text);
        for (sibling, _) in entries(&document) {
            if span(&text, &sibling).is_none() {
                // The table of an array of tables may have no place for keys of its own yet.
                continue;
            }
            let new = match sibling.parent() {
                Some(parent) => parent.child("a new key"),
                None => CredentialPath::from_parts(["a new key"]).expect("a path"),
            };
            for value in new_values() {
                let (edited, outcome) = document.set(&new, &value).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(outcome, SetOutcome::Created);
                assert_eq!(others(&edited, &new), others(&document, &new), "{name}: {new}");
                let kept = edited
                    .text()
                    .split_inclusive('\n')
                    .filter(|line| !line.contains("a new key"))
                    .count();
                assert!(kept + 1 >= text.lines().count(), "{name}: {new}");
                let (back, count) = edited.unset(&new).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!((back.text(), count), (text.as_str(), 1), "{name}: {new}");
            }
        }
    }
}

#[test]
fn a_new_table_finds_a_place_in_every_file() {
    for (name, text) in corpus() {
        let document = parse(&text);
        for new in [
            "sources.brand_new.api_key",
            "zz.credentials.password",
            "sources.stripe.further.deep.key",
            "zz_root",
        ] {
            let new = path(new);
            match document.set(&new, &string("v")) {
                Err(EditError::ThroughValue { .. }) => {}
                Err(error) => panic!("{name}: {error}"),
                Ok((edited, outcome)) => {
                    assert_eq!(outcome, SetOutcome::Created, "{name}: {new}");
                    assert_eq!(others(&edited, &new), others(&document, &new), "{name}: {new}");
                    let is_ended = |text: &str| text.is_empty() || text == "\u{feff}" || text.ends_with('\n');
                    assert_eq!(is_ended(edited.text()), is_ended(&text), "{name}: {new}");
                }
            }
        }
    }
}

#[test]
fn unsetting_takes_one_value_or_one_table() {
    for (name, text) in corpus() {
        let document = parse(&text);
        for (path, _) in entries(&document) {
            let mut at = Some(path);
            while let Some(path) = at {
                let below = entries(&document).iter().filter(|(other, _)| other.starts_with(&path)).count();
                let (edited, count) = document.unset(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(count, below, "{name}: {path}");
                assert_eq!(others(&edited, &path), others(&document, &path), "{name}: {path}");
                assert!(edited.value(&path).is_none() && !edited.contains_table(&path), "{name}: {path}");
                at = path.parent();
            }
        }
    }
}

#[test]
fn entries_are_in_the_order_of_the_file_and_arrays_are_one() {
    let text = "r = 1\n[b]\nx = { y.z = 1, l = [{ q = 1 }] }\n[e]\n[[a]]\nk = 1\n[a.sub]\nk = 2\n[b.c]\nd = 'e'\n";
    let found: Vec<String> = parse(text).entries().iter().map(|entry| entry.path.to_string()).collect();
    assert_eq!(found, ["r", "b.x.y.z", "b.x.l", "a", "b.c.d"]);
    let document = parse(text);
    assert_eq!(
        document.value(&path("a")).and_then(|value| value.value_type()),
        Some(ValueType::Array)
    );
    assert!(document.value(&path("a.k")).is_none() && document.contains_table(&path("e")));
    let described = document.value(&path("b.x.l")).map(|value| describe(&value));
    assert_eq!(described.as_deref(), Some(r#"["[(\"q\", \"1\")]"]"#));
}
