//! A document whose bindings came from elsewhere than a file; reading files is in `parser`.

use dango_core::SecretValue;
use zeroize::Zeroizing;

use super::EnvDocument;
use super::parser::{Binding, RawValue, Statement, StatementKind};

/// A variable as somebody else read it from a `.env`. There is no `Debug`: it holds the value.
#[derive(Clone)]
pub struct GivenValue {
    /// The key.
    pub key: String,
    /// The value, references as they are written; none for a key that stands alone, which takes the bindings before it back.
    pub value: Option<SecretValue>,
    /// Whether `${` in it stands for itself.
    pub is_literal: bool,
}

impl EnvDocument {
    /// What a program is given of this document: each binding in order, duplicates and keys without a value included.
    pub fn given(&self) -> Vec<GivenValue> {
        let given = |binding: &Binding| GivenValue {
            key: binding.key.clone(),
            // No NUL is in a document.
            value: binding
                .value
                .as_ref()
                .and_then(|raw| SecretValue::new(raw.text.as_str().to_owned()).ok()),
            is_literal: binding.value.as_ref().is_some_and(|raw| raw.is_opened),
        };
        self.bindings().map(given).collect()
    }

    /// A document for reading, of what somebody else's has [given](Self::given). Its text is empty.
    pub fn of_given(values: impl IntoIterator<Item = GivenValue>) -> Self {
        let statement = |(index, given): (usize, GivenValue)| Statement {
            span: 0..0,
            line: index + 1,
            kind: StatementKind::Binding(Binding {
                key: given.key,
                line: index + 1,
                key_span: 0..0,
                value: given.value.map(|value| RawValue {
                    text: Zeroizing::new(value.expose().to_owned()),
                    span: 0..0,
                    is_opened: given.is_literal,
                }),
            }),
        };
        Self {
            text: Zeroizing::default(),
            statements: values.into_iter().enumerate().map(statement).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::super::Precedence;
    use super::*;

    #[test]
    fn what_was_given_is_read_as_the_file_is() {
        let text = "# note\nA=1\nB='x ${A} y'\nA=2\nC=\"two\\nlines ${D:-d}\"\nFLAG\nS=sealed\nT=${S}\nGONE=1\nGONE\n";
        let document = EnvDocument::parse(text.as_bytes()).expect("a document");
        let open = |binding: &Binding| -> Result<Option<SecretValue>, Infallible> {
            Ok((binding.expose() == Some("sealed")).then(|| SecretValue::new("${A} '#".to_owned()).expect("no NUL")))
        };
        let Ok(document) = document.opened(open);
        let again = EnvDocument::of_given(document.given());
        let process = |name: &str| (name == "D").then(|| SecretValue::new("from outside".to_owned()).expect("no NUL"));
        let values = |document: &EnvDocument, precedence| {
            let values = document.values(&process, precedence).expect("small").into_iter();
            let values = values.filter_map(|(key, value)| Some((key, value?.expose().to_owned())));
            values.collect::<Vec<_>>()
        };
        for precedence in [Precedence::File, Precedence::Environment] {
            assert_eq!(values(&again, precedence), values(&document, precedence));
        }
        assert!(values(&again, Precedence::File).contains(&("T".to_owned(), "${A} '#".to_owned())));
        assert!(again.text().is_empty() && !again.has_reference("S") && again.has_reference("B"));
    }
}
