//! The values of a document without anything else of it: one line each, for a program that is given them over a connection.

use dango_core::CredentialPath;
use zeroize::Zeroizing;

use super::SecretsDocument;
use super::spelling;

impl SecretsDocument {
    /// A text of TOML with the values that are wanted, as readers of this document see them: opened ones opened, no comment, no table.
    ///
    /// A document that is read from it has the same entries: types, numbers and times as they are spelled, and references where there
    /// are references.
    ///
    /// # Security
    ///
    /// It holds the values.
    pub fn extract(&self, wanted: &dyn Fn(&CredentialPath) -> bool) -> Zeroizing<String> {
        let entries = self.entries().into_iter().filter(|entry| wanted(&entry.path));
        let lines: Vec<(String, Zeroizing<String>)> = entries
            .map(|entry| (entry.path.to_string(), spelling::read_value(&entry.value)))
            .collect();
        // Room for all of it, so that growing leaves no copies in memory.
        let room = lines.iter().map(|(path, value)| path.len() + value.len() + 4).sum();
        let mut text = Zeroizing::new(String::with_capacity(room));
        for (path, value) in &lines {
            text.push_str(path);
            text.push_str(" = ");
            text.push_str(value);
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extract(text: &str, prefix: &str) -> String {
        let document = SecretsDocument::parse(text.as_bytes()).expect("TOML");
        let prefix: CredentialPath = prefix.parse().expect("a path");
        document.extract(&|path| path.starts_with(&prefix)).to_string()
    }

    #[test]
    fn values_come_with_their_types_and_references_and_without_comments() {
        let text = "# top\n[s] # table\na = 'x' # why\nn = 0xff\nf = 1e3\nt = 2026-11-21\nb = true\n\
                    l = [ # in\n 1, 'two',\n { k = \"v\" } ]\nm = \"\"\"\none\n\"two\"\"\"\"\n\
                    r = \"${A:-x} and \\u0024{B} $${C}\"\n\"q.p\" = { \"x y\" = '\\' }\n[o]\na = 1\n";
        let expected = "s.a = \"x\"\ns.n = 0xff\ns.f = 1e3\ns.t = 2026-11-21\ns.b = true\n\
                        s.l = [1, \"two\", { k = \"v\" }]\ns.m = \"one\\n\\\"two\\\"\"\n\
                        s.r = \"${A:-x} and \\u0024{B} $${C}\"\ns.\"q.p\".\"x y\" = \"\\\\\"\n";
        assert_eq!(extract(text, "s"), expected);
        assert_eq!(extract(text, "o"), "o.a = 1\n");
        // What was read from it is the same once more.
        assert_eq!(extract(expected, "s"), expected);
    }

    proptest::proptest! {
        #[test]
        fn any_string_comes_back_with_its_references(text in "[$a-c{}:\\-\"'\\\\\n\t\u{1}é]{0,24}", escaped in proptest::bool::ANY) {
            use super::super::NewValue;
            use crate::References;
            let path: CredentialPath = "s.a".parse().expect("a path");
            let references = if escaped { References::Literal } else { References::Expand };
            let value = NewValue::String { text: dango_core::SecretValue::new(text).expect("no NUL"), references };
            let document = SecretsDocument::parse(b"").expect("TOML");
            let (document, _) = document.set(&path, &value).expect("set");
            let again = SecretsDocument::parse(document.extract(&|_| true).as_bytes()).expect("TOML");
            let shape = |document: &SecretsDocument| match document.value(&path) {
                Some(crate::Value::String(text)) => (text.verbatim().to_string(), text.pieces().len(), text.has_reference()),
                _ => (String::new(), 0, false),
            };
            proptest::prop_assert_eq!(shape(&document), shape(&again));
        }
    }
}
