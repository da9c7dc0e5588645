//! A document whose encrypted values were opened in memory; opening them is somebody else's.

use dango_core::SecretValue;
use zeroize::Zeroizing;

use super::parser::StatementKind;
use super::{Binding, EnvDocument};

impl EnvDocument {
    /// A copy, for reading, in which some bindings have the value that `open` gives for them, in place of what is written there.
    ///
    /// Such a value is literal: no `${` in it is a reference, and references of other values to it see it. The text, and
    /// so every edit, is that of the file.
    ///
    /// # Errors
    ///
    /// The first error of `open`, which is asked for every binding with a value, in order.
    pub fn opened<E>(&self, mut open: impl FnMut(&Binding) -> Result<Option<SecretValue>, E>) -> Result<Self, E> {
        let mut document = self.clone();
        for statement in &mut document.statements {
            let StatementKind::Binding(binding) = &mut statement.kind else {
                continue;
            };
            if binding.value.is_none() {
                continue;
            }
            let opened = open(binding)?;
            if let (Some(value), Some(opened)) = (&mut binding.value, opened) {
                value.text = Zeroizing::new(opened.expose().to_owned());
                value.is_opened = true;
            }
        }
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::super::Precedence;
    use super::*;

    #[test]
    fn opened_values_are_literal_and_seen_by_references() {
        let document = EnvDocument::parse(b"A=sealed\nB=x${A}y\nC=${B}\n").expect("a document");
        let open = |binding: &Binding| -> Result<Option<SecretValue>, Infallible> {
            Ok((binding.expose() == Some("sealed")).then(|| SecretValue::new("${B} and ' #".to_owned()).expect("no NUL")))
        };
        let Ok(opened) = document.opened(open);
        let values = opened.values(&|_| None, Precedence::File).expect("small");
        assert_eq!(values.value("A").map(SecretValue::expose), Some("${B} and ' #"));
        assert_eq!(values.value("B").map(SecretValue::expose), Some("x${B} and ' #y"));
        assert_eq!(values.value("C").map(SecretValue::expose), Some("x${B} and ' #y"));
        assert!(!opened.has_reference("A"));
        assert_eq!(opened.cycle(&"A".parse().expect("a name"), &|_| None), None);
        assert_eq!(opened.text(), document.text());
    }
}
