//! A document whose encrypted values were opened in memory; opening them is somebody else's.

use super::SecretsDocument;
use super::read::Entry;
use super::tree::{Kind, NodeId};
use crate::Value;

/// The values that readers see in place of those that are written, ordered by their nodes.
#[derive(Clone)]
pub(super) struct OpenedValues(Vec<(NodeId, Value)>);

impl OpenedValues {
    /// Everything is seen as it is written.
    pub(super) const NONE: Self = Self(Vec::new());

    /// What is seen in place of a node.
    pub(super) fn at(&self, id: NodeId) -> Option<&Value> {
        let found = self.0.binary_search_by_key(&id, |(node, _)| *node);
        found.ok().map(|index| &self.0[index].1)
    }
}

impl SecretsDocument {
    /// A copy, for reading, in which some strings have the value that `open` gives for them, in place of what is written there.
    ///
    /// [`SecretsDocument::value`], [`SecretsDocument::root`], [`SecretsDocument::entries`] and [`SecretsDocument::contains_table`]
    /// see such a value, below it, too, where it is a table. The text, and so every edit and every spelling, is that of the file.
    ///
    /// # Errors
    ///
    /// The first error of `open`, which is asked for every entry as it is written, in order. What it gives for others than
    /// strings is not taken.
    pub fn opened<E>(&self, mut open: impl FnMut(&Entry) -> Result<Option<Value>, E>) -> Result<Self, E> {
        // Nodes come in their order.
        let mut values = Vec::new();
        for (id, entry) in self.written().nodes() {
            let opened = open(&entry)?;
            if let (Some(value), Kind::Scalar { .. }) = (opened, &self.tree.node(id).kind) {
                values.push((id, value));
            }
        }
        Ok(Self {
            opened: OpenedValues(values),
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::super::{NewValue, ValueText};
    use super::*;
    use crate::SetOutcome;

    /// Opens each string `@…` as the TOML value behind the `@`.
    fn opened(text: &str) -> SecretsDocument {
        let open = |entry: &Entry| -> Result<Option<Value>, Infallible> {
            let Value::String(text) = &entry.value else { return Ok(None) };
            let text = text.verbatim();
            Ok(text
                .strip_prefix('@')
                .map(|text| ValueText::parse(text).expect("a value").literal_value()))
        };
        let document = SecretsDocument::parse(text.as_bytes()).expect("TOML");
        let Ok(opened) = document.opened(open);
        opened
    }

    fn text(document: &SecretsDocument, path: &str) -> Option<String> {
        match document.value(&path.parse().expect("a path"))? {
            Value::String(text) => Some(text.verbatim().to_string()),
            Value::Integer { text, .. } => Some(text.to_string()),
            _ => None,
        }
    }

    #[test]
    fn every_reader_sees_opened_values_and_their_types() {
        let document = opened("a = '@0x1f'\nt = { x = \"@'${X}'\", y = 'plain' }\n[s]\nb = '@[1, \"${Y}\"]'\n");
        assert_eq!(text(&document, "a").as_deref(), Some("0x1f"));
        assert_eq!(text(&document, "t.x").as_deref(), Some("${X}"));
        assert_eq!(text(&document, "t.y").as_deref(), Some("plain"));
        assert!(!document.root().has_reference(), "an opened string is literal");
        let types: Vec<_> = document.entries().iter().map(|entry| entry.value.value_type()).collect();
        let of_root: Vec<_> = match document.root() {
            Value::Table(entries) => entries.into_iter().map(|(_, value)| value.value_type()).collect(),
            _ => Vec::new(),
        };
        use crate::ValueType::{Array, Integer, String};
        assert_eq!(types, [Some(Integer), Some(String), Some(String), Some(Array)]);
        assert_eq!(of_root, [Some(Integer), None, None]);
    }

    #[test]
    fn an_opened_table_is_a_table() {
        let document = opened("a = '@{ x = 1, y = { z = 2 }, e = {} }'\nb = 3\n");
        let paths: Vec<_> = document.entries().iter().map(|entry| entry.path.to_string()).collect();
        assert_eq!(paths, ["a.x", "a.y.z", "b"]);
        assert_eq!(text(&document, "a.y.z").as_deref(), Some("2"));
        let path = |path: &str| path.parse().expect("a path");
        for table in ["a", "a.y", "a.e"] {
            assert!(document.contains_table(&path(table)), "{table}");
        }
        for none in ["a.x", "a.x.q", "a.q", "a.y.q", "b", "b.x", "c"] {
            assert!(!document.contains_table(&path(none)), "{none}");
        }
        for none in ["a.x.q", "a.q", "b.x"] {
            assert!(document.value(&path(none)).is_none(), "{none}");
        }
    }

    #[test]
    fn edits_and_spellings_are_those_of_the_file() {
        let document = opened("a = '@1' # c\nb = 2\n");
        let path = "a".parse().expect("a path");
        assert_eq!(document.spelling(&path), Some("'@1'"));
        assert_eq!(document.text(), "a = '@1' # c\nb = 2\n");
        let (edited, outcome) = document.set(&path, &NewValue::Integer(1)).expect("fits");
        assert_eq!(outcome, SetOutcome::Replaced);
        assert_eq!(edited.text(), "a = 1 # c\nb = 2\n");
        let (edited, _) = document.set(&"b".parse().expect("a path"), &NewValue::Integer(3)).expect("fits");
        assert_eq!(text(&edited, "a").as_deref(), Some("@1"), "an edited document is not opened");
    }

    #[test]
    fn the_first_refusal_ends_the_opening() {
        let document = SecretsDocument::parse(b"a = 1\nb = 2\nc = 3\n").expect("TOML");
        let mut asked = Vec::new();
        let opened = document.opened(|entry| {
            asked.push(entry.path.to_string());
            if asked.len() == 2 { Err("no") } else { Ok(None) }
        });
        assert_eq!(opened.err(), Some("no"));
        assert_eq!(asked, ["a", "b"]);
    }
}
