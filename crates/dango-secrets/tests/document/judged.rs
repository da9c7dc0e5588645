//! Random layouts and edits, judged by `toml_edit`.

use proptest::prelude::*;
use toml_edit::{Item, TableLike};

use super::*;

/// What `toml_edit` reads, in the form of [`describe`], references left out.
fn described_by_toml_edit(item: &Item) -> String {
    match item {
        Item::Value(value) => match value {
            toml_edit::Value::String(text) => format!("{:?}", text.value()),
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
                "document_lone_cr",
            ];
            prop_assert!(deliberate.contains(&error.code()), "{} in\n{}", error, text);
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
