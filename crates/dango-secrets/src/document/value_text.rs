//! The text of one value by itself, with the comment behind it; documents are elsewhere.

use dango_core::SecretValue;
use zeroize::Zeroizing;

use super::SecretsDocument;
use super::new_value::NewValue;
use super::tree::{Kind, NodeId, Tree};
use crate::{References, Value};

/// What stands before the text so that it is a document.
const KEY: &str = "v = ";

/// A TOML value as it is spelled, perhaps with a comment behind it. There is no `Debug`: it may be a secret.
#[derive(Clone)]
pub struct ValueText {
    document: SecretsDocument,
    id: NodeId,
    end: usize,
}

impl ValueText {
    /// Reads a text that is one value and nothing else but a comment behind it; `None` for any other.
    pub fn parse(text: &str) -> Option<Self> {
        let mut line = Zeroizing::new(String::with_capacity(KEY.len() + text.len()));
        line.push_str(KEY);
        line.push_str(text);
        let document = SecretsDocument::from_text(line).ok()?;
        let children = document.tree.children(Tree::ROOT)?.ids();
        let (&[id], [_]) = (children, document.tree.sections.as_slice()) else {
            return None;
        };
        let (Kind::Scalar { span, .. } | Kind::Array { span, .. } | Kind::Inline { span, .. }) = &document.tree.node(id).kind else {
            return None;
        };
        let (start, end) = (span.start(), span.end());
        let behind = &document.text[end..];
        let is_comment = behind.trim_start_matches([' ', '\t']).starts_with('#') && !behind.contains('\n');
        if start == KEY.len() && (behind.is_empty() || is_comment) {
            Some(Self { document, id, end })
        } else {
            None
        }
    }

    /// The value alone, as it is spelled.
    pub fn spelling(&self) -> &str {
        &self.document.text[KEY.len()..self.end]
    }

    /// The comment with the blanks before it, or nothing.
    pub fn comment(&self) -> &str {
        &self.document.text[self.end..]
    }

    /// What the value says.
    pub fn value(&self) -> Value {
        self.document.written().value(self.id)
    }

    /// What the value says where no `${` in it is a reference.
    pub fn literal_value(&self) -> Value {
        self.value().into_literal()
    }

    /// The same value to be written again, its references too; `None` for a string with a NUL, which nothing writes.
    pub fn to_new_value(&self) -> Option<NewValue> {
        rewritten(&self.value())
    }
}

fn rewritten(value: &Value) -> Option<NewValue> {
    Some(match value {
        Value::String(text) => NewValue::String {
            text: SecretValue::new(text.verbatim().as_str().to_owned()).ok()?,
            references: if text.has_reference() {
                References::Expand
            } else {
                References::Literal
            },
        },
        Value::Integer { value, .. } => NewValue::Integer(*value),
        Value::Float { value, .. } => NewValue::Float(*value),
        Value::Boolean(value) => NewValue::Boolean(*value),
        Value::Datetime(text) => NewValue::Datetime(text.parse().ok()?),
        Value::Array(items) => NewValue::Array(items.iter().map(rewritten).collect::<Option<_>>()?),
        Value::Table(entries) => {
            let entries = entries.iter().map(|(key, value)| Some((key.clone(), rewritten(value)?)));
            NewValue::Table(entries.collect::<Option<_>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_and_a_comment_are_a_value_text_and_nothing_else_is() {
        let read = |text: &str| ValueText::parse(text).map(|read| (read.spelling().to_owned(), read.comment().to_owned()));
        let pair = |one: &str, other: &str| Some((one.to_owned(), other.to_owned()));
        assert_eq!(read("\"a\"  # b"), pair("\"a\"", "  # b"));
        assert_eq!(read("\"\"\"\r\na\"\"\""), pair("\"\"\"\r\na\"\"\"", ""));
        assert_eq!(read("{ a = [1, 2] }"), pair("{ a = [1, 2] }", ""));
        for bad in ["", " 1", "1 ", "1\n", "1\nb = 2", "1 # x\n", "a", "1\n[t]", "\"a", "1 # \u{1}"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn references_become_text_and_everything_else_stays() {
        let literal = |text: &str| ValueText::parse(text).map(|read| read.literal_value());
        let string = |value: Option<Value>| match value {
            Some(Value::String(text)) if !text.has_reference() => Some(text.verbatim().to_string()),
            _ => None,
        };
        assert_eq!(string(literal("'${A}'")).as_deref(), Some("${A}"));
        assert_eq!(string(literal(r#""a${A:-${B}}\u0000""#)).as_deref(), Some("a${A:-${B}}\0"));
        let Some(Value::Array(items)) = literal(r#"["${A}", 0x10, { a = "${B}" }]"#) else {
            panic!("no array");
        };
        assert!(!items.iter().any(Value::has_reference));
        assert!(matches!(&items[1], Value::Integer { value: 16, text } if text.as_str() == "0x10"));
    }
}
