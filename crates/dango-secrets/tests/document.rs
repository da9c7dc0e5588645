//! `.dlt/secrets.toml` edited: over a corpus of real layouts, over random ones, and judged by `toml_edit`.
#![allow(clippy::panic, reason = "the functions that tests share fail as tests do")]

use std::fs;
use std::path::PathBuf;

use dango_core::{CredentialPath, SecretValue};
use dango_secrets::document::{EditError, NewType, NewValue, SecretsDocument};
use dango_secrets::{References, SetOutcome};
use dango_secrets::{Value, ValueType};
use proptest::prelude::*;
use toml_edit::{Document, Item, TableLike};

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
fn new_keys_go_where_their_neighbours_are() {
    let cases = [
        // Behind the last key of the table, before the blank line and the comment of the next.
        (
            "[a]\nx = 1 # c\n\n# about b\n[b]\ny = 2\n",
            "a.z",
            "[a]\nx = 1 # c\nz = \"v\"\n\n# about b\n[b]\ny = 2\n",
        ),
        // With the indentation of the key above, and the file's line ends.
        ("[a]\r\n\tx = 1\r\n[b]\r\n", "a.z", "[a]\r\n\tx = 1\r\n\tz = \"v\"\r\n[b]\r\n"),
        ("[a]\nx = '''\n  m'''\n", "a.z", "[a]\nx = '''\n  m'''\nz = \"v\"\n"),
        // No final line end before, none after.
        ("[a]\nx = 1", "a.z", "[a]\nx = 1\nz = \"v\""),
        ("[a]", "a.z", "[a]\nz = \"v\""),
        // Dotted keys beside dotted keys.
        (
            "[s]\na.x = 1\nb.x = 2\n# c\na.y = 3\nd = 4\n",
            "s.a.z",
            "[s]\na.x = 1\nb.x = 2\n# c\na.y = 3\na.z = \"v\"\nd = 4\n",
        ),
        ("s.a.x = 1\n\n[t]\n", "s.b.z", "s.a.x = 1\ns.b.z = \"v\"\n\n[t]\n"),
        // Inline tables.
        ("a = { x = 1 }\n", "a.z", "a = { x = 1, z = \"v\" }\n"),
        ("a = {}\n", "a.z", "a = {z = \"v\"}\n"),
        ("a = { x = 1, }\n", "a.z", "a = { x = 1, z = \"v\", }\n"),
        ("a = {\n  x = 1, # c\n}\n", "a.z", "a = {\n  x = 1, # c\n  z = \"v\",\n}\n"),
        ("a = {\n  x = 1 # c\n}\n", "a.z", "a = {\n  x = 1, # c\n  z = \"v\"\n}\n"),
        // A table that only longer headers imply gets a header of its own behind its group.
        (
            "[s.a.c]\nx = 1\n\n[t]\ny = 2\n",
            "s.a.z",
            "[s.a.c]\nx = 1\n\n[s.a]\nz = \"v\"\n\n[t]\ny = 2\n",
        ),
        // A new table goes behind the last of its group, not into the comments of the next one.
        (
            "[s.a]\nx = 1\n\n# ---- destinations ----\n\n[d.b]\ny = 2\n",
            "s.n.z",
            "[s.a]\nx = 1\n\n[s.n]\nz = \"v\"\n\n# ---- destinations ----\n\n[d.b]\ny = 2\n",
        ),
        (
            "[s.a]\nx = 1\n# about b\n[d.b]\n",
            "s.n.z",
            "[s.a]\nx = 1\n\n[s.n]\nz = \"v\"\n\n# about b\n[d.b]\n",
        ),
        (
            "[s.a]\nx = 1\n# old = 2\n\n[d.b]\n",
            "s.n.z",
            "[s.a]\nx = 1\n# old = 2\n\n[s.n]\nz = \"v\"\n\n[d.b]\n",
        ),
        ("[s.a]\nx = 1", "t.z", "[s.a]\nx = 1\n\n[t]\nz = \"v\""),
        ("# words\n", "t.z", "# words\n\n[t]\nz = \"v\"\n"),
        ("", "t.z", "[t]\nz = \"v\"\n"),
        ("\u{feff}", "t.z", "\u{feff}[t]\nz = \"v\"\n"),
        // Keys at the root.
        ("# about a\n[a]\nx = 1\n", "z", "z = \"v\"\n\n# about a\n[a]\nx = 1\n"),
        ("k = 1 # c\n\n[a]\n", "z", "k = 1 # c\nz = \"v\"\n\n[a]\n"),
        ("# words", "z", "# words\nz = \"v\""),
        ("[a]\n", "a.\"x y\".\"\"", "[a]\n\n[a.\"x y\"]\n\"\" = \"v\"\n"),
    ];
    for (text, at, expected) in cases {
        let (edited, outcome) = set(text, at, &string("v"));
        assert_eq!(edited, expected, "{at} in\n{text}");
        assert_eq!(outcome, SetOutcome::Created);
    }
}

