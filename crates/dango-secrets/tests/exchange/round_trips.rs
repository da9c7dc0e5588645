//! What is written and read back.

use dango_core::CredentialPath;
use dango_secrets::exchange::{
    ManifestName, Tree, parse_docker, parse_json, parse_k8s, parse_shell, parse_yaml, write_docker, write_json, write_k8s, write_shell,
    write_yaml,
};
use proptest::prelude::*;

use crate::{imported, show, show_import, specimen, string, variables};

#[test]
fn json_and_yaml_come_back_as_they_were() {
    // Times become text, the empty tables are dropped.
    let expected = "mixed = [int 1, \"two\\nlines\", [false, []], {\"a\": \"x\", \"b.c\": {\"d\": int 1, \"e\": int 2}}, {}]";
    for import in [
        parse_json(write_json(&specimen()).as_bytes()),
        parse_yaml(write_yaml(&specimen()).as_bytes()),
    ] {
        let import = import.unwrap_or_else(|error| panic!("{error}"));
        let lines = show_import(&import);
        assert_eq!(import.empty_tables, 1);
        assert_eq!(lines.len(), 19);
        assert!(lines.contains(&expected.to_owned()), "{lines:#?}");
        assert!(lines.contains(&"since = \"2026-11-21T21:34:00Z\"".to_owned()), "{lines:#?}");
        assert!(lines.contains(&"sources.\"my.db\".password = \"p\"".to_owned()), "{lines:#?}");
        assert!(lines.contains(&"huge = float 1e300".to_owned()), "{lines:#?}");
    }
}

#[test]
fn docker_values_stand_as_they_are() {
    let entries = variables(&[("A", " 'x' \"y\" # $Z "), ("b.c-d", "")]);
    let text = write_docker(&entries).expect("good");
    assert_eq!(text.as_str(), "A= 'x' \"y\" # $Z \nb.c-d=\n");
    assert_eq!(
        imported(parse_docker(text.as_bytes())),
        ["a = \" 'x' \\\"y\\\" # $Z \"", "\"b.c-d\" = \"\""]
    );
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[^\\x00]{0,12}",
        "[ -~\n\r\t]{0,20}",
        "[-+0-9.eExo_:~]{1,8}",
        "true|null|yes|~|<<|---|\\.nan|#|- a|: b|%|@"
    ]
}

/// A [`Tree`] that may be shown, as proptest shows what fails.
#[derive(Clone, Debug)]
enum Draft {
    String(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Array(Vec<Draft>),
    Table(Entries),
}

type Entries = std::collections::BTreeMap<String, Draft>;

impl Draft {
    fn tree(&self) -> Tree {
        match self {
            Self::String(text) => string(text),
            Self::Integer(number) => Tree::Integer(*number),
            Self::Float(number) => Tree::Float(*number),
            Self::Boolean(value) => Tree::Boolean(*value),
            Self::Array(values) => Tree::Array(values.iter().map(Self::tree).collect()),
            Self::Table(entries) => Tree::Table(trees(entries)),
        }
    }
}

fn trees(entries: &Entries) -> Vec<(String, Tree)> {
    entries.iter().map(|(name, draft)| (name.clone(), draft.tree())).collect()
}

fn any_draft() -> impl Strategy<Value = Draft> {
    let leaf = prop_oneof![
        any_text().prop_map(Draft::String),
        any::<i64>().prop_map(Draft::Integer),
        any::<f64>()
            .prop_filter("NaN is not equal to itself", |n| n.is_finite())
            .prop_map(Draft::Float),
        any::<bool>().prop_map(Draft::Boolean),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Draft::Array),
            entries_of(inner).prop_map(Draft::Table),
        ]
    })
}

fn entries_of(values: impl Strategy<Value = Draft>) -> impl Strategy<Value = Entries> {
    proptest::collection::btree_map(any_text(), values, 0..4)
}

/// The lines that an import of these entries shows.
fn flat(parent: Option<&CredentialPath>, entries: &[(String, Tree)]) -> Vec<String> {
    let lines = entries.iter().flat_map(|(name, value)| {
        let path = parent.map_or_else(
            || CredentialPath::from_parts([name]).expect("one part"),
            |parent| parent.child(name),
        );
        match value {
            Tree::Table(entries) => flat(Some(&path), entries),
            value => vec![format!("{path} = {}", show(value))],
        }
    });
    lines.collect()
}

proptest! {
    #[test]
    fn any_tree_survives_json_and_yaml(entries in entries_of(any_draft())) {
        let entries = trees(&entries);
        let expected = flat(None, &entries);
        let json = write_json(&entries);
        prop_assert_eq!(imported(parse_json(json.as_bytes())), expected.clone());
        let yaml = write_yaml(&entries);
        prop_assert_eq!(imported(parse_yaml(yaml.as_bytes())), expected, "{}", yaml.as_str());
    }

    #[test]
    fn any_value_survives_shell_docker_and_k8s(value in any_text()) {
        let entries = variables(&[("A", &value), ("B__C", "x")]);
        let expected = vec![format!("a = {value:?}"), "b.c = \"x\"".to_owned()];
        let shell = write_shell(&entries).expect("good names");
        prop_assert_eq!(imported(parse_shell(shell.as_bytes())), expected.clone());
        let name: ManifestName = "x".parse().expect("a name");
        let manifest = write_k8s(&name, &entries).expect("good names");
        prop_assert_eq!(imported(parse_k8s(manifest.as_bytes())), expected.clone());
        match write_docker(&entries) {
            Ok(text) => prop_assert_eq!(imported(parse_docker(text.as_bytes())), expected),
            Err(_) => prop_assert!(value.contains(['\n', '\r'])),
        }
    }

    #[test]
    fn no_text_panics_a_reader(text in "[\\PC\n\t]{0,60}|[\\[\\]{}:,\"'\\\\&*!|>#%@`?\n a1$=;~-]{0,40}") {
        for parse in [parse_json, parse_yaml, parse_shell, parse_docker, parse_k8s] {
            let _ = parse(text.as_bytes());
        }
    }
}