#[test]
fn objects_become_standard_tables() {
    let object = json(r#"{"user": "u", "options": {"ssl": true, "deep": {"n": 1}}, "list": [{"a": 1}], "none": {}}"#);
    let expected = "[s.db]\nuser = \"u\"\nlist = [{ a = 1 }]\n\n[s.db.options]\nssl = true\n\n[s.db.options.deep]\nn = 1\n\n[s.db.none]\n";
    assert_eq!(set("", "s.db", &object).0, expected);
    assert_eq!(
        set("[s]\ndb = 'url' # c\nx = 1\n", "s.db", &object),
        (format!("[s]\nx = 1\n\n{expected}"), SetOutcome::Replaced)
    );
    assert_eq!(set(expected, "s.db", &object).1, SetOutcome::Unchanged);
    assert_eq!(set("", "a.b", &json("{}")).0, "[a.b]\n");
    assert_eq!(
        set("s.x = 1\n", "s.db", &json(r#"{"u": {"v": 1}, "w": 2}"#)).0,
        "s.x = 1\ns.db.u.v = 1\ns.db.w = 2\n"
    );
    assert_eq!(
        set("s = { x = 1 }\n", "s.x", &json(r#"{"u": {"v": 1}}"#)).0,
        "s = { x = { u = { v = 1 } } }\n"
    );
}

#[test]
fn many_lines_stay_within_the_files_line_ends() {
    let pem = string("-----BEGIN-----\nAAAA\n-----END-----\n");
    assert_eq!(
        set("[a]\nk = 1 # c\n", "a.k", &pem).0,
        "[a]\nk = \"\"\"\n-----BEGIN-----\nAAAA\n-----END-----\n\"\"\" # c\n"
    );
    let one_line = "[a]\r\nk = \"-----BEGIN-----\\nAAAA\\n-----END-----\\n\" # c\r\n";
    assert_eq!(set("[a]\r\nk = 1 # c\r\n", "a.k", &pem).0, one_line);
    assert_eq!(set("a = { k = 1 }\n", "a.k", &string("1\n2")).0, "a = { k = \"1\\n2\" }\n");
}

#[test]
fn a_value_is_unchanged_only_with_the_same_references() {
    let reference = value(NewType::String, "${X}", References::Expand);
    assert_eq!(set("k = '${X}'\n", "k", &reference).1, SetOutcome::Unchanged);
    assert_eq!(
        set("k = '${X}'\n", "k", &string("${X}")),
        ("k = \"\\u0024{X}\"\n".to_owned(), SetOutcome::Replaced)
    );
    assert_eq!(set("k = \"\\u0024{X}\"\n", "k", &string("${X}")).1, SetOutcome::Unchanged);
    assert_eq!(set("k = \"\\u0024{X}\"\n", "k", &reference).0, "k = \"${X}\"\n");
    let both = value(NewType::String, "${X}${Y}", References::Expand);
    assert_eq!(set("k = \"${X}\\u0024{Y}\"\n", "k", &both).0, "k = \"${X}${Y}\"\n");
    assert_eq!(set("k = 1\n", "k", &string("1")).0, "k = \"1\"\n", "another type is another value");
}

#[test]
fn unset_takes_lines_with_their_comments_and_leaves_those_above() {
    let cases = [
        ("[a]\n# above\nx = 1 # behind\ny = 2\n", "a.x", "[a]\n# above\ny = 2\n", 1),
        ("[a]\nx = '''\n1\n2''' # c\ny = 2\n", "a.x", "[a]\ny = 2\n", 1),
        ("[a]\nx = 1\ny = 2", "a.y", "[a]\nx = 1", 1),
        ("x = 1", "x", "", 1),
        ("[a]\nx = 1\n", "a.x", "[a]\n", 1),
        // A table with everything in it, wherever it stands.
        (
            "# a\n[a] # h\n# in\nx = 1\n\ny = 2 # c\n# next\n\n[b]\nz = 3\n\n[a.c]\nw = 4\n",
            "a",
            "# a\n# next\n\n[b]\nz = 3\n\n",
            3,
        ),
        ("[s]\na.x = 1\nb = 2\na.y = 3 # c\n[s.a.z]\nq = 1\n", "s.a", "[s]\nb = 2\n", 3),
        ("[[a]]\nx = 1\n[a.sub]\n[b]\n[[a]]\n# c\n", "a", "[b]\n# c\n", 1),
        // Inline tables lose one comma.
        ("a = { x = 1, y = 2, z = 3 }\n", "a.x", "a = { y = 2, z = 3 }\n", 1),
        ("a = { x = 1, y = 2, z = 3 }\n", "a.y", "a = { x = 1, z = 3 }\n", 1),
        ("a = { x = 1, y = 2, z = 3 }\n", "a.z", "a = { x = 1, y = 2 }\n", 1),
        ("a = { x = 1 }\n", "a.x", "a = { }\n", 1),
        ("a = { b.x = 1, y = 2, b.z = 3 }\n", "a.b", "a = { y = 2 }\n", 2),
        ("a = { y = 2, b.x = 1, b.z = 3, }\n", "a.b", "a = { y = 2, }\n", 2),
        (
            "a = {\n  # above\n  x = 1, # c\n  y = 2\n}\n",
            "a.x",
            "a = {\n  # above\n  y = 2\n}\n",
            1,
        ),
        ("a = {\n  x = 1, # c\n  y = 2 # d\n}\n", "a.y", "a = {\n  x = 1 # c\n}\n", 1),
    ];
    for (text, at, expected, count) in cases {
        assert_eq!(unset(text, at), (expected.to_owned(), count), "{at} in\n{text}");
    }
}

#[test]
fn what_does_not_fit_is_refused_by_path() {
    let text = "[a]\nk = 'canary'\nl = [1]\n[[a.t]]\nx = 1\n";
    let refused = |at: &str| parse(text).set(&path(at), &string("v")).err().expect("refused");
    assert_eq!(
        refused("a").to_string(),
        "a is a table: unset it first, or set the values in it one by one"
    );
    assert_eq!(
        refused("a.k.x.y").to_string(),
        "a.k.x.y cannot be set, because a.k is a value and no table"
    );
    assert_eq!(
        refused("a.l.x").to_string(),
        "a.l.x cannot be set, because a.l is a value and no table"
    );
    assert_eq!(
        refused("a.t.x").to_string(),
        "a.t.x cannot be set, because a.t is a value and no table"
    );
    for missing in ["b", "a.m", "a.k.x", "a.t.x"] {
        let error = parse(text).unset(&path(missing)).err().expect("refused");
        assert_eq!(error.to_string(), format!("there is nothing at {missing}"));
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
    assert_eq!(
        document.value(&path("b")).map(|value| describe(&value)).as_deref(),
        Some(
            r#"[("c", "[(\"d\", \"\\\"e\\\"\")]"), ("x", "[(\"l\", \"[\\\"[(\\\\\\\"q\\\\\\\", \\\\\\\"1\\\\\\\")]\\\"]\"), (\"y\", \"[(\\\"z\\\", \\\"1\\\")]\")]")]"#
        )
    );
}

#[test]
fn errors_name_line_and_column_and_no_value() {
    let cases: [(&[u8], &str, &str); 22] = [
        (b"\xff\xfea\0", "1, column 1", "document_not_utf8"),
        (b"a\0=\0", "1, column 1", "document_not_utf8"),
        (b"\xc3\xa9 = 1\n\xc3\xa9\xff", "2, column 2", "document_not_utf8"),
        (b"k = \"can\0ary\"", "1, column 9", "document_control_character"),
        (b"a = 1\nk = \"\x1b\"", "2, column 6", "document_control_character"),
        (b"a = 1\rb = 2", "1, column 6", "document_lone_cr"),
        (b"a = 1\n# \xc3\xa9\nk = canary", "3, column 5", "document_syntax"),
        (b"k = \"canary", "1, column 12", "document_syntax"),
        (b"k = \"C:\\path\"", "1, column 9", "document_syntax"),
        (b"k canary", "1, column 3", "document_syntax"),
        (b"[canary", "1, column 8", "document_syntax"),
        (b"k = 1 canary", "1, column 5", "document_syntax"),
        (b"k = 0123", "1, column 5", "document_syntax"),
        (b"a = 1\nb = 2\na = 3", "3, column 1", "document_duplicate"),
        (b"[a]\n[b]\n[a]", "3, column 2", "document_duplicate"),
        (b"a = 1\na.b = 2", "2, column 1", "document_not_extensible"),
        (b"a = {}\n[a.b]", "2, column 2", "document_not_extensible"),
        (b"k = 9223372036854775808", "1, column 5", "document_number_too_large"),
        (b"k = 1e999", "1, column 5", "document_number_too_large"),
        (b"k = 2023-02-29", "1, column 5", "document_datetime"),
        (b"k = 23:59:60", "1, column 5", "document_datetime"),
        (b"[[a.b]]\n[c]\n[a.b.c]", "3, column 1", "document_out_of_order"),
    ];
    for (bytes, place, code) in cases {
        let error = SecretsDocument::parse(bytes).err().expect("refused");
        let shown = error.to_string();
        assert!(
            shown.starts_with(&format!("line {place}: ")),
            "{shown} for {:?}",
            String::from_utf8_lossy(bytes)
        );
        assert_eq!(error.code(), code, "{shown}");
        assert!(!format!("{shown}{error:?}").contains("canary"), "{shown}");
    }
}

/// The verdicts are those of the real tomlkit; `corpus/tomlkit_verdicts.py` makes them.
#[test]
fn tables_in_odd_orders_are_read_if_and_only_if_tomlkit_reads_them() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/tomlkit-verdicts.json");
    let verdicts: serde_json::Value = serde_json::from_slice(&fs::read(file).expect("readable")).expect("JSON");
    let documents = |list: &str| verdicts[list].as_array().expect("a list").clone();
    for text in documents("refused") {
        let text = text.as_str().expect("a text");
        let error = SecretsDocument::parse(text.as_bytes()).err();
        assert_eq!(error.map(|error| error.code()), Some("document_out_of_order"), "{text}");
    }
    for text in documents("read") {
        parse(text.as_str().expect("a text"));
    }
}

#[test]
fn bombs_are_refused_and_not_fallen_for() {
    let n = 100_000;
    let deep_header = format!("[{}x]\n", "a.".repeat(n));
    let steps: String = (1..60).map(|depth| format!("[{}x]\n", "a.".repeat(depth))).collect();
    let bombs = [
        format!("a = {}{}", "[".repeat(n), "]".repeat(n)),
        format!("a = {}", "[".repeat(n)),
        format!("a = {}", "{a=".repeat(n)),
        format!("a = {}1{}", "{a.b=[".repeat(n), "]}".repeat(n)),
        format!("{}x = 1\n", "a.".repeat(n)),
        deep_header,
        steps,
    ];
    for bomb in bombs {
        assert!(SecretsDocument::parse(bomb.as_bytes()).is_err());
    }
    let deep = SecretValue::new("[".repeat(n)).expect("no NUL");
    assert!(NewValue::parse(NewType::Json, &deep, References::Literal).is_err());
}

#[test]
fn large_documents_are_read_in_one_go() {
    let wide: String = (0..20_000).map(|i| format!("key_{i} = {i}\n")).collect();
    assert_eq!(parse(&wide).entries().len(), 20_000);
    let tables: String = (0..5_000).map(|i| format!("[[a.b]]\nk = {i}\n[c.d{i}]\n")).collect();
    assert_eq!(parse(&tables).entries().len(), 1);
    let long = format!("k = \"{}\"\n", "x".repeat(1 << 20));
    assert_eq!(set(&long, "k", &string("v")).0, "k = \"v\"\n");
}

#[test]
fn json_is_read_strictly() {
    let problem = |text: &str| {
        let text = SecretValue::new(text.to_owned()).expect("no NUL");
        let error = NewValue::parse(NewType::Json, &text, References::Literal).err().expect("refused");
        assert!(!format!("{error:?}").contains("canary"), "{error}");
        error.to_string()
    };
    assert_eq!(
        problem(r#"{"a": 1, "a": 2}"#),
        "line 1, column 10 of the JSON: the member /a is there twice"
    );
    assert_eq!(
        problem("{\"a\": [1,\n null]}"),
        "line 2, column 2 of the JSON: TOML has no null: leave /a/1 out, or give it another value"
    );
    assert!(problem(r#"{"a/b": 9223372036854775808}"#).contains("/a~1b does not fit"));
    for bad in [
        "",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "[1 2]",
        "01",
        "1.",
        "+1",
        "'canary'",
        "\"canary",
        "tru",
        "1 canary",
        "\"\\x\"",
        "\"a\nb\"",
        "{a:1}",
        "\u{feff}1",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "NaN",
        "1e999",
        "\"\\u0000\"",
        "{\"\\u0000\":1}",
    ] {
        problem(bad);
    }
    assert_eq!(set("", "k", &json(r#""\ud83c\udf61\u0024{A}\/""#)).0, "k = \"🍡\\u0024{A}/\"\n");
    assert_eq!(set("", "k", &json(" [ -0 , 1E2 , \"\" ] ")).0, "k = [0, 100.0, \"\"]\n");
    assert_eq!(
        set("", "k", &value(NewType::Json, r#"["${A}"]"#, References::Expand)).0,
        "k = [\"${A}\"]\n"
    );
}

/// What `toml_edit` reads, in the form of [`describe`], references left out.
fn described_by_toml_edit(item: &Item) -> String {
    match item {
        Item::Value(value) => match value {
            toml_edit::Value::String(text) => {
                let shown = format!("{:?}", text.value());
                shown
            }
            toml_edit::Value::Integer(value) => value.value().to_string(),
            toml_edit::Value::Float(value) => format!("{:?}", value.value()),
            toml_edit::Value::Boolean(value) => value.value().to_string(),
            toml_edit::Value::Datetime(_) => "time".to_owned(),
            toml_edit::Value::Array(items) => {
                let items: Vec<_> = items
                    .iter()
                    .map(|value| described_by_toml_edit(&Item::Value(value.clone())))
                    .collect();
                format!("{items:?}")
            }
            toml_edit::Value::InlineTable(table) => described_table(table),
        },
        Item::Table(table) => described_table(table),
        Item::ArrayOfTables(tables) => format!("{:?}", tables.iter().map(|table| described_table(table)).collect::<Vec<_>>()),
        Item::None => String::new(),
    }
}

fn described_table(table: &dyn TableLike) -> String {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, item)| (key.to_owned(), described_by_toml_edit(item)))
        .collect();
    entries.sort();
    format!("{entries:?}")
}

/// As [`describe`], with nothing that `toml_edit` does not tell.
fn described_plainly(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", text.verbatim().as_str()),
        Value::Datetime(_) => "time".to_owned(),
        Value::Array(items) => format!("{:?}", items.iter().map(described_plainly).collect::<Vec<_>>()),
        Value::Table(entries) => {
            let mut entries: Vec<_> = entries.iter().map(|(key, value)| (key, described_plainly(value))).collect();
            entries.sort();
            format!("{entries:?}")
        }
        value => describe(value),
    }
}

fn check_against_toml_edit(text: &str) -> Result<(), TestCaseError> {
    // dlt reads in text mode, where every CRLF is an LF.
    let translated = text.replace("\r\n", "\n");
    match (SecretsDocument::parse(text.as_bytes()), Document::parse(translated.as_str())) {
        (Ok(document), Ok(judge)) => {
            for (key, item) in judge.iter() {
                let path = CredentialPath::from_parts([key]).expect("a path");
                let value = document.value(&path).map(|value| described_plainly(&value));
                prop_assert_eq!(value, Some(described_by_toml_edit(item)), "{} in\n{}", key, text);
            }
        }
        (Err(error), Ok(_)) => {
            let deliberate = [
                "document_out_of_order",
                "document_datetime",
                "document_too_deep",
                "document_not_extensible",
            ];
            prop_assert!(deliberate[..3].contains(&error.code()), "{} in\n{}", error, text);
        }
        (Ok(_), Err(error)) => prop_assert!(false, "accepted, but {} in\n{}", error.message(), text),
        (Err(_), Err(_)) => {}
    }
    Ok(())
}

fn key() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[abc]",
        1 => Just("\"d.e\"".to_owned()),
        1 => Just("'f'".to_owned()),
    ];
    (proptest::collection::vec(part, 1..4), prop_oneof![4 => Just("."), 1 => Just(" . ")]).prop_map(|(parts, dot)| parts.join(dot))
}

fn scalar() -> impl Strategy<Value = String> {
    proptest::sample::select(vec![
        "1",
        "-0.0",
        "0x1F",
        "true",
        "nan",
        "\"x\"",
        "'y'",
        "\"\\u00e9\\x41\\e\\\"\"",
        "\"\"\"m\nn \\\n  o\"\"\"",
        "'''\nk''''",
        "[1, [2]]",
        "[ # c\n 1,\n]",
        "{ }",
        "{}",
        "{ p = 1 }",
        "{p.q=1,p.s=2, r = [{t = 1}]}",
        "{\n p = 1, # c\n q = 2,\n}",
        "{\n p = 1\n}",
        "1979-05-27",
        "07:32",
        "1979-05-27 07:32:00Z",
        "23:59:60",
        "\"${A}\"",
    ])
    .prop_map(str::to_owned)
}

fn line() -> impl Strategy<Value = String> {
    let indentation = proptest::sample::select(vec!["", "", "  ", "\t"]);
    let behind = proptest::sample::select(vec!["", "", " # c", "#c", "  "]);
    let equals = proptest::sample::select(vec![" = ", "=", "  =\t"]);
    let statement = (key(), equals, scalar()).prop_map(|(key, equals, value)| format!("{key}{equals}{value}"));
    let body = prop_oneof![
        5 => statement,
        4 => key().prop_map(|key| format!("[{key}]")),
        1 => key().prop_map(|key| format!("[[ {key} ]]")),
        1 => Just("# words".to_owned()),
        1 => Just(String::new()),
    ];
    (indentation, body, behind).prop_map(|(indentation, body, behind)| format!("{indentation}{body}{behind}"))
}

/// Documents in all layouts, about half of them valid.
fn document() -> impl Strategy<Value = String> {
    let newline = proptest::sample::select(vec!["\n", "\n", "\r\n"]);
    (
        proptest::collection::vec(line(), 0..8),
        newline,
        any::<bool>(),
        proptest::bool::weighted(0.1),
    )
        .prop_map(|(lines, newline, ended, bom)| {
            let text = format!("{}{}", lines.join("\n"), if ended { "\n" } else { "" });
            format!("{}{}", if bom { "\u{feff}" } else { "" }, text.replace('\n', newline))
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn our_tree_accepts_what_toml_edit_accepts_and_reads_the_same(text in document()) {
        check_against_toml_edit(&text)?;
    }

    #[test]
    fn mutated_documents_are_judged_alike(text in document(), at in any::<prop::sample::Index>(), with in "[\\[\\]{}=.,\"'#\\\\a1_ \n-]{0,3}", cut in 0..3usize) {
        let characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len() + 1);
        let end = (at + cut).min(characters.len());
        let mutated: String = characters[..at].iter().copied().chain(with.chars()).chain(characters[end..].iter().copied()).collect();
        check_against_toml_edit(&mutated)?;
    }

    #[test]
    fn an_edit_changes_what_it_should_in_any_layout(
        text in document(),
        base in any::<prop::sample::Index>(),
        length in 0..4usize,
        parts in proptest::collection::vec(prop_oneof![Just("a".to_owned()), Just("new".to_owned()), "\\PC{0,3}"], 0..3),
        written in "(\\PC|[\n\r\t\"\\\\$\\{\\}']){0,12}",
        kind in 0..3,
    ) {
        let Ok(document) = SecretsDocument::parse(text.as_bytes()) else { return Ok(()) };
        let all = document.entries();
        let known = if all.is_empty() { Vec::new() } else { all[base.index(all.len())].path.parts().to_vec() };
        let Some(path) = CredentialPath::from_parts(known.into_iter().take(length).chain(parts)) else { return Ok(()) };
        let Ok(secret) = SecretValue::new(written.clone()) else { return Ok(()) };
        let result = match kind {
            0 => document.unset(&path).map(|(edited, _)| edited),
            1 => document.set(&path, &json(r#"{"x": {"y": ["z"]}, "w": "1\n2"}"#)).map(|(edited, _)| edited),
            _ => document.set(&path, &NewValue::String { text: secret, references: References::Literal }).map(|(edited, _)| edited),
        };
        match result {
            Ok(edited) => {
                prop_assert_eq!(others(&edited, &path), others(&document, &path));
                if kind == 2 {
                    let value = edited.value(&path).map(|value| describe(&value));
                    prop_assert_eq!(value, Some(format!("{written:?}")));
                }
                let is_ended = |text: &str| text.trim_start_matches('\u{feff}').is_empty() || text.ends_with('\n');
                prop_assert!(edited.text().trim_start_matches('\u{feff}').is_empty() || is_ended(edited.text()) == is_ended(&text), "{}", edited.text());
                prop_assert_eq!(edited.has_bom(), document.has_bom());
            }
            // Beside dotted keys that headers far away add to there is no place that dlt could read.
            Err(EditError::Unreadable { source, .. }) => prop_assert_eq!(source.code(), "document_out_of_order"),
            Err(error) => prop_assert!(!matches!(error, EditError::Unproven { .. }), "{} in\n{}", error, text),
        }
    }
}
